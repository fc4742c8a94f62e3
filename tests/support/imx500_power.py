"""A camera whose power is known at every instant, a session of it, and what a meter with a clock of its own records.

Everything is made up: no camera, no meter.
"""

from dataclasses import dataclass

import numpy as np
from support.sessions import UNIX_NS

from tinytracker.energy.trace import Trace
from tinytracker.measure.marks import GPIO, LOAD, PATTERN_S, Mark
from tinytracker.measure.session import Header, SessionWriter
from tinytracker.measure.stretches import CAMERA_OFF, RUNNING, STREAMING, Stretch

PHASES = ("exposure", "sensor", "retrieval")
VOLTAGE = 3.3
OFF_W, STREAMING_W, BUSY_W = 0.033, 0.380, 0.9
PHASE_W = (0.55, 0.80, 0.60)
REST_W = 0.45
HOST_NS = 7_000_000_000_000
PERIOD_S, LENGTHS_S = 1 / 30, (0.008, 0.0215, 0.0014)


@dataclass(frozen=True)
class Truth:
    """What was drawn: mean energy of each phase, J, and mean power while the network runs, W."""

    phase_j: np.ndarray
    running_w: float


def simulate(path, channel=GPIO, names=(CAMERA_OFF, STREAMING, RUNNING), frames=300, rate=100_000.0, meter_ppm=40.0,
             seconds=2.0, seed=0, slow=1, lengths_s=LENGTHS_S):  # fmt: skip
    """Write a session; returns (trace, truth). The meter begins a second before it, and runs fast by `meter_ppm`."""
    rng = np.random.default_rng(seed)
    steps, levels, now = [], [], 1.0
    period_s, lengths_s = PERIOD_S * slow, np.array(lengths_s) * slow

    def change(at, watts):
        steps.append(at)
        levels.append(watts)

    marks, edges = [], []

    def mark(at, level, kind):
        late = rng.uniform(5e-6, 60e-6)
        before, after = at - rng.uniform(2e-6, 20e-6), at + late
        if kind == GPIO:
            edges.append(at)
        marks.append(Mark(kind, level, HOST_NS + round(before * 1e9), HOST_NS + round(after * 1e9)))

    def pattern(begin):
        at = begin
        for k, length in enumerate(PATTERN_S):
            level = (k + 1) % 2
            mark(at, level, channel)
            if channel == LOAD:
                change(at + 50e-6, OFF_W + BUSY_W * level)
            at += length * rng.uniform(1.0, 1.005)
        return at

    change(0.0, OFF_W)
    now = pattern(now) + 0.2
    stretches = []

    def stretch(name):
        nonlocal now
        stretches.append(Stretch(name, HOST_NS + round(now * 1e9), HOST_NS + round((now + seconds) * 1e9)))
        now += seconds

    if CAMERA_OFF in names:
        stretch(CAMERA_OFF)
    if STREAMING in names:
        change(now - 0.01, STREAMING_W)
        stretch(STREAMING)
    level, stamps, energies = 0, [], []
    running = now
    in_stretch = round((seconds if RUNNING in names else 0.0) / period_s)
    for k in range(in_stretch + frames):
        begin = running + (k + 0.3) * period_s + rng.normal(0, 20e-6)
        lengths = lengths_s * rng.uniform(0.97, 1.03, 3)
        borders = begin + np.concatenate([[0], np.cumsum(lengths)])
        for at, watts in zip(borders, (*PHASE_W, REST_W), strict=True):
            change(at, watts)
        if channel == GPIO:
            level ^= 1
            mark(borders[2] + 30e-6, level, GPIO)
        if k >= in_stretch:
            stamps.append(HOST_NS + np.round(borders * 1e9).astype(np.int64))
            energies.append(lengths * PHASE_W)
    if RUNNING in names:
        stretch(RUNNING)
    end = running + (in_stretch + frames + 0.4) * period_s
    change(end, OFF_W)
    if channel == GPIO and level:
        mark(end + 0.05, 0, GPIO)
    now = pattern(end + 0.2) + 1.0
    header = Header(
        source="hardware",
        board={"name": "imx500", "build": "simulated", "stamps_are_host": True, "runs_between_frames": True},
        model={"sha256": "0" * 64}, phases=PHASES, ticks_per_s=1e9, warmup=0,
        host={"unix_ns": UNIX_NS, "monotonic_ns": HOST_NS, "clock": "CLOCK_MONOTONIC_RAW"},
    )  # fmt: skip
    with SessionWriter(path, header) as writer:
        for one in stretches:
            writer.stretch(one)
        for one in marks:
            writer.mark(one)
        at = [HOST_NS + round(t * 1e9) for t in np.linspace(running, end, 10)]
        for t in at:
            writer.exchange(t, t + 100, t + 100, t + 200)
        for k, row in enumerate(stamps):
            writer.frame(k, [int(t) for t in row], b"", int(row[-1]) + 1000)
    # What the meter makes of it: samples at times of its own clock.
    true = (np.arange(int((now + 1) * rate)) / rate) / (1 + meter_ppm * 1e-6) - 1.0
    order = np.argsort(steps, kind="stable")  # frames may overlap
    power = np.array([OFF_W, *np.array(levels)[order]])[
        np.searchsorted(np.array(steps)[order], true, "right")
    ]
    current = power / VOLTAGE * (1 + 0.02 * rng.standard_normal(len(true)))
    digital = (
        (np.searchsorted(np.array(sorted(edges)), true, "right") % 2).astype(np.uint8) if edges else None
    )
    # The wall clock of the meter's file is wrong by 10 ms: nothing may rest on it.
    trace = Trace(
        current.astype(np.float32), VOLTAGE, rate, 0.0, UNIX_NS / 1e9 - 1.01, digital, 1 if edges else 0
    )
    phase_j = np.mean(energies, 0)
    busy = float(np.sum(phase_j)) + REST_W * (period_s - sum(lengths_s))
    return trace, Truth(phase_j, busy / period_s)
