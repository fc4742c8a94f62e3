"""What a session says: latency table, gaze, losses, and whether outputs are those of the oracle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.emulate.qemu import INSTRUCTIONS_PER_US
from tinytracker.errors import ModelError
from tinytracker.measure.board import contract_of, gaze_cm
from tinytracker.measure.images import compare_outputs
from tinytracker.measure.latency import latencies, latency_table
from tinytracker.measure.recording import IMAGE
from tinytracker.measure.session import Session, read_session
from tinytracker.measure.statistics import Summary

_ENDS = {
    "done": "",
    "stopped": "Stopped before the end; what was measured is kept.",
    "unplugged": "The board was unplugged before the end; what was measured is kept.",
    "failed": "The board failed before the end; what was measured is kept.",
    None: "The session was cut off.",
}


@dataclass(frozen=True)
class SessionResult:
    """A session and its numbers.

    Attributes:
        session: as read.
        rows: statistics in µs by name; empty when no frame is left after warm-up.
        gaze: (N, 2) cm of all frames, NaN where there is none.
        oracle: what outputs were compared with, or None. differing: frames whose outputs are not equal bit for bit.
        sentences: what a reader should know.
    """

    session: Session
    rows: dict[str, Summary]
    gaze: NDArray[np.float64]
    oracle: str | None
    differing: int | None
    sentences: tuple[str, ...]

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
            "oracle": self.oracle,
            "differing": self.differing,
            "remarks": list(self.sentences),
        }


def session_gaze(session: Session) -> NDArray[np.float64]:
    """(N, 2) gaze in cm of a session's frames, as the network said it; NaN where a frame has none.

    Raises:
        ModelError: the session's header describes its outputs in a way that cannot be read.
    """
    io = contract_of(session.header.inputs, session.header.outputs)
    pairs = [gaze_cm(io, outputs) for outputs in session.outputs]
    return np.array([(np.nan, np.nan) if pair is None else pair for pair in pairs], float).reshape(-1, 2)


def summarize_session(session: Session | Path | str, seed: int = 0) -> SessionResult:
    """Everything that is shown about a session.

    Raises:
        InputFileError: the file is no session.
    """
    session = session if isinstance(session, Session) else read_session(session)
    counted = len(session) > session.header.warmup
    rows = latency_table(session, seed=seed) if counted else {}
    oracle, differing = _parity(session)
    try:
        gaze = session_gaze(session)
    except ModelError:
        gaze = np.full((len(session), 2), np.nan)
    said = _sentences(session, rows, oracle, differing)
    return SessionResult(session, rows, gaze, oracle, differing, tuple(said))


def _parity(session: Session) -> tuple[str | None, int | None]:
    """Oracle and number of frames that differ from it; (None, None) where nothing was there to compare with."""
    images = session.header.metadata.get("images")
    if not isinstance(images, dict) or not images.get("expected") or IMAGE not in session.extra:
        return None, None
    try:
        expected = [bytes.fromhex(text) for text in images["expected"]]
        which = [int(k) for k in session.extra[IMAGE]]
        return str(images["oracle"]), compare_outputs(expected, which, session.outputs)
    except (ValueError, TypeError, IndexError):
        return None, None


def _sentences(
    session: Session, rows: dict[str, Summary], oracle: str | None, differing: int | None
) -> list[str]:
    header = session.header
    said = []
    if header.is_emulated:
        said.append(
            f"Emulated: a µs stands for {INSTRUCTIONS_PER_US:g} counted instructions, it is no time of hardware; "
            "`tinytracker emulate` estimates that."
        )
    said.append(
        f"{len(session):,} frames ({min(header.warmup, len(session))} warm-up), {session.lost} lost, "
        f"{session.damaged} damaged records."
    )
    if oracle is not None:
        agreement = "all equal bit for bit" if not differing else f"{differing} of {len(session)} differ"
        distinct = len(set(session.outputs))
        said.append(f"Outputs compared with {oracle}: {agreement}; {distinct} distinct.")
    clock = latencies(session).clock if len(session) else None
    if clock is not None:
        said.append(f"Clock: {clock.drift_ppm:+.1f} ppm, within {clock.bound_ns / 1e3:,.0f} µs.")
    if not rows:
        said.append("No frame is left after the warm-up.")
    warned: dict[str, list[str]] = {}
    for name, row in rows.items():
        for warning in row.warnings:
            warned.setdefault(warning, []).append(name)
    said += [f"{', '.join(names)}: {warning}" for warning, names in warned.items()]
    if _ENDS.get(session.end):
        said.append(_ENDS[session.end])
    return [*said, *session.notes, *session.problems]
