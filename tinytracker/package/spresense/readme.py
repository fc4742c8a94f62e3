"""The part of a package's README about its use on the board."""

from __future__ import annotations


def use_section(
    runtime: str, is_gaze: bool, has_state: bool = False, cores: int = 1, *, gate: bool = False
) -> str:
    """Return Markdown.

    Args:
        runtime: "tflm" or "c".
        is_gaze: whether the package holds the application with camera and protocol, or the plain one.
        has_state: whether a run depends on the runs before it.
        cores: number of cores that the network runs on.
        gate: whether the network runs behind a gate.
    """
    folder = "tinytracker" if is_gaze else "run"
    network = _NETWORK[runtime].format(folder=folder)
    if runtime == "tflm":
        network += _GAZE_OUTPUT if is_gaze else _PLAIN_OUTPUT
    if cores > 1:
        network += _CORES.format(folder=folder, cores=cores, workers=cores - 1)
    if gate:
        network += GATE
    if has_state:
        network += _STATE[runtime]
    return (_GAZE_APPLICATION if is_gaze else _PLAIN_APPLICATION) + network


_GAZE_APPLICATION = """\
## Use

`tinytracker/` is a complete application for the Spresense SDK: copy it into an application folder of the SDK,
configure `tinytracker/default`, build and flash. It takes camera frames, runs the network and sends records over the
serial port. The project's `docs/spresense.md` leads from the box to the first record.
"""

_PLAIN_APPLICATION = """\
## Use

`run/` is an application for the Spresense SDK: copy it into an application folder of the SDK, configure `run/default`,
build and flash. Its `main` runs the network once and prints the outputs. Your own code needs two functions of `run.h`:

```c
static uint8_t in[MODEL_INPUT_BYTES];   /* all inputs one after the other, in the order of the table above */
static uint8_t out[MODEL_OUTPUT_BYTES]; /* all outputs, likewise */

if (run_start() == 0 && run(in, out) == TT_OK) { ... }
```

A value is `scale * (code - zero_point)`, with the numbers in `model_inputs` and `model_outputs` of `network/model.h`.
"""

_NETWORK = {
    "tflm": """
The network alone, for your own application with TensorFlow Lite for Microcontrollers, is in `{folder}/network/`:

```c++
#include "model.h"
#include "model_tflite.h"

alignas(16) static uint8_t arena[MODEL_ARENA_BYTES];

tflite::MicroMutableOpResolver<MODEL_TFLM_OPERATORS> resolver;
MODEL_TFLM_ADD_OPERATORS(resolver);
tflite::MicroInterpreter interpreter(tflite::GetModel(model_tflite), resolver, arena, sizeof arena);
interpreter.AllocateTensors();
```
""",
    "c": """
The network alone is in `{folder}/network/`: C99 without heap, library or operating system. `model.h` declares its
functions; its memory is one static array of `MODEL_ARENA_BYTES`.
""",
}

_CORES = """
The network runs on {cores} cores: the main one and {workers} of the others, with a worker on each. `make` builds the
worker (`{folder}/worker/`) and puts it into the main image, so you only flash `nuttx.spk`. It needs `genromfs` and
`xxd` on your computer. `configs/default` sets ASMP, ROMFS and the memory for the workers, 64 KB each. If the workers
cannot start, the network runs on the main core alone.
"""

GATE = """
The network runs behind a gate, only when the gaze may have moved; records say on which frames it ran. The project's
`docs/cascade.md` explains the thresholds, which `tinytracker measure --cascade FILE` changes on the board.
"""

_STATE = {
    "tflm": """
The network remembers: each run continues where the last one ended. `interpreter.Reset()` begins a new sequence
(`ResetVariableTensors()` in older versions).
""",
    "c": """
The network remembers: each run continues where the last one ended. `model_reset()` begins a new sequence.
""",
}

_GAZE_OUTPUT = """
Write a frame into the input tensor and call `Invoke()`. Each axis of the gaze is
`offset_cm + cm_per_code * sum(code - zero_point)` over its codes, all of x first, with the numbers of `io.gaze` in the
manifest.
"""

_PLAIN_OUTPUT = """
Fill the input tensors and call `Invoke()`.
"""
