"""How a gaze in cm becomes the codes of an INT8 output, finely enough.

A network is trained with two linear outputs in cm. Their range is that of all screens around the camera, 56 cm, and
the 255 steps of one INT8 code over it are 0.22 cm wide: rounding alone would cost 0.09 cm RMS. On a device each axis
is therefore split into segments. Segment k of n answers how much of its own part of the range lies below the gaze:

    u_k = relu6(6 (g - c_k) / w),   c_k = -LIMIT + k w,   w = 2 LIMIT / n
    g   = -LIMIT + w / 6 * sum_k u_k

Each u_k is the same linear function of the last hidden layer with another bias, cut off at both ends by an activation
that every target fuses into its dense layer. The output's range is [0, 6] whatever the data, so that its scale, and
with it the step w / 255, are known in advance. A trained network is turned into this form without training it again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.model.network import Network

LIMIT_CM = 28.0
"""Gaze lies in -28..28 cm on both axes: the screen of the largest tablet ends 27.3 cm from its camera."""

FULL_SCALE = 6.0
"""Where relu6 ends."""

OUTPUT_SCALE = FULL_SCALE / 255
"""Scale of an INT8 or UINT8 output of segments."""


@dataclass(frozen=True)
class GazeOutput:
    """What the last layer of a network becomes on a device.

    Attributes:
        segments: per axis; 1 leaves the two linear outputs as they are.
    """

    segments: int = 1

    @property
    def units(self) -> int:
        """Outputs of the device's network: all segments of x, then all of y."""
        return 2 * self.segments

    @property
    def width_cm(self) -> float:
        """Of one segment."""
        return 2 * LIMIT_CM / self.segments

    @property
    def starts_cm(self) -> NDArray[np.float64]:
        """Where each segment of an axis begins, (segments,)."""
        return -LIMIT_CM + self.width_cm * np.arange(self.segments)

    def expand(
        self, kernel: NDArray[np.float32], bias: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weights of the device's last layer from those of the trained one.

        Args:
            kernel: (hidden, 2), cm per unit of the hidden layer.
            bias: (2,) cm.

        Returns:
            (hidden, units) and (units,), to be followed by relu6; unchanged for one segment.
        """
        if self.segments == 1:
            return kernel, bias
        gain = FULL_SCALE / self.width_cm
        wide = np.repeat(kernel * gain, self.segments, axis=1)
        offsets = (bias[:, None].astype(np.float64) - self.starts_cm) * gain
        return wide.astype(np.float32), offsets.astype(np.float32).ravel()

    def on_device(self, network: Network) -> Network:
        """The network as a device runs it: the last node answers in segments."""
        if self.segments == 1:
            return network
        last = network.output
        device = Network(dict(list(network.nodes.items())[:-1]))
        device.dense(last.inputs[0], last.name, self.units, "relu6")
        return device
