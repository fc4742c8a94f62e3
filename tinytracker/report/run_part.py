"""The part of a report about one run, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.archives import DAMAGED
from tinytracker.errors import InputFileError
from tinytracker.evaluate.document import EvaluationDocument
from tinytracker.evaluate.metrics import ErrorNumbers, frame_errors
from tinytracker.files import read_bytes, read_json
from tinytracker.report.screens import device_maps
from tinytracker.report.sources import expecting, finite
from tinytracker.report.spiking_part import has_spikes, spiking_part
from tinytracker.runs import Run, RunDescription
from tinytracker.spiking.document import FOLDER as SPIKING

SPLIT = "test"
FLOAT = "float"
SHOWN_SUBJECTS = 3
_LEAST_FRAMES = 5
_AGAIN = "Evaluate again."
_SETTINGS = ("epochs", "batch_size", "learning_rate", "loss", "seed")
_SCATTER_POINTS = 600


def run_part(name: str, run: Run, outdated: Mapping[str, str]) -> dict[str, Any]:
    """Return everything about a run that a page shows; each missing part is a sentence in `missing`.

    Args:
        name: for the reader.
        run: the run.
        outdated: what `outdated_parts` says about it.

    Raises:
        InputFileError: a file of the run is damaged.
    """
    description = run.describe()
    missing: list[str] = []
    converted = [*run.quantized_names(), *([SPIKING] if has_spikes(run) else [])]
    models = {m: _model_part(run, m) for m in (FLOAT, *converted)}
    shown = {m: part for m, part in models.items() if part is not None}
    predictions = {m: p for m in shown if (p := _predictions(run, m)) is not None}
    if run.hybrid_path.is_file():
        missing.append(f"A report does not show hybrids; run: tinytracker hybrid evaluate {run.path}")
    elif FLOAT not in shown:
        missing.append(f"The float network has not been evaluated; run: tinytracker evaluate {run.path}")
    for quantized in converted:
        if quantized not in shown:
            missing.append(
                f"{quantized} has not been evaluated; run: tinytracker evaluate {run.path} --model {quantized}"
            )
    if not converted and not run.hybrid_path.is_file():
        missing.append(_not_converted(run, description.preset))
    if run.quantized_names() and not run.parity_path.is_file():
        missing.append(f"Runtimes have not been compared; run: tinytracker parity {run.path}")
    best = FLOAT if FLOAT in shown else next(iter(shown), None)
    calibrations = {m: c for m in (FLOAT, *run.quantized_names()) if (c := _calibration(run, m)) is not None}
    if best is not None and not calibrations:
        missing.append(
            f"The effect of calibration has not been measured; run: tinytracker calibrate evaluate {run.path}"
        )
    with expecting(run.path, "a run with consistent predictions", _AGAIN):
        maps = device_maps(predictions[best]) if best in predictions else []
    if best in predictions and not maps:
        missing.append(
            f"The error over the screen needs a newer evaluation; run: tinytracker evaluate {run.path}"
        )
    return {
        "name": name,
        "folder": str(run.path),
        "origin": _origin(description),
        "preset": description.preset,
        "config": {key: value for key, value in description.config.items() if key in _SETTINGS},
        "data": {k: v for k, v in description.data.as_json().items() if k != "path"},
        "command": description.command,
        "git": description.git,
        "versions": description.versions,
        "network": _network(description.preset),
        "history": _history(run, missing),
        "models": shown,
        "best": best,
        "maps": maps,
        "subjects": _subjects(shown[best]["errors"]) if best else {"best": [], "worst": []},
        "int8": [
            pair
            for m in run.quantized_names()
            if m in predictions and FLOAT in predictions
            and (pair := _pair(m, predictions[FLOAT], predictions[m])) is not None
        ],
        "calibration": calibrations,
        "spiking": spiking_part(run),
        "missing": missing,
        "outdated": dict(outdated),
    }  # fmt: skip


def _not_converted(run: Run, preset: str) -> str:
    """Return what to do with a run that has only its float network."""
    from tinytracker.model.presets import PRESETS

    if preset in PRESETS and PRESETS[preset].levels is not None:
        return f"The run has no spiking network; run: tinytracker spike {run.path}"
    return f"The run has no INT8 model; run: tinytracker quantize {run.path}"


def _origin(description: RunDescription) -> str:
    """Return whether the people are synthetic or recorded; unknown for data prepared before this was stored."""
    data = description.data
    if data.origin:
        return data.origin
    from tinytracker.data.index import read_index

    try:
        index = read_index(Path(data.path))
    except InputFileError:
        return "unknown"
    same = index.data_sha256 == data.data_hash
    return index.origin if same and index.origin else "unknown"


def _network(preset: str) -> dict[str, Any]:
    from tinytracker.model.presets import PRESETS

    if preset not in PRESETS:
        return {}
    from tinytracker.model.info import describe

    described = describe(preset)
    return {
        key: described[key] for key in ("summary", "inputs", "parameters", "macs", "peak_activation_bytes")
    }


def _history(run: Run, missing: list[str]) -> list[dict[str, float]]:
    """Return epoch, loss and validation error; a training in progress may leave an incomplete last line."""
    if not run.history_path.is_file():
        missing.append("Learning curves are missing: the run has no history.jsonl.")
        return []
    rows = []
    for line in read_bytes(run.history_path).splitlines():
        try:
            row = json.loads(line)
            rows.append({k: finite(row[k]) for k in ("epoch", "train_loss", "val_error_cm")})
        except (ValueError, KeyError, TypeError):
            continue
    return rows


def _model_part(run: Run, model: str) -> dict[str, Any] | None:
    path = run.evaluation(model, SPLIT)
    if not path.is_file():
        return None
    found = EvaluationDocument.read(path).errors
    groups = {
        "by_family": found.by_family, "by_orientation": found.by_orientation, "by_device": found.by_device,
        "by_subject": found.by_subject,
    }  # fmt: skip
    errors: dict[str, Any] = {"overall": _numbers(found.overall)} | {
        group: {name: _numbers(row) for name, row in rows.items()} for group, rows in groups.items()
    }
    errors["by_trait"] = {
        trait: {name: _numbers(row) for name, row in rows.items()} for trait, rows in found.by_trait.items()
    }
    predictions = _predictions(run, model)
    part: dict[str, Any] = {"errors": errors, "split": SPLIT}
    if predictions is not None:
        distance = np.linalg.norm(predictions["predicted"] - predictions["gaze"], axis=1)
        part["percentiles_cm"] = [round(float(v), 4) for v in np.percentile(distance, np.arange(101))]
    return part


def _numbers(row: ErrorNumbers) -> dict[str, Any]:
    return {
        "frames": row.frames, "subjects": row.subjects, "error_cm": row.error_cm, "median_cm": row.median_cm,
        "dot_error_cm": row.dot_error_cm, "constant_cm": row.constant_cm, "ci95_cm": list(row.ci95_cm),
    }  # fmt: skip


def _predictions(run: Run, model: str) -> dict[str, NDArray[Any]] | None:
    path = run.evaluation(model, SPLIT).with_suffix(".npz")
    if not path.is_file():
        return None
    try:
        with np.load(path) as stored:
            found = {name: stored[name] for name in stored.files}
    except DAMAGED as error:
        raise InputFileError(path, f"cannot be read as predictions ({error})", _AGAIN) from None
    with expecting(path, "predictions of a split", _AGAIN):
        count = len(found["gaze"])
        shapes = {name: found[name].shape for name in ("predicted", "gaze", "subject", "dot")}
        if not count or shapes != {
            "predicted": (count, 2),
            "gaze": (count, 2),
            "subject": (count,),
            "dot": (count,),
        }:
            raise ValueError(f"shapes {shapes}")
        if not np.isfinite(found["predicted"]).all() or not np.isfinite(found["gaze"]).all():
            raise ValueError("a gaze is not a number")
    return found


def _subjects(errors: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    rows = [
        {"subject": name, "error_cm": row["error_cm"], "frames": row["frames"], "constant_cm": row["constant_cm"]}
        for name, row in errors["by_subject"].items()
        if row["frames"] >= _LEAST_FRAMES
    ]  # fmt: skip
    rows.sort(key=lambda row: row["error_cm"])
    count = min(SHOWN_SUBJECTS, len(rows) // 2)
    return {"best": rows[:count], "worst": rows[::-1][:count]}


def _pair(model: str, exact: dict[str, Any], rounded: dict[str, Any]) -> dict[str, Any] | None:
    """Compare float with INT8: the distance between them, and a sample of points."""
    if len(exact["predicted"]) != len(rounded["predicted"]):
        return None  # evaluated on different data
    distance = frame_errors(rounded["predicted"], exact["predicted"])
    step = max(1, -(-len(distance) // _SCATTER_POINTS))
    pairs = np.stack([exact["predicted"][::step], rounded["predicted"][::step]], 1)
    errors = [frame_errors(p["predicted"], p["gaze"]).mean() for p in (exact, rounded)]
    return {
        "model": model,
        "frames": len(distance),
        "mean_cm": float(distance.mean()),
        "p95_cm": float(np.percentile(distance, 95)),
        "largest_cm": float(distance.max()),
        "loss_cm": float(errors[1] - errors[0]),
        "points_cm": np.round(pairs, 3).tolist(),
    }


def _calibration(run: Run, model: str) -> dict[str, Any] | None:
    path = run.evaluation(model, f"{SPLIT}-calibration")
    if not path.is_file():
        return None
    again = "Run `tinytracker calibrate evaluate` again."
    document = read_json(path, again)
    with expecting(path, "a table of calibration", again):
        counts = {key: int(document[key]) for key in ("subjects", "left_out", "repeats", "features")}
        return {
            **counts,
            "test_frames": finite(document["test_frames"]), "before_cm": finite(document["before_cm"]),
            "rows": [_calibration_row(row) for row in document["rows"]],
        }  # fmt: skip


def _calibration_row(row: dict[str, Any]) -> dict[str, Any]:
    low, high = row["ci95_cm"]
    return {
        "method": str(row["method"]), "dots": int(row["dots"]), "error_cm": finite(row["error_cm"]),
        "ci95_cm": [finite(low), finite(high)], "change": finite(row["change"]), "worse": finite(row["worse"]),
    }  # fmt: skip
