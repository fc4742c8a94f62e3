"""The webcam's page in Chromium, whose fake camera shows a synthetic person who follows the dots."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from support.chromium import Page
from support.tflite_builder import T
from support.tflite_nets import NetBuilder
from support.webcam_person import Actor, Film, Point, Seat, draw_person, i420

from tinytracker.live.screen import Screen, own_screen
from tinytracker.live.server import serving
from tinytracker.live.view import LiveView, Origin
from tinytracker.live.webcam import PHASES, Webcam
from tinytracker.live.webcam_finder import Finder
from tinytracker.live.webcam_network import AimedNetwork

ALLOWED = "--use-fake-ui-for-media-stream"
CAMERA = "--use-fake-device-for-media-stream"
SIZE = (1280, 720)


def blind_network() -> bytes:
    """Return a small network with an aim that never sees eyes."""
    net = NetBuilder((1, 64, 192, 3))
    net.conv(4, 3, 4)
    net.mean()
    weights = net.constant(np.full((40, 4), -100, np.int8), (0.02,))
    bias = net.constant(np.full(40, -1000, np.int32), (0.02 * net.tensors[net.last].scales[0],))
    out = T((1, 40), scales=(6 / 255,), zero_points=(-128,))
    net.emit("FULLY_CONNECTED", [net.last, weights, bias], out, FusedActivationFunction="RELU6")
    return net.build()


def grey_picture(level: int, width: int = SIZE[0], height: int = SIZE[1]) -> bytes:
    """Return a picture for a `Film` without anything in it."""
    return bytes([level]) * (width * height) + bytes([128]) * (width * height // 2)


NOTE = """
window.heard = [];
document.addEventListener("answer", e => heard.push({ gaze: e.detail.gaze, raw: e.detail.raw, dot: e.detail.dot && [...e.detail.dot],
  state: e.detail.state, eyes: e.detail.eyes, region: e.detail.region, light: e.detail.light,
  at: e.detail.times.done, ms: e.detail.times.done - e.detail.times.captured }));
"""  # noqa: E501


def own_seat(screen: Screen, **changes: Any) -> Seat:
    """Return a seat in front of this screen."""
    return Seat(screen=screen.edges, **changes)


class FrameTime:
    """The view's clock: a tenth of a second with each frame that comes while the person looks where it should.

    So a computer that is too busy for ten frames per second makes a calibration longer, and not worse.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.goes_on: Callable[[], bool] = lambda: True

    def __call__(self) -> float:
        """The time, s."""
        if self.goes_on():
            self.now += 0.1
        return self.now


class Desk:
    """A page, the view behind it, and a person in front of it.

    Attributes:
        page: in the browser. view, webcam: behind it. stop: ends the server.
        gaze_at: where the person looks while no calibration runs; a key of the pictures.
    """

    def __init__(
        self, page: Page, view: LiveView, webcam: Webcam, address: str, stop: Callable[[], None]
    ) -> None:
        self.page, self.view, self.webcam, self.address, self.stop = page, view, webcam, address, stop
        self.gaze_at: object = None
        self.actor: Actor | None = None

    def is_looking(self) -> bool:
        """Whether the camera's film shows where the person looks now."""
        return self.actor is None or self.actor.shown == self.look_at()

    def look(self, key: object) -> None:
        """Look somewhere, and wait until the page has got ten pictures of it: then those of before have gone."""
        self.gaze_at = key
        end = time.monotonic() + 120
        while not self.is_looking():
            assert time.monotonic() < end, f"nobody looks at {key}"
            time.sleep(0.01)
        self.heard()
        self.until("heard.length >= 10")
        self.heard()

    def look_at(self) -> object:
        """Where the person looks now."""
        routine = self.view._routine
        return self.gaze_at if routine is None else ("dot", routine.index)

    def open(self, width: int = SIZE[0], height: int = SIZE[1], dark: bool = False) -> None:
        """Open the page in a window as large as the screen."""
        self.page.open(self.address, width, height, dark)
        self.page.run(NOTE)

    def until(self, expression: str, timeout_s: float = 120) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + timeout_s
        while not self.page.run(expression):
            assert time.monotonic() < end, (
                f"still not: {expression}; {self.page.run('state')} {self.page.errors}"
            )
            time.sleep(0.05)

    def heard(self) -> list[dict[str, Any]]:
        """Return the answers since the last call."""
        found: list[dict[str, Any]] = self.page.run("heard.splice(0)")
        return found

    def calibrate(self, dots: int, timeout_s: float = 300) -> None:
        """Choose a number of dots, press the button, and wait for the end."""
        self.page.run(f"document.querySelector('#dots button[data-value=\"{dots}\"]').click()")
        self.page.run("el('start').click()", by_user=True)
        self.until("running")
        self.until("!running", timeout_s)


@contextmanager
def desk(
    folder: Path,
    network: AimedNetwork,
    pictures: dict[object, Sequence[bytes]] | None,
    *options: str,
    screen: Screen | None = None,
    size: tuple[int, int] = SIZE,
    finder: Finder | None = None,
) -> Iterator[Desk]:
    """A served page in a browser.

    Args:
        folder: for the film and the calibration.
        network: answers the frames.
        pictures: see `Actor`; None for a browser without a fake camera.
        options: of the browser.
        screen: that the page begins with.
        size: of the pictures, px.
        finder: for the first look.
    """
    origin = Origin("webcam", "camera", False, PHASES, network.sha256)
    clock = FrameTime()
    view = LiveView(
        origin, screen or own_screen(34, 34 * SIZE[1] / SIZE[0], 1.0), folder / "calibration.json", clock
    )
    webcam = Webcam(view, network, finder)
    uploads = {"/claim": webcam.claim, "/frame": webcam.frame}
    film = Film(folder / "film.y4m", *size)
    if pictures is not None:
        options = (*options, CAMERA, f"--use-file-for-fake-video-capture={film.path}")
    # A window in front of the whole screen, so that calibration may begin without the browser's full-screen mode.
    options = (*options, f"--window-size={SIZE[0]},{SIZE[1]}", f"--screen-info={{{SIZE[0]}x{SIZE[1]}}}")
    with ExitStack() as stack:
        stack.callback(film.close)
        page = stack.enter_context(Page(*options))
        served = stack.enter_context(ExitStack())
        address = served.enter_context(serving(view, 0, (), "webcam.html", uploads))
        found = Desk(page, view, webcam, address, served.close)
        if pictures is not None:
            found.gaze_at = next(iter(pictures))
            found.actor = stack.enter_context(Actor(film, pictures, found.look_at))
            clock.goes_on = found.is_looking
        yield found


def person(
    index: int,
    screen: Screen,
    dots: Sequence[Point],
    others: dict[object, Point],
    views: int = 2,
    **seat: Any,
) -> dict[object, Sequence[bytes]]:
    """Draw a person who looks at each calibration dot (shares of the screen) and at other places (cm).

    Returns:
        pictures by ("dot", number) and by the keys of `others`.
    """
    places = [screen.at(*dot) for dot in dots] + list(others.values())
    frames = draw_person(index, places, views, own_seat(screen, **seat))
    names = [*(("dot", k) for k in range(len(dots))), *others]
    drawn = {name: [i420(f) for f in frames[k * views : (k + 1) * views]] for k, name in enumerate(names)}
    return {**{name: drawn[name] for name in others}, **drawn}
