"""Operators with weights: out = zero_point + Σ w·(x - z) · s_x·s_w / s_out, plus a bias in steps of s_x·s_w."""

from __future__ import annotations

import numpy as np

from tinytracker.quant.specification.arithmetic import centred, quantize_multiplier, requantized
from tinytracker.quant.specification.call import Array, Call, Int64s, Rule


def conv_2d(call: Call) -> Array:
    """CONV_2D with weights (out_c, height, width, depth); groups when depth is a part of the input channels."""
    weights = call.value(1).astype(np.int64)
    out_c, kernel_h, kernel_w, depth = weights.shape
    groups = call.source(0).shape[3] // depth
    sums = np.zeros(call.target.shape, np.int64)
    for pixels, ky, kx in _positions(call, kernel_h, kernel_w):
        for group in range(groups):
            of_group = slice(group * (out_c // groups), (group + 1) * (out_c // groups))
            part = pixels[..., group * depth : (group + 1) * depth]
            sums[..., of_group] += exact_matmul(part, weights[of_group, ky, kx].T)
    return _finished(call, sums, per_channel_factors(call))


def depthwise_conv_2d(call: Call) -> Array:
    """DEPTHWISE_CONV_2D with weights (1, height, width, out_c); output c reads input channel c // multiplier."""
    weights = call.value(1).astype(np.int64)
    _, kernel_h, kernel_w, out_c = weights.shape
    multiplier = out_c // call.source(0).shape[3]
    sums = np.zeros(call.target.shape, np.int64)
    for pixels, ky, kx in _positions(call, kernel_h, kernel_w):
        sums += np.repeat(pixels, multiplier, axis=3) * weights[0, ky, kx]
    return _finished(call, sums, per_channel_factors(call))


def fully_connected(call: Call) -> Array:
    """FULLY_CONNECTED with weights (units, features), on rows of the input."""
    source, filters, target = call.source(0), call.source(1), call.target
    weights = call.value(1).astype(np.int64)
    rows = centred(call.value(0), source).reshape(-1, weights.shape[1])
    factors = per_channel_factors(call)
    if len(filters.scales) == 1:
        # TFLite multiplies the two scales in float32 here, unlike in convolutions.
        product = float(np.float32(source.scale) * np.float32(filters.scale))
        factors = np.full(weights.shape[0], product / target.scale)
    return _finished(call, exact_matmul(rows, weights.T), factors).reshape(target.shape)


def exact_matmul(a: Int64s, b: Int64s) -> Int64s:
    """Product of integer matrices; float64 holds all sums below 2^53 exactly and is faster than integers."""
    product: Int64s = (a.astype(np.float64) @ b.astype(np.float64)).astype(np.int64)
    return product


def per_channel_factors(call: Call) -> Array:
    """s_x·s_w / s_out per output channel, in double precision from the float32 scales."""
    source, filters = call.source(0), call.source(1)
    channels = call.target.shape[-1]
    scales = np.array(filters.scales if len(filters.scales) > 1 else filters.scales * channels, np.float64)
    return np.asarray(source.scale * scales / call.target.scale)


def _finished(call: Call, sums: Int64s, factors: Array) -> Array:
    bias = call.optional(2)
    if bias is not None:
        sums = sums + bias.reshape(-1).astype(np.int64)
    return requantized(call, sums, *quantize_multiplier(factors))


def _positions(call: Call, kernel_h: int, kernel_w: int) -> list[tuple[Int64s, int, int]]:
    """For each place (ky, kx) of the window: the centred input that it sees per output, 0 outside the image."""
    image = centred(call.value(0), call.source(0))
    return [
        (seen(call, image, (kernel_h, kernel_w), (ky, kx), 0), ky, kx)
        for ky in range(kernel_h)
        for kx in range(kernel_w)
    ]


def seen(call: Call, image: Int64s, kernel: tuple[int, int], place: tuple[int, int], outside: int) -> Int64s:
    """What one place of a sliding window sees at each output position, (batches, out_h, out_w, channels).

    Args:
        call: gives stride, dilation, padding and the output's size.
        image: (batches, height, width, channels).
        kernel: height and width of the window.
        place: (ky, kx) within the window.
        outside: value of what lies beyond the border.
    """
    rows, columns = (
        _line(
            image.shape[axis],
            call.target.shape[axis],
            kernel[axis - 1],
            place[axis - 1],
            call.operator.int_option(f"stride_{letter}"),
            int(call.operator.options.get(f"dilation_{letter}_factor", 1)),  # type: ignore[arg-type]
            call.operator.str_option("padding"),
        )
        for axis, letter in ((1, "h"), (2, "w"))
    )
    inside = ((rows >= 0) & (rows < image.shape[1]))[:, None] & ((columns >= 0) & (columns < image.shape[2]))
    picked = image[:, rows.clip(0, image.shape[1] - 1)][:, :, columns.clip(0, image.shape[2] - 1)]
    return np.where(inside[None, :, :, None], picked, outside)


def _line(
    size: int, outputs: int, kernel: int, place: int, stride: int, dilation: int, padding: str
) -> Int64s:
    """Input coordinates that one place of the window has at each output position, along one axis."""
    reach = (kernel - 1) * dilation + 1
    before = max((outputs - 1) * stride + reach - size, 0) // 2 if padding == "SAME" else 0
    return np.arange(outputs, dtype=np.int64) * stride - before + place * dilation


RULES: dict[str, Rule] = {
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "FULLY_CONNECTED": fully_connected,
}
"""Operators of this family."""
