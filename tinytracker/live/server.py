"""The page and its messages over HTTP, for this computer alone.

Only addresses of this computer are answered, and only to a page that came from here: another site that is open in the
same browser can neither read the gaze nor move anything.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from tinytracker.errors import OutputError, TinyTrackerError, UsageError
from tinytracker.live.hub import Hub

ADDRESS = "127.0.0.1"
DEFAULT_PORT = 8377
_HEARTBEAT_S = 5.0
_LARGEST_REQUEST = 10_000
_LARGEST_UPLOAD = 4 * 4096 * 2304
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
    "frame-ancestors 'none'"
)

Upload = Callable[[Mapping[str, str], bytes], dict[str, Any]]
"""What answers bytes from the page: gets the query and the bytes, returns a JSON object."""


_PART = re.compile(rb"(?:<!--|/\*) part ([\w-]+\.html) (?:-->|\*/)")
"""Where a page contains a part that several pages share."""


class Served(Protocol):
    """What a page shows and does.

    Attributes:
        hub: its messages.
    """

    hub: Hub

    def act(self, path: str, request: dict[str, Any]) -> dict[str, Any]:
        """Do what the page asks at a path; returns the answer.

        Raises:
            TinyTrackerError: it cannot be done.
        """
        ...


@contextmanager
def serving(
    view: Served,
    port: int = DEFAULT_PORT,
    allowed: Collection[str] = (),
    page: str = "page.html",
    uploads: Mapping[str, Upload] | None = None,
) -> Iterator[str]:
    """Serve the page of a view meanwhile.

    Args:
        view: what it shows.
        port: 0 for any that is free.
        allowed: further names of this server, as HOST:PORT, for a tunnel that ends at another port.
        page: file in this package.
        uploads: what takes bytes from the page, by path.

    Yields:
        the page's address.

    Raises:
        OutputError: the port is taken.
    """
    try:
        server = _Server((ADDRESS, port), view, allowed, page, uploads or {})
    except OSError as error:
        problem = f"the page cannot be served ({error.strerror or error})"
        raise OutputError(f"{ADDRESS}:{port}", problem, "Give another --http.") from None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://{ADDRESS}:{server.server_port}/"
    finally:
        view.hub.close()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        address: tuple[str, int],
        view: Served,
        allowed: Collection[str],
        page: str,
        uploads: Mapping[str, Upload],
    ) -> None:
        self.view = view
        self.allowed = frozenset(name.lower() for name in allowed)
        self.page = page_content(page)
        self.uploads = uploads
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that closes in the middle of an answer is not an error."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer must not wait until the page has acknowledged its headers

    def do_GET(self) -> None:
        """The page, or its messages."""
        if not self._is_ours():
            self._answer(HTTPStatus.FORBIDDEN, {"error": self._foreign()})
        elif self.path == "/":
            self._send(HTTPStatus.OK, "text/html; charset=utf-8", self.server.page)
        elif self.path == "/events":
            self._events()
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "there is no such page"})

    def do_POST(self) -> None:
        """Handle a request of the page."""
        parts = urlsplit(self.path)
        upload = self.server.uploads.get(parts.path)
        # Another site's page cannot send either type without asking first, and it is not answered.
        kind = "application/json" if upload is None else "application/octet-stream"
        if not self._is_ours() or self.headers.get("Content-Type") != kind:
            self.close_connection = True  # what was sent is not read
            self._answer(HTTPStatus.FORBIDDEN, {"error": "not for other sites"})
            return
        content: dict[str, Any] = {}
        try:
            if upload is None:
                content = self.server.view.act(self.path, self._request())
            else:
                content = upload(dict(parse_qsl(parts.query)), self._body(_LARGEST_UPLOAD))
        except TinyTrackerError as error:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        else:
            self._answer(HTTPStatus.OK, content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep requests out of the terminal."""

    def _is_ours(self) -> bool:
        """Whether the request names this server and comes from its page (or from no page at all)."""
        here = {f"{name}:{self.server.server_port}" for name in (ADDRESS, "localhost")}
        here |= self.server.allowed
        origin = self.headers.get("Origin")
        return self.headers.get("Host") in here and (origin is None or origin.removeprefix("http://") in here)

    def _foreign(self) -> str:
        """Why a request is refused, as shown in a browser."""
        host = self.headers.get("Host") or "HOST:PORT"
        return f"not for other sites; behind a tunnel, start with --allow-host {host}"

    def _body(self, largest: int) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > largest:
            self.close_connection = True
            raise UsageError("The request is too long.")
        return self.rfile.read(int(length))

    def _request(self) -> dict[str, Any]:
        try:
            content = json.loads(self._body(_LARGEST_REQUEST) or b"{}")
        except (ValueError, RecursionError):
            raise UsageError("The request is not JSON.") from None
        if not isinstance(content, dict):
            raise UsageError("The request is not a JSON object.")
        return content

    def _events(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        with self.server.view.hub.listen() as page:
            while (text := page.take(_HEARTBEAT_S)) is not None:
                # Sending a comment shows whether the page is still open.
                self.wfile.write((text or ": here\n\n").encode())
                self.wfile.flush()

    def _answer(self, status: HTTPStatus, content: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(content).encode())

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(content)


def page_content(name: str) -> bytes:
    """Return a page of this package, with its parts put in."""
    folder = files("tinytracker.live")
    return _PART.sub(
        lambda found: folder.joinpath("parts", found[1].decode()).read_bytes().rstrip(b"\n"),
        folder.joinpath(name).read_bytes(),
    )
