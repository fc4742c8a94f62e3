"""Segmented output: gaze in cm as INT8 codes with small steps.

A network is trained with two linear outputs in cm. Their range covers all screens around the camera, 56 cm, so one of
the 255 steps of an INT8 code would be 0.22 cm wide: rounding alone would cost 0.09 cm RMS. On a device each axis is
therefore split into segments. Segment k of n outputs how much of its own part of the range lies below the gaze:

    u_k = relu6(6 (g - c_k) / w),   c_k = -LIMIT + k w,   w = 2 LIMIT / n
    g   = -LIMIT + w / 6 * sum_k u_k

Each u_k is the same linear function of the last hidden layer with a different bias, clipped at both ends by an
activation that every target fuses into its dense layer. The output's range is [0, 6] for all data, so its scale, and
with it the step w / 255, is known in advance. A trained network is converted to this form without further training.

A network with an aim (`tinytracker.aim.layout`) is trained with five more linear outputs, which say where the eyes are.
On a device they become 24 codes of the same range, so that gaze and aim can share one output tensor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.layout import AIM, code_count
from tinytracker.aim.layout import expand as expand_aim
from tinytracker.model.network import Network

GAZE_NODE, AIM_NODE, ANSWER_NODE = "gaze", "aim", "answer"
"""Nodes of a network with an aim: its two last layers, and their concatenation, which is the output."""

AIM_CODES = code_count(AIM)
"""Codes of the aim behind those of the gaze."""

LIMIT_CM = 28.0
"""Gaze is limited to -28..28 cm on both axes: the screen of the largest tablet ends 27.3 cm from its camera."""

FULL_SCALE = 6.0
"""Upper limit of relu6."""

OUTPUT_SCALE = FULL_SCALE / 255
"""Scale of an INT8 or UINT8 segmented output."""


@dataclass(frozen=True)
class GazeOutput:
    """The form of a network's last layer on a device.

    Attributes:
        segments: number per axis; 1 keeps the two linear outputs.
        aim: whether the codes of the aim follow; needs segments.
    """

    segments: int = 1
    aim: bool = False

    @property
    def units(self) -> int:
        """Number of outputs of the device's network: all segments of x, all of y, then the codes of the aim."""
        return self.gaze_units + (AIM_CODES if self.aim else 0)

    @property
    def gaze_units(self) -> int:
        """Number of outputs that belong to the gaze."""
        return 2 * self.segments

    @property
    def trained_units(self) -> int:
        """Number of outputs of the network in training: x, y and the numbers of the aim."""
        return 2 + (len(AIM) if self.aim else 0)

    @property
    def width_cm(self) -> float:
        """Width of one segment, cm."""
        return 2 * LIMIT_CM / self.segments

    @property
    def starts_cm(self) -> NDArray[np.float64]:
        """Return the start of each segment of an axis, (segments,)."""
        return -LIMIT_CM + self.width_cm * np.arange(self.segments)

    def expand(
        self, kernel: NDArray[np.float32], bias: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Compute the weights of the device's last layer of the gaze from those of the trained one.

        Args:
            kernel: (hidden, 2), cm per unit of the hidden layer.
            bias: (2,) cm.

        Returns:
            (hidden, gaze_units) and (gaze_units,), to be followed by relu6; unchanged for one segment.
        """
        if self.segments == 1:
            return kernel, bias
        gain = FULL_SCALE / self.width_cm
        wide = np.repeat(kernel * gain, self.segments, axis=1)
        offsets = (bias[:, None].astype(np.float64) - self.starts_cm) * gain
        return wide.astype(np.float32), offsets.astype(np.float32).ravel()

    def on_device(self, network: Network) -> Network:
        """Return the network as a device runs it: the last node outputs segments."""
        if self.segments == 1:
            return network
        last = network.output
        if not self.aim:
            device = Network(dict(list(network.nodes.items())[:-1]))
            device.dense(last.inputs[0], last.name, self.units, "relu6")
            return device
        device = Network({n: node for n, node in network.nodes.items() if n not in (*last.inputs, last.name)})
        for name, units in ((GAZE_NODE, self.gaze_units), (AIM_NODE, AIM_CODES)):
            device.dense(network.nodes[name].inputs[0], name, units, "relu6")
        device.concat((GAZE_NODE, AIM_NODE), last.name)
        return device

    def expand_layers(
        self, layers: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
    ) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Compute the weights of the device's last layers from those of the trained ones.

        Args:
            layers: kernel and bias by node: of the last node, or of the gaze and the aim.

        Returns:
            The same with a column per code; unchanged for one segment.
        """
        if self.segments == 1:
            return dict(layers)
        return {
            name: expand_aim(AIM, kernel, bias)
            if self.aim and name == AIM_NODE
            else self.expand(kernel, bias)
            for name, (kernel, bias) in layers.items()
        }


def last_layers(network: Network) -> tuple[str, ...]:
    """Return the nodes with the weights of the output: the last one, or those of the gaze and the aim."""
    last = network.output
    return last.inputs if last.op == "concat" else (last.name,)
