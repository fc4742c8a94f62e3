"""The presets: networks by name. A preset is data: the network's inputs and its graph.

The output of every preset begins with (x, y) in cm, linear: no tanh compresses the ends of the range. On a device it is
split into segments, so that the rounding error of INT8 is small (`tinytracker.model.output`). Presets with an aim add
the five numbers of `tinytracker.aim.layout`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinytracker.aim.layout import AIM, FINDER, FINDER_HEIGHT, FINDER_WIDTH
from tinytracker.data.inputs import InputSpec
from tinytracker.errors import ModelError, UnknownNameError
from tinytracker.model.finder_output import CELLS_NODE, FinderOutput
from tinytracker.model.network import Activation, Network, Padding
from tinytracker.model.output import AIM_NODE, ANSWER_NODE, GAZE_NODE, GazeOutput

Blocks = tuple[tuple[int, int, int], ...]
"""Expanded channels, output channels and stride of an inverted residual."""

SEGMENTED = GazeOutput(segments=8)
"""Steps of 0.027 cm: rounding costs 0.011 cm RMS. With 128 hidden units this adds 1,806 parameters, 1,792 MACs."""


@dataclass(frozen=True)
class Preset:
    """A network that can be trained by name.

    Attributes:
        name: its name on the command line.
        summary: one line for a list.
        source: paper and section, or file, from which the architecture was taken.
        input: the network's inputs.
        build: input spec -> network; the last node is the gaze, or the concatenation of gaze and aim.
        output: form of the last node in the INT8 network for a device.
        levels: for a network that becomes a spiking one: levels above zero to which its ReLUs are rounded in training
            (QCFS, `tinytracker.model.qcfs`); None for ordinary ReLUs.
    """

    name: str
    summary: str
    source: str
    input: InputSpec
    build: Callable[[InputSpec], Network]
    output: GazeOutput | FinderOutput = SEGMENTED
    levels: int | None = None

    @property
    def aim(self) -> bool:
        """Whether the network also says where the eyes are."""
        return self.output.aim

    @property
    def finder(self) -> bool:
        """Whether the network sees the whole frame and says where the eyes are, instead of the gaze."""
        return isinstance(self.output, FinderOutput)

    @property
    def gaze_output(self) -> GazeOutput:
        """The output of a network that answers a gaze.

        Raises:
            ModelError: it is a finder.
        """
        if isinstance(self.output, FinderOutput):
            raise ModelError(
                f"{self.name} is a finder: it cannot be trained with rounding, which only gaze networks can.",
                "Omit --method qat.",
            )
        return self.output

    def require_int8(self) -> None:
        """Check that the trained network can be quantized to an INT8 .tflite file.

        Raises:
            ModelError: it sees edges.
        """
        if any(node.op == "edges" for node in self.network().nodes.values()):
            raise ModelError(
                f"{self.name} computes edges of the image, and some of the operators for that have no INT8 kernel.",
                "Convert it to spikes with `tinytracker spike RUN`, or train spikes-s, which can also be quantized.",
            )

    def network(self) -> Network:
        """Return the network to train, for this preset's input."""
        return self.build(self.input)

    def device_network(self) -> Network:
        """Return the network to quantize: the same except for the last node.

        Activations with levels become clipped ReLUs, see `tinytracker.quant.clipping`.
        """
        network = self.output.on_device(self.network())
        return network if self.levels is None else network.with_clipped_relus()


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


def _tinytracker(spec: InputSpec) -> Network:
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


def _tinytracker_s(spec: InputSpec) -> Network:
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


def _itracker(spec: InputSpec) -> Network:
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


# A wide strip is nearly at the camera's resolution, so most of the computation is in its early, fine maps. There is no
# fifth halving: an iris moves by a few pixels, which a 2x6 map no longer resolves. Expanded, output, stride.
_BAND = ((16, 24, 2), (96, 32, 2), (128, 32, 1), (128, 48, 2), (240, 48, 1), (240, 48, 1), (240, 64, 1))
_BAND_S = ((8, 16, 2), (64, 24, 2), (96, 24, 1), (96, 40, 2), (160, 40, 1), (160, 40, 1))


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


def _finder(spec: InputSpec) -> Network:
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


QCFS_LEVELS = 8
"""Levels of the rounded activations, and the number of time steps for which such a network is made."""


@dataclass(frozen=True)
class SpikingNetwork:
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


_SPIKES_S = SpikingNetwork(((16, 2), (32, 2), (64, 2), (16, 1)), 80)
_SPIKES_S_EDGES = SpikingNetwork(_SPIKES_S.filters, _SPIKES_S.hidden, edges=True)
_SPIKES_S2 = SpikingNetwork(((16, 2), (32, 2), (48, 2), (48, 1), (16, 1)), 80)


