"""Messages from the view to every open page. A page that does not keep up misses frames, but never the last state."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Page:
    """An open page: of each kind of message, the newest that it has not been sent yet."""

    def __init__(self, waiting: dict[str, str]) -> None:
        self._waiting = waiting
        self._closed = False
        self._changed = threading.Condition()

    def put(self, kind: str, text: str) -> None:
        """A message for it; takes the place of an older one of the same kind."""
        with self._changed:
            self._waiting[kind] = text
            self._changed.notify()

    def close(self) -> None:
        """No more messages will come."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def take(self, timeout_s: float) -> str | None:
        """What has to be sent, "" when nothing came in time, None after the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed, timeout_s)
            text = "".join(self._waiting.values())
            self._waiting.clear()
            return text if text or not self._closed else None


class Hub:
    """Messages by kind. A page that opens gets the last of each kind first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: list[Page] = []
        self._last: dict[str, str] = {}
        self._closed = False

    @property
    def pages(self) -> int:
        """How many are open."""
        return len(self._pages)

    def send(self, kind: str, content: dict[str, Any]) -> None:
        """Send to all pages, as one server-sent event."""
        text = f"event: {kind}\ndata: {json.dumps(content, allow_nan=False)}\n\n"
        with self._lock:
            self._last[kind] = text
            for page in self._pages:
                page.put(kind, text)

    @contextmanager
    def listen(self) -> Iterator[Page]:
        """A page is open."""
        with self._lock:
            page = Page(dict(self._last))
            if self._closed:
                page.close()
            self._pages.append(page)
        try:
            yield page
        finally:
            with self._lock:
                self._pages.remove(page)

    def close(self) -> None:
        """Tell every page that no more messages will come."""
        with self._lock:
            self._closed = True
            for page in self._pages:
                page.close()
