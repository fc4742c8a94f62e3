"""Results of a session: latency table, gaze, losses, and whether outputs equal the oracle's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.emulate.qemu import INSTRUCTIONS_PER_US
from tinytracker.errors import ModelError
from tinytracker.evaluate.calibration import Calibration
from tinytracker.evaluate.calibration_identity import remarks_on
from tinytracker.measure.board import contract_of, gaze_cm
from tinytracker.measure.following import Following, following
from tinytracker.measure.gated import Gating, gate_sentences, gating
from tinytracker.measure.images import CM_PER_UNIT, IMAGE, compare_outputs
from tinytracker.measure.latency import ARRIVAL, TRANSMIT, Latencies, latencies, summarize_latencies
from tinytracker.measure.memory import memory_sentences, recorded_memory
from tinytracker.measure.session_reader import Session, read_session
from tinytracker.measure.statistics import Summary
from tinytracker.words import counted

_MOST_CM_PER_UNIT = 1000
_ENDS = {
    "stopped": "Stopped before the end; what was measured is kept.",
    "unplugged": "The board was unplugged before the end; what was measured is kept.",
    "failed": "The board failed before the end; what was measured is kept.",
}


@dataclass(frozen=True)
class SessionResult:
    """A session and its numbers.

    Attributes:
        session: as read.
        rows: statistics in µs by name; empty when no frames are left after warm-up.
        clock_unknown: why `transmit` and `arrival` are missing among them; "" when they are there or have no meaning.
        gaze: (N, 2) cm of all frames, corrected when there is a calibration, NaN where there is none.
        calibration: kind of the correction, or None.
        oracle: what outputs were compared with, or None. differing: frames whose outputs are not equal bit for bit.
        sentences: what a reader should know.
        aim: of a board that aims its crop; None for any other.
        gate: what a gate did; None for a board without one.
        steps: by how many codes outputs differ from the oracle's, for a runtime that may differ: the largest and the
            mean over all values of 8-bit outputs; None for any other.
    """

    session: Session
    rows: dict[str, Summary]
    clock_unknown: str
    gaze: NDArray[np.float64]
    calibration: str | None
    oracle: str | None
    differing: int | None
    sentences: tuple[str, ...]
    aim: Following | None = None
    steps: tuple[int, float] | None = None
    gate: Gating | None = None

    @property
    def defective(self) -> bool:
        """Whether outputs, or what a gate chose, differ from the oracle's although they must not."""
        wrong_paths = self.gate is not None and bool(self.gate.differing)
        return (bool(self.differing) and self.session.header.is_exact) or wrong_paths

    def as_json(self) -> dict[str, Any]:
        """For the JSON document."""
        header = self.session.header
        return {
            "session": str(self.session.path),
            "source": header.source,
            "emulated": header.is_emulated,
            "board": header.board,
            "model": header.model,
            "frames": len(self.session),
            "warmup": header.warmup,
            "lost": self.session.lost,
            "damaged": self.session.damaged,
            "end": self.session.end,
            "unit": "us",
            "phases": {name: row.as_json() for name, row in self.rows.items()},
            "clock_unknown": self.clock_unknown,
            "gaze": self._gaze_as_json(),
            "aim": None if self.aim is None else self.aim.as_json(),
            "gate": None if self.gate is None else self._gate_as_json(self.gate),
            "oracle": self.oracle,
            "differing": self.differing,
            "steps": None if self.steps is None else {"max": self.steps[0], "mean": self.steps[1]},
            "remarks": list(self.sentences),
        }

    def _gate_as_json(self, gate: Gating) -> dict[str, Any]:
        """The gate's counts and times; of an emulated board also as instructions."""
        document = gate.as_json()
        if not self.session.header.is_emulated:
            return document
        counted_work = {
            name: None if us is None else round(us * INSTRUCTIONS_PER_US)
            for name, us in document["work_us"].items()
        }
        return document | {"instructions": counted_work}

    def _gaze_as_json(self) -> dict[str, Any]:
        frames, mean, sd = _scatter(self.gaze)
        return {"frames": frames, "mean_cm": mean, "sd_cm": sd, "calibration": self.calibration}


