"""The live view of a webcam: the page cuts parts out of the camera's frames, and this computer answers each.

The page sends the part of the newest frame that the last answer asked for, at the camera's resolution, and waits for
the answer before it cuts the next one. So one frame is on its way at a time, and none waits in a queue.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytracker.aim.controller import Controller, State
from tinytracker.aim.cutting import Box, cut
from tinytracker.aim.finding import view_box
from tinytracker.aim.region import Region
from tinytracker.arrays import Pixels
from tinytracker.data.inputs import REFERENCE_CROP
from tinytracker.errors import UsageError
from tinytracker.live.frames import LiveFrame
from tinytracker.live.view import LiveView
from tinytracker.live.webcam_finder import Finder
from tinytracker.live.webcam_network import AimedNetwork

PHASES = ("crop", "network")
"""What a frame's time on this computer is spent on."""

OWNED_S = 3.0
"""A page that has not sent anything for so long no longer has the camera."""

DARK = 25.0
"""Mean brightness of the part, 0 to 255, below which the picture is called dark."""

SMALLEST_STRIP_PX = 60
"""Width of a strip below which there is no gaze: an iris has three pixels."""

_SIDES = (16, 4096)
_CHANNELS = 4  # as a canvas gives them: RGBA


@dataclass(frozen=True)
class Part:
    """A part of a frame, as the page cut it.

    Attributes:
        frame_width, frame_height: of the whole frame, px.
        box: of the part in the frame: x, y, width, height, px.
        pixels: RGB (height, width, 3), divided by `shrink` and rounded up.
        shrink: px of the frame per pixel, along each axis.
    """

    frame_width: int
    frame_height: int
    box: Box
    pixels: Pixels
    shrink: int = 1

    def contains(self, box: Box) -> bool:
        """Whether a box, as far as it is in the frame, is in the part."""
        x, y, w, h = clipped(box, self.frame_width, self.frame_height)
        left, top, width, height = self.box
        return left <= x and top <= y and x + w <= left + width and y + h <= top + height

    def inside(self, box: Box) -> Box:
        """Return a box of the frame in pixels of the part."""
        shrink = self.shrink
        x, y = ((box[k] - self.box[k]) // shrink for k in (0, 1))
        return x, y, max(box[2] // shrink, 1), max(box[3] // shrink, 1)


def clipped(box: Box, width: int, height: int) -> Box:
    """Return the part of a box that is in a frame of this size, at least 1 × 1 px."""
    x, y, w, h = box
    left, top = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
    right, bottom = min(max(x + w, left + 1), width), min(max(y + h, top + 1), height)
    return left, top, right - left, bottom - top


class Webcam:
    """Answers the page's frames, one after the other, and shows them in a view.

    Args:
        view: gets each frame.
        network: with an aim.
        finder: for the first look; None when there is none, and the aim searches alone.
        clock: seconds, rising.
    """

    def __init__(
        self,
        view: LiveView,
        network: AimedNetwork,
        finder: Finder | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._view, self._network, self._finder, self._clock = view, network, finder, clock
        self._lock = threading.Lock()
        self._size = (0, 0)
        self._controller = Controller(1, 1)
        self._sequence = 0
        self._owner, self._heard = "", float("-inf")
        self.followed = 0

    def claim(self, query: Mapping[str, str], _: bytes) -> dict[str, Any]:
        """Give the camera to a page, unless another one has it.

        `query` has `tab`, a name of the page; `take=1` takes the camera from another page, `leave=1` gives it back.
        """
        with self._lock:
            now, tab = self._clock(), query.get("tab", "")
            if query.get("leave") == "1":
                if tab == self._owner:
                    self._heard = float("-inf")
                return {"owner": False}
            if query.get("take") == "1" or now - self._heard > OWNED_S or tab == self._owner:
                if tab != self._owner:
                    self._size = (0, 0)  # another camera, perhaps
                self._owner, self._heard = tab, now
            return {"owner": tab == self._owner}

    def frame(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """Answer one frame.

        `query` has tab, frame_width, frame_height, the part's x, y, width and height in px of the frame, and shrink.

        Returns:
            `owner`: whether this page has the camera; if not, nothing else. `cut`: the box to cut out of the next
            frame, and `shrink`: by which to divide its size. The rest is in `_looked`, or missing when the part was not
            the one that is needed now.

        Raises:
            UsageError: the numbers do not fit each other.
        """
        if not self.claim({"tab": query.get("tab", "")}, b"")["owner"]:
            return {"owner": False}
        part = read_part(query, body)
        with self._lock:
            size = (part.frame_width, part.frame_height)
            if size != self._size:
                self._size, self._controller = size, Controller(*size)
            answer = self._answer(part)
            return {"owner": True, "cut": self._next_cut(), "shrink": self._shrink(), **answer}

    def _next_cut(self) -> Box:
        box = self._controller.region.box
        if self._wants_finder:
            box = (0, 0, *self._size)
        return clipped(box, *self._size)

    def _shrink(self) -> int:
        """A crop that is many times as wide as the network's picture need not be sent in full."""
        return max(self._controller.region.box[2] // (2 * self._network.width), 1)

    @property
    def _wants_finder(self) -> bool:
        return self._finder is not None and self._controller.wants_finder

    def _answer(self, part: Part) -> dict[str, Any]:
        whole = (0, 0, part.frame_width, part.frame_height)
        if self._finder is not None and self._controller.wants_finder:
            if not part.contains(whole):
                return {}
            view = part.inside(view_box(part.frame_width, part.frame_height))
            self._controller.found(self._finder.find(part.pixels, view, part.frame_width, part.frame_height))
        region = self._controller.region
        if not part.contains(region.box):
            return {}
        return self._looked(part, region)

    def _looked(self, part: Part, region: Region) -> dict[str, Any]:
        """Run the network on a region, and let the controller and the view know."""
        began = time.perf_counter()
        network = self._network
        channels = 1 if network.grey else 3
        picture = cut(part.pixels, part.inside(region.box), network.width, network.height, channels)
        cropped = time.perf_counter()
        look = network.look(picture)
        done = time.perf_counter()
        state = self._controller.update(look.aim, region)
        gaze = None
        far = state == State.FOLLOWING and region.box[2] < SMALLEST_STRIP_PX
        if self._controller.has_eyes and not far:
            unit = REFERENCE_CROP * max(self._size) / region.box[2]
            gaze = (look.gaze[0] * unit, look.gaze[1] * unit)
            self.followed += 1
        times = (1e3 * (cropped - began), 1e3 * (done - cropped))
        shown = self._view.take(LiveFrame(self._sequence, gaze, times))
        self._sequence += 1
        light = float(part.pixels[::4, ::4].mean())
        return {
            "state": State(state).name.lower(), "eyes": gaze is not None, "region": region.box,
            "presence": round(look.aim.presence / 4096, 2), "roll": round(look.aim.roll / 4096, 3),
            "gaze": _rounded(shown), "raw": _rounded(gaze), "light": round(light, 1), "dark": light < DARK, "far": far,
            "times_ms": [round(t, 2) for t in times],
        }  # fmt: skip


def read_part(query: Mapping[str, str], body: bytes) -> Part:
    """Return the part of a frame that a page sent.

    Raises:
        UsageError: a number is missing or out of range, or the body has another length.
    """
    low, high = _SIDES
    frame_width, frame_height = (_whole(query, f"frame_{name}", low, high) for name in ("width", "height"))
    x = _whole(query, "x", 0, frame_width - 1)
    y = _whole(query, "y", 0, frame_height - 1)
    width = _whole(query, "width", 1, frame_width - x)
    height = _whole(query, "height", 1, frame_height - y)
    shrink = _whole(query, "shrink", 1, _SIDES[1]) if "shrink" in query else 1
    columns, rows = -(-width // shrink), -(-height // shrink)
    if len(body) != columns * rows * _CHANNELS:
        raise UsageError(
            f"A part of {columns} x {rows} pixels takes {columns * rows * _CHANNELS:,} bytes, not {len(body):,}.",
            "Reload the page.",
        )
    pixels = np.frombuffer(body, np.uint8).reshape(rows, columns, _CHANNELS)[..., :3]
    return Part(frame_width, frame_height, (x, y, width, height), pixels, shrink)


def _whole(query: Mapping[str, str], key: str, low: int, high: int) -> int:
    text = query.get(key, "")
    # The length first: zeros in front would hide a long number from a look at its beginning, and int() has a limit.
    if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
        raise UsageError(
            f"{key} is {text[:20]!r}; it must be a whole number from {low} to {high}.", "Reload the page."
        )
    return int(text)


def _rounded(point: tuple[float, float] | None) -> list[float] | None:
    return None if point is None else [round(point[0], 4), round(point[1], 4)]
