"""The presets: networks by name.

The output of every preset begins with (x, y) in cm, linear: no tanh compresses the ends of the range. On a device it is
split into segments, so that the rounding error of INT8 is small (`tinytracker.model.output`). Presets with an aim add
the five numbers of `tinytracker.aim.layout`.
"""

from __future__ import annotations

from tinytracker.aim.layout import FINDER_HEIGHT, FINDER_WIDTH
from tinytracker.data.inputs import InputSpec
from tinytracker.errors import UnknownNameError
from tinytracker.model.architectures import (
    StridedNetwork,
    StripNetwork,
    finder,
    itracker,
    tinytracker,
    tinytracker_s,
)
from tinytracker.model.finder_output import FinderOutput
from tinytracker.model.output import GazeOutput
from tinytracker.model.preset import SEGMENTED, Preset

__all__ = ["PRESETS", "Preset", "find_preset"]

# A wide strip is nearly at the camera's resolution, so most of the computation is in its early, fine maps. There is no
# fifth halving: an iris moves by a few pixels, which a 2x6 map no longer resolves. Expanded, output, stride.
_BAND = ((16, 24, 2), (96, 32, 2), (128, 32, 1), (128, 48, 2), (240, 48, 1), (240, 48, 1), (240, 64, 1))
_BAND_S = ((8, 16, 2), (64, 24, 2), (96, 24, 1), (96, 40, 2), (160, 40, 1), (160, 40, 1))

QCFS_LEVELS = 8
"""Levels of the rounded activations, and the number of time steps for which such a network is made."""

_SPIKES_S = StridedNetwork(((16, 2), (32, 2), (64, 2), (16, 1)), 80)
_SPIKES_S_EDGES = StridedNetwork(_SPIKES_S.filters, _SPIKES_S.hidden, edges=True)
_SPIKES_S2 = StridedNetwork(((16, 2), (32, 2), (48, 2), (48, 1), (16, 1)), 80)

PRESETS: dict[str, Preset] = {
    p.name: p
    for p in (
        Preset(
            "tinytracker", "the paper's network: 112x112 RGB face and its position, MobileNetV3-Small trunk",
            "Bonazzi et al., IEEE Sensors 2023 (arXiv 2307.07813)",
            InputSpec(kind="face", width=112, height=112, channels="rgb", grid="input"), tinytracker,
        ),
        Preset(
            "tinytracker-rgb", "the paper's network on the face only: fits inside the IMX500 sensor",
            "as tinytracker, without the position: the sensor has only one input, with three channels",
            InputSpec(kind="face", width=112, height=112, channels="rgb", grid="none"), tinytracker,
        ),
        Preset(
            "tinytracker-s", "small network: 96x96 grey face, constant position planes, for microcontrollers",
            "Ruegg et al. (arXiv 2308.12313) and the published TinyTrackerS.tflite",
            InputSpec(kind="face", width=96, height=96, channels="grey", grid="baked"), tinytracker_s,
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
            finder, FinderOutput(),
        ),
        Preset(
            "tinytracker-s-grey", "small network on the face only: maps completely to the Coral Edge TPU",
            "as tinytracker-s, without the position: constant planes concatenated to the image do not map",
            InputSpec(kind="face", width=96, height=96, channels="grey", grid="none"), tinytracker_s,
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
            InputSpec(kind="itracker", width=224, height=224, channels="rgb", grid="input"), itracker,
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