PRESETS: dict[str, Preset] = {
    p.name: p
    for p in (
        Preset(
            "tinytracker", "the paper's network: 112x112 RGB face and its position, MobileNetV3-Small trunk",
            "Bonazzi et al., IEEE Sensors 2023 (arXiv 2307.07813)",
            InputSpec(kind="face", width=112, height=112, channels="rgb", grid="input"), _tinytracker,
        ),
        Preset(
            "tinytracker-rgb", "the paper's network on the face only: fits inside the IMX500 sensor",
            "as tinytracker, without the position: the sensor has only one input, with three channels",
            InputSpec(kind="face", width=112, height=112, channels="rgb", grid="none"), _tinytracker,
        ),
        Preset(
            "tinytracker-s", "small network: 96x96 grey face, constant position planes, for microcontrollers",
            "Ruegg et al. (arXiv 2308.12313) and the published TinyTrackerS.tflite",
            InputSpec(kind="face", width=96, height=96, channels="grey", grid="baked"), _tinytracker_s,
        ),
        Preset(
            "tinytracker-v2", "192x64 RGB strip with both eyes, distance from the face box, for all targets",
            "the trunk of tinytracker with its computation moved to finer maps; docs/training.md describes the input",
            InputSpec(kind="eye_band", width=192, height=64, channels="rgb", unit="reference_cm"),
            StripNetwork(16, _BAND, 32, 128),
        ),
        Preset(
            "tinytracker-s2", "192x64 grey strip with both eyes, distance from the face box, for microcontrollers",
            "as tinytracker-v2, with the computational cost of tinytracker-s",
            InputSpec(kind="eye_band", width=192, height=64, channels="grey", unit="reference_cm"),
            StripNetwork(8, _BAND_S, 16, 64),
        ),
        Preset(
            "tinytracker-v2-aim", "tinytracker-v2 that also says where the eyes are, to place its next crop",
            "tinytracker-v2 with a second head on its last map; docs/training.md describes the aim",
            InputSpec(kind="eye_band", width=192, height=64, channels="rgb", unit="reference_cm"),
            StripNetwork(16, _BAND, 32, 128, aim=(8, 32)), GazeOutput(SEGMENTED.segments, aim=True),
        ),
        Preset(
            "tinytracker-s2-aim", "tinytracker-s2 that also says where the eyes are, to place its next crop",
            "tinytracker-s2 with a second head on its last map; docs/training.md describes the aim",
            InputSpec(kind="eye_band", width=192, height=64, channels="grey", unit="reference_cm"),
            StripNetwork(8, _BAND_S, 16, 64, aim=(8, 32)), GazeOutput(SEGMENTED.segments, aim=True),
        ),
        Preset(
            "finder", "where in a whole frame the eyes are: 96x72 grey, to start the aim of the strip networks",
            "depthwise separable residual blocks on a grid of 8-px cells; docs/training.md describes the finder",
            InputSpec(kind="frame", width=FINDER_WIDTH, height=FINDER_HEIGHT, channels="grey"),
            _finder, FinderOutput(),
        ),
        Preset(
            "tinytracker-s-grey", "small network on the face only: maps completely to the Coral Edge TPU",
            "as tinytracker-s, without the position: constant planes concatenated to the image do not map",
            InputSpec(kind="face", width=96, height=96, channels="grey", grid="none"), _tinytracker_s,
        ),
        Preset(
            "spikes-s", "64x32 grey strip with both eyes, trained to become a spiking network of 8 time steps",
            "strided convolutions with QCFS activations (Bu et al., ICLR 2022)",
            InputSpec(kind="eye_band", width=64, height=32, channels="grey", unit="reference_cm"),
            _SPIKES_S, levels=QCFS_LEVELS,
        ),
        Preset(
            "spikes-s-relu", "spikes-s with ordinary ReLUs: becomes a spiking network by balanced thresholds",
            "as spikes-s",
            InputSpec(kind="eye_band", width=64, height=32, channels="grey", unit="reference_cm"), _SPIKES_S,
        ),
        Preset(
            "spikes-s-edges", "spikes-s on edges instead of grey levels",
            "as spikes-s; the paper's users give a spiking network edges",
            InputSpec(kind="eye_band", width=64, height=32, channels="grey", unit="reference_cm"),
            _SPIKES_S_EDGES, levels=QCFS_LEVELS,
        ),
        Preset(
            "spikes-s2", "spikes-s on a 96x48 strip, with the computational cost of tinytracker-s2",
            "as spikes-s, one convolution more",
            InputSpec(kind="eye_band", width=96, height=48, channels="grey", unit="reference_cm"),
            _SPIKES_S2, levels=QCFS_LEVELS,
        ),
        Preset(
            "spikes-s2-relu", "spikes-s2 with ordinary ReLUs: becomes a spiking network by balanced thresholds",
            "as spikes-s2",
            InputSpec(kind="eye_band", width=96, height=48, channels="grey", unit="reference_cm"), _SPIKES_S2,
        ),
        Preset(
            "itracker", "baseline: face, two eyes and 25x25 grid, 6.3 M parameters",
            "Krafka et al., CVPR 2016; batch normalization replaces local response normalization (no INT8 kernel)",
            InputSpec(kind="itracker", width=224, height=224, channels="rgb", grid="input"), _itracker,
        ),
    )
}  # fmt: skip


def find_preset(name: str) -> Preset:
    """Return the preset with this name.

    Raises:
        UnknownNameError: no such preset.

    Example:
        >>> from tinytracker.model import find_preset
        >>> find_preset("tinytracker-v2").input.shapes
        {'image': (64, 192, 3)}
    """
    try:
        return PRESETS[name]
    except KeyError:
        hint = "Hybrids have verbs of their own: `tinytracker hybrid`." if name.startswith("hybrid-") else ""
        raise UnknownNameError("preset", name, PRESETS, hint) from None
