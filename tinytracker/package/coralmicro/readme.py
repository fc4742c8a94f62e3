"""The part of a package's README about its use on the board."""

from __future__ import annotations


def use_section(command: str, compiled: bool) -> str:
    """Return Markdown.

    Args:
        command: command that compiles the model.
        compiled: False when the package still has to be compiled.
    """
    return (_USE if compiled else _COMPILE_FIRST.format(command=command) + _USE) + _CHECKED


def plain_use_section(command: str, compiled: bool) -> str:
    """Return `use_section` for a network that is not about gaze; its package has no application."""
    text = _PLAIN if compiled else _COMPILE_FIRST.format(command=command) + _PLAIN
    return (text + _CHECKED).replace("gaze_model", "model")


def c_use_section(is_gaze: bool) -> str:
    """Return the section for a package with generated C, which does not use the Edge TPU."""
    return (_USE_C if is_gaze else "## Use\n\n") + _NETWORK_C


_USE_C = """\
## Use

Build and flash the application in `deploy/coralmicro` with this folder as its package:

```sh
cmake -B out -S deploy/coralmicro -DTINYTRACKER_PACKAGE=DIR -DCORALMICRO=path/to/coralmicro
make -C out -j
python3 path/to/coralmicro/scripts/flashtool.py --build_dir out --elf_path out/tinytracker
```

The network runs on the Cortex-M7; the Edge TPU stays off. `gaze_model.h` describes the input, the output and the input
byte for each pixel value.

"""

_NETWORK_C = """\
The network alone is in `network/`: C99 without heap, library or operating system. `model.h` declares its functions;
its memory is one static array of `MODEL_ARENA_BYTES`. Define `TT_CONSTANTS_SECTION` as `".sdram_data.network"` to place
its constants in the board's SDRAM: the memory that the SDK links code into has only 253 KB.
"""

_PLAIN = """\
## Use

Copy the compiled file to `/models` in the board's file system and include `model.h` in your application: it has the
size of TFLM's arena, the operators that stay on the CPU, and scale and zero point of each tensor.

```c++
#include "model.h"

constexpr int kOperators = MODEL_CPU_OPERATOR_COUNT + 1;
tflite::MicroMutableOpResolver<kOperators> resolver;
resolver.AddCustom(coralmicro::kCustomOp, coralmicro::RegisterCustomOp());
#define ADD_OPERATOR(name) resolver.Add##name();
MODEL_CPU_OPERATORS(ADD_OPERATOR)
```

Write values of the input's type into `interpreter.input_tensor(0)` (quantized codes where it is an integer, real values
where it is float32), call `Invoke()`, and read `interpreter.output_tensor(0)` likewise; `model.h` gives types, scales
and zero points.

"""

_COMPILE_FIRST = """\
## Not compiled yet

No Edge TPU compiler was found when this package was made; the operators for the CPU in the header are a prediction. It
runs on 64-bit x86 Linux, see
<https://coral.ai/docs/edgetpu/compiler>. Compile in this folder, then package again with the result:

```sh
{command}
tinytracker package gaze_model.tflite --target coralmicro --out DIR --compiled gaze_model_edgetpu.tflite
```

"""

_USE = """\
## Use

Build and flash the application in `deploy/coralmicro` with this folder as its package:

```sh
cmake -B out -S deploy/coralmicro -DTINYTRACKER_PACKAGE=DIR -DCORALMICRO=path/to/coralmicro
make -C out -j
python3 path/to/coralmicro/scripts/flashtool.py --build_dir out --elf_path out/tinytracker
```

The build puts the compiled file into `/models` in the board's file system. `gaze_model.h` describes the input, the
output and the input byte for each pixel value.

"""

_CHECKED = """\
`manifest.json` has the verdict on every operator and, once compiled, the bytes over USB for each frame; show them with
`tinytracker edgetpu show gaze_model_edgetpu.tflite`.
"""
