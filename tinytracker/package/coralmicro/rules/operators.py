"""Rules of single operators."""

from __future__ import annotations

import numpy as np

from tinytracker.package.coralmicro import TARGET
from tinytracker.package.coralmicro.rules.node import Node
from tinytracker.package.rules import Rule, rule

MAX_SOFTMAX_ELEMENTS = 16_384
MAX_RESIZE_FACTOR = 16
MAX_RESIZE_PIXELS = 512 * 512
MEAN_CHANNEL_MULTIPLE = 4


@rule(TARGET)
def no_fused_activation(node: Node) -> str | None:
    """Pooling and concatenation have no fused activation.

    Fix: Put the activation before the layer, behind a convolution.
    Source: Coral, table of supported operations.
    """
    return f"fused {node.fused_activation}" if node.fused_activation != "NONE" else None


@rule(TARGET)
def concatenated_constant(node: Node) -> str | None:
    """A concatenation with a constant has exactly two inputs, and the constant is all zeros.

    Fix: Add a constant behind the first convolution instead of concatenating constant planes in front of it.
    Source: Coral, table of supported operations.
    """
    tensors = [t for p in range(len(node.operator.inputs)) if (t := node.input(p)) is not None]
    constants = [t for t in tensors if t.data is not None]
    if not constants:
        return None
    if len(tensors) != 2:
        return f"{len(tensors)} inputs, {len(constants)} of them constant"
    data = constants[0].data
    assert data is not None
    zero = constants[0].zero_points[0] if constants[0].zero_points else 0
    return f"{constants[0].label} is not all zeros" if bool(np.any(data != zero)) else None


@rule(TARGET)
def equal_dilation(node: Node) -> str | None:
    """A convolution's dilation is the same in height and width, unless one side of its kernel is 1.

    Fix: Use one dilation rate for both.
    Source: Coral, table of supported operations; 3x1 kernels with dilation 2x1 and 4x1 map in
    fredriktegnell/edgetpu-tcn.
    """
    h, w = node.integer("dilation_h_factor", 1), node.integer("dilation_w_factor", 1)
    weights = node.input(1)
    one_wide = weights is not None and len(weights.shape) == 4 and 1 in weights.shape[1:3]
    return f"dilation {h}x{w}" if h != w and not one_wide else None


@rule(TARGET)
def default_weight_format(node: Node) -> str | None:
    """A dense layer's weights have the default format.

    Fix: Convert without shuffled weights.
    Source: Coral, table of supported operations.
    """
    form = str(node.operator.options.get("weights_format", "DEFAULT"))
    return f"weights format {form}" if form != "DEFAULT" else None


@rule(TARGET)
def flat_dense_output(node: Node) -> str | None:
    """A dense layer's output is a vector.

    Fix: Flatten before the dense layer, or use a 1x1 convolution.
    Source: Coral, table of supported operations.
    """
    for index in node.operator.outputs:
        tensor = node.model.tensors[index]
        if tensor.elements != (tensor.shape[-1] if tensor.shape else 1):
            return f"output {tensor.label}"
    return None


@rule(TARGET, level="warns")
def one_scale_per_dense_layer(node: Node) -> str | None:
    """A dense layer's weights have one scale.

    Fix: Convert with TensorFlow 2.15 (or `_experimental_disable_per_channel_quantization_for_dense_layers`).
    Source: it maps, but on the CPU, the board's TFLM of July 2022 would compute it wrongly
    (tflite-micro pull requests 2602 and 2673).
    """
    weights = node.input(1)
    return f"{len(weights.scales)} scales" if weights is not None and len(weights.scales) > 1 else None


@rule(TARGET)
def no_batch_reduction(node: Node) -> str | None:
    """A reduction does not touch the batch dimension.

    Fix: Reduce over height, width or channels.
    Source: Coral, table of supported operations.
    """
    tensor, axes = node.input(0), node.axes()
    if tensor is None or axes is None or len(tensor.shape) < 2:
        return None
    return f"axes {axes}" if 0 in axes else None


@rule(TARGET)
def mean_over_channels(node: Node) -> str | None:
    """A mean over channels has a multiple of 4 channels.

    Fix: Choose such a number of channels, or average with a 1x1 convolution.
    Source: Coral, table of supported operations.
    """
    tensor, axes = node.input(0), node.axes()
    if tensor is None or axes is None or not tensor.shape or len(tensor.shape) - 1 not in axes:
        return None
    channels = tensor.shape[-1]
    return f"mean over {channels} channels" if channels % MEAN_CHANNEL_MULTIPLE else None


@rule(TARGET)
def no_batch_padding(node: Node) -> str | None:
    """Padding does not touch the batch dimension.

    Fix: Pad height and width only.
    Source: Coral, table of supported operations.
    """
    tensor, amounts = node.input(0), node.constant(1)
    if tensor is None or amounts is None or len(tensor.shape) < 4:
        return None
    return f"batch padded by {amounts[:2]}" if any(amounts[:2]) else None


@rule(TARGET)
def shared_prelu(node: Node) -> str | None:
    """PReLU's slope has one value per channel.

    Fix: Use `PReLU(shared_axes=[1, 2])`.
    Source: Coral, table of supported operations.
    """
    slope = node.input(1)
    if slope is None or slope.elements == (slope.shape[-1] if slope.shape else 1):
        return None
    return f"slope {slope.label}"


