"""Energy between positions of a trace, exact for borders inside a sample, in one pass with little memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.energy.trace import CHUNK, Trace

BLOCKS = 1000
"""Equal pieces of a stretch whose powers give the interval of its mean power."""


def energy_at(trace: Trace, positions: Any) -> Floats:
    """Energy in J from the first of the positions' samples to each position: differences within one call count.

    Each sample stands for one interval of constant power current · voltage. Lost samples count as nothing: the
    caller must make sure that there are none in between (`Trace.lost_between`). Sums are float64, because at
    2 MS/s a float32 sum loses the fourth digit within a minute.

    Args:
        trace: what the meter recorded.
        positions: any shape, in samples (`Trace.position`); beyond the ends of the trace they are moved there.

    Returns:
        Same shape, J.
    """
    wanted = np.clip(np.asarray(positions, np.float64), 0, len(trace))
    flat = wanted.ravel()
    if not len(flat) or not len(trace):
        return np.zeros(wanted.shape)
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    result = np.empty(len(flat))
    begin, end = int(ordered[0]), int(np.ceil(ordered[-1]))
    total, done = 0.0, 0
    for at in range(begin, max(end, begin + 1), CHUNK):
        stop = min(at + CHUNK, len(trace))
        power = _power(trace, at, stop)
        until = np.concatenate([[0.0], np.cumsum(power)])
        here = int(np.searchsorted(ordered, stop, "right"))
        inside = ordered[done:here] - at
        whole = np.minimum(inside.astype(np.int64), len(power))
        part = np.append(power, 0.0)[whole] * (inside - whole)
        result[order[done:here]] = total + until[whole] + part
        total, done = total + float(until[-1]), here
    return (result / trace.rate_hz).reshape(wanted.shape)


def _power(trace: Trace, at: int, stop: int) -> Floats:
    """(stop - at,) W; 0 where the sample was lost."""
    voltage = trace.voltage_v[at:stop] if isinstance(trace.voltage_v, np.ndarray) else trace.voltage_v
    power: Floats = np.multiply(trace.current_a[at:stop], voltage, dtype=np.float64)
    if trace.lost_between(at, stop):
        np.nan_to_num(power, copy=False, nan=0.0)
    return power


def block_powers(trace: Trace, first: float, last: float, count: int = BLOCKS) -> Floats:
    """Return the mean powers, W, of equal blocks of a stretch: the values from which its interval comes.

    Args:
        trace: what the meter recorded.
        first: position in samples.
        last: likewise.
        count: of blocks; fewer when they would be shorter than two samples, but at least two.
    """
    borders = np.linspace(first, last, max(2, min(count, int(last - first) // 2)) + 1)
    powers: Floats = np.diff(energy_at(trace, borders)) / np.diff(borders) * trace.rate_hz
    return powers
