"""Energy per frame and per phase: total and with idle subtracted, with intervals, or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.energy.faults import DROPOUT_SHARE, Faults, dropouts_between, find_faults
from tinytracker.energy.integrate import energy_at
from tinytracker.energy.refusals import (
    ALIGNMENT_TOO_COARSE,
    CLIPPED,
    IMPLAUSIBLE,
    NO_IDLE,
    RATE_TOO_LOW,
    SAMPLES_LOST,
)
from tinytracker.energy.segments import Segments
from tinytracker.energy.trace import Trace, overlap
from tinytracker.errors import RefusedError, UsageError
from tinytracker.series import interval95, mean_draws

ROUNDS = 2000
MIN_SAMPLES = 20
"""Samples that a phase needs: with fewer, the half sample by which each edge may be off is 5 % or more of it."""

MIN_IDLE_S = 1.0
GOOD_IDLE_S = 5.0
_GUARD_S = 0.05
_IDLE_BLOCKS = 50
INFERENCE = "inference"
"""Name of the phase that holds the inferences."""

WHOLE = "frame"
"""Name of the row for all phases together."""

Interval = tuple[float, float]


@dataclass(frozen=True)
class Refusal:
    """Why a number is missing.

    Attributes:
        reason: see `tinytracker.energy.refusals`. detail: the sentence.
    """

    reason: str
    detail: str

    def as_json(self) -> dict[str, Any]:
        """For the JSON document."""
        return {"reason": self.reason, "detail": self.detail}


@dataclass(frozen=True)
class Energy:
    """Energy per frame, J.

    Attributes:
        mean_j, median_j: over frames.
        ci95_j: interval of the mean: how far it would move if the measurement were repeated with this meter. The
            meter's own error of calibration is not in it.
    """

    mean_j: float
    median_j: float
    ci95_j: Interval

    def as_json(self) -> dict[str, Any]:
        """For the JSON document."""
        return {"mean_j": self.mean_j, "median_j": self.median_j, "ci95_j": list(self.ci95_j)}


def _part(value: Energy | Refusal) -> dict[str, Any]:
    return {"refused": value.as_json()} if isinstance(value, Refusal) else value.as_json()


@dataclass(frozen=True)
class PhaseEnergy:
    """One phase, or the whole frame.

    Attributes:
        phase: its name. frames: how many were measured.
        duration_s: median. power_w: mean energy over mean duration.
        samples: of the meter per phase, median.
        total: all that was drawn. dynamic: without what idling would have drawn in the same time.
    """

    phase: str
    frames: int
    duration_s: float
    power_w: float | None
    samples: float
    total: Energy | Refusal
    dynamic: Energy | Refusal

    def as_json(self) -> dict[str, Any]:
        """For the JSON document."""
        return {
            "phase": self.phase, "frames": self.frames, "duration_s": self.duration_s, "power_w": self.power_w,
            "samples": self.samples, "total": _part(self.total), "dynamic": _part(self.dynamic),
        }  # fmt: skip


@dataclass(frozen=True)
class Idle:
    """Power while nothing was done, before the first and after the last frame.

    Attributes:
        power_w: mean. ci95_w: its interval. seconds: how long it was watched.
        before_w, after_w: mean on each side; None where there was none.
    """

    power_w: float
    ci95_w: Interval
    seconds: float
    before_w: float | None
    after_w: float | None


@dataclass(frozen=True)
class EnergyReport:
    """What a trace says about N frames.

    Attributes:
        phases: one row per phase, then the whole frame.
        idle: what was subtracted, or why nothing was.
        window_per_frame_j: from the start of the first frame to the end of the last, over the frames: capture, sending
            and pauses included.
        period_s: start of a frame to the start of the next, median; None for a single frame.
        damaged, partial: frames that were skipped, see `Segments`.
        warnings: what a reader of the numbers should know.
        burst: inferences in each frame's inference phase, back to back.
        per_inference: energy of that phase over `burst`: MLPerf Tiny's energy per inference, from which nothing is
            subtracted. None when no phase is called "inference".
    """

    phases: tuple[PhaseEnergy, ...]
    idle: Idle | Refusal
    window_per_frame_j: float | Refusal
    period_s: float | None
    damaged: int
    partial: int
    warnings: tuple[str, ...]
    burst: int = 1
    per_inference: Energy | Refusal | None = None

    def as_json(self) -> dict[str, Any]:
        """For the JSON document; energies in J, powers in W, durations in s."""
        idle, window = self.idle, self.window_per_frame_j
        each = None if self.per_inference is None else {"burst": self.burst, **_part(self.per_inference)}
        return {
            "frames": self.phases[-1].frames,
            "phases": [phase.as_json() for phase in self.phases],
            "idle": {"refused": idle.as_json()} if isinstance(idle, Refusal) else {
                "power_w": idle.power_w, "ci95_w": list(idle.ci95_w), "seconds": idle.seconds,
                "before_w": idle.before_w, "after_w": idle.after_w,
            },
            "window_per_frame_j": {"refused": window.as_json()} if isinstance(window, Refusal) else window,
            "per_inference": each,
            "period_s": self.period_s, "damaged": self.damaged, "partial": self.partial,
            "warnings": list(self.warnings),
        }  # fmt: skip


def analyse(
    trace: Trace,
    segments: Segments,
    *,
    warmup: int = 0,
    burst: int = 1,
    idle: Interval | Refusal | None = None,
    skip_damaged: bool = False,
    min_samples: float = MIN_SAMPLES,
    seed: int = 0,
) -> EnergyReport:
    """Energy of the frames in `segments`.

    Args:
        trace: what the meter recorded.
        segments: where the phases are.
        warmup: first frames that do not count.
        burst: inferences in each frame's inference phase.
        idle: from and to on the meter's clock, s: a stretch that is known to be idle. None for what lies before the
            first and after the last frame. A refusal for a device that is never idle there.
        skip_damaged: leave out frames that touch lost, clipped or implausible samples instead of refusing all.
        min_samples: samples that a phase must have.
        seed: of the resampling.

    Raises:
        RefusedError: `samples-lost`, `clipped`, `implausible-samples`: nothing can be said about these frames.
        UsageError: no frames are left, or `idle` is not in the trace.

    Example:
        >>> import numpy as np
        >>> from tinytracker.energy import Trace, analyse, segments_from_times
        >>> trace = Trace(np.full(10_000, 0.1, np.float32), voltage_v=5.0, rate_hz=10_000.0)  # 0.5 W
        >>> times = np.array([[0.1 * k, 0.1 * k + 0.02] for k in range(1, 9)])  # 8 frames of 20 ms
        >>> frame = analyse(trace, segments_from_times(trace, ["inference"], times, 0.0)).phases[0]
        >>> frame.phase, frame.frames, round(frame.total.mean_j, 6)
        ('inference', 8, 0.01)
    """
    edges, damaged = segments.edges[warmup:], segments.damaged
    if not len(edges):
        raise UsageError(f"All {len(segments)} frames are warm-up ({warmup}).", "Drop fewer with --warmup.")
    window = float(edges[0, 0]), float(edges[-1, -1])
    _refuse_dropouts(trace, window)
    faults = find_faults(trace)
    whole_window = _window_problem(trace, faults, window)
    if whole_window is not None and skip_damaged:
        good = np.array([_window_problem(trace, faults, (a, b)) is None for a, b in edges[:, [0, -1]]])
        edges, damaged = edges[good], damaged + int((~good).sum())
        if not len(edges):
            raise RefusedError(
                whole_window.reason, "every frame touches lost, clipped or implausible samples"
            )
    elif whole_window is not None:
        raise RefusedError(
            whole_window.reason,
            whole_window.detail,
            "Measure again; --skip-damaged leaves out the frames that touch such samples.",
        )
    rng = np.random.default_rng(seed)
    at_edge = energy_at(trace, edges)
    idle_power, idle_draws = _idle(trace, segments, idle, rng)
    rows = [
        _row(name, trace, edges[:, k], edges[:, k + 1], at_edge[:, k + 1] - at_edge[:, k], segments,
             (idle_power, idle_draws), min_samples, rng)
        for k, name in enumerate(segments.phases)
    ]  # fmt: skip
    rows.append(
        _row(WHOLE, trace, edges[:, 0], edges[:, -1], at_edge[:, -1] - at_edge[:, 0], segments,
             (idle_power, idle_draws), min_samples, rng)
    )  # fmt: skip
    period = float(np.median(np.diff(edges[:, 0]))) / trace.rate_hz if len(edges) > 1 else None
    window_energy = float(at_edge[-1, -1] - at_edge[0, 0]) / (len(edges) + segments.skipped)
    return EnergyReport(
        tuple(rows),
        idle_power,
        whole_window or window_energy,
        period,
        damaged,
        segments.partial,
        tuple(_warnings(trace, len(edges), idle_power)),
        burst,
        _per_inference(rows, burst),
    )


def _per_inference(rows: list[PhaseEnergy], burst: int) -> Energy | Refusal | None:
    total = next((row.total for row in rows if row.phase == INFERENCE), None)
    if not isinstance(total, Energy):
        return total
    low, high = total.ci95_j
    return Energy(total.mean_j / burst, total.median_j / burst, (low / burst, high / burst))


def _refuse_dropouts(trace: Trace, window: Interval) -> None:
    """Refuse a trace with zeros between its samples: those that were noticed are not all of them."""
    count, samples = dropouts_between(trace, *window), window[1] - window[0]
    if count > DROPOUT_SHARE * samples:
        raise RefusedError(
            IMPLAUSIBLE,
            f"{count:,} single samples ({count / samples:.1%}) lie near zero between two good ones",
            "The meter or its program inserts them: update both, or record at a lower rate.",
        )


def _window_problem(trace: Trace, faults: Faults, window: Interval) -> Refusal | None:
    """Lost, clipped or implausible samples between two positions."""
    first, last = window
    where = f"between {float(trace.time(first)):.3f} and {float(trace.time(last)):.3f} s"
    lost = trace.lost_between(first, last)
    if lost:
        return Refusal(SAMPLES_LOST, f"the meter lost {lost:,} samples {where}")
    clipped = trace.clipped_between(first, last)
    if clipped:
        return Refusal(CLIPPED, f"{clipped:,} samples {where} are at full scale, {trace.full_scale_a:g} A")
    for spans, what in (
        (faults.negative, "are far below zero"),
        (faults.stuck, "have exactly the same value"),
    ):
        count = overlap(spans, first, last)
        if count:
            share = count / (last - first)
            return Refusal(
                IMPLAUSIBLE, f"{count:,} samples ({share:.1%}) {where} {what}: the meter was not measuring"
            )
    return None


def _row(
    name: str,
    trace: Trace,
    begin: Floats,
    end: Floats,
    energy: Floats,
    segments: Segments,
    idle: tuple[Idle | Refusal, Floats],
    min_samples: float,
    rng: np.random.Generator,
) -> PhaseEnergy:
    samples = end - begin
    median = float(np.median(samples))
    seconds = samples / trace.rate_hz
    refusal = None
    if median < min_samples:
        refusal = Refusal(
            RATE_TOO_LOW,
            f"{name} lasts {median:.1f} samples at {trace.rate_hz:g} samples/s; at least {min_samples:g} are needed",
        )
    elif segments.uncertainty > median / min_samples:
        refusal = Refusal(
            ALIGNMENT_TOO_COARSE,
            f"{name} lasts {median / trace.rate_hz * 1e3:.3f} ms and its edges are known to "
            f"{segments.uncertainty / trace.rate_hz * 1e3:.3f} ms; at most 1/{min_samples:g} of the phase is allowed",
        )
    length = float(np.median(seconds))
    if refusal is not None:
        return PhaseEnergy(name, len(energy), length, None, median, refusal, refusal)
    total = Energy(
        float(energy.mean()), float(np.median(energy)), interval95(mean_draws(energy, ROUNDS, rng))
    )
    idle_power, idle_draws = idle
    dynamic: Energy | Refusal
    if isinstance(idle_power, Refusal):
        dynamic = idle_power
    else:
        own = energy - idle_power.power_w * seconds
        # The uncertainty of the idle power moves all frames together: it is added to that of the mean.
        draws = mean_draws(own, ROUNDS, rng) - (idle_draws - idle_power.power_w) * seconds.mean()
        dynamic = Energy(float(own.mean()), float(np.median(own)), interval95(draws))
    power = float(energy.sum() / seconds.sum())
    return PhaseEnergy(name, len(energy), length, power, median, total, dynamic)


def _idle(
    trace: Trace, segments: Segments, given: Interval | Refusal | None, rng: np.random.Generator
) -> tuple[Idle | Refusal, Floats]:
    """Idle power, and draws of it for intervals."""
    if isinstance(given, Refusal):
        return given, np.zeros(ROUNDS)
    if given is not None:
        first, last = (float(p) for p in trace.position(given))
        if not -0.5 <= first < last <= len(trace) + 0.5:
            raise UsageError(
                f"{given[0]:g} to {given[1]:g} s is not a stretch of the trace.",
                f"It covers {trace.start_s:.3f} to {trace.start_s + trace.duration_s:.3f} s.",
            )
        sides: list[Interval | None] = [(max(first, 0.0), min(last, float(len(trace)))), None]
    else:
        # What the device does right after a frame (sending it) is not idle.
        guard = _GUARD_S * trace.rate_hz + segments.uncertainty
        first, last = segments.busy or (segments.edges[0, 0], segments.edges[-1, -1])
        begin, end = first - guard, last + guard
        sides = [
            _idle_side(trace, max(0.0, segments.rest_from), float(begin), keep_end=True),
            _idle_side(trace, float(end), min(float(len(trace)), segments.rest_to), keep_end=False),
        ]
    used = [side for side in sides if side is not None]
    seconds = sum(b - a for a, b in used) / trace.rate_hz
    if seconds < MIN_IDLE_S:
        detail = f"{seconds:.2f} s of idle without lost samples beside the frames; at least {MIN_IDLE_S:g} s are needed"
        return Refusal(NO_IDLE, detail), np.zeros(ROUNDS)
    blocks: list[Floats] = []
    means: list[float | None] = []
    for side in sides:
        if side is None or side[1] - side[0] < 1:
            means.append(None)
            continue
        count = max(2, round(_IDLE_BLOCKS * (side[1] - side[0]) / (seconds * trace.rate_hz)))
        borders = np.linspace(side[0], side[1], count + 1)
        power = np.diff(energy_at(trace, borders)) / np.diff(borders) * trace.rate_hz
        blocks.append(power)
        means.append(float(power.mean()))
    every = np.concatenate(blocks)
    draws = mean_draws(every, ROUNDS, rng)
    return Idle(float(every.mean()), interval95(draws), seconds, means[0], means[1]), draws


def _idle_side(trace: Trace, first: float, last: float, keep_end: bool) -> Interval | None:
    """The part of a stretch that reaches its inner end (towards the frames) and has no lost sample, or None."""
    inside = trace.gaps[(trace.gaps[:, 1] > first) & (trace.gaps[:, 0] < last)]
    if len(inside):
        first, last = (float(inside[-1, 1]), last) if keep_end else (first, float(inside[0, 0]))
    return (first, last) if last - first >= 1 else None


def _warnings(trace: Trace, frames: int, idle: Idle | Refusal) -> list[str]:
    warnings = list(trace.notes)
    if frames < 30:
        warnings.append(f"Only {frames} frames: intervals from fewer than 30 are rough.")
    if trace.full_scale_a is None:
        warnings.append("The meter's full scale is not known, so clipped samples would go unnoticed.")
    if isinstance(idle, Idle):
        if idle.seconds < GOOD_IDLE_S:
            warnings.append(
                f"Only {idle.seconds:.1f} s of idle were recorded; {GOOD_IDLE_S:g} s before and after is better."
            )
        if idle.before_w is not None and idle.after_w is not None:
            change = idle.after_w - idle.before_w
            if abs(change) > 0.02 * abs(idle.power_w):
                warnings.append(
                    f"Idle power changed from {idle.before_w * 1e3:.3f} to {idle.after_w * 1e3:.3f} mW during the run."
                )
    return warnings
