"""Energy per frame and per phase: total and with idle subtracted, with intervals, or the reason why not."""

from __future__ import annotations

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.energy.faults import DROPOUT_SHARE, Faults, dropouts_between, find_faults
from tinytracker.energy.idle import GOOD_IDLE_S, ROUNDS, idle_power
from tinytracker.energy.integrate import energy_at
from tinytracker.energy.refusals import (
    ALIGNMENT_TOO_COARSE,
    CLIPPED,
    IMPLAUSIBLE,
    RATE_TOO_LOW,
    SAMPLES_LOST,
)
from tinytracker.energy.result import INFERENCE, WHOLE, Energy, EnergyReport, Idle, PhaseEnergy, Refusal
from tinytracker.energy.segments import Segments
from tinytracker.energy.trace import Spans, Trace, overlap, true_runs
from tinytracker.errors import RefusedError, UsageError
from tinytracker.series import MIN_FOR_INTERVAL, Interval, interval_of, mean_draws
from tinytracker.words import counted

MIN_SAMPLES = 20
"""Samples that a phase needs: with fewer, the half sample by which each edge may be off is 5 % or more of it."""


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
        idle: from and to on the meter's clock, s: a stretch that is known to be idle, without lost, clipped or
            implausible samples. None for what lies before the first and after the last frame, as far as it is without
            them. A refusal for a device that is never idle there.
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
        raise UsageError(
            f"All {counted(len(segments), 'frame')} are warm-up ({warmup}).", "Drop fewer with --warmup."
        )
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
    resting, idle_draws = idle_power(trace, segments, idle, _unusable(trace, faults), rng)
    rows = [
        _row(name, trace, edges[:, k], edges[:, k + 1], at_edge[:, k + 1] - at_edge[:, k], segments,
             (resting, idle_draws), min_samples, rng)
        for k, name in enumerate(segments.phases)
    ]  # fmt: skip
    rows.append(
        _row(WHOLE, trace, edges[:, 0], edges[:, -1], at_edge[:, -1] - at_edge[:, 0], segments,
             (resting, idle_draws), min_samples, rng)
    )  # fmt: skip
    period = float(np.median(np.diff(edges[:, 0]))) / trace.rate_hz if len(edges) > 1 else None
    window_energy = float(at_edge[-1, -1] - at_edge[0, 0]) / (len(edges) + segments.skipped)
    return EnergyReport(
        tuple(rows),
        resting,
        whole_window or window_energy,
        period,
        damaged,
        segments.partial,
        tuple(_warnings(trace, len(edges), resting)),
        burst,
        _per_inference(rows, burst),
    )


def _per_inference(rows: list[PhaseEnergy], burst: int) -> Energy | Refusal | None:
    total = next((row.total for row in rows if row.phase == INFERENCE), None)
    if not isinstance(total, Energy):
        return total
    interval = None if total.ci95_j is None else (total.ci95_j[0] / burst, total.ci95_j[1] / burst)
    return Energy(total.mean_j / burst, total.median_j / burst, interval)


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
                IMPLAUSIBLE,
                f"{counted(count, 'sample')} ({share:.1%}) {where} {what}: the meter was not measuring",
            )
    return None


def _unusable(trace: Trace, faults: Faults) -> Spans:
    """Samples that say nothing about a power; an idle that a coarse meter shows as one value is not among them."""
    spans = [trace.gaps, faults.negative]
    if trace.full_scale_a is not None:
        limit = trace.full_scale_a
        spans.append(true_runs(trace.current_a, lambda part: part >= limit))
    return np.concatenate(spans)


def _row(
    name: str,
    trace: Trace,
    begin: Floats,
    end: Floats,
    energy: Floats,
    segments: Segments,
    idle: tuple[Idle | Refusal, Floats | None],
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
        float(energy.mean()), float(np.median(energy)), interval_of(mean_draws(energy, ROUNDS, rng))
    )
    dynamic = _without_idle(energy, seconds, *idle, rng)
    power = float(energy.sum() / seconds.sum())
    return PhaseEnergy(name, len(energy), length, power, median, total, dynamic)


def _without_idle(
    energy: Floats,
    seconds: Floats,
    idle: Idle | Refusal,
    idle_draws: Floats | None,
    rng: np.random.Generator,
) -> Energy | Refusal:
    if isinstance(idle, Refusal):
        return idle
    own = energy - idle.power_w * seconds
    draws = mean_draws(own, ROUNDS, rng)
    if draws is not None and idle_draws is not None:
        # The uncertainty of the idle power moves all frames together: it is added to that of the mean.
        draws = draws - (idle_draws - idle.power_w) * seconds.mean()
    else:
        draws = None
    return Energy(float(own.mean()), float(np.median(own)), interval_of(draws))


def _warnings(trace: Trace, frames: int, idle: Idle | Refusal) -> list[str]:
    warnings = list(trace.notes)
    if frames < MIN_FOR_INTERVAL:
        warnings.append(f"No intervals: {counted(frames, 'frame')}; {MIN_FOR_INTERVAL} or more are needed.")
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
