"""Operators with weights: convolution, depthwise convolution, fully connected.

Real arithmetic: out = Σ w·s_w·(x - z_x)·s_x + bias, and the bias is stored with scale s_x·s_w. So the int32
sum has to be multiplied by s_x·s_w / s_out, per output channel. The factor is computed in double precision
from the float32 scales.
"""

from __future__ import annotations

import numpy as np

from tinytracker.codegen.arithmetic import activation_range, quantize_multiplier
from tinytracker.codegen.checks import (
    int8_weights,
    int32_bias,
    operand,
    optional_operand,
    refuse,
    require_int8,
    require_rank,
    result,
)
from tinytracker.codegen.graph import Conv, DepthwiseConv, FullyConnected, Node, Requantization, Window
from tinytracker.model.tflite_model import Operator, Tensor, TfliteModel

MAX_TERMS = 65_000
"""Products per sum: 65,000·128·255 < 2^31, so that a sum without its bias cannot overflow."""


def import_conv(model: TfliteModel, operator: Operator) -> Node:
    """CONV_2D, also with groups and dilation (`ConvPerChannel`).

    out[c] = clamp(z + (bias[c] + Σ over window and depth w[c]·(x - z_x))·(s_x·s_w[c] / s))
    """
    image, filters, output = operand(model, operator, 0), operand(model, operator, 1), result(model, operator)
    require_int8(operator, image, output)
    for tensor in (image, filters, output):
        require_rank(operator, tensor, 4)
    weights = int8_weights(operator, filters, 0)
    out_c, kernel_h, kernel_w, depth = filters.shape
    if image.shape[3] % depth or out_c % (image.shape[3] // depth):
        raise refuse(
            operator, filters, f"does not divide the {image.shape[3]} input channels into equal groups"
        )
    if output.shape[3] != out_c:
        raise refuse(operator, output, f"has {output.shape[3]} channels, the weights have {out_c}")
    _limit_terms(operator, filters, kernel_h * kernel_w * depth)
    return Conv(
        operator=operator,
        inputs=(image,),
        output=output,
        window=sliding_window(operator, image, output, kernel_h, kernel_w),
        weights=weights,
        bias=int32_bias(operator, optional_operand(model, operator, 2), out_c),
        input_zero_point=image.zero_point,
        requantization=_per_channel(operator, image, filters, output, out_c),
    )


def import_depthwise(model: TfliteModel, operator: Operator) -> Node:
    """DEPTHWISE_CONV_2D, also with a depth multiplier and dilation (`DepthwiseConvPerChannel`).

    out[c] = clamp(z + (bias[c] + Σ over window w[c]·(x[c // multiplier] - z_x))·(s_x·s_w[c] / s))
    """
    image, filters, output = operand(model, operator, 0), operand(model, operator, 1), result(model, operator)
    require_int8(operator, image, output)
    for tensor in (image, filters, output):
        require_rank(operator, tensor, 4)
    weights = int8_weights(operator, filters, 3)
    one, kernel_h, kernel_w, out_c = filters.shape
    if one != 1 or out_c % image.shape[3] or output.shape[3] != out_c:
        raise refuse(
            operator, filters, f"does not fit {image.shape[3]} input and {output.shape[3]} output channels"
        )
    _limit_terms(operator, filters, kernel_h * kernel_w)
    return DepthwiseConv(
        operator=operator,
        inputs=(image,),
        output=output,
        window=sliding_window(operator, image, output, kernel_h, kernel_w),
        weights=weights,
        bias=int32_bias(operator, optional_operand(model, operator, 2), out_c),
        input_zero_point=image.zero_point,
        requantization=_per_channel(operator, image, filters, output, out_c),
        depth_multiplier=out_c // image.shape[3],
    )


def import_fully_connected(model: TfliteModel, operator: Operator) -> Node:
    """FULLY_CONNECTED with constant weights (`FullyConnected`, `FullyConnectedPerChannel`).

    out[u] = clamp(z + (bias[u] + Σ w[u]·(x - z_x))·(s_x·s_w[u] / s)); with one scale, s_x·s_w is a float32 product.
    """
    rows, filters, output = operand(model, operator, 0), operand(model, operator, 1), result(model, operator)
    require_int8(operator, rows, output)
    require_rank(operator, filters, 2)
    if operator.str_option("weights_format") != "DEFAULT":
        raise refuse(operator, filters, f"has weights in format {operator.option('weights_format')}")
    weights = int8_weights(operator, filters, 0)
    units, features = filters.shape
    if rows.elements % features or output.elements != rows.elements // features * units:
        raise refuse(operator, rows, f"does not fit weights of shape {list(filters.shape)}")
    _limit_terms(operator, filters, features)
    if len(filters.scales) == 1:
        # TFLite multiplies the two scales in float32 here, unlike in convolutions.
        product = float(np.float32(rows.scale) * np.float32(filters.scale))
        multiplier, shift = quantize_multiplier(product / output.scale)
        requantization = _requantization(operator, output, (multiplier,), (shift,))
    else:
        requantization = _per_channel(operator, rows, filters, output, units)
    return FullyConnected(
        operator=operator,
        inputs=(rows,),
        output=output,
        batches=rows.elements // features,
        weights=weights,
        bias=int32_bias(operator, optional_operand(model, operator, 2), units),
        input_zero_point=rows.zero_point,
        requantization=requantization,
    )


def sliding_window(operator: Operator, image: Tensor, output: Tensor, kernel_h: int, kernel_w: int) -> Window:
    """Geometry of a convolution or pooling; checks that the output has the size it must have."""
    stride_h, stride_w = operator.int_option("stride_h"), operator.int_option("stride_w")
    dilation_h = int(operator.options.get("dilation_h_factor", 1))  # type: ignore[arg-type]
    dilation_w = int(operator.options.get("dilation_w_factor", 1))  # type: ignore[arg-type]
    if min(stride_h, stride_w, dilation_h, dilation_w, kernel_h, kernel_w) < 1:
        raise refuse(operator, image, "has a stride, dilation or window size below 1")
    padding = operator.str_option("padding")
    batches, in_h, in_w, in_c = image.shape
    out_h, pad_top = _span(in_h, kernel_h, stride_h, dilation_h, padding)
    out_w, pad_left = _span(in_w, kernel_w, stride_w, dilation_w, padding)
    if output.shape[:3] != (batches, out_h, out_w):
        raise refuse(operator, output, f"should measure {batches}x{out_h}x{out_w}")
    return Window(
        batches, in_h, in_w, in_c, out_h, out_w, output.shape[3], kernel_h, kernel_w, stride_h, stride_w,
        dilation_h, dilation_w, pad_top, pad_left,
    )  # fmt: skip


def _span(size: int, kernel: int, stride: int, dilation: int, padding: str) -> tuple[int, int]:
    """Output size and padding before the first element, along one axis."""
    reach = (kernel - 1) * dilation + 1
    if padding == "SAME":
        out = -(-size // stride)
        return out, max((out - 1) * stride + reach - size, 0) // 2
    return max((size - reach + stride) // stride, 0), 0


def _limit_terms(operator: Operator, filters: Tensor, terms: int) -> None:
    if terms > MAX_TERMS:
        raise refuse(
            operator, filters, f"sums {terms} products, more than {MAX_TERMS} could overflow 32 bits"
        )


def _per_channel(
    operator: Operator, source: Tensor, filters: Tensor, output: Tensor, channels: int
) -> Requantization:
    scales = filters.scales if len(filters.scales) > 1 else filters.scales * channels
    pairs = [quantize_multiplier(source.scale * scale / output.scale) for scale in scales]
    return _requantization(operator, output, tuple(m for m, _ in pairs), tuple(s for _, s in pairs))


def _requantization(
    operator: Operator, output: Tensor, multipliers: tuple[int, ...], shifts: tuple[int, ...]
) -> Requantization:
    if max(shifts) > 30:
        raise refuse(operator, output, f"would need a factor above 2^30 (shift {max(shifts)})")
    act_min, act_max = fused_range(operator, output)
    return Requantization(multipliers, shifts, output.zero_point, act_min, act_max)


def fused_range(operator: Operator, output: Tensor) -> tuple[int, int]:
    """Limits of the output with the operator's fused activation."""
    name = str(operator.options.get("fused_activation_function", "NONE"))
    limits = activation_range(name, output.scale, output.zero_point)
    if limits is None:
        raise refuse(
            operator,
            output,
            f"has the fused activation {name}; only NONE, RELU, RELU6 and RELU_N1_TO_1 are supported",
        )
    return limits