@rule(TARGET, level="warns")
def prelu_is_risky(node: Node) -> str | None:
    """Activations are ReLU or ReLU6, not PReLU.

    Fix: Use ReLU or ReLU6, or compare the outputs on the board with those on the CPU.
    Source: PReLU maps, but edgetpu issue 460 reports a network with it whose outputs differ from the CPU's.
    """
    return f"uses {node.name}"


@rule(TARGET)
def resize_factor(node: Node) -> str | None:
    """A resize enlarges by a factor below 16 and gives fewer than 512 x 512 pixels.

    Fix: Enlarge in steps of 2, or leave the last resize to the host.
    Source: DeepLab's 1x1 to 33x33 does not map, MoveNet's three by a factor of 2 do; edgetpu issues 31 and 187 (512x512
    does not map, 128x128 does). Sizes in between are unknown.
    """
    source, result = node.input(0), node.output
    if source is None or result is None or len(source.shape) != 4 or len(result.shape) != 4:
        return None
    (h, w), (to_h, to_w) = source.shape[1:3], result.shape[1:3]
    if to_h * to_w >= MAX_RESIZE_PIXELS:
        return f"{to_h}x{to_w} pixels"
    if to_h >= MAX_RESIZE_FACTOR * h or to_w >= MAX_RESIZE_FACTOR * w:
        return f"{h}x{w} to {to_h}x{to_w}"
    return None


@rule(TARGET, level="warns")
def resize_depends_on_size(node: Node) -> str | None:
    """A resize has a factor of 1 or 2, which were seen to map; others may not, depending on the chip's precision.

    Fix: Resize the image before the network; the application's crop does that.
    Source: Coral, table of supported operations.
    """
    source, result = node.input(0), node.output
    if source is None or result is None:
        return None
    if any(tuple(factor * n for n in source.shape[1:3]) == result.shape[1:3] for factor in (1, 2)):
        return None
    return f"{'x'.join(map(str, source.shape))} to {'x'.join(map(str, result.shape))}"


@rule(TARGET, level="warns")
def padded_addend(node: Node) -> str | None:
    """An addition does not add a padded tensor.

    Fix: Pad the image instead, so that the sizes agree.
    Source: edgetpu issue 690: the PAD maps, the ADD behind it does not (compiler 16).
    """
    indices = set(node.operator.inputs)
    pads = (o for o in node.model.operators if o.name in ("PAD", "PADV2") and indices & set(o.outputs))
    return next((f"it adds the result of {pad.label}" for pad in pads), None)


@rule(TARGET)
def flat_softmax(node: Node) -> str | None:
    """Softmax works on one vector of at most 16,384 elements.

    Fix: Flatten, or leave softmax to the host.
    Source: Coral, table of supported operations (16,000); 16,384 maps in LibrEdgeTPU's color_*_128x128.
    """
    tensor = node.input(0)
    if tensor is None:
        return None
    if tensor.elements != (tensor.shape[-1] if tensor.shape else 1):
        return f"{tensor.label} is not a vector"
    return f"{tensor.elements:,} elements" if tensor.elements > MAX_SOFTMAX_ELEMENTS else None


@rule(TARGET)
def no_batch_split(node: Node) -> str | None:
    """A split or stack does not touch the batch dimension; a split into one part does nothing and is allowed.

    Fix: Split or stack along height, width or channels.
    Source: Coral, table of supported operations; a SPLIT of the batch into one part maps in yamnet_spectra_in.
    """
    if node.name == "SPLIT" and len(node.operator.outputs) == 1:
        return None
    output = node.model.tensors[node.operator.outputs[0]] if node.operator.outputs else None
    if output is None or not output.shape:
        return None
    axes = node.constant(0) if node.name == "SPLIT" else [node.integer("axis", 0)]
    if axes is None:
        return None
    return f"along axis {axes[0]}" if axes and axes[0] % len(output.shape) == 0 else None


@rule(TARGET)
def plain_strided_slice(node: Node) -> str | None:
    """A strided slice has strides of 1, no ellipsis and no new axis.

    Fix: Slice without steps; to subsample, give the convolution before it a stride.
    Source: Coral, table of supported operations.
    """
    strides = node.constant(3)
    if strides is not None and any(s != 1 for s in strides):
        return f"strides {strides}"
    for mask in ("ellipsis_mask", "new_axis_mask"):
        if node.integer(mask, 0):
            return f"{mask} {node.integer(mask, 0)}"
    return None


_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_DENSE = ("FULLY_CONNECTED",)
_RESIZES = ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")
_REDUCTIONS = ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN")

OPERATOR_RULES: tuple[tuple[tuple[str, ...], Rule[Node]], ...] = (
    (("AVERAGE_POOL_2D", "MAX_POOL_2D", "CONCATENATION"), no_fused_activation),
    (("CONCATENATION",), concatenated_constant),
    (_CONVOLUTIONS, equal_dilation),
    (_DENSE, default_weight_format),
    (_DENSE, flat_dense_output),
    (_DENSE, one_scale_per_dense_layer),
    (_REDUCTIONS, no_batch_reduction),
    (("MEAN",), mean_over_channels),
    (("PAD",), no_batch_padding),
    (("ADD",), padded_addend),
    (("PRELU",), shared_prelu),
    (("PRELU",), prelu_is_risky),
    (_RESIZES, resize_factor),
    (_RESIZES, resize_depends_on_size),
    (("SOFTMAX",), flat_softmax),
    (("SPLIT", "PACK"), no_batch_split),
    (("STRIDED_SLICE",), plain_strided_slice),
)
"""The operators that each rule is about."""