def _scatter(gaze: NDArray[np.float64]) -> tuple[int, list[float], list[float]]:
    """Frames with a gaze, their mean and standard deviation in cm."""
    whole = gaze[np.isfinite(gaze).all(1)]
    if not len(whole):
        return 0, [], []
    return len(whole), whole.mean(0).tolist(), whole.std(0).tolist()


def session_gaze(session: Session) -> NDArray[np.float64]:
    """(N, 2) gaze in cm of a session's frames, as the network gave it; NaN where a frame has none (or no eyes).

    Raises:
        ModelError: the session's header does not describe its outputs properly.
    """
    io = contract_of(session.header.inputs, session.header.outputs)
    pairs = [gaze_cm(io, outputs) for outputs in session.outputs]
    gaze = np.array([(np.nan, np.nan) if pair is None else pair for pair in pairs], float).reshape(-1, 2)
    aim = following(session)
    unit = _cm_per_unit(session) if aim is None else aim.cm_per_unit
    in_cm: NDArray[np.float64] = gaze * unit[:, None]
    return in_cm


def _cm_per_unit(session: Session) -> NDArray[np.float64]:
    """(N,) the unit of the network's answer in each frame: 1 unless the images' description gives another value."""
    images = session.header.metadata.get("images")
    stored = images.get(CM_PER_UNIT) if isinstance(images, dict) else None
    if not stored or IMAGE not in session.extra:
        return np.ones(len(session))
    try:
        units = np.array([float(stored[int(k)]) for k in session.extra[IMAGE]])
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise ModelError(f"The session's {CM_PER_UNIT} cannot be read: {error}.") from None
    if not ((units > 0) & (units < _MOST_CM_PER_UNIT)).all():
        raise ModelError(f"The session's {CM_PER_UNIT} are not all between 0 and {_MOST_CM_PER_UNIT:,}.")
    return units


def summarize_session(
    session: Session | Path | str, seed: int = 0, calibration: Calibration | None = None
) -> SessionResult:
    """Everything that is shown about a session.

    Args:
        session: or its file.
        seed: of the bootstrap.
        calibration: correction of the gaze; None for the one that was given when it was recorded, if any.

    Raises:
        InputFileError: the file is not a session.
        CalibrationError: the calibration was made for another network.
    """
    session = session if isinstance(session, Session) else read_session(session)
    remarks: tuple[str, ...] = ()
    if calibration is not None:
        remarks = remarks_on(calibration.identity, str(session.header.model.get("sha256", "")))
    counted = len(session) > session.header.warmup
    found = latencies(session) if len(session) else None
    rows = summarize_latencies(found, seed=seed) if found is not None and counted else {}
    unknown = "" if found is None else found.clock_unknown
    oracle, differing = _parity(session)
    steps = None if oracle is None or session.header.is_exact else _steps(session)
    try:
        gaze = session_gaze(session)
    except ModelError:
        gaze = np.full((len(session), 2), np.nan)
    correction = calibration or _recorded_calibration(session)
    if correction is not None:
        gaze = correction.apply(gaze)
    kind = None if correction is None else correction.kind
    said = _sentences(session, found, rows, oracle, differing, steps)
    frames, mean, sd = _scatter(gaze)
    if frames:
        corrected = "" if kind is None else f", corrected ({kind})"
        said.insert(
            1, f"Gaze{corrected}: mean ({mean[0]:+.2f}, {mean[1]:+.2f}) cm, sd ({sd[0]:.2f}, {sd[1]:.2f}) cm."
        )
    aim = following(session)
    if aim is not None:
        said.insert(1, _aim_sentence(aim))
    gate = gating(session)
    if gate is not None:
        said[1:1] = gate_sentences(gate, session.header.is_emulated)
    sentences = (*said, *remarks)
    return SessionResult(session, rows, unknown, gaze, kind, oracle, differing, sentences, aim, steps, gate)


