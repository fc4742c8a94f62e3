"""Outputs to compare with: of TFLite's reference kernels, or else of the microcontroller runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from tinytracker.requirements import require_tensorflow

Arrays = Sequence[NDArray[np.generic]]
_Run = Callable[[Arrays], list[NDArray[np.generic]]]


def available_oracle() -> str | None:
    """The best oracle that is installed: "BUILTIN_REF", "tflite_micro" or None."""
    if find_spec("tensorflow") is not None:
        return "BUILTIN_REF"
    return "tflite_micro" if find_spec("tflite_micro") is not None else None


def oracle_outputs(
    name: str, content: bytes, inputs: Arrays, outputs: int
) -> tuple[NDArray[np.generic], ...]:
    """Run the oracle.

    Args:
        name: from `available_oracle`.
        content: the .tflite file.
        inputs: one array per input, images first.
        outputs: how many outputs the network has.

    Returns:
        One array per output, images first.
    """
    run = _builtin_ref(content) if name == "BUILTIN_REF" else _tflite_micro(content, outputs)
    rows = [run([array[i] for array in inputs]) for i in range(len(inputs[0]))]
    return tuple(np.stack([row[k] for row in rows]) for k in range(outputs))


def _builtin_ref(content: bytes) -> _Run:
    require_tensorflow("the oracle")
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(
        model_content=content, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()

    def run(values: Arrays) -> list[NDArray[np.generic]]:
        for detail, value in zip(interpreter.get_input_details(), values, strict=True):
            interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()
        return [interpreter.get_tensor(detail["index"]).copy() for detail in interpreter.get_output_details()]

    return run


def _tflite_micro(content: bytes, outputs: int) -> _Run:
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(content)

    def run(values: Arrays) -> list[NDArray[np.generic]]:
        for i, value in enumerate(values):
            interpreter.set_input(value, i)
        interpreter.invoke()
        return [np.array(interpreter.get_output(i)) for i in range(outputs)]

    return run
