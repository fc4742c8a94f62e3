"""Interpreters of .tflite files: arrays in, all outputs out. No other package runs a .tflite file.

`tflite` provides TensorFlow Lite's reference and default kernels, `micro` TensorFlow Lite for Microcontrollers in a
separate process, `arena` the memory that the latter needs. Code that compares, evaluates or packages a model builds
on these; the meaning of codes and outputs is defined in a higher layer, in `quant.contract`.
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
