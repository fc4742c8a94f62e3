"""What a report says about devices: packages, sessions, energies, as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinytracker.errors import UsageError
from tinytracker.files import read_json
from tinytracker.package.manifest import MANIFEST_NAME
from tinytracker.report.sources import Sources, expecting, finite


def package_part(found: Sources) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Packages, rows of the parity table, rows of the memory table."""
    packages, parity, memory = [], [], []
    for name, manifest in found.packages:
        with expecting(Path(name) / MANIFEST_NAME, "the manifest of a package", "Package again."):
            target, model = str(manifest["target"]), manifest["model"]
            short = "/".join(Path(name).resolve().parts[-2:])
            latency = manifest.get("expected_latency")
            described = {key: model.get(key) for key in ("bytes", "macs")}
            words = {key: str(model.get(key, "")) for key in ("preset", "sha256")}
            if latency:
                latency = {key: finite(latency[key]) for key in ("low_ms", "high_ms")}
            packages.append(
                {
                    "folder": name,
                    "name": short,
                    "target": target,
                    **words,
                    **described,
                    "expected_latency": latency,
                }
            )
            if manifest.get("parity"):
                parity.append({"from": short, **_picked(manifest["parity"])})
            memory += [{"package": short, **row} for row in _memory(target, manifest)]
    return packages, parity, memory


def _picked(row: dict[str, Any]) -> dict[str, Any]:
    numbers = {key: finite(row[key]) for key in ("images", "max_difference", "differing")}
    words = {key: str(row.get(key, "")) for key in ("runtime", "oracle", "images_from")}
    return {**words, **{key: int(n) if n == int(n) else n for key, n in numbers.items()}}


def runtime_part(found: Sources) -> list[dict[str, Any]]:
    """The tables that `tinytracker parity` left in runs; what a runtime lacks is a sentence in `absent`.

    Raises:
        InputFileError: a parity.json is something else.
    """
    tables = []
    for name, run in found.runs:
        if not run.parity_path.is_file():
            continue
        hint = "Run `tinytracker parity` again."
        document = read_json(run.parity_path, hint)
        with expecting(run.parity_path, "a comparison of runtimes", hint):
            numbers = {key: int(document[key]) for key in ("frames", "patterns")}
            words = {key: str(document[key]) for key in ("model", "oracle")}
            rows = [_runtime(row) for row in document["rows"]]
            step = finite(document["step_cm"])
            tables.append({"run": name, **words, **numbers, "step_cm": step, "rows": rows})
    return tables


def _runtime(row: dict[str, Any]) -> dict[str, Any]:
    numbers = {
        key: None if row[key] is None else finite(row[key])
        for key in ("error_cm", "max_lsb", "mean_lsb", "differing")
    }
    words = {key: str(row[key]) for key in ("runtime", "computes", "absent")}
    return {**words, **numbers, "must_be_equal": bool(row["must_be_equal"])}


def _memory(target: str, manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Named parts in bytes against what the device has, where the package says both."""
    memory, arena = manifest.get("memory", {}), manifest.get("arena", {})
    edgetpu = manifest.get("edgetpu") or {}
    if "ram_bytes" in memory:
        parts = {"model": manifest["model"]["bytes"], "arena": arena.get("total_bytes", 0)}
        return [{"target": target, "what": "RAM", "parts": parts, "limit_bytes": memory["ram_bytes"]}]
    if "used_bytes" in memory:
        parts = {"network": memory["used_bytes"]}
        return [
            {"target": target, "what": "sensor memory", "parts": parts, "limit_bytes": memory["available_bytes"]}
        ]  # fmt: skip
    rows = []
    if "cached_bytes" in edgetpu:
        parts = {"cached parameters": edgetpu["cached_bytes"]}
        rows.append({"target": target, "what": "Edge TPU", "parts": parts, "limit_bytes": None})
    if "total_bytes" in arena:
        parts = {"arena": arena["total_bytes"]}
        rows.append({"target": target, "what": "arena of the M7", "parts": parts, "limit_bytes": None})
    return rows


def session_part(path: Path) -> dict[str, Any]:
    """A session's latency table; a session without a frame that counts is a sentence.

    Raises:
        InputFileError: the file is no session.
    """
    from tinytracker.measure.latency import latency_table
    from tinytracker.measure.session_reader import read_session

    session = read_session(path)
    header = session.header
    missing = [f"{path}: {problem}" for problem in session.problems]
    try:
        table = latency_table(session)
    except UsageError as error:
        missing.append(error.message)
        table = {}
    warnings = {name: list(row.warnings) for name, row in table.items() if row.warnings}
    return {
        "name": path.stem, "file": str(path), "source": header.source, "emulated": header.is_emulated,
        "board": header.board, "model": header.model, "created": header.created, "phases": list(header.phases),
        "frames": len(session), "warmup": header.warmup, "lost": session.lost, "damaged": session.damaged,
        "latency_us": {name: row.as_json() for name, row in table.items()},
        "warnings": warnings, "missing": missing,
    }  # fmt: skip


def energy_part(path: Path) -> dict[str, Any]:
    """What `tinytracker energy --json` printed.

    Raises:
        InputFileError: the file is something else.
    """
    hint = "A report takes the JSON that `tinytracker energy --json` prints."
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
        low, high = value["ci95_j"]
        return {"mean_j": finite(value["mean_j"]), "ci95_j": [finite(low), finite(high)]}

    return {
        "phase": str(row["phase"]), "duration_s": finite(row["duration_s"]),
        "power_w": None if row["power_w"] is None else finite(row["power_w"]),
        "total": part(row["total"]), "dynamic": part(row["dynamic"]),
    }  # fmt: skip
