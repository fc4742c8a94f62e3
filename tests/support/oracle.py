"""TFLite's reference kernels: the arithmetic that everything else must equal."""

from __future__ import annotations

import numpy as np

from tinytracker.interpreters.tflite import ReferenceInterpreter


def builtin_ref(model: bytes, inputs: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
    """Outputs of the BUILTIN_REF interpreter for several sets of inputs, in the order of the model's."""
    if not inputs:
        return []
    outputs = ReferenceInterpreter(model).run([np.stack(arrays) for arrays in zip(*inputs, strict=True)])
    return [[array[k] for array in outputs] for k in range(len(inputs))]
