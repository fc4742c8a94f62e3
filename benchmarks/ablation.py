"""What of a network brings what: one thing changed at a time, under the schedule of the comparison.

Trains each variant with one seed (what is there already is kept, what was stopped goes on) and evaluates it in float;
`tinytracker-s2` as it is also in INT8, with and without training. Runs that `benchmarks/accuracy.py` has made of the
same data are used.

    python benchmarks/ablation.py prepared-200 runs --test prepared

The folders are those of `benchmarks/accuracy.py`. The data are synthetic; on GazeCapture the numbers are others.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import RECIPE, Errors, errors_of, gain, quantized, trained
from common import write_csv

from tinytracker.model.presets import PRESETS, Preset, StripNetwork, find_preset
from tinytracker.runs import Run
from tinytracker.train.config import load_config

SMALL = "tinytracker-s2"
BASES = (SMALL, "tinytracker", "tinytracker-s")
METHODS = {"ptq": "INT8", "qat": "INT8, trained with rounding"}


@dataclass(frozen=True)
class Variant:
    """A preset with one thing changed.

    Attributes:
        of: name of the preset that it is compared with. name: short, for files.
        group: what is varied. change: in words.
        preset: what is trained.
    """

    of: str
    name: str
    group: str
    change: str
    preset: Preset


def variants() -> Iterator[Variant]:
    """All of them, in the order of the table."""
    small = find_preset(SMALL)
    trunk = small.build
    assert isinstance(trunk, StripNetwork)

    def seen(name: str, group: str, change: str, **what: Any) -> Variant:
        preset = replace(small, name=f"{small.name}:{name}", input=replace(small.input, **what))
        return Variant(small.name, name, group, change, preset)

    def built(name: str, group: str, change: str, **what: Any) -> Variant:
        preset = replace(small, name=f"{small.name}:{name}", build=replace(trunk, **what))
        return Variant(small.name, name, group, change, preset)

    yield seen("144x48", "input size", "144x48 instead of 192x64", width=144, height=48)
    yield seen("160x80", "input size", "160x80: taller, 0.75 face widths wide", width=160, height=80)
    yield seen("face96", "input", "96x96 of the whole face", kind="face", width=96, height=96)
    yield seen("rgb", "input", "colour instead of grey", channels="rgb")
    yield seen("cm", "geometry", "answers cm: no distance from the face box", unit="cm")
    yield seen("baked", "grid mode", "constant position planes (CoordConv)", grid="baked")
    yield built("pooled", "head", "global average instead of flatten", pooled=True)
    for base, without in (("tinytracker", "tinytracker-rgb"), ("tinytracker-s", "tinytracker-s-grey")):
        yield Variant(base, without, "grid mode", "no position", find_preset(without))


def line(
    run: Run, errors: Errors, than: Errors, base: str, model: str, group: str, change: str
) -> dict[str, Any]:
    """One row: a variant's errors beside those of the preset that it comes from."""
    network = find_preset(run.preset_name).network()
    lower, low, high = gain(errors.cm, than.cm, errors.subject)
    return {
        "group": group,
        "network": base,
        "change": change,
        "model": model,
        "macs": network.macs,
        "parameters": network.params,
        "test_frames": len(errors.cm),
        "test_subjects": len(np.unique(errors.subject)),
        "constant_cm": round(errors.constant, 3),
        "error_cm": round(float(errors.cm.mean()), 3),
        "higher_by": round(-lower, 3),
        "low": round(-high, 3),
        "high": round(-low, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prepared", type=Path)
    parser.add_argument("runs", type=Path, help="folder of the runs; those of accuracy.py are used")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--test", type=Path, help="prepared data for the test split; default: PREPARED")
    parser.add_argument("--config", type=Path, default=RECIPE)
    parser.add_argument("--only", nargs="+", help="names of variants to train now; no table is written")
    arguments = parser.parse_args()
    config = load_config(arguments.config, {"seed": arguments.seed})
    test = arguments.test or arguments.prepared
    chosen = [v for v in variants() if not arguments.only or v.name in arguments.only]
    # Training and evaluation find a network by its name.
    PRESETS.update({v.preset.name: v.preset for v in chosen})

    def run_of(preset: str) -> Run:
        folder = arguments.runs / f"{preset.replace(':', '-')}-{arguments.seed}"
        return trained(arguments.prepared, folder, preset, config)

    if arguments.only:
        for variant in chosen:
            run_of(variant.preset.name)
        return
    rows = []
    base: dict[str, Errors] = {}
    for name in BASES:
        run = run_of(name)
        base[name] = errors_of(run, test, "float")
        rows.append(line(run, base[name], base[name], name, "float", "", "as it is"))
    for method, change in METHODS.items():
        run = run_of(SMALL)
        model = quantized(run, method)
        rows.append(line(run, errors_of(run, test, model), base[SMALL], SMALL, model, "quantization", change))
    for variant in chosen:
        run = run_of(variant.preset.name)
        errors = errors_of(run, test, "float")
        rows.append(line(run, errors, base[variant.of], variant.of, "float", variant.group, variant.change))
        write_csv("ablation", rows, ["tensorflow"])


if __name__ == "__main__":
    main()
