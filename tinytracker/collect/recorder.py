"""Records a sitting dot by dot: what is shown, which frames are kept, and what is said when something is wrong.

Time is given, not taken: s since the sitting began, of the clock that stamps dots and frames. So the same dots and
frames always make the same subject, whether they come from a page or from a film.
"""

from __future__ import annotations

import io
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from tinytracker.arrays import Pixels
from tinytracker.collect.eyes import Sight, Strip, Watcher
from tinytracker.collect.journal import Head, Journal, KeptFrame, StoredDot
from tinytracker.collect.judging import (
    LEAST_FRAMES,
    LeftOut,
    Lids,
    Taken,
    aside,
    judge_frame,
)
from tinytracker.collect.plan import PlannedDot, planned_dot
from tinytracker.collect.remarks import Remarks
from tinytracker.collect.shots import Shot
from tinytracker.collect.subject import finish, write_report
from tinytracker.data.sitting import SittingDot
from tinytracker.errors import OutputError, UsageError

SPARE_BYTES = 50_000_000
"""Room on the disk that is left free; a dot of frames takes about a megabyte."""


@dataclass(frozen=True)
class Outcome:
    """What became of a dot.

    Attributes:
        is_kept: whether it counts; otherwise it is shown again.
        frames: number of frames that were kept. left_out: the others by reason.
        said: sentences for the person, the most important first.
        waits: whether the next dot waits until the person continues.
    """

    is_kept: bool
    frames: int
    left_out: dict[str, int]
    said: tuple[str, ...] = ()
    waits: bool = False


def decode(jpeg: bytes) -> Pixels:
    """Return the pixels of a frame, uint8 RGB (h, w, 3).

    Raises:
        UsageError: it is not a picture, or is damaged.
    """
    try:
        with Image.open(io.BytesIO(jpeg)) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise UsageError(f"A frame is not a picture ({error}).", "Reload the page.") from None


