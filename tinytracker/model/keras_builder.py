"""Builds a trainable Keras model from a `Network`. Importing this module imports TensorFlow."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tinytracker.errors import InputFileError
from tinytracker.model.edges import EdgePlanes
from tinytracker.model.finder_output import CELLS_NODE, FinderOutput
from tinytracker.model.network import Network, Node
from tinytracker.model.output import AIM_NODE, FULL_SCALE, GAZE_NODE, GazeOutput, last_layers
from tinytracker.model.qcfs import Qcfs, qcfs_name

L = tf.keras.layers

# Keras' MobileNetV3 uses 0.999: for the first thousands of steps its running statistics reflect the initial weights,
# and the validation error stays at that of the constant predictor while the training loss falls.
BATCH_NORM_MOMENTUM = 0.95

TANH_LIMIT_CM = 30.0
"""Largest gaze of a network that ends in tanh (Bonazzi et al., "TinyTracker", IEEE SENSORS 2023, released code)."""


@tf.keras.utils.register_keras_serializable(package="tinytracker")
class PositionPlanes(tf.keras.layers.Layer):  # type: ignore[misc]
    """Append two constant channels: each pixel's x and y from -1 to 127/128, the range of an INT8 pixel."""

    def build(self, input_shape: Any) -> None:
        """Create the planes for a fixed height and width."""
        _, h, w, _ = input_shape
        x, y = np.meshgrid(np.linspace(-1, 127 / 128, w), np.linspace(-1, 127 / 128, h))
        self._planes = tf.constant(np.stack([x, y], -1)[None], tf.float32)
        super().build(input_shape)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Append the planes: (N, H, W, C) -> (N, H, W, C + 2)."""
        # Tiled only when the batch may differ from 1, so that the converter can fold the planes into one constant.
        planes = self._planes if x.shape[0] == 1 else tf.tile(self._planes, [tf.shape(x)[0], 1, 1, 1])
        return tf.concat([x, planes], -1)


def build_keras(
    network: Network,
    output_bias: tuple[float, float] = (0.0, 0.0),
    synchronized: bool = False,
    head: str = "linear",
    levels: int | None = None,
) -> tf.keras.Model:
    """Build a Keras model with random weights (from TensorFlow's global seed).

    Args:
        network: the graph.
        output_bias: initial bias of the output, cm: the mean of the training labels, so that training starts
            from the constant predictor.
        synchronized: whether batch statistics are computed over all devices together.
        head: "linear", or "tanh" for tanh times 30 cm after the last node, as in the published models.
        levels: levels above zero to which ReLUs are rounded (`tinytracker.model.qcfs`); None for ordinary ReLUs.

    Returns:
        A functional model; inputs are float32 `p / 128 - 1`, named as in the network; output (N, 2) in cm, or (N, 7)
        with the numbers of the aim behind.
    """
    if head == "tanh":
        output_bias = _through_tanh(output_bias)
    tensors: dict[str, Any] = {}
    shared: dict[str, list[Any]] = {}
    for node in network.nodes.values():
        args: list[Any] = [tensors[i] for i in node.inputs]
        if node.op == "input":
            tensors[node.name] = tf.keras.Input(node.shape, name=node.name)
            continue
        is_gaze = node.name == last_layers(network)[0]
        layers = shared.get(node.weights_of) or _layers(node, is_gaze, output_bias, synchronized, levels)
        shared[node.name] = layers
        value: Any = args[0] if len(args) == 1 else args
        for layer in layers:
            value = layer(value)
        if tuple(value.shape[1:]) != node.shape:
            raise AssertionError(f"{node.name}: counted as {node.shape}, built as {tuple(value.shape[1:])}")
        tensors[node.name] = value
    inputs = {name: tensors[name] for name in network.inputs}
    # Without a name, Keras would number its models; the name is part of every tensor's name in a converted file, which
    # must not depend on models built earlier in the process.
    gaze = tensors[network.output.name]
    if head == "tanh":
        gaze = L.Rescaling(TANH_LIMIT_CM, name="gaze_cm")(L.Activation("tanh", name="tanh")(gaze))
    return tf.keras.Model(inputs, gaze, name="network")


def _through_tanh(gaze_cm: tuple[float, float]) -> tuple[float, float]:
    """Return what tanh times 30 cm turns into this gaze."""
    x, y = np.arctanh(np.clip(np.asarray(gaze_cm) / TANH_LIMIT_CM, -0.99, 0.99)).tolist()
    return x, y


def with_output(model: tf.keras.Model, output: GazeOutput | FinderOutput) -> tf.keras.Model:
    """Return a trained network as a device runs it.

    A network that ends in tanh keeps its two outputs in cm: its steps are those of the published models.

    Args:
        model: from `build_keras`; its last layer, or those of the gaze and the aim, are dense and linear.
        output: the output that replaces them.

    Returns:
        A model that shares all layers except these; its output is (N, units).
    """
    if output.segments == 1:
        return model
    if isinstance(output, FinderOutput):
        return _with_cells(model, output)
    names = (GAZE_NODE, AIM_NODE) if output.aim else (model.output_names[0],)
    trained = {name: model.get_layer(name) for name in names}
    if not all(isinstance(layer, L.Dense) for layer in trained.values()):
        return model
    weights = output.expand_layers({name: tuple(layer.get_weights()) for name, layer in trained.items()})
    values = []
    for name, (kernel, bias) in weights.items():
        wide = L.Dense(len(bias), activation=tf.nn.relu6, name=name)
        values.append(wide(trained[name].input))
        wide.set_weights([kernel, bias])
    value = L.Concatenate(name=model.output_names[0])(values) if output.aim else values[0]
    return tf.keras.Model({t.name: t for t in model.inputs}, value, name="network")


def _with_cells(model: tf.keras.Model, output: FinderOutput) -> tf.keras.Model:
    """Return a trained finder as a device runs it: its last convolution outputs codes."""
    trained = model.get_layer(CELLS_NODE)
    ((_, weights),) = output.expand_layers({CELLS_NODE: tuple(trained.get_weights())}).items()
    wide = L.Conv2D(output.units, 1, activation=tf.nn.relu6, name=CELLS_NODE)
    value = wide(trained.input)
    wide.set_weights(list(weights))
    # Tells the converter the output's range. A gaze has segments that reach both ends in every frame; the cells of a
    # finder may not in a whole calibration set.
    value = tf.quantization.fake_quant_with_min_max_args(value, 0.0, FULL_SCALE, 8)
    return tf.keras.Model({t.name: t for t in model.inputs}, value, name="network")


def load_trained(path: Path) -> tf.keras.Model:
    """Load the float network of a finished run from its model.keras.

    Raises:
        InputFileError: the file is cut or damaged.
    """
    # A cut file has lost the directory at its end, without which Keras takes it for another format.
    if path.suffix == ".keras" and not zipfile.is_zipfile(path):
        raise InputFileError(
            path, "not a Keras network, or damaged", "Copy the run again, or train it again."
        )
    # Loaded in this module because it registers the layers that the file refers to.
    return tf.keras.models.load_model(path, compile=False)


def _layers(
    node: Node, last: bool, bias: tuple[float, float], synchronized: bool, levels: int | None
) -> list[Any]:
    """Return the Keras layers of one node, to be called in order."""
    if node.op == "conv":
        return [_convolution(node), *_norm_and_activation(node, synchronized, levels)]
    if node.op == "depthwise":
        conv = L.DepthwiseConv2D(
            node.kernel, node.stride, node.padding, use_bias=not node.norm, name=node.name
        )
        return [conv, *_norm_and_activation(node, synchronized, levels)]
    if node.op == "dense":
        initial = tf.keras.initializers.Constant(bias) if last else "zeros"
        if levels is not None and node.activation == "relu":
            dense = L.Dense(node.shape[-1], bias_initializer=initial, name=node.name)
            return [dense, Qcfs(levels, name=qcfs_name(node.name))]
        activation = None if node.activation == "linear" else node.activation
        return [L.Dense(node.shape[-1], activation=activation, bias_initializer=initial, name=node.name)]
    if node.op == "max_pool":
        return [L.MaxPooling2D(node.kernel, node.stride, node.padding, name=node.name)]
    if node.op == "pad":
        return [L.ZeroPadding2D(node.kernel[0], name=node.name)]
    simple = {
        "add": L.Add, "concat": L.Concatenate, "position_planes": PositionPlanes, "flatten": L.Flatten,
        "global_average": L.GlobalAveragePooling2D, "edges": EdgePlanes,
    }  # fmt: skip
    return [simple[node.op](name=node.name)]


def _convolution(node: Node) -> Any:
    if node.groups == 1:
        return L.Conv2D(
            node.shape[-1], node.kernel, node.stride, node.padding, use_bias=not node.norm, name=node.name
        )
    return GroupedConv2D(node.shape[-1], node.kernel[0], node.groups, name=node.name)


def _norm_and_activation(node: Node, synchronized: bool, levels: int | None) -> list[Any]:
    layers = []
    if node.norm:
        options = {"synchronized": True} if synchronized else {}
        layers.append(L.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"{node.name}_bn", **options))
    if levels is not None and node.activation == "relu":
        layers.append(Qcfs(levels, name=qcfs_name(node.name)))
    elif node.activation != "linear":
        layers.append(
            L.ReLU(6.0 if node.activation == "relu6" else None, name=f"{node.name}_{node.activation}")
        )
    return layers


@tf.keras.utils.register_keras_serializable(package="tinytracker")
class GroupedConv2D(tf.keras.layers.Layer):  # type: ignore[misc]
    """A "same" convolution whose channels are split into groups.

    Computed as one convolution per group, because TensorFlow's grouped convolution has no gradient on the CPU.
    """

    def __init__(self, filters: int, kernel_size: int, groups: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.groups = filters, kernel_size, groups
        self._parts = [
            L.Conv2D(filters // groups, kernel_size, padding="same", use_bias=False, name=f"group{i}")
            for i in range(groups)
        ]

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Convolve (N, H, W, C) -> (N, H, W, filters)."""
        slices = tf.split(x, self.groups, -1)
        return tf.concat([conv(part) for conv, part in zip(self._parts, slices, strict=True)], -1)

    def get_config(self) -> dict[str, Any]:
        """Return the configuration for saving."""
        own = {"filters": self.filters, "kernel_size": self.kernel_size, "groups": self.groups}
        return {**super().get_config(), **own}
