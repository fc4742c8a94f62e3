"""TFLite's reference kernels: the arithmetic that everything else must equal."""

from __future__ import annotations

import os

import numpy as np


def builtin_ref(model: bytes, inputs: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
    """Outputs of the BUILTIN_REF interpreter for several sets of inputs, in the order of the model's."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(
        model_content=model, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    results = []
    for values in inputs:
        for detail, value in zip(interpreter.get_input_details(), values, strict=True):
            interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()
        results.append([interpreter.get_tensor(d["index"]).copy() for d in interpreter.get_output_details()])
    return results
