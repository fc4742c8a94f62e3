"""The graphs of the presets: functions, and classes with widths, from the input to a network."""

from __future__ import annotations

from dataclasses import dataclass

from tinytracker.aim.layout import AIM, FINDER
from tinytracker.data.inputs import InputSpec
from tinytracker.model.finder_output import CELLS_NODE
from tinytracker.model.network import Activation, Network, Padding
from tinytracker.model.output import AIM_NODE, ANSWER_NODE, GAZE_NODE

Blocks = tuple[tuple[int, int, int], ...]
"""Expanded channels, output channels and stride of an inverted residual."""


def _halving(size: int) -> Padding:
    """Return the padding of a stride-2 3x3 convolution with (0, 1) extra pixels, as in Keras' MobileNetV3.

    On an even map that is "same". On an odd one the extra pixel is never used, so "valid" computes the same without a
    PAD operator. ("same" on an odd map would shift the windows, and the last maps at 112 pixels would be 4x4 instead
    of 3x3: 14,068,680 MACs instead of the paper's 11.8 M.)
    """
    return "same" if size % 2 == 0 else "valid"


def _inverted_residual(
    net: Network,
    x: str,
    name: str,
    expanded: int,
    filters: int,
    stride: int,
    activation: Activation,
    expand: bool,
) -> str:
    """Append 1x1 expansion, 3x3 depthwise and 1x1 linear projection; the input is added where the shapes match."""
    shortcut = x
    if expand:
        x = net.conv(x, f"{name}_expand", expanded, activation=activation)
    padding = _halving(net.shape(x)[0]) if stride == 2 else "same"
    x = net.depthwise(x, f"{name}_depthwise", stride=stride, padding=padding, activation=activation)
    x = net.conv(x, f"{name}_project", filters)
    return net.add(shortcut, x, f"{name}_add") if net.shape(x) == net.shape(shortcut) else x


def _trunk(
    net: Network, x: str, stem: int, blocks: Blocks, activation: Activation, expand_first: bool = False
) -> str:
    """Append a 3x3 convolution to `stem` channels at half the size, then inverted residuals."""
    padding = _halving(net.shape(x)[0])
    x = net.conv(x, "stem", stem, kernel=3, stride=2, padding=padding, activation=activation)
    for i, (expanded, filters, stride) in enumerate(blocks):
        expand = i > 0 or expand_first
        x = _inverted_residual(net, x, f"block{i}", expanded, filters, stride, activation, expand)
    return x


# Minimalistic MobileNetV3-Small (Howard et al., "Searching for MobileNetV3", ICCV 2019, table 2 without
# squeeze-and-excite, hard-swish and 5x5 kernels): expanded channels, output channels, stride.
_MOBILENET_V3_SMALL = (
    (16, 16, 2), (72, 24, 2), (88, 24, 1), (96, 40, 2), (240, 40, 1), (240, 40, 1),
    (120, 48, 1), (144, 48, 1), (288, 96, 2), (576, 96, 1), (576, 96, 1),
)  # fmt: skip


def tinytracker(spec: InputSpec) -> Network:
    """Build the paper's network: the trunk, 1x1 features and two channels of every position into a hidden layer."""
    net = Network()
    (name, shape), *_ = spec.shapes.items()
    x = net.input(name, shape)
    if shape[-1] != 3:
        x = net.conv(x, "fuse_position", 3, norm=False)
    x = _trunk(net, x, 16, _MOBILENET_V3_SMALL, "relu")
    x = net.conv(x, "features", 576, activation="relu")
    x = net.conv(x, "squeeze", 2, norm=False)
    x = net.flatten(x, "flatten")
    x = net.dense(x, "hidden", 128, "relu")
    net.dense(x, "gaze", 2)
    return net


# The widths of the published TinyTrackerS.tflite (pbonazzi/tinytracker@586ba27): expanded, output, stride.
_TINYTRACKER_S = ((8, 8, 2), (96, 16, 2), (144, 24, 1), (192, 32, 2), (384, 64, 1))


def tinytracker_s(spec: InputSpec) -> Network:
    """Build the small network: the trunk, and the mean of its features into a hidden layer."""
    net = Network()
    (name, shape), *_ = spec.shapes.items()
    x = net.input(name, shape)
    if spec.grid == "baked":
        x = net.position_planes(x, "position")
    x = _trunk(net, x, 8, _TINYTRACKER_S, "relu6", expand_first=True)
    x = net.conv(x, "features", 128, activation="relu6")
    x = net.global_average(x, "pool")
    x = net.dense(x, "hidden", 64, "relu")
    net.dense(x, "gaze", 2)
    return net


def _itracker_tower(net: Network, x: str, name: str, shared: str = "") -> str:
    """Append an AlexNet-like tower; `shared` names a tower whose weights are reused (by the second eye)."""

    def twin(layer: str) -> str:
        return f"{shared}_{layer}" if shared else ""

    relu: Activation = "relu"
    x = net.conv(x, f"{name}_conv1", 96, 11, 4, "valid", activation=relu, weights_of=twin("conv1"))
    x = net.max_pool(x, f"{name}_pool1", 3, 2)
    x = net.conv(x, f"{name}_conv2", 256, 5, groups=2, activation=relu, weights_of=twin("conv2"))
    x = net.max_pool(x, f"{name}_pool2", 3, 2)
    x = net.conv(x, f"{name}_conv3", 384, 3, activation=relu, weights_of=twin("conv3"))
    x = net.conv(x, f"{name}_conv4", 64, activation=relu, weights_of=twin("conv4"))
    return net.flatten(x, f"{name}_flatten")