def _aim_sentence(aim: Following) -> str:
    counts = aim.as_json()
    frames = max(int(counts["frames"]), 1)
    return (
        f"Aim: {counts['followed'] / frames:.1%} of frames followed, {counts['without_eyes'] / frames:.1%} without "
        f"eyes (no gaze), eyes lost {counted(counts['lost'], 'time')}."
    )


def _recorded_calibration(session: Session) -> Calibration | None:
    """The correction in the session's header; None when there is none that can be read."""
    stored = session.header.metadata.get("calibration")
    try:
        return None if stored is None else Calibration.model_validate_json(json.dumps(stored))
    except ValueError:
        return None


def _parity(session: Session) -> tuple[str | None, int | None]:
    """Oracle and number of frames that differ from it; (None, None) where there was nothing to compare with."""
    images = session.header.metadata.get("images")
    if not isinstance(images, dict) or not images.get("expected") or IMAGE not in session.extra:
        return None, None
    try:
        expected = [bytes.fromhex(text) for text in images["expected"]]
        which = [int(k) for k in session.extra[IMAGE]]
        return str(images["oracle"]), compare_outputs(expected, which, session.outputs)
    except (ValueError, TypeError, IndexError):
        return None, None


def _steps(session: Session) -> tuple[int, float] | None:
    """Largest and mean difference from the oracle over all values of 8-bit outputs; None for other outputs."""
    images = session.header.metadata["images"]
    dtypes = {str(output.get("dtype")) for output in session.header.outputs}
    if not len(session) or len(dtypes) != 1 or not dtypes <= {"int8", "uint8"}:
        return None
    dtype = np.dtype(dtypes.pop())
    expected = [np.frombuffer(bytes.fromhex(text), dtype).astype(np.int16) for text in images["expected"]]
    found = np.stack([np.frombuffer(output, dtype).astype(np.int16) for output in session.outputs])
    apart = np.abs(found - np.stack([expected[int(k)] for k in session.extra[IMAGE]]))
    return int(apart.max()), float(apart.mean())


def _sentences(
    session: Session,
    found: Latencies | None,
    rows: dict[str, Summary],
    oracle: str | None,
    differing: int | None,
    steps: tuple[int, float] | None,
) -> list[str]:
    header = session.header
    said = []
    if header.is_emulated:
        said.append(
            f"Emulated: a µs stands for {INSTRUCTIONS_PER_US:g} counted instructions, not for time on hardware; "
            "`tinytracker emulate` models that time."
        )
    said.append(
        f"{counted(len(session), 'frame')} ({min(header.warmup, len(session))} warm-up), {session.lost} lost, "
        f"{counted(session.damaged, 'damaged record')}."
    )
    if oracle is not None:
        agreement = "all equal bit for bit" if not differing else f"{differing} of {len(session)} differ"
        if differing and steps is not None:
            agreement += (
                f", by up to {counted(steps[0], 'step')} (mean {steps[1]:.2g}), which this runtime may"
            )
        distinct = len(set(session.outputs))
        said.append(f"Outputs compared with {oracle}: {agreement}; {distinct} distinct.")
    if found is not None and found.clock is not None:
        clock = found.clock
        said.append(f"Clock: {clock.drift_ppm:+.1f} ppm, within {clock.bound_ns / 1e3:,.0f} µs.")
    elif found is not None and found.clock_unknown:
        said.append(f"Clock unknown, so no {TRANSMIT} and {ARRIVAL}: {found.clock_unknown}.")
    if not len(session):
        said.append("No frame arrived.")
    elif not rows:
        said.append("No frames are left after the warm-up.")
    warned: dict[str, list[str]] = {}
    for name, row in rows.items():
        for warning in row.warnings:
            warned.setdefault(warning, []).append(name)
    said += [f"{', '.join(names)}: {warning}" for warning, names in warned.items()]
    if session.end in _ENDS:
        said.append(_ENDS[session.end])
    memory = memory_sentences(recorded_memory(header.metadata), header.ticks_per_s, header.is_emulated)
    return [*said, *memory, *session.notes, *session.problems]
