"""The part of a package's README that says how the board takes it."""

from __future__ import annotations


def use_section(command: str, compiled: bool) -> str:
    """Markdown.

    Args:
        command: that compiles the model.
        compiled: False when this package still needs it.
    """
    return (_USE if compiled else _COMPILE_FIRST.format(command=command) + _USE) + _CHECKED


def plain_use_section(command: str, compiled: bool) -> str:
    """`use_section` of a network that is not about gaze, which brings no application with it."""
    text = _PLAIN if compiled else _COMPILE_FIRST.format(command=command) + _PLAIN
    return (text + _CHECKED).replace("gaze_model", "model")


_PLAIN = """\
## Use

Copy the compiled file to `/models` in the board's file system and include `model.h` in your application: it has the
size of TFLM's arena, the operators that stay on the CPU, and scale and zero point of each tensor.

```c++
#include "model.h"

constexpr int kOperators = MODEL_CPU_OPERATOR_COUNT + 1;
tflite::MicroMutableOpResolver<kOperators> resolver;
resolver.AddCustom(coralmicro::kCustomOp, coralmicro::RegisterCustomOp());
```

Write codes into `interpreter.input_tensor(0)`, call `Invoke()`, and read `interpreter.output_tensor(0)`.

"""

_COMPILE_FIRST = """\
## Not compiled yet

No Edge TPU compiler was found when this package was made. It runs on 64-bit x86 Linux, see
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

The compiled file goes to `/models` in the board's file system, and `gaze_model.h` tells the application its input,
its output and which pixel value becomes which input byte.

"""

_CHECKED = """\
`manifest.json` holds the verdict on every operator and, once compiled, what crosses USB for each frame; see it with
`tinytracker edgetpu show gaze_model_edgetpu.tflite`.
"""
