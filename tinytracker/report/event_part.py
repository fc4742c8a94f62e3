"""The part of a report about clips and recordings of event sensors, as JSON, and what its figures are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.events.clip import Clip, is_clip, read_clip
from tinytracker.events.recordings import read_events
from tinytracker.events.stream import Events

MOMENTS = 6
"""Event frames shown of a clip."""
MOMENT_US = 20_000
"""Length of each."""
TRACE_POINTS = 240
MOVING_DEGREES_PER_S = 30.0
"""Speed of the gaze above which it counts as moving: faster than smooth pursuit."""


@dataclass(frozen=True)
class Shown:
    """What the figures of one source show.

    Attributes:
        events: of the source. clip: with the gaze, or None for a recording.
        start, stop: µs, the window that is shown. sentence: why nothing is shown, "" when it is.
    """

    events: Events
    clip: Clip | None
    start: int
    stop: int
    sentence: str


RECORDED_WINDOW_US = 1_000_000


def event_part(path: Path, allow_images: bool) -> tuple[dict[str, Any], Shown]:
    """Return the numbers of a clip or recording, and what its figures show.

    Args:
        path: HDF5 file.
        allow_images: whether events of recorded people may be shown.

    Raises:
        InputFileError: the file is damaged or of no known layout.
    """
    clip = read_clip(path) if is_clip(path) else None
    events = clip.events if clip is not None else read_events(path)
    start = int(clip.gaze_t[0]) if clip is not None else int(events.t[0])
    end = int(clip.gaze_t[-1]) if clip is not None else int(events.t[-1])
    stop = max(min(end, start + RECORDED_WINDOW_US) if clip is None else end, start + 1)
    seconds = max(int(events.t[-1]) - start, 1) / 1e6
    part = {
        "name": f"{path.parent.name}/{path.stem}" if clip is not None else path.name,
        "origin": "synthetic" if clip is not None else "recorded",
        "width": events.width,
        "height": events.height,
        "events": len(events),
        "seconds": seconds,
        "events_per_s": len(events) / seconds,
        "rising_share": float(events.p.mean()),
        "gaze": _gaze(clip, start) if clip is not None else None,
    }
    sentence = ""
    if clip is None and not allow_images:
        sentence = "Events show faces too; --allow-images shows those of recorded people."
    return part, Shown(events, clip, start, stop, sentence)


def _gaze(clip: Clip, start: int) -> dict[str, Any]:
    """Return who looks where: direction and blink at up to `TRACE_POINTS` times, and what happens in the strip."""
    seconds = (clip.gaze_t - start) / 1e6
    speed = np.linalg.norm(np.gradient(clip.gaze_degrees.astype(float), seconds, axis=0), axis=1)
    moving = speed > MOVING_DEGREES_PER_S
    e, (x, y, w, h) = clip.events, clip.strip
    inside = (e.x >= x) & (e.x < x + w) & (e.y >= y) & (e.y < y + h)
    # Each event belongs to the label before it.
    label = np.clip(np.searchsorted(clip.gaze_t, e.t[inside], side="right") - 1, 0, len(moving) - 1)
    times = [float(moving.sum()) / clip.rate, float((~moving).sum()) / clip.rate]
    counts = [int(moving[label].sum()), int((~moving[label]).sum())]
    rates = [count / time if time else None for count, time in zip(counts, times, strict=True)]
    kept = np.unique(np.linspace(0, len(seconds) - 1, TRACE_POINTS).astype(int))
    return {
        "subject": clip.subject,
        "split": clip.split,
        "rate": clip.rate,
        "strip": list(clip.strip),
        "strip_events": int(inside.sum()),
        "moving_s": times[0],
        "moving_events_per_s": rates[0],
        "still_events_per_s": rates[1],
        "fastest_degrees_per_s": float(speed.max()),
        "fastest_s": float(seconds[int(speed.argmax())]),
        "trace": {
            "s": seconds[kept].round(4).tolist(),
            "x_deg": clip.gaze_degrees[kept, 0].astype(float).round(3).tolist(),
            "y_deg": clip.gaze_degrees[kept, 1].astype(float).round(3).tolist(),
            "closed": clip.blink[kept].astype(float).round(3).tolist(),
        },
    }
