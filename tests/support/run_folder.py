"""A finished run folder without a training: predictions that somebody might have made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tinytracker.data.devices import DEVICES, find_device
from tinytracker.evaluate.calibration_table import calibration_table
from tinytracker.evaluate.metrics import Frames, summarize
from tinytracker.runs import Run

NAMES = ("iPhone 6", "iPhone 5s", "iPad Air 2")
HASH = "ab" * 32


def make_frames(subjects=6, dots=24, seed=0) -> Frames:
    """Frames of some people, each with a device of their own and all its orientations."""
    rng = np.random.default_rng(seed)
    gaze, device, orientation = [], [], []
    for subject in range(subjects):
        held = find_device(NAMES[subject % len(NAMES)])
        for dot in range(dots):
            o = 1 + dot % (4 if held.family == "tablet" else 3)
            o = 4 if o == 2 and held.family == "phone" else o
            width, height = held.screen_points(o)
            gaze.append(held.to_camera_cm(*(rng.random(2) * [width, height]), width, height, o))
            device.append(held.name)
            orientation.append(o)
    count = subjects * dots
    return Frames(
        np.array(gaze).reshape(count, 2), np.repeat([f"{s:05d}" for s in range(subjects)], dots), np.array(device),
        np.array([DEVICES[d.lower()].family if d.lower() in DEVICES else find_device(d).family for d in device]),
        np.array(orientation), np.tile(np.arange(dots), subjects),
    )  # fmt: skip


def make_run(
    folder: Path,
    origin="synthetic",
    data: Path | None = None,
    frames: Frames | None = None,
    seed=0,
    preset="tinytracker-s",
) -> Run:
    """A run with history, float and INT8 evaluation, and a table of calibration."""
    rng = np.random.default_rng(seed)
    run = Run(folder)
    folder.mkdir(parents=True)
    frames = frames or make_frames(seed=seed)
    data_hash = HASH
    if data is not None:
        data_hash = json.loads((data / "index.json").read_text())["data_sha256"]
    run.description_path.write_text(
        json.dumps(
            {
                "schema_version": 1, "preset": preset,
                "config": {"epochs": 3, "batch_size": 8, "learning_rate": 0.002, "loss": "euclidean", "seed": 1},
                "data": {
                    "path": str(data or folder / "nowhere"), "data_hash": data_hash, "origin": origin,
                    "frames": {"train": 1000, "val": 100, "test": len(frames)},
                },
                "command": "tinytracker train prepared", "versions": {"tinytracker": "0.1.0"}, "git": "0" * 40,
            }
        )
    )  # fmt: skip
    run.history_path.write_text(
        "".join(
            json.dumps({"epoch": e, "train_loss": 5 / e, "val_error_cm": 4 / e + 1}) + "\n" for e in (1, 2, 3)
        )
    )
    bias = rng.normal(0, 1.0, (len(np.unique(frames.subject)), 2))
    own = np.unique(frames.subject, return_inverse=True)[1]
    predicted = frames.gaze + bias[own] + rng.normal(0, 1.0, frames.gaze.shape)
    add_evaluation(run, "float", predicted, frames)
    (run.quantized("ptq-int8")).mkdir(parents=True)
    (run.quantized("ptq-int8") / "model.tflite").write_bytes(b"")
    add_evaluation(run, "ptq-int8", predicted + rng.normal(0, 0.05, predicted.shape), frames)
    rows = [
        {
            "runtime": name, "computes": kind, "error_cm": error, "max_lsb": 0.0, "mean_lsb": 0.0,
            "differing": 0 if kind == "integer" else None, "must_be_equal": kind == "integer", "absent": absent,
        }
        for name, kind, error, absent in (
            ("Keras", "float", 2.5, ""), ("TFLM", "integer", 2.51, ""), ("generated C", "integer", None, "no compiler"),
        )
    ]  # fmt: skip
    run.parity_path.write_text(
        json.dumps(
            {
                "schema_version": 1, "model": "ptq-int8", "oracle": "BUILTIN_REF", "frames": 100, "patterns": 28,
                "step_cm": 0.0417, "rows": rows,
            }
        )
    )  # fmt: skip
    table = calibration_table(predicted, frames, None, (5, 9), repeats=1)
    run.evaluation("float", "test-calibration").write_text(json.dumps({"schema_version": 1, **table}))
    return run


def add_evaluation(run: Run, model: str, predicted, frames: Frames) -> None:
    """What `evaluate` leaves."""
    path = run.evaluation(model, "test")
    path.parent.mkdir(exist_ok=True)
    people = {f"{i:05d}": {"glasses": i % 2 == 0, "age": 25 + 12 * i, "light": "lamp"} for i in range(6)}
    errors = summarize(predicted, frames, (0.0, -3.0), people)
    path.write_text(json.dumps({"schema_version": 1, "errors": errors.as_json()}))
    columns = {name: getattr(frames, name) for name in Frames.__dataclass_fields__}
    np.savez_compressed(path.with_suffix(".npz"), predicted=predicted, **columns)


def make_package(folder: Path, run: Run, target="spresense", **changes) -> Path:
    """A package folder with the manifest alone."""
    description = run.describe()
    folder.mkdir(parents=True)
    content = {
        "schema_version": 1, "target": target,
        "model": {
            "name": "model.tflite", "preset": description.preset, "config": description.config, "git": description.git,
            "sha256": "cd" * 32, "bytes": 164_000, "macs": 5_229_184, "parameters": 81_946, "operators": ["CONV_2D"],
        },
        "io": {"inputs": [], "outputs": []}, "metrics": {},
        "arena": {"total_bytes": 90_000, "measured": "planned"},
        "memory": {"model_and_arena_bytes": 254_000, "ram_bytes": 1_572_864, "fits": True},
        "parity": {
            "runtime": "TFLM", "oracle": "BUILTIN_REF", "images": 128, "images_from": "64 patterns",
            "max_difference": 0.0, "differing": 0, "distinct_outputs": 120,
        },
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(content | changes))
    return folder


def energy_document() -> dict:
    """What `tinytracker energy --json` prints."""

    def energy(mean):
        return {"mean_j": mean, "median_j": mean, "ci95_j": [0.98 * mean, 1.02 * mean]}

    refused = {"refused": {"reason": "sample-rate-too-low", "detail": "12 samples; 20 are the least"}}
    rows = [
        ("capture", 0.0179, energy(0.0045), energy(0.0014)),
        ("inference", 0.0009, energy(0.0002), refused),
    ]
    rows.append(("frame", 0.0188, energy(0.0047), energy(0.0016)))
    return {
        "schema_version": 1, "trace": {"meter": "PPK2", "rate_hz": 100000.0, "seconds": 20.0, "lost": 0},
        "session": {"path": "run.jsonl", "source": "hardware", "board": {}, "problems": []}, "frames": 290,
        "phases": [
            {"phase": p, "frames": 290, "duration_s": d, "power_w": 0.25, "samples": 90.0, "total": t, "dynamic": i}
            for p, d, t, i in rows
        ],
        "idle": refused, "window_per_frame_j": 0.01, "warnings": ["The idle power changed by 3 %."],
    }  # fmt: skip
