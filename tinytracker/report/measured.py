"""The part of a report about devices: packages, sessions and energies, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinytracker.errors import UsageError
from tinytracker.files import read_json
from tinytracker.package.manifest import BoardMemory, Manifest, ParitySection, SensorMemory
from tinytracker.package.parity_table import ParityDocument, RuntimeRow, spiking_parity_path
from tinytracker.report.outdated import PARITY, SPIKING_PARITY
from tinytracker.report.sources import Sources, expecting, finite
from tinytracker.runs import Run

if TYPE_CHECKING:
    from tinytracker.measure.following import Following


def package_part(found: Sources) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Return packages, rows of the parity table, and rows of the memory table."""
    packages: list[dict[str, Any]] = []
    parity: list[dict[str, Any]] = []
    memory: list[dict[str, Any]] = []
    for name, manifest in found.packages:
        model, latency = manifest.model, manifest.expected_latency
        short = "/".join(Path(name).resolve().parts[-2:])
        packages.append(
            {
                "folder": name,
                "name": short,
                "target": manifest.target,
                "preset": model.preset or "",
                "is_gaze": manifest.is_gaze,
                "sha256": model.sha256,
                "bytes": model.bytes,
                "macs": model.macs,
                "expected_latency": latency and {"low_ms": latency.low_ms, "high_ms": latency.high_ms},
            }
        )
        if manifest.parity is not None:
            parity.append({"from": short, **_picked(manifest.parity)})
        memory += [{"package": short, **row} for row in _memory(manifest)]
    return packages, parity, memory


def _picked(row: ParitySection) -> dict[str, Any]:
    difference = row.max_difference
    return {
        "runtime": row.runtime, "oracle": row.oracle, "images_from": row.images_from, "images": row.images,
        "max_difference": int(difference) if difference == int(difference) else difference,
        "differing": row.differing,
    }  # fmt: skip


def runtime_part(found: Sources, outdated: Mapping[Run, Mapping[str, str]]) -> list[dict[str, Any]]:
    """Return the tables of `tinytracker parity` in runs; why a runtime has no numbers is a sentence in `absent`.

    Args:
        found: the sources.
        outdated: what `outdated_parts` says about each run.

    Raises:
        InputFileError: a parity.json is not such a table.
    """
    tables = []
    for name, run in found.runs:
        for part, path in ((PARITY, run.parity_path), (SPIKING_PARITY, spiking_parity_path(run))):
            if not path.is_file():
                continue
            table = ParityDocument.read(path)
            tables.append(
                {
                    "run": name, "outdated": part in outdated[run],
                    "model": table.model, "oracle": table.oracle, "frames": table.frames,
                    "patterns": table.patterns, "step_cm": table.step_cm, "rows": [_runtime(row) for row in table.rows],
                }
            )  # fmt: skip
    return tables


def _runtime(row: RuntimeRow) -> dict[str, Any]:
    return {
        "runtime": row.runtime, "computes": row.computes, "absent": row.absent, "error_cm": row.error_cm,
        "max_lsb": row.max_lsb, "mean_lsb": row.mean_lsb, "differing": row.differing,
        "must_be_equal": row.must_be_equal,
    }  # fmt: skip


def _memory(manifest: Manifest) -> list[dict[str, Any]]:
    """Return named parts in bytes with the device's limit, for packages that state both."""
    target, memory, arena = manifest.target, manifest.memory, manifest.arena
    if isinstance(memory, BoardMemory):
        parts = {"model": manifest.model.bytes, "arena": arena.total_bytes if arena else 0}
        return [{"target": target, "what": "RAM", "parts": parts, "limit_bytes": memory.ram_bytes}]
    if isinstance(memory, SensorMemory):
        parts = {"network": memory.used_bytes}
        return [
            {"target": target, "what": "sensor memory", "parts": parts, "limit_bytes": memory.available_bytes}
        ]  # fmt: skip
    rows = []
    if manifest.edgetpu is not None:
        parts = {"cached parameters": manifest.edgetpu.cached_bytes}
        rows.append({"target": target, "what": "Edge TPU", "parts": parts, "limit_bytes": None})
    if arena is not None:
        parts = {"arena": arena.total_bytes}
        what = "arena" if manifest.runtime == "c" else "arena of the M7"
        rows.append({"target": target, "what": what, "parts": parts, "limit_bytes": None})
    return rows


