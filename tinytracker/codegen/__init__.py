"""An INT8 .tflite network as plain C99: no dependency, no heap, a static arena, bit-exact with TFLite.

`generate` is the way in; docs/codegen.md says how a layer becomes C.
"""

from tinytracker.codegen.generation import GeneratedLibrary, GeneratedStep, generate, kernel_source
from tinytracker.codegen.importer import SUPPORTED_OPERATORS

__all__ = [
    "SUPPORTED_OPERATORS",
    "GeneratedLibrary",
    "GeneratedStep",
    "generate",
    "kernel_source",
]