def free_bytes(folder: Path) -> int:
    """Return the room that is left on the disk of a folder."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


@dataclass
class Sitting:
    """A sitting that is being recorded.

    Attributes:
        journal: where it is stored. head: who sits where.
        watcher: finds the eyes.
        free: returns the room on the disk of a folder, bytes.
        kept: dots that count so far. attempts: dots that were shown so far. frames: frames that count so far.
    """

    journal: Journal
    head: Head
    watcher: Watcher
    free: Callable[[Path], int] = free_bytes
    kept: int = 0
    attempts: int = 0
    frames: int = 0
    _taken: list[Taken] = field(default_factory=list)
    _shown: tuple[PlannedDot, float] | None = None
    _lids: Lids = field(default_factory=Lids)
    _last_s: float = 0.0

    def __post_init__(self) -> None:
        self._remarks = Remarks(self.journal)

    @classmethod
    def begin(
        cls, session: Path, head: Head, watcher: Watcher, free: Callable[[Path], int] = free_bytes
    ) -> Sitting:
        """Begin a sitting in a session's folder.

        Raises:
            OutputError: the disk is nearly full, or the folder cannot be written.
        """
        room = free(session)
        if room < SPARE_BYTES:
            raise OutputError(
                session, f"the disk is nearly full ({room / 1e6:.0f} MB are free, {SPARE_BYTES / 1e6:.0f} are needed)",
                "Free some space or choose another folder.",
            )  # fmt: skip
        return cls(Journal.begin(session, head), head, watcher, free)

    @classmethod
    def resume(cls, journal: Journal, watcher: Watcher, free: Callable[[Path], int] = free_bytes) -> Sitting:
        """Continue a sitting that was interrupted, after its last complete dot.

        Raises:
            InputFileError: its journal is damaged.
        """
        sitting = cls(journal, journal.head(), watcher, free)
        for _, stored in journal.dots():
            sitting.attempts = stored.dot.number + 1
            sitting.kept += stored.dot.is_kept
            sitting.frames += len(stored.frames)
            sitting._last_s = max(sitting._last_s, stored.dot.shown_s)
            for frame in stored.frames:
                sitting._lids.learn(frame.openness)
                sitting._last_s = max(sitting._last_s, frame.captured_s)
        return sitting

    @property
    def last_s(self) -> float:
        """Time of the last frame; a sitting that is resumed goes on after it."""
        return self._last_s

    @property
    def is_showing(self) -> bool:
        """Whether a dot is shown."""
        return self._shown is not None

    def next_dot(self) -> PlannedDot:
        """Return the dot to show next."""
        return planned_dot(self.head.seed, self.kept, self.attempts)

    def show(self, shown_s: float, dot: PlannedDot | None = None) -> None:
        """A dot appeared: the next one of the plan, or another."""
        self._shown = (dot or self.next_dot(), shown_s)
        self._taken = []

    def take(
        self, jpeg: bytes, captured_s: float, shot: Shot | None = None, clock_ms: float | None = None
    ) -> Taken:
        """Take a frame of the dot that is shown; without one it is only looked at.

        Args:
            jpeg: the picture.
            captured_s: when it was taken.
            shot: that it is, if it comes from a board.
            clock_ms: how far its time can be wrong beside those of the dots; None where both are of one clock.

        Raises:
            UsageError: it is not a picture.
        """
        taken = self.preview(self.watcher, jpeg, captured_s, None if shot is None else shot.strip)
        sight = taken.sight
        if self._shown is None:
            return taken
        if shot is not None:
            taken = replace(taken, clock_ms=clock_ms, region=shot.region, board_gaze_cm=shot.gaze_cm)
        taken = replace(taken, reason=judge_frame(sight, captured_s - self._shown[1], self._lids))
        self._taken.append(taken)
        self._last_s = max(self._last_s, captured_s)
        return taken

    @staticmethod
    def preview(watcher: Watcher, jpeg: bytes, captured_s: float = 0.0, near: Strip | None = None) -> Taken:
        """Look at a frame that is not recorded, see `Watcher.look`; raises `UsageError` when it is not a picture."""
        pixels = decode(jpeg)
        height, width = pixels.shape[:2]
        return Taken(jpeg, width, height, captured_s, watcher.look(pixels, near))

    def end_dot(self, typed: str, rate: float | None = None, changed: bool = False) -> Outcome:
        """The dot disappeared: store it, with the frames that count.

        Args:
            typed: the letter that the person answered; "" for none.
            rate: frames per second of the camera; None when unknown.
            changed: the screen changed its size meanwhile.

        Raises:
            OutputError: it cannot be stored: it does not count, and is shown again.
            UsageError: no dot is shown.
        """
        if self._shown is None:
            raise UsageError("No dot is shown.", "Reload the page.")
        (dot, shown_s), frames = self._shown, self._judged(typed, changed)
        kept = [taken for taken in frames if taken.reason is None]
        left_out = Counter(taken.reason.value for taken in frames if taken.reason is not None)
        counts = bool(kept)
        x, y = self._place(dot)
        stored = StoredDot(
            dot=SittingDot(
                number=self.attempts, across=dot.across, down=dot.down, x_cm=x, y_cm=y, shown_s=shown_s,
                letter=dot.letter, typed=typed, is_kept=counts, left_out=dict(sorted(left_out.items())),
            ),
            rate=rate, frames=tuple(_kept_frame(k, taken, shown_s) for k, taken in enumerate(kept)),
        )  # fmt: skip
        for taken in kept:
            self._lids.learn(taken.sight.openness)
        said = self._remarks.of_dot(frames, kept, rate, shown_s, typed != dot.letter, changed)
        room = self.free(self.journal.path)
        if room < SPARE_BYTES:
            self._shown = None
            text = self._remarks.note("disk", shown_s, room / 1e6)
            raise OutputError(self.journal.path.parent, text.rstrip("."))
        self.journal.add(stored, [taken.jpeg for taken in kept])
        self._shown = None
        self.attempts += 1
        self.kept += counts
        self.frames += len(kept)
        if counts:
            said += self._remarks.of_gaze((x, y), kept, shown_s)
        return Outcome(counts, len(kept), dict(left_out), tuple(said), self._remarks.waits)

    def note(self, kind: str, at_s: float) -> str:
        """Write down an event of `SENTENCES` that the page noticed; returns the sentence."""
        return self._remarks.note(kind, at_s)

    def finish(self) -> Path | None:
        """Make the subject, and the session's report; see `tinytracker.collect.subject.finish`."""
        session = self.journal.path.parent
        subject = finish(self.journal)
        write_report(session)
        return subject

    def _judged(self, typed: str, changed: bool) -> list[Taken]:
        """Return the frames of the dot with the reasons that only its end shows."""
        assert self._shown is not None
        frames = self._taken
        whole: LeftOut | None = None
        if changed:
            whole = LeftOut.SCREEN
        elif typed != self._shown[0].letter:
            whole = LeftOut.WRONG_LETTER if typed else LeftOut.NO_LETTER
        if whole is not None:
            return [replace(taken, reason=taken.reason or whole) for taken in frames]
        counted = [taken for taken in frames if taken.reason is None]
        away = dict(zip(map(id, counted), aside(counted), strict=True))
        frames = [replace(taken, reason=LeftOut.ASIDE) if away.get(id(taken)) else taken for taken in frames]
        if sum(taken.reason is None for taken in frames) < LEAST_FRAMES:
            frames = [replace(taken, reason=taken.reason or LeftOut.FEW) for taken in frames]
        return frames

    def _place(self, dot: PlannedDot) -> tuple[float, float]:
        x_min, y_min, x_max, y_max = self.head.screen_cm
        return x_min + dot.across * (x_max - x_min), y_max - dot.down * (y_max - y_min)


def _kept_frame(number: int, taken: Taken, shown_s: float) -> KeptFrame:
    sight: Sight = taken.sight
    assert sight.strip is not None
    assert sight.gaze_cm is not None
    x, y, width = (round(v, 3) for v in sight.strip)
    return KeptFrame(
        file=f"{number:02d}.jpg", width=taken.width, height=taken.height, captured_s=round(taken.captured_s, 4),
        since_dot_s=round(taken.captured_s - shown_s, 4), strip=(x, y, width), roll=round(sight.roll, 5),
        gaze_cm=(round(sight.gaze_cm[0], 3), round(sight.gaze_cm[1], 3)), openness=round(sight.openness, 4),
        light=round(sight.light, 1), clock_ms=taken.clock_ms, region=taken.region, board_gaze_cm=taken.board_gaze_cm,
    )  # fmt: skip