def session_part(path: Path) -> dict[str, Any]:
    """Return a session's latency table; a session without valid frames gives a sentence.

    Raises:
        InputFileError: the file is not a session.
    """
    from tinytracker.measure.following import following
    from tinytracker.measure.latency import latency_table
    from tinytracker.measure.memory import memory_sentences, recorded_memory
    from tinytracker.measure.session_reader import read_session

    session = read_session(path)
    header = session.header
    missing = [f"{path}: {problem}" for problem in session.problems]
    try:
        table = latency_table(session)
    except UsageError as error:
        missing.append(error.message)
        table = {}
    aim = following(session)
    warnings = {name: list(row.warnings) for name, row in table.items() if row.warnings}
    return {
        "name": path.stem, "file": str(path), "source": header.source, "emulated": header.is_emulated,
        "board": header.board, "model": header.model, "created": header.created, "phases": list(header.phases),
        "memory": memory_sentences(recorded_memory(header.metadata), header.ticks_per_s, header.is_emulated),
        "frames": len(session), "warmup": header.warmup, "lost": session.lost, "damaged": session.damaged,
        "latency_us": {name: row.as_json() for name, row in table.items()},
        "warnings": warnings, "missing": missing,
        "aim": None if aim is None else aim.as_json() | {"strip": aim_strip(aim)},
    }  # fmt: skip


STRIP_COLUMNS = 120


def aim_strip(aim: Following) -> list[dict[str, Any]]:
    """Return the region over time for a drawing: at most `STRIP_COLUMNS` frames, evenly chosen.

    Each has its frame, the region's left, right, top and bottom as shares of the frame's sides, the state and whether
    there were eyes.
    """
    chosen = np.unique(np.linspace(0, len(aim.state) - 1, STRIP_COLUMNS).round().astype(int))
    width, height = aim.frame_px
    columns = []
    for k in chosen.tolist():
        x, y, w = aim.region[k].tolist()
        if not np.isfinite([x, y, w]).all():
            continue
        columns.append(
            {
                "frame": k, "left": (x - w / 2) / width, "right": (x + w / 2) / width,
                "top": (y - w / 6) / height, "bottom": (y + w / 6) / height,
                "state": int(aim.state[k]), "eyes": bool(aim.has_eyes[k]),
            }
        )  # fmt: skip
    return columns


def energy_part(path: Path) -> dict[str, Any]:
    """Return an output of `tinytracker energy --json`.

    Raises:
        InputFileError: the file is not such an output.
    """
    hint = (
        "A report takes the JSON that `tinytracker energy --json` prints or that `tinytracker cascade evaluate` "
        "writes."
    )
    document = read_json(path, hint)
    with expecting(path, "an analysis of energy", hint):
        session = document["session"] or {}
        return {
            "name": path.stem, "file": str(path), "source": str(session.get("source", "trace alone")),
            "meter": str(document["trace"]["meter"]), "rate_hz": finite(document["trace"]["rate_hz"]),
            "frames": int(document["frames"]), "phases": [_phase_energy(row) for row in document["phases"]],
            "warnings": [str(w) for w in document["warnings"]],
        }  # fmt: skip


def _phase_energy(row: dict[str, Any]) -> dict[str, Any]:
    def part(value: dict[str, Any]) -> dict[str, Any]:
        if "refused" in value:
            return {"refused": {"reason": str(value["refused"]["reason"])}}
        interval = value["ci95_j"]
        ends = None if interval is None else [finite(interval[0]), finite(interval[1])]
        return {"mean_j": finite(value["mean_j"]), "ci95_j": ends}

    return {
        "phase": str(row["phase"]), "duration_s": finite(row["duration_s"]),
        "power_w": None if row["power_w"] is None else finite(row["power_w"]),
        "total": part(row["total"]), "dynamic": part(row["dynamic"]),
    }  # fmt: skip
