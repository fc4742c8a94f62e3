"""Generate plain C99 from an INT8 .tflite network: no dependencies, no heap, a static arena, bit-exact with TFLite.

`generate` is the entry point; docs/codegen.md explains how a layer becomes C.
"""

from tinytracker.codegen.generation import GeneratedLibrary, GeneratedStep, generate
from tinytracker.codegen.importer import SUPPORTED_OPERATORS
from tinytracker.codegen.kernel_text import kernel_source

__all__ = [
    "SUPPORTED_OPERATORS",
    "GeneratedLibrary",
    "GeneratedStep",
    "generate",
    "kernel_source",
]
