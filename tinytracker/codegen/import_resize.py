"""RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR."""

from __future__ import annotations

import math

import numpy as np

from tinytracker.codegen.arithmetic import round_half_away
from tinytracker.codegen.checks import (
    constant_ints,
    operand,
    refuse,
    require_int8,
    require_rank,
    require_same_quantization,
    result,
)
from tinytracker.codegen.graph import Node
from tinytracker.codegen.graph_moves import ResizeBilinear, ResizeNearest, Sampling
from tinytracker.model.tflite_model import Operator, Tensor, TfliteModel

MAX_SIDE = 32_767
"""Rows and columns are held in 16 bits; positions times 1024 then fit 32."""

_ONE = 1 << 10


def import_resize_bilinear(model: TfliteModel, operator: Operator) -> Node:
    """RESIZE_BILINEAR of an int8 image (`ResizeBilinearInteger` of TFLite's reference kernels).

    Positions have ten fractional bits. Along an axis of n input and m output positions

        scale = (1024·n + m // 2) // m                        input step per output step
        scale = (1024·(n - 1) + (m - 1) // 2) // (m - 1)      with aligned corners, m > 1
        p(i) = i·scale, with half-pixel centres plus scale // 2 - 512
        low = max(p / 1024, 0), high = min((p + 1023) / 1024, n - 1), fraction = p - 1024·low

    both divisions towards zero. An output is Σ value·weight of the four neighbours, weights 1024 - fraction for
    `low` and fraction for `high`, divided by 2^20 to nearest, ties away from zero. The fraction may be negative at
    the border, where both neighbours are the same.
    """
    image, output = _resized(model, operator)
    align, half = bool(operator.option("align_corners")), bool(operator.option("half_pixel_centers"))
    height, width = (
        _sampling(operator, output, image.shape[axis], output.shape[axis], align, half) for axis in (1, 2)
    )
    return ResizeBilinear(operator, (image,), output, image.shape[0], height, width, image.shape[3])


def import_resize_nearest(model: TfliteModel, operator: Operator) -> Node:
    """RESIZE_NEAREST_NEIGHBOR (`GetNearestNeighbor` of TFLite's reference kernels).

    In float32: the position is (i + 0.5 with half-pixel centres)·scale with scale n/m, or (n - 1)/(m - 1) with
    aligned corners. It is rounded down, with aligned corners to nearest with ties away from zero, and limited to the
    image. The positions are worked out here, so that the generated code needs no float.
    """
    image, output = _resized(model, operator)
    align, half = bool(operator.option("align_corners")), bool(operator.option("half_pixel_centers"))
    rows, columns = (_nearest(image.shape[axis], output.shape[axis], align, half) for axis in (1, 2))
    return ResizeNearest(operator, (image,), output, rows, columns)


def _resized(model: TfliteModel, operator: Operator) -> tuple[Tensor, Tensor]:
    image, output = operand(model, operator, 0), result(model, operator)
    require_int8(operator, image, output)
    for tensor in (image, output):
        require_rank(operator, tensor, 4)
    require_same_quantization(operator, image, output)
    size = constant_ints(operator, operand(model, operator, 1))
    if output.shape != (image.shape[0], *size, image.shape[3]):
        raise refuse(operator, output, f"is not {list(image.shape)} resized to {list(size)}")
    sides = (*image.shape[1:3], *output.shape[1:3])
    if max(sides) > MAX_SIDE:
        raise refuse(
            operator,
            output,
            f"has a side of {max(sides)} positions; the limit is {MAX_SIDE}",
            "Use smaller images",
        )
    return image, output


def _sampling(
    operator: Operator, output: Tensor, size: int, out_size: int, align: bool, half: bool
) -> Sampling:
    if align and out_size > 1:
        scale = (_ONE * (size - 1) + (out_size - 1) // 2) // (out_size - 1)
    else:
        scale = (_ONE * size + out_size // 2) // out_size
    offset = scale // 2 - _ONE // 2 if half else 0
    last = (out_size - 1) * scale + offset
    if last >= size * _ONE:  # the reference kernel would read beyond the image
        raise refuse(
            operator, output,
            f"enlarges {size} positions to {out_size}, whose rounded step of {scale}/1024 leaves the image",
            "Resize by a factor below 1024, or in two steps",
        )  # fmt: skip
    return Sampling(size, out_size, scale, offset)


def _nearest(size: int, out_size: int, align: bool, half: bool) -> tuple[int, ...]:
    if align and out_size > 1:
        scale = np.float32(size - 1) / np.float32(out_size - 1)
    else:
        scale = np.float32(size) / np.float32(out_size)
    offset = np.float32(0.5 if half else 0.0)
    positions = [float((np.float32(i) + offset) * scale) for i in range(out_size)]
    nearest = [round_half_away(p) if align else math.floor(p) for p in positions]
    return tuple(min(n, size - 1) for n in nearest)
