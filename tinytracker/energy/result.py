"""What an analysis of energy gives: numbers with intervals, or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinytracker.series import Interval, as_list

INFERENCE = "inference"
"""Name of the phase that holds the inferences."""

WHOLE = "frame"
"""Name of the row for all phases together."""


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
            meter's own error of calibration is not in it. None for too few frames, see `tinytracker.series`.
    """

    mean_j: float
    median_j: float
    ci95_j: Interval | None

    def as_json(self) -> dict[str, Any]:
        """For the JSON document."""
        return {"mean_j": self.mean_j, "median_j": self.median_j, "ci95_j": as_list(self.ci95_j)}


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
        power_w: mean. ci95_w: its interval, None from too few samples. seconds: how long it was watched.
        before_w, after_w: mean on each side; None where there was none.
    """

    power_w: float
    ci95_w: Interval | None
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
                "power_w": idle.power_w, "ci95_w": as_list(idle.ci95_w), "seconds": idle.seconds,
                "before_w": idle.before_w, "after_w": idle.after_w,
            },
            "window_per_frame_j": {"refused": window.as_json()} if isinstance(window, Refusal) else window,
            "per_inference": each,
            "period_s": self.period_s, "damaged": self.damaged, "partial": self.partial,
            "warnings": list(self.warnings),
        }  # fmt: skip
