"""Samples that no board drew: what a meter delivers when it is dead, has lost its step, or repeats itself.

A NaN marks a missing sample; nothing marks these. Each was seen in public reports about meters: a stretch at
-400 mA, one value over and over, and values near zero between good ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.energy.trace import CHUNK, Samples, Spans, Trace, true_runs

NEGATIVE_SHARE = 0.01
NEGATIVE_A = 0.010
"""A current below minus 1 % of the range, or -10 mA where the range is not known, is the meter's and not the board's:
an offset is far smaller, and a board that is supplied through the meter cannot feed it."""

NEGATIVE_SAMPLES = 5
"""In a row: fewer can be noise."""

STUCK_S = 0.020
STUCK_SAMPLES = 50
"""This long the same value to the last bit, in a trace that is otherwise noisy."""

NOISY_SHARE = 0.5
"""A trace in which fewer neighbours than this are equal is noisy."""

DROPOUT_SHARE = 0.001
DROPOUT_RATIO = 0.1
"""A single sample below a tenth of both neighbours; this many cannot be real pulses, because supplies smooth those."""


@dataclass(frozen=True)
class Faults:
    """Where a trace cannot be believed.

    Attributes:
        negative, stuck: (G, 2) first sample and first good one after it, ascending.
    """

    negative: Spans
    stuck: Spans


def find_faults(trace: Trace) -> Faults:
    """Look through all samples once."""
    limit = NEGATIVE_A if trace.full_scale_a is None else NEGATIVE_SHARE * trace.full_scale_a
    below = true_runs(trace.current_a, lambda part: part < -limit)
    return Faults(below[below[:, 1] - below[:, 0] >= NEGATIVE_SAMPLES], _stuck(trace))


def _stuck(trace: Trace) -> Spans:
    runs = true_runs(trace.current_a, _same_as_before)
    equal = int((runs[:, 1] - runs[:, 0]).sum())
    if len(trace) < 2 or equal >= NOISY_SHARE * (len(trace) - 1):
        return np.zeros((0, 2), np.int64)
    long = runs[:, 1] - runs[:, 0] + 1 >= max(STUCK_SAMPLES, STUCK_S * trace.rate_hz)
    spans: Spans = runs[long] - np.array([1, 0])
    return spans


def _same_as_before(part: Samples) -> NDArray[np.bool_]:
    same = np.zeros(len(part), bool)
    same[1:] = part[1:] == part[:-1]
    return same


def dropouts_between(trace: Trace, first: float, last: float) -> int:
    """Single samples near zero between two good ones, between two positions."""
    begin, end = max(1, int(np.floor(first))), min(len(trace) - 1, int(np.ceil(last)))
    count = 0
    for at in range(begin, end, CHUNK):
        part = trace.current_a[at - 1 : min(at + CHUNK, end) + 1]
        neighbours = np.minimum(part[:-2], part[2:])
        count += int(np.count_nonzero(np.abs(part[1:-1]) < DROPOUT_RATIO * neighbours))
    return count
