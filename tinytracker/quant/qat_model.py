"""The network with simulated rounding, for quantization-aware training.

The graph is built as a device runs it: batch normalization folded, activations fused, the output in segments. Each
layer is wrapped by TensorFlow Model Optimization, which rounds its weights (symmetric; one scale per output channel
of a convolution, one per dense layer, as in TensorFlow Lite) and its output. Importing this imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_model_optimization.quantization.keras import QuantizeConfig, QuantizeWrapperV2
from tensorflow_model_optimization.quantization.keras.quantizers import FixedQuantizer, LastValueQuantizer

from tinytracker.aim.layout import AIM, Part
from tinytracker.model.keras_builder import PositionPlanes
from tinytracker.model.network import Network, Node
from tinytracker.model.output import AIM_NODE, FULL_SCALE, LIMIT_CM, GazeOutput, last_layers
from tinytracker.quant.contract import INPUT_SUFFIX
from tinytracker.quant.folding import Weights
from tinytracker.quant.ranges import SAME_SCALE, Range

L = tf.keras.layers
_ACTIVATIONS = {"linear": None, "relu": tf.nn.relu, "relu6": tf.nn.relu6}


class GroupedConvolution(tf.keras.layers.Layer):  # type: ignore[misc]
    """A grouped "same" convolution with bias and activation; one kernel (k, k, c / groups, filters)."""

    def __init__(self, filters: int, kernel_size: int, groups: int, activation: Any, name: str) -> None:
        super().__init__(name=name)
        self.filters, self.kernel_size, self.groups, self.activation = (
            filters,
            kernel_size,
            groups,
            activation,
        )

    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        shape = (self.kernel_size, self.kernel_size, input_shape[-1] // self.groups, self.filters)
        self.kernel = self.add_weight("kernel", shape)
        self.bias = self.add_weight("bias", (self.filters,))
        super().build(input_shape)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Convolve (N, H, W, C) -> (N, H, W, filters)."""
        parts = zip(
            tf.split(x, self.groups, -1),
            tf.split(self.kernel, self.groups, -1),
            tf.split(self.bias, self.groups),
            strict=True,
        )
        outputs = [tf.nn.bias_add(tf.nn.conv2d(p, k, 1, "SAME"), b) for p, k, b in parts]
        return tf.concat([self.activation(o) if self.activation else o for o in outputs], -1)


class SegmentedDense(tf.keras.layers.Layer):  # type: ignore[misc]
    """A last layer: linear units, output in segments, so that all segments of a number stay the same function.

    Args:
        parts: the number of segments of each unit, and its range; () for linear outputs.
        units: number of linear units.
        name: of the layer.
    """

    def __init__(self, parts: Sequence[Part], units: int, name: str) -> None:
        super().__init__(name=name)
        self.parts, self.linear_units = tuple(parts), units

    def build(self, input_shape: Any) -> None:
        """Make the weights."""
        self.kernel = self.add_weight("kernel", (input_shape[-1], self.linear_units))
        self.bias = self.add_weight("bias", (self.linear_units,))
        super().build(input_shape)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Compute (N, hidden) -> (N, codes)."""
        if not self.parts:
            return tf.matmul(x, self.kernel) + self.bias
        segments = [part.segments for part in self.parts]
        gain = np.array([FULL_SCALE / part.width for part in self.parts], np.float32)
        starts = np.concatenate([part.starts for part in self.parts]).astype(np.float32)
        kernel = tf.repeat(self.kernel * gain, segments, axis=1)
        offset = (tf.repeat(self.bias, segments) - starts) * np.repeat(gain, segments)
        return tf.nn.relu6(tf.matmul(x, kernel) + offset)


def _last_layer(output: GazeOutput, node: Node) -> SegmentedDense:
    if output.segments == 1:
        return SegmentedDense((), 2, node.name)
    parts = AIM if output.aim and node.name == AIM_NODE else _gaze_parts(output)
    return SegmentedDense(parts, len(parts), node.name)


def _gaze_parts(output: GazeOutput) -> tuple[Part, ...]:
    return tuple(Part(axis, output.segments, -LIMIT_CM, LIMIT_CM) for axis in "xy")


def _numbers(output: GazeOutput, codes: tf.Tensor) -> tf.Tensor:
    """Return what the device's outputs (N, units) stand for: (N, 2) cm, or (N, 7) with the aim."""
    if output.segments == 1:
        return codes
    values, at = [], 0
    for part in (*_gaze_parts(output), *(AIM if output.aim else ())):
        share = tf.reduce_sum(codes[:, at : at + part.segments], -1)
        values.append(part.low + share * (part.width / FULL_SCALE))
        at += part.segments
    return tf.stack(values, -1)


