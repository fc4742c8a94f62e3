"""What a power meter recorded, the same for every meter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats

Samples = NDArray[np.float32]
Levels = NDArray[np.uint8]
Spans = NDArray[np.int64]

CHUNK = 1 << 21
"""Samples processed at a time: 16 MB as float64, so that a trace of a gigabyte needs little more."""


@dataclass(frozen=True)
class Trace:
    """N samples at a constant rate.

    Sample k was taken at `start_s + k / rate_hz` and stands for half an interval before and after that time.

    Attributes:
        current_a: (N,) float32, A; NaN where the meter lost the sample.
        voltage_v: V, one value for all, or (N,) float32.
        rate_hz: samples per second.
        start_s: time of sample 0 on the meter's clock, s.
        start_unix_s: the same instant in seconds since 1970, or None when the meter does not know.
        digital: (N,) uint8, bit b is the level of line b; None when no lines were recorded.
        lines: the lines that were recorded throughout, a bit each.
        gaps: (G, 2) int64, first lost sample and first good one after it, ascending, apart from each other.
        full_scale_a: end of the meter's range, A; samples at or above it are clipped. None when not known.
        meter: name of the meter, to be shown.
        notes: what the reader had to skip or assume, in sentences.
        is_host_clock: times are this computer's own (`tinytracker.measure.host_clock`), like those of a session.
    """

    current_a: Samples
    voltage_v: float | Samples
    rate_hz: float
    start_s: float = 0.0
    start_unix_s: float | None = None
    digital: Levels | None = None
    lines: int = 0
    gaps: Spans = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    full_scale_a: float | None = None
    meter: str = ""
    notes: tuple[str, ...] = ()
    is_host_clock: bool = False

    def __len__(self) -> int:
        return len(self.current_a)

    @property
    def duration_s(self) -> float:
        """Seconds that the samples stand for."""
        return len(self) / self.rate_hz

    @property
    def lost(self) -> int:
        """Samples that the meter lost."""
        return int((self.gaps[:, 1] - self.gaps[:, 0]).sum())

    def position(self, time_s: Any) -> Floats:
        """Where a time on the meter's clock lies, in samples: k is the border between samples k - 1 and k."""
        return (np.asarray(time_s, np.float64) - self.start_s) * self.rate_hz + 0.5

    def time(self, position: Any) -> Floats:
        """Inverse of `position`: seconds on the meter's clock."""
        return (np.asarray(position, np.float64) - 0.5) / self.rate_hz + self.start_s

    def lost_between(self, first: float, last: float) -> int:
        """Samples lost between two positions."""
        return overlap(self.gaps, first, last)

    def clipped_between(self, first: float, last: float) -> int:
        """Samples at or above full scale between two positions; 0 when the full scale is not known."""
        if self.full_scale_a is None:
            return 0
        begin, end = max(0, int(np.floor(first))), min(len(self), int(np.ceil(last)))
        return sum(
            int(np.count_nonzero(self.current_a[at : min(at + CHUNK, end)] >= self.full_scale_a))
            for at in range(begin, end, CHUNK)
        )


def overlap(spans: Spans, first: float, last: float) -> int:
    """Samples of the spans between two positions."""
    low = np.maximum(spans[:, 0], np.floor(first))
    high = np.minimum(spans[:, 1], np.ceil(last))
    return int(np.maximum(high - low, 0).sum())


def find_gaps(current_a: Samples) -> Spans:
    """Runs of NaN as (G, 2) first and one past the last."""
    return true_runs(current_a, np.isnan)


def true_runs(values: Samples, holds: Callable[[Samples], NDArray[np.bool_]]) -> Spans:
    """Runs of samples for which a condition holds, as (G, 2) first and one past the last.

    Args:
        values: (N,).
        holds: of a part of them, with at most one sample before it: as many answers.
    """
    found = []
    for at in range(0, len(values), CHUNK):
        begin = max(at - 1, 0)
        there = np.flatnonzero(holds(values[begin : at + CHUNK])[at - begin :])
        found.append(at + there)
    places = np.concatenate(found or [np.zeros(0, np.int64)])
    if not len(places):
        return np.zeros((0, 2), np.int64)
    breaks = np.flatnonzero(np.diff(places) > 1)
    first = places[np.concatenate([[0], breaks + 1])]
    last = places[np.concatenate([breaks, [len(places) - 1]])]
    spans: Spans = np.stack([first, last + 1], 1).astype(np.int64)
    return spans