def itracker(spec: InputSpec) -> Network:
    """Build the baseline: a tower for both eyes, one for the face, and the grid of the face's position."""
    net = Network()
    x = {name: net.input(name, shape) for name, shape in spec.shapes.items()}
    left = _itracker_tower(net, x["left_eye"], "eye")
    right = _itracker_tower(net, x["right_eye"], "right_eye_tower", shared="eye")
    eyes = net.dense(net.concat((left, right), "eyes"), "eyes_fc1", 128, "relu")
    face = _itracker_tower(net, x["face"], "face_tower")
    face = net.dense(net.dense(face, "face_fc1", 128, "relu"), "face_fc2", 64, "relu")
    grid = net.flatten(x["grid"], "grid_flatten")
    grid = net.dense(net.dense(grid, "grid_fc1", 256, "relu"), "grid_fc2", 128, "relu")
    hidden = net.dense(net.concat((eyes, face, grid), "join"), "hidden", 128, "relu")
    net.dense(hidden, "gaze", 2)
    return net


@dataclass(frozen=True)
class StripNetwork:
    """Inverted residuals on a strip with both eyes; the head keeps the positions of the last map separate.

    Attributes:
        stem: channels of the first convolution.
        blocks: the inverted residuals; the first does not expand.
        squeeze: channels of the last map.
        hidden: units of the hidden layer before the output.
        pooled: for comparison: the head gets the mean over the last map instead, which loses positions.
        aim: channels of the map and units of the hidden layer of a second head, which says where the eyes are; None
            for the gaze alone.
    """

    stem: int
    blocks: Blocks
    squeeze: int
    hidden: int
    pooled: bool = False
    aim: tuple[int, int] | None = None

    def __call__(self, spec: InputSpec) -> Network:
        """Build the network for this input."""
        net = Network()
        (name, shape), *_ = spec.shapes.items()
        x = net.input(name, shape)
        if spec.grid == "baked":
            x = net.position_planes(x, "position")
        trunk = _trunk(net, x, self.stem, self.blocks, "relu")
        x = net.conv(trunk, "squeeze", self.squeeze, activation="relu")
        x = net.global_average(x, "pool") if self.pooled else net.flatten(x, "flatten")
        x = net.dense(x, "hidden", self.hidden, "relu")
        if self.aim is None:
            net.dense(x, GAZE_NODE, 2)
            return net
        filters, hidden = self.aim
        y = net.conv(trunk, "aim_squeeze", filters, norm=False, activation="relu")
        y = net.dense(net.flatten(y, "aim_flatten"), "aim_hidden", hidden, "relu")
        net.dense(x, GAZE_NODE, 2)
        net.dense(y, AIM_NODE, len(AIM))
        net.concat((GAZE_NODE, AIM_NODE), ANSWER_NODE)
        return net


def finder(spec: InputSpec) -> Network:
    """Build the finder: four pixels at once, then all its computation on the grid of cells.

    The image is reduced at once by a 4x4 convolution, because a strip that has to be found is a few pixels high and a
    sensor's noise is already averaged out at 96 pixels. Each cell of the grid sees 56 px of the view.
    """
    net = Network()
    (name, shape), *_ = spec.shapes.items()
    x = net.input(name, shape)
    x = net.conv(x, "stem", 16, kernel=4, stride=4, padding="valid", activation="relu")
    x = net.depthwise(x, "block0_depthwise", stride=2, activation="relu")
    x = net.conv(x, "block0_project", 24, activation="relu")
    for i in (1, 2, 3):
        y = net.depthwise(x, f"block{i}_depthwise", activation="relu")
        y = net.conv(y, f"block{i}_project", 24)
        x = net.add(x, y, f"block{i}_add")
    x = net.conv(x, "squeeze", 20, activation="relu")
    net.conv(x, CELLS_NODE, len(FINDER), norm=False)
    return net


@dataclass(frozen=True)
class StridedNetwork:
    """Strided convolutions and dense layers only, all of which have a spiking form: no pooling, no residuals.

    Attributes:
        filters: channels and stride of each 3x3 convolution.
        hidden: units of the hidden layer before the output.
        edges: whether the network sees edges instead of grey levels.
    """

    filters: tuple[tuple[int, int], ...]
    hidden: int
    edges: bool = False

    def __call__(self, spec: InputSpec) -> Network:
        """Build the network for this input."""
        net = Network()
        (name, shape), *_ = spec.shapes.items()
        x = net.input(name, shape)
        if self.edges:
            x = net.edges(x, "edges")
        for i, (filters, stride) in enumerate(self.filters):
            x = net.pad(x, f"pad{i}")
            x = net.conv(x, f"conv{i}", filters, kernel=3, stride=stride, padding="valid", activation="relu")
        x = net.flatten(x, "flatten")
        x = net.dense(x, "hidden", self.hidden, "relu")
        net.dense(x, GAZE_NODE, 2)
        return net
