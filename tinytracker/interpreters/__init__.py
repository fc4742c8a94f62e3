"""The one place that runs a .tflite file: arrays go in, all outputs come out.

`tflite` has TensorFlow Lite's reference and default kernels, `micro` TensorFlow Lite for Microcontrollers in a
process of its own, `arena` the memory that the latter needs. Whatever compares, evaluates or packages a model builds
on these; what codes and outputs mean is decided above, in `quant.contract`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.interpreters.arena import Arena, measure_arena
    from tinytracker.interpreters.base import Interpreter, run_in_parts
    from tinytracker.interpreters.micro import MicroInterpreter
    from tinytracker.interpreters.tflite import DefaultInterpreter, ReferenceInterpreter
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "arena": ("Arena", "measure_arena"),
            "base": ("Interpreter", "run_in_parts"),
            "micro": ("MicroInterpreter",),
            "tflite": ("DefaultInterpreter", "ReferenceInterpreter"),
        },
    )

__all__ = [
    "Arena",
    "DefaultInterpreter",
    "Interpreter",
    "MicroInterpreter",
    "ReferenceInterpreter",
    "measure_arena",
    "run_in_parts",
]
