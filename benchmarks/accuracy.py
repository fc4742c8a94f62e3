"""Measure the accuracy of the presets and the cost of INT8, under one schedule, on people unseen in training.

Trains every preset with every seed (finished runs are kept, interrupted ones resume), quantizes, evaluates on the
test split, and writes two tables: each run with its INT8 loss, paired by frame, and each pair of a new network and
the one that it replaces, seed by seed. Intervals are bootstrapped over whole subjects. Takes hours.

    tinytracker synth faces --subjects 900 --frames 60 --seed 1 && tinytracker prepare faces prepared
    tinytracker synth faces-200 --subjects 200 --frames 60 --seed 1 && tinytracker prepare faces-200 prepared-200
    python benchmarks/accuracy.py prepared-200 runs --test prepared --seeds 0 1 2

The first 200 of 900 people are the same people in the same splits, so the test people of all 900 are unseen by
networks trained on 200. The data is synthetic; numbers on GazeCapture would differ.

On more data, of the people and the pictures of the bundled weights (recipes/README.md has its commands):

    python benchmarks/accuracy.py prepared-aim runs --test prepared --config recipes/compare-more.toml \
        --presets tinytracker tinytracker-v2 --seeds 0 --name accuracy_more
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import write_csv
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.evaluate import evaluate
from tinytracker.evaluate.metrics import frame_errors, subject_bootstrap
from tinytracker.files import read_json
from tinytracker.model.presets import find_preset
from tinytracker.quant import quantize
from tinytracker.runs import Run
from tinytracker.train import TrainConfig, train
from tinytracker.train.config import load_config

RECIPE = Path(__file__).resolve().parent.parent / "recipes" / "compare.toml"
REPLACED = {"tinytracker-v2": "tinytracker", "tinytracker-s2": "tinytracker-s"}
"""New preset -> the preset that it has to outperform at the same work."""


@dataclass(frozen=True)
class Errors:
    """Errors of one model on the test split: cm (N,) per frame, subjects, and errors of the constant predictor."""

    cm: Floats
    subject: NDArray[np.str_]
    constant: float


def trained(prepared: Path, folder: Path, preset: str, config: TrainConfig) -> Run:
    """Return the run of a preset, and train it if necessary."""
    return train(prepared, preset, folder, config, resume=True).run


def quantized(run: Run, method: str = "ptq") -> str:
    """Return the name of the run's INT8 network, and make it if necessary."""
    name = f"{method}-int8"
    if name not in run.quantized_names():
        quantize(run.path, method)
    return name


def errors_of(run: Run, test: Path, model: str) -> Errors:
    """Return errors on the test split of `test`; results of an earlier call for the same data are reused."""
    kept = run.evaluation(model, "test")
    if not kept.is_file() or read_json(kept)["data_hash"] != read_json(test / "index.json")["data_sha256"]:
        evaluate(run.path, test, model=model)
    table = np.load(kept.with_suffix(".npz"))
    constant = read_json(kept)["errors"]["overall"]["constant_cm"]
    return Errors(frame_errors(table["predicted"], table["gaze"]), table["subject"], constant)


def row(run: Run, exact: Errors, int8: Errors) -> dict[str, Any]:
    """Return one line about a run, from the errors of its float and its INT8 network."""
    description, network = run.describe(), find_preset(run.preset_name).network()
    config = description.config
    loss = int8.cm - exact.cm
    low, high = subject_bootstrap(exact.cm, exact.subject)
    loss_low, loss_high = subject_bootstrap(loss, exact.subject)
    return {
        "preset": run.preset_name,
        "seed": config["seed"],
        "macs": network.macs,
        "parameters": network.params,
        "int8_bytes": (run.quantized("ptq-int8") / "model.tflite").stat().st_size,
        "train_frames": description.data.frames["train"],
        "epochs": config["epochs"],
        "batch_size": config["batch_size"],
        "test_frames": len(exact.cm),
        "test_subjects": len(np.unique(exact.subject)),
        "constant_cm": round(exact.constant, 3),
        "float_cm": round(float(exact.cm.mean()), 3),
        "float_low": round(low, 3),
        "float_high": round(high, 3),
        "int8_cm": round(float(int8.cm.mean()), 3),
        "int8_minus_float_cm": round(float(loss.mean()), 4),
        "loss_low": round(loss_low, 4),
        "loss_high": round(loss_high, 4),
        "commit": description.git[:12],
    }


def gain(
    new: Floats, old: Floats, subject: NDArray[np.str_], rounds: int = 10_000
) -> tuple[float, float, float]:
    """Return the fraction by which `new` errors are below `old` ones of the same frames, with 95 % interval."""
    _, group = np.unique(subject, return_inverse=True)
    sums = np.stack([np.bincount(group, errors) for errors in (new, old)])
    draws = np.random.default_rng(0).integers(sums.shape[1], size=(rounds, sums.shape[1]))
    drawn = sums[:, draws].sum(-1)
    low, high = np.percentile(1 - drawn[0] / drawn[1], [2.5, 97.5])
    return float(1 - sums[0].sum() / sums[1].sum()), float(low), float(high)


def pairs(found: dict[tuple[str, int], Errors]) -> Iterator[dict[str, Any]]:
    """Return a line for each seed with which a network and its predecessor were trained, and one for all seeds.

    Args:
        found: errors of INT8 networks by preset and seed.
    """
    for new, old in REPLACED.items():
        seeds = [seed for name, seed in found if name == new and (old, seed) in found]
        for chosen in [[seed] for seed in seeds] + ([seeds] if len(seeds) > 1 else []):
            ours, theirs = (np.concatenate([found[n, s].cm for s in chosen]) for n in (new, old))
            subject = np.concatenate([found[new, s].subject for s in chosen])
            lower, low, high = gain(ours, theirs, subject)
            yield {
                "network": new,
                "instead_of": old,
                "seeds": " ".join(map(str, chosen)),
                "int8_cm": round(float(ours.mean()), 3),
                "instead_of_cm": round(float(theirs.mean()), 3),
                "lower_by": round(lower, 3),
                "low": round(low, 3),
                "high": round(high, 3),
            }


def parser_of(doc: str) -> argparse.ArgumentParser:
    """Return the arguments of all benchmarks that train under the recipe: data, run folder, test data, schedule."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("prepared", type=Path)
    parser.add_argument(
        "runs", type=Path, help="folder for the runs, PRESET-SEED each; existing ones are used"
    )
    parser.add_argument("--test", type=Path, help="prepared data for the test split; default: PREPARED")
    parser.add_argument("--config", type=Path, default=RECIPE)
    return parser


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--presets", nargs="+", default=[*REPLACED.values(), *REPLACED])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--name", default="accuracy", help="of the tables: NAME.csv and NAME_pairs.csv")
    arguments = parser.parse_args()
    test = arguments.test or arguments.prepared
    found: dict[tuple[str, int], Errors] = {}
    rows = []
    for seed in arguments.seeds:
        for preset in arguments.presets:
            config = load_config(arguments.config, {"seed": seed})
            run = trained(arguments.prepared, arguments.runs / f"{preset}-{seed}", preset, config)
            exact = errors_of(run, test, "float")
            found[preset, seed] = errors_of(run, test, quantized(run))
            rows.append(row(run, exact, found[preset, seed]))
            # After each run, so that a later failure does not lose hours of work.
            write_csv(arguments.name, rows, ["tensorflow"])
            if compared := list(pairs(found)):
                write_csv(f"{arguments.name}_pairs", compared, ["tensorflow"])


if __name__ == "__main__":
    main()
