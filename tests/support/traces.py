"""Synthetic power traces whose energies are known in closed form."""

from dataclasses import dataclass

import numpy as np

from tinytracker.energy.segments import gray
from tinytracker.energy.trace import Trace, find_gaps

PHASES = ("capture", "preprocess", "inference")
VOLTAGE = 3.3
IDLE_A = 0.010
SENDING_A = 0.014


@dataclass(frozen=True)
class Truth:
    """What was drawn: edges (N, 4) in s, energy (N, 3) in J per phase, idle power in W."""

    edges_s: np.ndarray
    energy_j: np.ndarray
    idle_w: float


def true_trace(
    rate,
    frames=100,
    lengths=(0.030, 0.010, 0.060),
    currents=(0.05, 0.08, 0.2),
    idle_s=2.0,
    gap_s=0.02,
    seed=0,
    noise_a=0.0,
    drift_a_per_s=0.0,
    jitter=0.2,
    start_s=0.0,
):
    """A device that does `frames` frames between two stretches of idle, seen by a meter that samples points.

    Each phase has its own constant current, its length varies by `jitter`, and edges fall anywhere between samples.
    Returns (trace, truth).
    """  # fmt: skip
    rng = np.random.default_rng(seed)
    lasting = np.asarray(lengths) * (1 + jitter * rng.uniform(-1, 1, (frames, len(lengths))))
    pause = gap_s * (1 + jitter * rng.uniform(-1, 1, frames))
    begin = idle_s + np.concatenate([[0], np.cumsum(lasting.sum(1) + pause)[:-1]])
    edges = begin[:, None] + np.concatenate([np.zeros((frames, 1)), np.cumsum(lasting, 1)], 1)
    end = edges[-1, -1] + idle_s
    count = int(end * rate)
    times = np.arange(count) / rate
    which = np.searchsorted(edges.ravel(), times, "right")
    phases = len(lengths)
    phase = np.where((which % (phases + 1) == 0), 0, which % (phases + 1))
    level = np.array([SENDING_A, *currents])[phase]
    level[(which == 0) | (which == edges.size)] = IDLE_A
    drift = drift_a_per_s * times
    current = (level + drift + noise_a * rng.standard_normal(count)).astype(np.float32)
    digital = np.array([gray(k) for k in range(phases + 1)], np.uint8)[phase]
    middle = (edges[:, 1:] + edges[:, :-1]) / 2
    energy = VOLTAGE * (np.asarray(currents) + drift_a_per_s * middle) * lasting
    trace = Trace(current, VOLTAGE, rate, start_s, digital=digital, lines=0xFF)
    return trace, Truth(edges + start_s, energy, VOLTAGE * IDLE_A)


def lose(trace, first, count):
    """The same trace with samples lost."""
    current = trace.current_a.copy()
    current[first : first + count] = np.nan
    return replace(trace, current_a=current, gaps=find_gaps(current))


def replace(trace, **changes):
    """`dataclasses.replace`, named where tests look for it."""
    import dataclasses

    return dataclasses.replace(trace, **changes)
