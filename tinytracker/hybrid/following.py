"""Gaze between frames: the last answer of a frame network, plus the change since that frame. No TensorFlow.

The spiking layers start from zero when a frame is exposed, and run on with each bin of events; an answer for the time
after m bins is the frame's gaze plus the hybrid's answer after m steps. A frame's answer comes later than its exposure,
and until the next frame's answer is there the changes reach back to the old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import TinyTrackerError, UsageError
from tinytracker.hybrid.evaluation_document import Following
from tinytracker.hybrid.presets import BIN_US, STEPS
from tinytracker.hybrid.reference import BATCH, IntegerHybrid
from tinytracker.hybrid.streams import MOVED_CM, Stream, Windows, spread
from tinytracker.progress import bar


@dataclass(frozen=True)
class Frames:
    """How a frame network answers.

    Attributes:
        rate: frames per second. delay_ms: from a frame's exposure to its answer.
        error_cm: mean distance of its answers from the gaze; the error is drawn once for each clip.
        at_most: frames whose following bins are compared.
    """

    rate: float = 30.0
    delay_ms: float = 33.0
    error_cm: float = 0.0
    at_most: int = 400

    def __post_init__(self) -> None:
        if self.rate <= 0 or min(self.delay_ms, self.error_cm) < 0:
            raise UsageError(
                f"Frames at {self.rate:g} per second, {self.delay_ms:g} ms late and {self.error_cm:g} cm wrong do not "
                "exist.", "Give a positive rate, and no negative number.",
            )  # fmt: skip
        if self.at_most < 1:
            raise UsageError(f"{self.at_most} frames are too few.", "Use 1 or more.")
        longest = self.delay_ms + 1e3 / self.rate
        if longest > STEPS * BIN_US / 1e3:
            raise UsageError(
                f"Between a frame and the next one's answer {longest:.0f} ms pass, and a window has "
                f"{STEPS * BIN_US / 1e3:g} ms.",
                "Give a higher rate or a shorter delay.",
            )


def follow(hybrid: IntegerHybrid, streams: Sequence[Stream], frames: Frames, seed: int = 0) -> Following:
    """Compare the gaze between frames with and without the hybrid.

    Args:
        hybrid: in integers.
        streams: clips.
        frames: how the frame network answers.
        seed: of the errors of its answers.

    Raises:
        TinyTrackerError: no answer can be compared, because the eyes are closed at all of them.
    """
    first, last = _bins(frames)
    windows = spread(_exposures(streams, frames, last), frames.at_most)
    wrong = _frame_errors(streams, frames.error_cm, seed)
    held, followed, change = [], [], []
    with bar("follow", len(windows), "frames") as advance:
        for i in range(0, len(windows), BATCH):
            part = windows.part(slice(i, i + BATCH))
            answers = _answers(hybrid, part, first, last)
            for m, answer in answers.items():
                then = Windows(part.streams, part.clip, part.start, np.full(len(part), m))
                is_open = ~_shut(then)
                true, bias = then.change_cm()[is_open], wrong[part.clip][is_open]
                held.append(np.linalg.norm(bias - true, axis=1))
                followed.append(np.linalg.norm(bias + answer[is_open] - true, axis=1))
                change.append(np.linalg.norm(true, axis=1))
            advance(len(part))
    if not sum(map(len, held)):
        raise TinyTrackerError(
            "The eyes are closed in all frames of the clips.", "Draw more clips, or longer ones."
        )
    a, b = np.concatenate(held), np.concatenate(followed)
    moving = np.concatenate(change) >= MOVED_CM
    return Following(
        frame_rate=frames.rate, frame_delay_ms=frames.delay_ms, frame_error_cm=frames.error_cm, answers=len(a),
        answers_per_s=1e6 / BIN_US, held_cm=float(a.mean()), followed_cm=float(b.mean()),
        held_moving_cm=float(a[moving].mean()) if moving.any() else 0.0,
        followed_moving_cm=float(b[moving].mean()) if moving.any() else 0.0,
    )  # fmt: skip


def _bins(frames: Frames) -> tuple[int, int]:
    """Return the first and the last bin after an exposure in which that frame's answer is the newest."""
    delay = frames.delay_ms * 1e3 / BIN_US
    first = max(1, int(np.ceil(delay)))
    return first, max(first, int(np.ceil(delay + 1e6 / frames.rate / BIN_US)) - 1)


def _exposures(streams: Sequence[Stream], frames: Frames, last: int) -> Windows:
    """Return a window for each frame in which the eyes are open, as long as its answer is the newest."""
    between = 1e6 / frames.rate / BIN_US
    clip, start = [], []
    for i, stream in enumerate(streams):
        count = int((stream.bins - STEPS) / between) + 1
        starts = np.rint(np.arange(count) * between).astype(np.int64)
        starts = starts[(starts + STEPS <= stream.bins) & ~stream.shut[starts]]
        clip.append(np.full(len(starts), i))
        start.append(starts)
    n = sum(map(len, clip))
    return Windows(
        streams, np.concatenate(clip).astype(np.int64), np.concatenate(start), np.full(n, last, np.int64)
    )


def _answers(
    hybrid: IntegerHybrid, windows: Windows, first: int, last: int
) -> dict[int, NDArray[np.float64]]:
    """Return the changes (n, 2) in cm after each number of steps."""
    fired = hybrid.fired(windows.events())
    unit = windows.unit_cm()[:, None]
    return {m: hybrid.answer(fired, m) * unit for m in range(first, last + 1)}


def _shut(windows: Windows) -> NDArray[np.bool_]:
    ends = zip(windows.clip, windows.start + windows.length, strict=True)
    return np.array([windows.streams[c].shut[k] for c, k in ends], bool)


def _frame_errors(streams: Sequence[Stream], mean_cm: float, seed: int) -> NDArray[np.float64]:
    """Return the error of the frame answers of each clip (clips, 2), normal with this mean distance."""
    deviation = mean_cm / np.sqrt(np.pi / 2)
    found: NDArray[np.float64] = np.random.default_rng(seed).normal(0, 1, (len(streams), 2)) * deviation
    return found
