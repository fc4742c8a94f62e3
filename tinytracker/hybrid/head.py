"""The head of a hybrid as a .tflite file of integers. Importing this module imports TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isclose

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tinytracker.errors import ModelError
from tinytracker.hybrid.accumulator import EMPTY, FULL, SCALE, ZERO_POINT
from tinytracker.hybrid.network import HEAD_INPUT
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant import require_full_integer
from tinytracker.quant.ptq import convert


@dataclass(frozen=True, eq=False)
class CountSamples:
    """Codes of the accumulator whose activations set the ranges of a head.

    Attributes:
        codes: (n, h, w, c) int8.
    """

    codes: NDArray[np.int8]

    def samples(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        """Yield the codes as the float network reads them, 0 to 255/256.

        In the first, one cell is set to each extreme, from which the quantizer derives scale 1/256 and zero point -128
        for every set of codes.
        """
        for i in range(len(self.codes)):
            sample = (self.codes[i : i + 1].astype(np.float32) - ZERO_POINT) * SCALE
            if i == 0:
                sample.flat[0], sample.flat[-1] = (EMPTY - ZERO_POINT) * SCALE, (FULL - ZERO_POINT) * SCALE
            yield {HEAD_INPUT: sample}


def quantized_head(head: tf.keras.Model, codes: NDArray[np.int8]) -> bytes:
    """Return the head as a .tflite file of integers that takes the accumulator's codes as they are.

    Args:
        head: float network from counts / 256 to the answer.
        codes: (n, h, w, c) of training windows.

    Raises:
        ModelError: a float tensor is left, or the input is not read with scale 1/256 and zero point -128.
    """
    content = convert(head, CountSamples(codes), "int8")
    model = read_tflite(content, "head")
    require_full_integer(model)
    (given,) = model.input_tensors()
    if not isclose(given.scale, SCALE, rel_tol=1e-6) or given.zero_point != ZERO_POINT:
        raise ModelError(
            f"The head reads codes with scale {given.scale!r} and zero point {given.zero_point}.",
            f"The accumulator writes scale {SCALE!r} and zero point {ZERO_POINT}.",
        )
    return content