class DepthwiseQuantizer(LastValueQuantizer):  # type: ignore[misc]
    """Quantizer with one scale per channel of a depthwise kernel (h, w, c, 1), whose channels are not the last axis."""

    def build(self, tensor_shape: Any, name: str, layer: Any) -> Any:
        """Create the ranges, (c,)."""
        h, w, c, _ = tensor_shape
        return super().build((h, w, 1, c), name, layer)

    def __call__(self, inputs: Any, training: bool, weights: Any, **kwargs: Any) -> Any:
        """Round a kernel (h, w, c, 1)."""
        h, w, c, _ = inputs.shape
        rounded = super().__call__(tf.reshape(inputs, (h, w, 1, c)), training, weights, **kwargs)
        return tf.reshape(rounded, (h, w, c, 1))


def _weight_quantizer(node: Node) -> Any:
    kind = DepthwiseQuantizer if node.op == "depthwise" else LastValueQuantizer
    return kind(num_bits=8, per_axis=node.op != "dense", symmetric=True, narrow_range=True)


class RoundedLayer(QuantizeConfig):  # type: ignore[misc]
    """How one layer is rounded.

    Args:
        kernel: name of the layer's kernel attribute, or "" when it has none.
        quantizer: of the kernel.
        low: lower end of the output's range. high: upper end.
    """

    def __init__(self, kernel: str, quantizer: Any, low: float, high: float) -> None:
        self._kernel, self._quantizer = kernel, quantizer
        self._output = FixedQuantizer(num_bits=8, init_min=low, init_max=high, narrow_range=False)

    def get_weights_and_quantizers(self, layer: Any) -> list[tuple[Any, Any]]:
        """Return the kernel; a bias is int32, so its rounding is negligible."""
        return [(getattr(layer, self._kernel), self._quantizer)] if self._kernel else []

    def get_activations_and_quantizers(self, layer: Any) -> list[tuple[Any, Any]]:
        """Return nothing: activations are fused, and only their output is rounded."""
        return []

    def set_quantize_weights(self, layer: Any, quantize_weights: Iterable[Any]) -> None:
        """Make the layer compute with the rounded kernel."""
        for weight in quantize_weights:
            setattr(layer, self._kernel, weight)

    def set_quantize_activations(self, layer: Any, quantize_activations: Iterable[Any]) -> None:
        """Do nothing; see `get_activations_and_quantizers`."""
        del layer, quantize_activations  # TensorFlow's AutoGraph fails on a body that is only a docstring

    def get_output_quantizers(self, layer: Any) -> list[Any]:
        """Return the quantizer with the fixed range of the output."""
        return [self._output]

    def get_config(self) -> dict[str, Any]:
        """Return nothing: the model is rebuilt from its graph."""
        return {}


def training_model(
    network: Network, output: GazeOutput, weights: Mapping[str, Weights], ranges: Mapping[str, Range]
) -> tf.keras.Model:
    """Build the network to train, with weights and activations rounded.

    Args:
        network: `Preset.device_network()`.
        output: the form of its last node.
        weights: from `fold`; for the last layers, those of the trained numbers.
        ranges: range of each node's output, from `group_ranges`.

    Returns:
        A model with inputs by name, float32 p/128 - 1, and output (N, 2) cm, or (N, 7) with the aim.
    """

    def wrap(layer: Any, node: Node) -> Any:
        kernel = {"conv": "kernel", "dense": "kernel", "depthwise": "depthwise_kernel"}.get(node.op, "")
        return _rounded(layer, node, ranges[node.name], kernel)

    tensors = _device_tensors(network, lambda node: _last_layer(output, node), wrap)
    answer = _numbers(output, tensors[network.output.name])
    model = tf.keras.Model(_inputs(network, tensors), answer, name="network")
    _set_weights(model, weights)
    refresh_ranges(model)
    return model


def export_model(
    network: Network, output: GazeOutput, weights: Mapping[str, Weights], ranges: Mapping[str, Range]
) -> tf.keras.Model:
    """Build the same network for the converter, (N, units): activations rounded, weights not.

    The converter rounds the weights by the rule of `_weight_quantizer`.
    """
    wide = _expanded(network, output, weights)
    tensors = _device_tensors(
        network, _layer, lambda layer, node: _rounded(layer, node, ranges[node.name], "")
    )
    model = tf.keras.Model(_inputs(network, tensors), tensors[network.output.name], name="network")
    _set_weights(model, wide)
    return model


def _expanded(network: Network, output: GazeOutput, weights: Mapping[str, Weights]) -> dict[str, Weights]:
    """Return the weights with a column per code in the last layers."""
    last = {name: (weights[name].kernel, weights[name].bias) for name in last_layers(network)}
    return dict(weights) | {name: Weights(*pair) for name, pair in output.expand_layers(last).items()}


