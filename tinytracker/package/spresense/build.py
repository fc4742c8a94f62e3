"""Spresense package: the model as a C array for TFLM, with its arena, its operators and a proof that TFLM agrees."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.files import make_folder, write_bytes, write_text, writing
from tinytracker.model.tflite_stats import model_stats
from tinytracker.package import PackageResult
from tinytracker.package.manifest import MANIFEST_NAME, write_manifest
from tinytracker.package.model_card import model_card
from tinytracker.package.source import ModelSource, load_source
from tinytracker.package.spresense import c_array
from tinytracker.package.spresense.operators import resolver_methods
from tinytracker.progress import say

TARGET = "spresense"
MODEL_NAME = "gaze_model"
PARITY_IMAGES = 64

RAM_BYTES = 1536 * 1024
"""Spresense's main RAM, which holds code, constants and data alike (the SDK's ramconfig.ld)."""


def build(source: Path, out: Path, quantized: str) -> PackageResult:
    """Make the package; see `tinytracker.package.package`."""
    from tinytracker.quant.parity import compare_with_tflm, require_exact
    from tinytracker.quant.runtimes import measure_arena

    chosen = load_source(source, quantized)
    methods = resolver_methods(chosen.model)
    codes, images_from = _test_images(chosen)
    parity = compare_with_tflm(chosen.content, codes, images_from)
    require_exact(parity)
    arena = measure_arena(chosen.content)
    stats = model_stats(chosen.model)

    content: dict[str, Any] = {
        "model": {
            "name": MODEL_NAME, **chosen.origin, "sha256": chosen.sha256, "bytes": len(chosen.content),
            "macs": stats.macs, "parameters": stats.parameters,
            "peak_activation_bytes": stats.peak_activation_bytes, "operators": sorted(methods),
        },
        "io": chosen.contract.as_json(),
        "gaze": "x and y in cm, origin at the camera, x to the right, y up, as the user sees the screen",
        "quantization": chosen.quantization,
        "arena": {**asdict(arena), "measured": "tflite-micro on a 64-bit computer; a 32-bit target needs less tail"},
        "memory": {
            "model_and_arena_bytes": len(chosen.content) + arena.total_bytes, "ram_bytes": RAM_BYTES,
            "fits": len(chosen.content) + arena.total_bytes < RAM_BYTES,
        },
        "parity": asdict(parity),
        "metrics": chosen.metrics,
    }  # fmt: skip
    if parity.distinct_outputs < 2:
        say("warning: the network gives the same output for all test images; has it been trained?")
    if not content["memory"]["fits"]:
        say(
            f"warning: model and arena take {content['memory']['model_and_arena_bytes']:,} bytes; "
            f"Spresense has {RAM_BYTES:,} for everything."
        )

    # Made beside the place where it belongs, then renamed: a package is whole or not there.
    temporary = out.with_name(f".{out.name}.partial")
    with writing(out):
        shutil.rmtree(temporary, ignore_errors=True)
    make_folder(temporary)
    try:
        write_bytes(temporary / f"{MODEL_NAME}.tflite", chosen.content)
        write_text(temporary / f"{MODEL_NAME}.c", c_array.source(MODEL_NAME, chosen.content, chosen.sha256))
        header = c_array.header(
            MODEL_NAME, chosen.content, chosen.sha256, chosen.contract, arena, methods.values()
        )
        write_text(temporary / f"{MODEL_NAME}.h", header)
        write_text(temporary / "README.md", model_card(TARGET, content, _USE))
        write_manifest(temporary, TARGET, content)
        with writing(out):
            if out.exists():
                shutil.rmtree(out)
            temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return PackageResult(out, out / MANIFEST_NAME, content)


def _test_images(source: ModelSource) -> tuple[Any, str]:
    """Patterns that reach the ends of every range, and frames of the test split when the data is at hand."""
    from tinytracker.quant.parity import frames_of, patterns

    drawn = patterns(source.contract, PARITY_IMAGES)
    preset = source.origin.get("preset")
    if source.data is None or preset is None:
        return drawn, f"{PARITY_IMAGES} patterns"
    seen = frames_of(source.data, preset, PARITY_IMAGES)
    count = len(next(iter(seen.values())))
    both = {name: np.concatenate([seen[name], codes]) for name, codes in drawn.items()}
    return both, f"{count} of the test split, {PARITY_IMAGES} patterns"


_USE = f"""\
## Use

Add `{MODEL_NAME}.c` to an application that links TensorFlow Lite for Microcontrollers:

```c++
#include "{MODEL_NAME}.h"

alignas(16) static uint8_t arena[{MODEL_NAME.upper()}_ARENA_BYTES];

tflite::MicroMutableOpResolver<{MODEL_NAME.upper()}_OPERATOR_COUNT> resolver;
#define ADD(op) resolver.Add##op();
{MODEL_NAME.upper()}_OPERATORS(ADD)
tflite::MicroInterpreter interpreter(tflite::GetModel({MODEL_NAME}_tflite), resolver, arena, sizeof arena);
interpreter.AllocateTensors();
```

Write one frame into the input tensor, call `Invoke()`, and scale the two outputs:
`cm = {MODEL_NAME.upper()}_OUTPUT_SCALE * (code - {MODEL_NAME.upper()}_OUTPUT_ZERO_POINT)`.
"""
