"""What has to be computed: frozen nodes, one per step, with all numbers of the arithmetic known.

`importer` makes nodes, `fuse` rewrites them, `planner` gives them memory, and a kernel writes their C. They hold
numpy arrays as TFLite stores them; a kernel is free to repack them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.model.tflite_model import Operator, Tensor, TfliteModel

Int8s = NDArray[np.int8]
Int32s = NDArray[np.int32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Node:
    """One step.

    Attributes:
        operator: the operator of the file that the step computes (the last one when several were fused).
        inputs: tensors read; constants among them become arrays of the generated code.
        output: tensor written.
    """

    operator: Operator
    inputs: tuple[Tensor, ...]
    output: Tensor


@dataclass(frozen=True)
class Window:
    """A window that slides over height and width, NHWC. Positions outside the input are skipped.

    Attributes:
        batches: images. in_h, in_w, in_c: input. out_h, out_w, out_c: output.
        kernel_h, kernel_w: window. stride_h, stride_w: step. dilation_h, dilation_w: step inside the window.
        pad_top, pad_left: rows and columns of the window that lie outside at the first position.
    """

    batches: int
    in_h: int
    in_w: int
    in_c: int
    out_h: int
    out_w: int
    out_c: int
    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int
    pad_top: int
    pad_left: int


@dataclass(frozen=True, eq=False)
class Requantization:
    """Conversion of int32 sums to int8: clamp(zero_point + scale_by(sum, multiplier, shift)).

    Attributes:
        multipliers: one per output channel, or one for all. shifts: as many; positive is to the left.
        zero_point: zero point of the output. act_min, act_max: limits of the output with the fused activation.
    """

    multipliers: tuple[int, ...]
    shifts: tuple[int, ...]
    zero_point: int
    act_min: int
    act_max: int


@dataclass(frozen=True, eq=False)
class Conv(Node):
    """CONV_2D: weights (out_c, kernel_h, kernel_w, in_c / groups), bias (out_c)."""

    window: Window
    weights: Int8s
    bias: Int32s
    input_zero_point: int
    requantization: Requantization

    @property
    def groups(self) -> int:
        """Return the number of independent groups of input channels; 1 for an ordinary convolution."""
        return self.window.in_c // int(self.weights.shape[3])


@dataclass(frozen=True, eq=False)
class DepthwiseConv(Node):
    """DEPTHWISE_CONV_2D: weights (1, kernel_h, kernel_w, out_c); output c reads input c // multiplier."""

    window: Window
    weights: Int8s
    bias: Int32s
    input_zero_point: int
    requantization: Requantization
    depth_multiplier: int


@dataclass(frozen=True, eq=False)
class FullyConnected(Node):
    """FULLY_CONNECTED: weights (units, features), bias (units); `batches` rows of the input."""

    batches: int
    weights: Int8s
    bias: Int32s
    input_zero_point: int
    requantization: Requantization


@dataclass(frozen=True, eq=False)
class Pool(Node):
    """MAX_POOL_2D or AVERAGE_POOL_2D over the positions inside the input; no requantization."""

    window: Window
    is_max: bool
    act_min: int
    act_max: int


@dataclass(frozen=True, eq=False)
class Add(Node):
    """ADD: both inputs are scaled to a common scale with 20 extra bits, summed, and scaled to the output.

    Attributes:
        offsets: minus the zero points. multipliers, shifts: of input 0, input 1 and the output.
    """

    offsets: tuple[int, int]
    multipliers: tuple[int, int, int]
    shifts: tuple[int, int, int]
    zero_point: int
    act_min: int
    act_max: int


@dataclass(frozen=True, eq=False)
class Mul(Node):
    """MUL: product of the two values without their zero points, requantized."""

    offsets: tuple[int, int]
    requantization: Requantization


@dataclass(frozen=True, eq=False)
class Pad(Node):
    """PAD: `before` elements of `fill` per dimension; shapes are extended to four dimensions."""

    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    before: tuple[int, ...]
    fill: int


@dataclass(frozen=True, eq=False)
class Concat(Node):
    """CONCATENATION: `outer` times, one chunk of `chunks[i]` bytes from each input."""

    outer: int
    chunks: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Slice(Node):
    """One output of a SPLIT: from each of `outer` rows of `row` bytes, the `chunk` bytes that begin at `start`."""

    outer: int
    row: int
    start: int
    chunk: int


@dataclass(frozen=True, eq=False)
class Mean(Node):
    """MEAN: sum over the reduced ones of four dimensions, minus count·zero_point, requantized."""

    shape: tuple[int, ...]
    reduced: tuple[bool, ...]
    input_zero_point: int
    requantization: Requantization


@dataclass(frozen=True, eq=False)
class Lookup(Node):
    """Any function of one 8-bit value: output byte = table[input byte]."""

    table: Bytes


@dataclass(frozen=True, eq=False)
class Softmax(Node):
    """SOFTMAX over the last dimension: `exps[d]` is exp(-beta·scale·d) in Q0, d = largest value - value."""

    rows: int
    depth: int
    exps: Int32s


@dataclass(frozen=True, eq=False)
class QuantizeFloat(Node):
    """QUANTIZE float32 -> int8 or uint8."""

    scale: float
    zero_point: int


@dataclass(frozen=True, eq=False)
class DequantizeFloat(Node):
    """DEQUANTIZE int8 or uint8 -> float32."""

    scale: float
    zero_point: int


@dataclass(frozen=True, eq=False)
class Alias(Node):
    """RESHAPE and its relatives: the same bytes under another shape."""


@dataclass(frozen=True, eq=False)
class Graph:
    """All steps in execution order, with the file that they come from."""

    model: TfliteModel
    nodes: tuple[Node, ...]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """Tensors that the caller provides."""
        return self.model.input_tensors()

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """Tensors that the caller receives."""
        return self.model.output_tensors()
