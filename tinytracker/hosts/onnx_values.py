"""Values of an ONNX graph that is written from a .tflite network: codes and reals of its tensors.

Inputs and outputs of the file are NHWC; inside, tensors of rank 4 are NCHW.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinytracker.codegen.graph import Requantization, Window
from tinytracker.errors import ModelError
from tinytracker.hosts.onnx_graph import OnnxGraph
from tinytracker.model.tflite_model import Tensor

TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
CODES = {"int8": (-128, 127), "uint8": (0, 255)}
"""Lowest and highest code by dtype."""


class Values:
    """The ONNX value of each .tflite tensor, by its index.

    Args:
        onnx: the graph that is written.
        tensors: of the .tflite file.

    Attributes:
        onnx, tensors: the same.
    """

    def __init__(self, onnx: OnnxGraph, tensors: Sequence[Tensor]) -> None:
        self.onnx, self.tensors = onnx, tensors
        self._codes: dict[int, str] = {}
        self._reals: dict[int, str] = {}

    def keep(self, tensor: Tensor, value: str) -> None:
        """Remember the value that holds a tensor's codes."""
        self._codes[tensor.index] = value

    def inner(self, value: str, tensor: Tensor) -> str:
        """NHWC as NCHW; anything but rank 4 as it is."""
        return value if len(tensor.shape) != 4 else self.onnx.node("Transpose", [value], perm=TO_NCHW)

    def outer(self, tensor: Tensor) -> str:
        """The tensor's codes in the order of the .tflite file."""
        value = self.code(tensor)
        return value if len(tensor.shape) != 4 else self.onnx.node("Transpose", [value], perm=TO_NHWC)

    def code(self, tensor: Tensor) -> str:
        """The value with the tensor's codes; a constant is added to the graph at its first use."""
        if tensor.index in self._codes:
            return self._codes[tensor.index]
        if tensor.data is None:
            raise ModelError(f"{tensor.label} is used before it is computed.")
        values = np.asarray(tensor.data)
        if values.ndim == 4:
            values = values.transpose(TO_NCHW)
        self.keep(tensor, self.onnx.constant(f"c{tensor.index}", values))
        return self._codes[tensor.index]

    def scale(self, tensor: Tensor) -> list[str]:
        """Names of scale and zero point."""
        zero = np.array(tensor.zero_point, np.dtype(tensor.dtype))
        return [
            self.onnx.constant(f"s{tensor.index}", np.array(tensor.scale, np.float32)),
            self.onnx.constant(f"z{tensor.index}", zero),
        ]

    def real(self, tensor: Tensor, rank: int | None = None) -> str:
        """The tensor's real values; a constant of lower rank with ones in front, for broadcasting in NCHW."""
        if tensor.index not in self._reals:
            self._reals[tensor.index] = self.dequantized(self.code(tensor), tensor)
        if rank is None or rank == len(tensor.shape):
            return self._reals[tensor.index]
        if rank != 4:
            return self._reals[tensor.index]
        shape = (1,) * (4 - len(tensor.shape)) + tensor.shape
        flat = self.reshaped(self.outer(tensor), shape)
        return self.dequantized(self.onnx.node("Transpose", [flat], perm=TO_NCHW), tensor)

    def dequantized(self, value: str, tensor: Tensor) -> str:
        """Reals of codes, by the tensor's scale and zero point."""
        return self.onnx.node("DequantizeLinear", [value, *self.scale(tensor)])

    def quantized(self, value: str, tensor: Tensor, limits: Requantization | None = None) -> None:
        """Clamp reals to the fused activation, round them to codes, and keep them."""
        self.keep(tensor, self.rounded(value, tensor, limits))

    def rounded(self, value: str, tensor: Tensor, limits: Requantization | None = None) -> str:
        """Codes of real values, clamped to the fused activation."""
        low, high = CODES[tensor.dtype]
        if limits is not None and (limits.act_min > low or limits.act_max < high):
            value = self.clamped(value, tensor, limits.act_min, limits.act_max)
        return self.onnx.node("QuantizeLinear", [value, *self.scale(tensor)])

    def clamped(self, value: str, tensor: Tensor, act_min: int, act_max: int) -> str:
        """Reals limited to what two codes stand for."""
        zero, scale = tensor.zero_point, tensor.scale
        if act_min == zero and act_max == CODES[tensor.dtype][1]:
            return self.onnx.node("Relu", [value])
        ends = [
            self.onnx.constant(f"{name}{tensor.index}", np.array(scale * (code - zero), np.float32))
            for name, code in (("low", act_min), ("high", act_max))
        ]
        return self.onnx.node("Clip", [value, *ends])

    def reshaped(self, value: str, shape: Sequence[int]) -> str:
        """The value in another shape."""
        name = "shape_" + "x".join(map(str, shape))
        return self.onnx.node("Reshape", [value, self.onnx.constant(name, np.array(shape, np.int64))])

    def from_outer(self, value: str, tensor: Tensor) -> None:
        """Keep codes that are in the file's order, in any shape."""
        self.keep(tensor, self.inner(self.reshaped(value, tensor.shape), tensor))

    def gathered(self, source: Tensor, output: Tensor, places: NDArray[np.int64]) -> None:
        """Keep single codes of a tensor, by their places in the file's order."""
        flat = self.reshaped(self.outer(source), (source.elements,))
        where = self.onnx.constant(f"places{output.index}", places.reshape(-1))
        self.from_outer(self.onnx.node("Gather", [flat, where], axis=0), output)


def pads(window: Window) -> tuple[int, int, int, int]:
    """Rows and columns around the image: top, left, bottom, right."""

    def after(size: int, out: int, kernel: int, stride: int, dilation: int, before: int) -> int:
        return max((out - 1) * stride + (kernel - 1) * dilation + 1 - size - before, 0)

    w = window
    bottom = after(w.in_h, w.out_h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top)
    right = after(w.in_w, w.out_w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left)
    return w.pad_top, w.pad_left, bottom, right
