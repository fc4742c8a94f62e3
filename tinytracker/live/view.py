"""The state behind the page: screen, calibration, and what the last frames were like."""

from __future__ import annotations

import itertools
import threading
import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.errors import CalibrationError, TinyTrackerError, UsageError
from tinytracker.evaluate.calibration import Calibration, read_calibration
from tinytracker.evaluate.calibration_identity import Identity, remarks_on, today
from tinytracker.files import StrPath
from tinytracker.live.frames import LiveFrame
from tinytracker.live.hub import Hub
from tinytracker.live.requests import number, own_screen_of, text
from tinytracker.live.routine import Routine
from tinytracker.live.screen import DOT_COUNTS, Screen, device_names, own_screen, screen_of_device
from tinytracker.measure.pictures import Picture

_RECENT = 60
"""Frames over which rate and latency are taken."""


@dataclass(frozen=True)
class Origin:
    """Where frames come from.

    Attributes:
        board: its name. source: "hardware", "emulated" or "replay".
        is_emulated: its times are counted instructions, also in a replay.
        phases: names. model_sha256: of the network. advice: what its user should do, in a sentence or two.
    """

    board: str
    source: str
    is_emulated: bool
    phases: tuple[str, ...]
    model_sha256: str = ""
    advice: str = ""

    def as_json(self) -> dict[str, Any]:
        """For the page."""
        return {
            "board": self.board, "source": self.source, "emulated": self.is_emulated,
            "phases": list(self.phases), "model": self.model_sha256[:12],
            "advice": self.advice,
        }  # fmt: skip


