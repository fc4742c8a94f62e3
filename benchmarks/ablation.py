"""Measure what each part of `tinytracker-s2` contributes: one change at a time, under the comparison's schedule.

Trains each variant with one seed (finished runs are kept, interrupted ones resume) and evaluates it in float; the
unchanged preset also in INT8, with and without training. Its run comes from `benchmarks/accuracy.py`.

    python benchmarks/ablation.py prepared-200 runs --test prepared

The folders are those of `benchmarks/accuracy.py`. The data is synthetic; numbers on GazeCapture would differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from accuracy import Errors, errors_of, gain, parser_of, quantized, trained
from common import write_csv

from tinytracker.model.architectures import StripNetwork
from tinytracker.model.presets import PRESETS, Preset, find_preset
from tinytracker.runs import Run
from tinytracker.train.config import load_config

BASE = "tinytracker-s2"
METHODS = {"ptq": "INT8", "qat": "INT8, trained with rounding"}


@dataclass(frozen=True)
class Variant:
    """The preset with one thing changed.

    Attributes:
        group: what is varied. change: the change in words.
        preset: preset to train; its name is that of the base, a colon, and a short name of the change.
    """

    group: str
    change: str
    preset: Preset


def variants() -> Iterator[Variant]:
    """Yield all variants, in the order of the table."""
    base = find_preset(BASE)
    trunk = base.build
    assert isinstance(trunk, StripNetwork)

    def seen(name: str, group: str, change: str, **what: Any) -> Variant:
        return Variant(group, change, replace(base, name=f"{BASE}:{name}", input=replace(base.input, **what)))

    yield seen("144x48", "input size", "144x48 instead of 192x64", width=144, height=48)
    yield seen("baked", "grid mode", "constant position planes", grid="baked")
    pooled = replace(base, name=f"{BASE}:pooled", build=replace(trunk, pooled=True))
    yield Variant("head", "global average instead of flatten", pooled)


def line(run: Run, errors: Errors, than: Errors, model: str, group: str, change: str) -> dict[str, Any]:
    """Return one row: a variant's errors beside those of its base preset."""
    network = find_preset(run.preset_name).network()
    lower, low, high = gain(errors.cm, than.cm, errors.subject)
    return {
        "network": BASE,
        "group": group,
        "change": change,
        "model": model,
        "macs": network.macs,
        "parameters": network.params,
        "test_frames": len(errors.cm),
        "test_subjects": len(np.unique(errors.subject)),
        "constant_cm": round(errors.constant, 3),
        "error_cm": round(float(errors.cm.mean()), 3),
        # Subtracting avoids "-0.0" in the table, which a minus sign would give.
        "higher_by": round(0 - lower, 3),
        "low": round(0 - high, 3),
        "high": round(0 - low, 3),
    }


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    config = load_config(arguments.config, {"seed": arguments.seed})
    test = arguments.test or arguments.prepared
    chosen = list(variants())
    # Training and evaluation look up a network by its name.
    PRESETS.update({v.preset.name: v.preset for v in chosen})

    def run_of(preset: str) -> Run:
        folder = arguments.runs / f"{preset.replace(':', '-')}-{arguments.seed}"
        return trained(arguments.prepared, folder, preset, config)

    run = run_of(BASE)
    base = errors_of(run, test, "float")
    rows = [line(run, base, base, "float", "", "as it is")]
    for method, change in METHODS.items():
        model = quantized(run, method)
        rows.append(line(run, errors_of(run, test, model), base, model, "quantization", change))
    for variant in chosen:
        run = run_of(variant.preset.name)
        errors = errors_of(run, test, "float")
        rows.append(line(run, errors, base, "float", variant.group, variant.change))
        write_csv("ablation", rows, ["tensorflow"])


if __name__ == "__main__":
    main()
