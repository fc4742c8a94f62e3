"""A person drawn for the collector: pictures for the dots that a sitting will show, and a head to begin it with."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from PIL import Image
from support.chromium import Page
from support.webcam_page import ALLOWED, CAMERA, own_seat
from support.webcam_person import Actor, Film, draw_person, i420

from tinytracker.collect.desk import Desk
from tinytracker.collect.device import device_of
from tinytracker.collect.journal import Head, as_row
from tinytracker.collect.plan import planned_dot
from tinytracker.live.screen import own_screen
from tinytracker.live.server import serving

POINTS = (1280, 720)
SCREEN = own_screen(36, 36 * POINTS[1] / POINTS[0], 1.2, 1.0)
SEAT = own_seat(SCREEN, width=640, height=480, view_deg=56.0, distance_cm=46.0)
SEED = 5


def sitting_head(person: str = "ann", began: str = "2026-01-01T12:00:00+00:00") -> Head:
    """Return a head; its screen is added to the devices that the environment names."""
    return Head(
        person=person, began=began, consented=began, source="video", network_sha256="0" * 64,
        device=as_row(device_of(SCREEN, POINTS)), screen_cm=SCREEN.edges, points=POINTS, seed=SEED,
    )  # fmt: skip


def drawn(index: int, seed: int, dots: int, per_dot: int, blinks: float = 0.0) -> list[list[bytes]]:
    """Return `per_dot` JPEG frames of each dot that a sitting with this seed shows."""
    plan = [planned_dot(seed, k, k) for k in range(dots)]
    frames = draw_person(index, [SCREEN.at(p.across, p.down) for p in plan], per_dot, SEAT, 0, blinks)
    return [frames[k * per_dot : (k + 1) * per_dot] for k in range(dots)]


def black() -> bytes:
    """Return a JPEG frame of a covered camera."""
    content = io.BytesIO()
    Image.new("RGB", (SEAT.width, SEAT.height), (3, 3, 3)).save(content, "JPEG")
    return content.getvalue()


class Room:
    """The collector's page, and the person in front of it.

    Attributes:
        page: in the browser. desk: behind it. options: of the browser.
        covered: whether something is before the lens.
    """

    def __init__(self, page: Page, desk: Desk, address: str, film: Film, options: tuple[str, ...]) -> None:
        self.page, self.desk, self._address, self._film = page, desk, address, film
        self.options = options
        self.covered = False

    def look_at(self) -> object:
        """What the camera shows: the person who looks at the dot that is shown."""
        sitting = self.desk._sitting
        return "cover" if self.covered else 0 if sitting is None else min(sitting.kept, self.desk.dots - 1)

    def shows_black(self) -> bool:
        """Whether the camera shows a covered lens."""
        return max(self._film.path.read_bytes()[200:2000]) < 40

    def open(self, **times: int) -> None:
        """Open the page, with shorter times than a person needs."""
        self.open_in(self.page, **times)

    def open_in(self, page: Page, **times: int) -> None:
        """Open the page in another browser."""
        page.open(self._address, *POINTS)
        for name, value in times.items():
            page.run(f"TIMES.{name} = {value}")

    def answer_rightly(self) -> None:
        """Press the letter that was shown, as soon as the page asks."""
        self.page.run("window.typist = setInterval(() => { if (answered) answered(plan.dot.letter) }, 20); 0")

    def answer_first(self) -> None:
        """Press the letter of the first dot, and none after it."""
        self.page.run(
            "window.typist = setInterval(() => { if (answered && plan.kept === 0) answered(plan.dot.letter) }, 20); 0"
        )

    def answer_once_wrongly(self) -> None:
        """Press the other letter the first time, then the right ones."""
        wrong = 'plan.dot.letter === "L" ? "R" : "L"'
        self.page.run(
            "window.missed = false; window.typist = setInterval(() => { if (!answered) return; "
            f"const typed = window.missed ? plan.dot.letter : {wrong}; window.missed = true; answered(typed) }}, 20); 0"
        )


@contextmanager
def room(folder: Path, desk: Desk, pictures: Sequence[Sequence[bytes]], fps: int = 10) -> Iterator[Room]:
    """Serve the page, and let the person look at each dot.

    Args:
        folder: for the film.
        desk: behind the page.
        pictures: JPEG frames by number of kept dots.
        fps: frames per second of the camera.
    """
    film = Film(folder / "film.y4m", SEAT.width, SEAT.height, fps)
    shown: dict[object, list[bytes]] = {k: [i420(f) for f in frames] for k, frames in enumerate(pictures)}
    shown["cover"] = [i420(black())]
    options = (
        ALLOWED, CAMERA, f"--use-file-for-fake-video-capture={film.path}",
        f"--window-size={POINTS[0]},{POINTS[1]}", f"--screen-info={{{POINTS[0]}x{POINTS[1]}}}",
    )  # fmt: skip
    with ExitStack() as stack:
        stack.callback(film.close)
        page = stack.enter_context(Page(*options))
        address = stack.enter_context(serving(desk, 0, (), "collect.html", {"/frame": desk.frame}))
        found = Room(page, desk, address, film, options)
        stack.enter_context(Actor(film, shown, found.look_at))
        yield found