def float_model(network: Network, output: GazeOutput, weights: Mapping[str, Weights]) -> tf.keras.Model:
    """Build the same network without rounding; it returns the output of every node by name."""
    wide = _expanded(network, output, weights)
    tensors = _device_tensors(network, _layer, lambda layer, node: layer)
    model = tf.keras.Model(_inputs(network, tensors), tensors, name="network")
    _set_weights(model, wide)
    return model


def device_model(network: Network, output: GazeOutput, weights: Mapping[str, Weights]) -> tf.keras.Model:
    """Build the same network without rounding; its output is that of the last node, (N, units)."""
    nodes = float_model(network, output, weights)
    inputs = {t.name: t for t in nodes.inputs}
    return tf.keras.Model(inputs, nodes.output[network.output.name], name="network")


def trained_weights(model: tf.keras.Model) -> dict[str, Weights]:
    """Return the weights of a training model by node."""
    return {
        layer.layer.name: Weights(*(v.numpy() for v in _variables(layer)))
        for layer in model.layers
        if isinstance(layer, QuantizeWrapperV2) and len(layer.trainable_variables) == 2
    }


def refresh_ranges(model: tf.keras.Model) -> None:
    """Set the ranges of all kernels to those of their current values; training leaves them one step behind."""
    for layer in model.layers:
        if isinstance(layer, QuantizeWrapperV2):
            for kernel, quantizer, ranges in layer._weight_vars:
                quantizer(kernel, True, ranges)


def _rounded(layer: Any, node: Node, output: Range, kernel: str) -> Any:
    """Return a layer with its rounding; a layer that only moves rounded codes is unchanged."""
    if node.op in SAME_SCALE and node.op != "position_planes":
        return layer
    config = RoundedLayer(kernel, _weight_quantizer(node) if kernel else None, *output)
    return QuantizeWrapperV2(layer, config, name_prefix="")


def _inputs(network: Network, tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Return Keras' input tensors by name."""
    return {name: tensors[f"{name}/input"] for name in network.inputs}


def _variables(layer: Any) -> tuple[Any, Any]:
    """Return kernel and bias of a layer, wrapped or not."""
    by_name = {v.name.split("/")[-1].split(":")[0]: v for v in layer.trainable_variables}
    bias = by_name.pop("bias")
    (kernel,) = by_name.values()
    return kernel, bias


def _set_weights(model: tf.keras.Model, weights: Mapping[str, Weights]) -> None:
    for layer in model.layers:
        inner = layer.layer.name if isinstance(layer, QuantizeWrapperV2) else layer.name
        if inner in weights:
            kernel, bias = _variables(layer)
            kernel.assign(weights[inner].kernel)
            bias.assign(weights[inner].bias)


def _device_tensors(
    network: Network, last_layer: Callable[[Node], Any], wrap: Callable[[Any, Node], Any]
) -> dict[str, Any]:
    """Return Keras tensors of all nodes of a device's network; `NAME/input` is the raw input of the node NAME.

    Args:
        network: `Preset.device_network()`.
        last_layer: creates the layer of a node of the output, see `last_layers`.
        wrap: (layer, node) -> the layer to call; also called for inputs, whose layer is an identity.
    """
    tensors: dict[str, Any] = {}
    layers: dict[str, Any] = {}
    for node in network.nodes.values():
        if node.op == "input":
            source = tensors[f"{node.name}/input"] = tf.keras.Input(node.shape, name=node.name)
            layer = L.Activation("linear", name=f"{node.name}{INPUT_SUFFIX}")
            tensors[node.name] = wrap(layer, node)(source)
            continue
        args = [tensors[i] for i in node.inputs]
        make = last_layer if node.name in last_layers(network) else _layer
        layer = layers.get(node.weights_of) or wrap(make(node), node)
        layers[node.name] = layer
        tensors[node.name] = layer(args[0] if len(args) == 1 else args)
    return tensors


def _layer(node: Node) -> Any:
    activation, name = _ACTIVATIONS[node.activation], node.name
    if node.op == "conv" and node.groups > 1:
        return GroupedConvolution(node.shape[-1], node.kernel[0], node.groups, activation, name)
    if node.op == "conv":
        return L.Conv2D(
            node.shape[-1], node.kernel, node.stride, node.padding, activation=activation, name=name
        )
    if node.op == "depthwise":
        return L.DepthwiseConv2D(node.kernel, node.stride, node.padding, activation=activation, name=name)
    if node.op == "dense":
        return L.Dense(node.shape[-1], activation=activation, name=name)
    if node.op == "max_pool":
        return L.MaxPooling2D(node.kernel, node.stride, node.padding, name=name)
    if node.op == "pad":
        return L.ZeroPadding2D(node.kernel[0], name=name)
    simple = {
        "add": L.Add, "concat": L.Concatenate, "position_planes": PositionPlanes, "flatten": L.Flatten,
        "global_average": L.GlobalAveragePooling2D,
    }  # fmt: skip
    return simple[node.op](name=name)