class LiveView:
    """What the page shows and does. Methods may be called from any thread.

    Args:
        origin: of the frames.
        screen: to begin with.
        calibration_path: read if it exists; a calibration from the page is written to it.
        clock: seconds, rising.
        person: a label for a calibration that is made.
        force: overwrite an existing calibration instead of writing a new one beside it.

    Raises:
        InputFileError: the existing calibration cannot be read.
        CalibrationError: it was made for another network.
    """

    def __init__(
        self,
        origin: Origin,
        screen: Screen,
        calibration_path: StrPath,
        clock: Callable[[], float] = time.monotonic,
        person: str | None = None,
        force: bool = False,
    ) -> None:
        calibration_path = Path(calibration_path)
        self.hub = Hub()
        self.origin = origin
        self.screen = screen
        self.frames = 0
        self.lost = 0
        self._path = calibration_path
        self._person = person
        self._force = force
        self._clock = clock
        self._lock = threading.RLock()
        self._routine: Routine | None = None
        self._arrivals: deque[float] = deque(maxlen=_RECENT)
        self._phases: deque[tuple[float, ...]] = deque(maxlen=_RECENT)
        self.calibration = read_calibration(calibration_path) if calibration_path.exists() else None
        if self.calibration is not None and self.calibration.needs_features:
            raise CalibrationError(
                f"{calibration_path}: this calibration needs activations that a board does not send.",
                "Name another file with --calibration.",
            )
        self._remarks()
        self.hub.send("origin", {**origin.as_json(), "devices": device_names(), "counts": list(DOT_COUNTS)})
        self.hub.send("screen", screen.as_json())
        self._say_calibration()
        self._say_routine({"state": "idle"})

    def run(self, frames: Iterable[LiveFrame], until: Callable[[], bool] = lambda: False) -> None:
        """Show frames until they end or `until()` says so."""
        for frame in frames:
            self.take(frame)
            if until():
                return

    def take(self, frame: LiveFrame) -> tuple[float, float] | None:
        """Show one frame, and give it to the calibration when one runs; returns the gaze that is shown, cm."""
        with self._lock:
            now = self._clock()
            self.frames += 1
            self.lost += frame.lost
            self._arrivals.append(now)
            self._phases.append(frame.phases_ms)
            shown = self._corrected(frame.gaze_cm)
            medians = np.median(np.array(self._phases), axis=0).tolist()
            self.hub.send(
                "frame",
                {
                    "sequence": frame.sequence, "frames": self.frames, "lost": self.lost,
                    "gaze": _rounded(shown), "raw": _rounded(frame.gaze_cm), "true": _rounded(frame.true_cm),
                    "aim": None if frame.aim is None else {"state": frame.aim.state, "eyes": frame.aim.has_eyes},
                    "fps": self._rate(), "phases_ms": [round(m, 4) for m in medians],
                },
            )  # fmt: skip
            if frame.picture is not None:
                self.hub.send("picture", _shown(frame.picture))
            if self._routine is not None:
                self._advance(self._routine, frame, now)
            return shown

    def act(self, path: str, request: dict[str, Any]) -> dict[str, Any]:
        """Do what the page asks.

        Raises:
            TinyTrackerError: it cannot be done.
        """
        actions: dict[str, Callable[[], None]] = {
            "/screen/device": lambda: self.choose_device(
                text(request, "name"), round(number(request, "orientation"))
            ),
            "/screen/own": lambda: self.choose_own(*own_screen_of(request)),
            "/calibration/start": lambda: self.start_calibration(round(number(request, "dots"))),
            "/calibration/stop": self.stop_calibration,
            "/calibration/remove": self.remove_calibration,
        }
        if path not in actions:
            raise UsageError(f"There is no request {path}.")
        actions[path]()
        return {}

    def choose_device(self, name: str, orientation: int) -> None:
        """Show the screen of a device.

        Raises:
            TinyTrackerError: no such screen exists, or a calibration is running.
        """
        self._set_screen(screen_of_device(name, orientation))

    def choose_own(self, width_cm: float, height_cm: float, gap_cm: float, across_cm: float = 0.0) -> None:
        """Show a screen of this size; see `own_screen`.

        Raises:
            TinyTrackerError: the size is out of range, or a calibration is running.
        """
        self._set_screen(own_screen(width_cm, height_cm, gap_cm, across_cm))

    def start_calibration(self, dots: int) -> None:
        """Show the first dot; a calibration that runs begins anew.

        Raises:
            UsageError: the count of dots is not 5, 9 or 13.
        """
        with self._lock:
            self._routine = Routine.start(self.screen, dots, self._clock())
            self._say_routine(self._routine.as_json(self._clock()))

    def stop_calibration(self) -> None:
        """Forget a calibration that runs; the one before stays."""
        with self._lock:
            self._routine = None
            self._say_routine({"state": "idle"})

    def remove_calibration(self) -> None:
        """Show the network's own answers again. The file is kept, and is not read again until the next start."""
        with self._lock:
            self.calibration = None
            self._say_calibration()

    def fail(self, error: TinyTrackerError) -> None:
        """Show on the page why no more frames come."""
        self.hub.send("problem", {"text": str(error)})

    def _set_screen(self, screen: Screen) -> None:
        with self._lock:
            if self._routine is not None:
                raise UsageError("The screen cannot change while a calibration is running.", "Stop it first.")
            self.screen = screen
            self.hub.send("screen", screen.as_json())
            self._say_calibration()

    def _corrected(self, gaze: tuple[float, float] | None) -> tuple[float, float] | None:
        if gaze is None or self.calibration is None:
            return gaze
        x, y = self.calibration.apply(np.array(gaze))
        return float(x), float(y)

    def _rate(self) -> float | None:
        if len(self._arrivals) < 2 or self._arrivals[-1] <= self._arrivals[0]:
            return None
        return round((len(self._arrivals) - 1) / (self._arrivals[-1] - self._arrivals[0]), 3)

    def _advance(self, routine: Routine, frame: LiveFrame, now: float) -> None:
        if not routine.take(frame.gaze_cm, now):
            self._say_routine(routine.as_json(now))
            return
        self._routine = None
        try:
            found = routine.finish(
                Identity(
                    model_sha256=self.origin.model_sha256 or None, target=self.origin.board, created=today(),
                    screen_cm=routine.screen.edges, person=self._person,
                )
            )  # fmt: skip
            self._path = self._path if self._force else unused(self._path)
            found.write(self._path)
        except TinyTrackerError as error:
            self._say_routine({"state": "failed", "text": str(error)})
            return
        self.calibration = found
        self._say_calibration()
        self._say_routine({"state": "done"})

    def _remarks(self) -> list[str]:
        """What to say of the calibration on this network and screen; refuses that of another network."""
        if self.calibration is None:
            return []
        identity = self.calibration.identity
        return list(remarks_on(identity, self.origin.model_sha256, self.screen.edges))

    def _say_routine(self, content: dict[str, Any]) -> None:
        self.hub.send("routine", content)

    def _say_calibration(self) -> None:
        found: Calibration | None = self.calibration
        content: dict[str, Any] = (
            {"kind": None} if found is None else {"kind": found.kind, "file": str(self._path)}
        )
        if found is not None and found.evidence is not None:
            content |= found.evidence.model_dump(mode="json")
        content |= {"remarks": self._remarks(), "mirrored": found is not None and found.is_mirrored}
        self.hub.send("calibration", content)


def unused(path: Path) -> Path:
    """The path, or the first of NAME-2, NAME-3, ... that does not exist yet."""
    if not path.exists():
        return path
    numbered = (path.with_name(f"{path.stem}-{k}{path.suffix}") for k in itertools.count(2))
    return next(candidate for candidate in numbered if not candidate.exists())


def _shown(picture: Picture) -> dict[str, Any]:
    """A picture for the page: nothing is fetched, so that nothing but the stream of messages has to be let in."""
    return {
        "source": "data:image/jpeg;base64," + b64encode(picture.jpeg).decode("ascii"),
        "width": picture.width, "height": picture.height, "region": [round(v, 1) for v in picture.region],
    }  # fmt: skip


def _rounded(point: tuple[float, float] | None) -> list[float] | None:
    return None if point is None else [round(point[0], 4), round(point[1], 4)]
