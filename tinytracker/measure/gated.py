"""What a board's gate did in a session: which path each frame took, and the work that this saved.

A session keeps these as numbers beside each frame (`extra`), as `following` does for the aim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.cascade.reference import NOBODY
from tinytracker.cascade.simulation import BY_BIG, BY_LITTLE, REUSED
from tinytracker.emulate.qemu import INSTRUCTIONS_PER_US
from tinytracker.measure.following import ANSWERED_WIDTH
from tinytracker.measure.gate import PATH_NAMES
from tinytracker.measure.images import IMAGE, PATHS
from tinytracker.measure.protocol import REGION_STEPS, Gated
from tinytracker.measure.session_reader import Session
from tinytracker.words import counted

PATH = "path"
GATE_US, LITTLE_US, BIG_US = "gate_us", "little_us", "big_us"
GATE = "gate"
"""Field of a header's board: thresholds, see `tinytracker.measure.gate`."""

_RAN = (BY_LITTLE, BY_BIG)


@dataclass(frozen=True, eq=False)
class Gating:
    """The gate's work in a session's frames.

    Attributes:
        path: (N,) a number of `gate.PATH_NAMES`.
        work_us: (N,) µs from the end of capture to the end of inference. For the emulated board, instructions are
            these times `emulate.qemu.INSTRUCTIONS_PER_US`.
        gate_us: (N,) of these, for the gate and its strip.
        differing: frames with another path than Python's gate took; None when there was nothing to compare with.
    """

    path: NDArray[np.int64]
    work_us: Floats
    gate_us: Floats
    differing: int | None

    @property
    def ran_share(self) -> float:
        """Share of frames on which the network ran; Little alone does not count."""
        return float((self.path == BY_BIG).mean()) if len(self.path) else 0.0

    def count(self, path: int) -> int:
        """Return how many frames took a path."""
        return int((self.path == path).sum())

    def mean_us(self, *paths: int) -> float | None:
        """Return the mean work of the frames that took these paths; all without an argument, None without frames."""
        chosen = np.isin(self.path, paths) if paths else np.ones(len(self.path), bool)
        return float(self.work_us[chosen].mean()) if chosen.any() else None

    @property
    def always_us(self) -> float | None:
        """Mean work of a frame if the network ran on each without a gate: of frames on which it ran, less the gate.

        None without such a frame, and with Little, whose work is in them too.
        """
        ran = self.path == BY_BIG
        if not ran.any() or self.count(BY_LITTLE):
            return None
        return float((self.work_us - self.gate_us)[ran].mean())

    def as_json(self) -> dict[str, Any]:
        """Counts and means, for a JSON document."""
        return {
            "frames": len(self.path),
            "paths": {name: self.count(path) for path, name in PATH_NAMES.items()},
            "network_share": self.ran_share,
            "work_us": {
                "mean": self.mean_us(),
                "kept": self.mean_us(REUSED),
                "network": self.mean_us(BY_BIG),
                "little": self.mean_us(BY_LITTLE),
                "nobody": self.mean_us(NOBODY),
                "gate": float(self.gate_us[self.path != NOBODY].mean())
                if (self.path != NOBODY).any()
                else None,
                "always": self.always_us,
            },
            "differing_paths": self.differing,
        }


def gate_sentences(gate: Gating, is_emulated: bool) -> list[str]:
    """Return what a reader should know of a gate: shares of paths, work of a frame, and whether paths are right."""
    frames = max(len(gate.path), 1)
    shares = [f"kept {gate.count(REUSED) / frames:.1%}", f"nobody there {gate.count(NOBODY) / frames:.1%}"]
    if gate.count(BY_LITTLE):
        shares.insert(1, f"Little alone {gate.count(BY_LITTLE) / frames:.1%}")
    said = [
        f"Gate: the network ran on {gate.ran_share:.1%} of {counted(len(gate.path), 'frame')}; {', '.join(shares)}."
    ]
    if gate.differing is not None:
        agreement = "all equal" if not gate.differing else f"{gate.differing} of {len(gate.path)} differ"
        said[0] += f" Paths compared with Python's gate: {agreement}."
    means = {
        "mean": gate.mean_us(), "answer kept": gate.mean_us(REUSED), "network run": gate.mean_us(BY_BIG),
        "always, without a gate": gate.always_us,
    }  # fmt: skip
    parts = [f"{name} {_work(us, is_emulated)}" for name, us in means.items() if us is not None]
    unit = "million instructions" if is_emulated else "ms"
    said.append(f"Work of a frame after its capture, {unit}: {', '.join(parts)}.")
    return said


def _work(us: float, is_emulated: bool) -> str:
    return f"{us * INSTRUCTIONS_PER_US / 1e6:.2f}" if is_emulated else f"{us / 1e3:.2f}"


def gate_numbers(gated: Gated | None, ticks_per_s: float) -> dict[str, float]:
    """Return what a session keeps of a frame's gate: path, px, µs; times only of what ran."""
    if gated is None:
        return {}
    us = 1e6 / ticks_per_s
    numbers: dict[str, float] = {PATH: gated.path, ANSWERED_WIDTH: gated.answered_width / REGION_STEPS}
    if gated.path != NOBODY:
        numbers[GATE_US] = gated.gate_ticks * us
    if gated.little_ticks:
        numbers[LITTLE_US] = gated.little_ticks * us
    if gated.path == BY_BIG:
        numbers[BIG_US] = gated.big_ticks * us
    return numbers


def gating(session: Session) -> Gating | None:
    """Return what the gate did in a session's frames; None for a board without a gate."""
    path = paths_of(session)
    if path is None or not len(session):
        return None
    steps = (session.stamps[:, -1] - session.stamps[:, 1]) * (1e6 / session.header.ticks_per_s)
    known = path >= 0
    gate = np.nan_to_num(session.extra.get(GATE_US, np.zeros(len(session))))
    return Gating(path[known], steps[known], gate[known], _differing(session, path))


def paths_of(session: Session) -> NDArray[np.int64] | None:
    """Return (N,) the path of each frame, -1 where a frame did not go through the gate; None without a gate."""
    if PATH not in session.extra:
        return None
    found: NDArray[np.int64] = np.nan_to_num(session.extra[PATH], nan=-1).astype(np.int64)
    return found


def _differing(session: Session, path: NDArray[np.int64]) -> int | None:
    """How many frames took another path than was expected."""
    images = session.header.metadata.get("images")
    stored = images.get(PATHS) if isinstance(images, dict) else None
    which = session.extra.get(IMAGE)
    if not stored or which is None:
        return None
    try:
        expected = np.array([int(stored[int(k)]) for k in which])
    except (ValueError, TypeError, IndexError):
        return None
    return int((expected != path).sum())


def ran(session: Session) -> NDArray[np.bool_] | None:
    """Return (N,) whether a network ran on each frame; None for a board without a gate."""
    path = paths_of(session)
    return None if path is None else np.isin(path, _RAN) | (path < 0)
