"""Spresense package: a complete application with the network inside, and a proof that it computes what it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.codegen.kernel_sets import kernel_set
from tinytracker.files import write_bytes, write_text
from tinytracker.model.tflite_stats import model_stats
from tinytracker.package import PackageResult
from tinytracker.package.folder import replaced_folder
from tinytracker.package.manifest import MANIFEST_NAME, meaning, write_manifest
from tinytracker.package.model_card import model_card
from tinytracker.package.source import ModelSource, load_source
from tinytracker.package.spresense.app import write_app
from tinytracker.package.spresense.options import Options
from tinytracker.progress import say
from tinytracker.quant.contract import Codes
from tinytracker.quant.parity import Parity, compare_with_oracle, frames_of, patterns, require_exact

TARGET = "spresense"
MODEL_NAME = "model.tflite"
PARITY_IMAGES = 64

RAM_BYTES = 1536 * 1024
"""Spresense's main RAM, which holds code, constants and data alike (the SDK's ramconfig.ld)."""


@dataclass(frozen=True)
class _Network:
    """A model on one runtime: what it needs, and that it agrees with the oracle; `code` is about generated C."""

    arena: dict[str, Any]
    parity: Parity
    code: dict[str, Any] | None = None


def build(source: Path, out: Path, quantized: str, options: Options) -> PackageResult:
    """Make the package; see `tinytracker.package.package`."""
    chosen = load_source(source, quantized)
    network = _RUNTIMES[options.runtime](chosen, options)
    require_exact(network.parity)
    content = _content(chosen, network, options)
    if network.parity.distinct_outputs < 2:
        say("warning: the network gives the same output for all test images; has it been trained?")
    memory = content["memory"]
    if not memory["fits"]:
        say(
            f"warning: model and arena take {memory['model_and_arena_bytes']:,} bytes; "
            f"Spresense has {RAM_BYTES:,} for everything."
        )
    with replaced_folder(out) as folder:
        write_bytes(folder / MODEL_NAME, chosen.content)
        write_app(
            chosen.content, folder, runtime=options.runtime, arena_bytes=network.arena["total_bytes"],
            kernels=kernel_set(options.kernels, options.weights_budget),
        )  # fmt: skip
        write_text(folder / "README.md", model_card(TARGET, content, _USE[options.runtime]))
        write_manifest(folder, TARGET, content)
    return PackageResult(out, out / MANIFEST_NAME, content)


def _tflm(source: ModelSource, options: Options) -> _Network:
    from tinytracker.package.tflm_operators import resolver_methods
    from tinytracker.quant.runtimes import MicroRuntime, measure_arena

    resolver_methods(source.model)  # an operator without a resolver method is refused before the work begins
    codes, images_from = _test_images(source)
    parity = compare_with_oracle(MicroRuntime(source.content), source.content, codes, images_from)
    measured = "tflite-micro on a 64-bit computer; a 32-bit target needs less tail"
    return _Network({**asdict(measure_arena(source.content)), "measured": measured}, parity)


def _generated(source: ModelSource, options: Options) -> _Network:
    from tinytracker.codegen.host import GeneratedRuntime

    kernels = kernel_set(options.kernels, options.weights_budget)
    runtime = GeneratedRuntime(source.content, kernels)
    codes, images_from = _test_images(source)
    parity = compare_with_oracle(runtime, source.content, codes, images_from)
    arena = {"total_bytes": runtime.library.arena_bytes, "measured": "planned when generated; a static array"}
    code: dict[str, Any] = {"kernels": kernels.name, "constant_bytes": runtime.library.constant_bytes}
    if kernels.name != "portable":
        code["weights_budget"] = options.weights_budget
    return _Network(arena, parity, code)


_RUNTIMES: dict[str, Callable[[ModelSource, Options], _Network]] = {"tflm": _tflm, "c": _generated}


def _content(source: ModelSource, network: _Network, options: Options) -> dict[str, Any]:
    stats = model_stats(source.model)
    constants = network.code["constant_bytes"] if network.code else len(source.content)
    used = constants + network.arena["total_bytes"]
    return {
        "runtime": options.runtime,
        **({"generated": network.code} if network.code else {}),
        "model": {
            "name": MODEL_NAME, **source.origin, "sha256": source.sha256, "bytes": len(source.content),
            "macs": stats.macs, "parameters": stats.parameters,
            "peak_activation_bytes": stats.peak_activation_bytes,
            "operators": sorted({o.name for o in source.model.operators}),
        },
        "io": source.contract.as_json(),
        **meaning(source.origin.get("preset")),
        "quantization": source.quantization,
        "arena": network.arena,
        "memory": {"model_and_arena_bytes": used, "ram_bytes": RAM_BYTES, "fits": used < RAM_BYTES},
        "parity": asdict(network.parity),
        "runtimes": source.runtimes,
        "metrics": source.metrics,
    }  # fmt: skip


def _test_images(source: ModelSource) -> tuple[Codes, str]:
    """Patterns that reach the ends of every range, and frames of the test split when the data is at hand."""
    drawn = patterns(source.contract, PARITY_IMAGES)
    preset = source.origin.get("preset")
    if source.data is None or preset is None:
        return drawn, f"{PARITY_IMAGES} patterns"
    seen = frames_of(source.data, preset, PARITY_IMAGES)
    count = len(next(iter(seen.values())))
    both = {name: np.concatenate([seen[name], codes]) for name, codes in drawn.items()}
    return both, f"{count} of the test split, {PARITY_IMAGES} patterns"


_APPLICATION = """\
## Use

`tinytracker/` is a complete application for the Spresense SDK: copy it into an application folder of the SDK,
configure `tinytracker/default`, build and flash. It takes camera frames, runs the network and answers on the serial
port. `docs/spresense.md` of the project goes from the box to the first record.
"""

_USE = {
    "tflm": f"""{_APPLICATION}
The network alone, for your own application with TensorFlow Lite for Microcontrollers, is in `tinytracker/network/`:

```c++
#include "model.h"
#include "model_tflite.h"

alignas(16) static uint8_t arena[MODEL_ARENA_BYTES];

tflite::MicroMutableOpResolver<MODEL_TFLM_OPERATORS> resolver;
MODEL_TFLM_ADD_OPERATORS(resolver);
tflite::MicroInterpreter interpreter(tflite::GetModel(model_tflite), resolver, arena, sizeof arena);
interpreter.AllocateTensors();
```

Write a frame into the input tensor and call `Invoke()`. Each axis of the gaze is
`offset_cm + cm_per_code * sum(code - zero_point)` over its codes, all of x first, with the numbers of `io.gaze` in the
manifest.
""",
    "c": f"""{_APPLICATION}
The network alone is in `tinytracker/network/`: C99 without heap, library or operating system. `model.h` says what its
functions take; its memory is one static array of `MODEL_ARENA_BYTES`.
""",
}
