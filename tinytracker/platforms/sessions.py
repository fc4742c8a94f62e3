"""Measured figures of the table: from sessions, and from the JSON of `tinytracker energy`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinytracker.errors import InputFileError, UsageError
from tinytracker.measure.latency import FRAME, INFERENCE, PER_INFERENCE, latency_table
from tinytracker.measure.measurement import COMPUTER
from tinytracker.measure.session import Header
from tinytracker.measure.session_reader import read_session
from tinytracker.measure.statistics import Summary
from tinytracker.platforms.facts import read_document
from tinytracker.platforms.figure import Figure, Mark, exactly

_MACHINES = (("raspberry pi", "raspberry-pi"), ("jetson nano", "jetson-nano"))
"""Words of a computer's name, and the row that it belongs to."""
_RUNTIME_ROWS = (("(MYRIAD", "ncs2"), ("(Edge TPU", "coral-usb"))
PC = "pc"


@dataclass(frozen=True)
class MeasuredFigures:
    """What was measured on one platform.

    Attributes:
        latency_ms: of an inference. frame_ms: of a whole frame, of a board with a camera.
        energy_mj: of an inference. frame_mj: of a whole frame, with pauses. rest_mw: while nothing was done.
        runtime: of a computer; "" for a board.
    """

    latency_ms: Figure | None = None
    frame_ms: Figure | None = None
    energy_mj: Figure | None = None
    frame_mj: Figure | None = None
    rest_mw: Figure | None = None
    runtime: str = ""

    def with_other(self, other: MeasuredFigures) -> MeasuredFigures:
        """Return these figures, completed by those of another file."""
        merged = {name: getattr(self, name) or getattr(other, name) for name in vars(self)}
        return MeasuredFigures(**merged)


@dataclass
class Measurements:
    """All files; a computer has a row for each runtime. Files that say nothing have a remark."""

    rows: dict[tuple[str, str], MeasuredFigures] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def of(self, platform: str) -> list[MeasuredFigures]:
        """Return what was measured on a platform, runtime by runtime; one empty entry when nothing was."""
        return [figures for (name, _), figures in self.rows.items() if name == platform] or [
            MeasuredFigures()
        ]


def read_measurements(paths: Sequence[Path], sha256: str, boards: dict[str, str]) -> Measurements:
    """Read sessions (.jsonl) and energies (.json).

    Args:
        paths: files.
        sha256: of the network; sessions of another one are named in the remarks.
        boards: row by the name of a board.

    Raises:
        InputFileError: a file is neither.
    """
    found = Measurements()
    for path in paths:
        if path.suffix == ".json":
            row, figures = _energy(path, boards)
        elif path.suffix == ".jsonl":
            row, figures = _session(path, sha256, boards, found.remarks)
        else:
            raise InputFileError(
                path,
                "neither a session nor an energy",
                "Give .jsonl, or the .json of `tinytracker energy --json`.",
            )
        if figures is not None:
            key = (row, figures.runtime)
            found.rows[key] = found.rows.get(key, MeasuredFigures()).with_other(figures)
    return found


def row_of(board: dict[str, Any], metadata: dict[str, Any], boards: dict[str, str]) -> str:
    """Return the table's row of a session's board: by its name, or by the computer that ran the network."""
    name = str(board.get("name"))
    if name in boards:
        return boards[name]
    build = str(board.get("build"))
    for words, row in _RUNTIME_ROWS:
        if words in build:
            return row
    computer = metadata.get(COMPUTER)
    machine = str(computer.get("machine", "")).lower() if isinstance(computer, dict) else ""
    return next((row for words, row in _MACHINES if words in machine), PC)


def _session(
    path: Path, sha256: str, boards: dict[str, str], remarks: list[str]
) -> tuple[str, MeasuredFigures | None]:
    session = read_session(path)
    header = session.header
    if header.is_emulated:
        remarks.append(
            f"{path.name}: an emulated board's times are counted instructions, so they have no row."
        )
        return "", None
    if header.model.get("sha256") != sha256:
        remarks.append(f"{path.name}: it ran another network than this table's.")
    try:
        table = latency_table(session)
    except UsageError as error:  # nothing is left after the warm-up; the caller may have given many sessions
        if str(path) in error.message:
            raise
        raise InputFileError(path, error.message.rstrip("."), error.hint) from error
    row = row_of(header.board, header.metadata, boards)
    source = _source(path, header)
    inference = table.get(PER_INFERENCE) or table.get(INFERENCE)
    has_camera = header.board.get("source") == "camera"
    return row, MeasuredFigures(
        latency_ms=None if inference is None else _milliseconds(inference, source),
        frame_ms=_milliseconds(table[FRAME], source) if has_camera and FRAME in table else None,
        runtime=str(header.board.get("build")) if COMPUTER in header.metadata else "",
    )


def _source(path: Path, header: Header) -> str:
    computer = header.metadata.get(COMPUTER)
    if not isinstance(computer, dict):
        return path.name
    machine = computer.get("machine") or computer.get("processor")
    load = computer.get("load_average")
    return f"{path.name}: {header.board.get('build')}, {machine}, load {load}"


def _milliseconds(summary: Summary, source: str) -> Figure:
    """The median, with the range from the 5th to the 95th percentile."""
    low, value, high = (x / 1e3 for x in (summary.p5, summary.median, summary.p95))
    return Figure(value, Mark.MEASURED, source, min(low, value), max(high, value))


def _energy(path: Path, boards: dict[str, str]) -> tuple[str, MeasuredFigures | None]:
    document = read_document(path)
    try:
        session = document["session"]
        board = session["board"]
        header = read_session(Path(session["path"])).header if Path(session["path"]).is_file() else None
        row = row_of(board, {} if header is None else header.metadata, boards)
        each, window, idle = document["per_inference"], document["window_per_frame_j"], document["idle"]
    except (KeyError, TypeError) as error:
        raise InputFileError(
            path, f"not an energy with a session ({type(error).__name__}: {error})",
            "Use: tinytracker energy TRACE --session SESSION --json",
        ) from error  # fmt: skip
    source = f"{path.name}: {document.get('trace', {}).get('meter', 'a meter')}"

    def figure(value: Any, factor: float = 1e3) -> Figure | None:
        is_number = isinstance(value, (int, float)) and math.isfinite(value) and value >= 0
        return exactly(value * factor, source, Mark.MEASURED) if is_number else None

    return row, MeasuredFigures(
        energy_mj=figure(each.get("mean_j")) if isinstance(each, dict) else None,
        frame_mj=figure(window),
        rest_mw=figure(idle.get("power_w")) if isinstance(idle, dict) else None,
        runtime=str(board.get("build")) if row not in boards.values() else "",
    )
