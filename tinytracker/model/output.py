"""Segmented output: gaze in cm as INT8 codes with small steps.

A network is trained with two linear outputs in cm. Their range covers all screens around the camera, 56 cm, so one of
the 255 steps of an INT8 code would be 0.22 cm wide: rounding alone would cost 0.09 cm RMS. On a device each axis is
therefore split into segments. Segment k of n outputs how much of its own part of the range lies below the gaze:

    u_k = relu6(6 (g - c_k) / w),   c_k = -LIMIT + k w,   w = 2 LIMIT / n
    g   = -LIMIT + w / 6 * sum_k u_k

Each u_k is the same linear function of the last hidden layer with a different bias, clipped at both ends by an
activation that every target fuses into its dense layer. The output's range is [0, 6] for all data, so its scale, and
with it the step w / 255, is known in advance. A trained network is converted to this form without further training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.model.network import Network

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
    """

    segments: int = 1

    @property
    def units(self) -> int:
        """Number of outputs of the device's network: all segments of x, then all of y."""
        return 2 * self.segments

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
        """Compute the weights of the device's last layer from those of the trained one.

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
        """Return the network as a device runs it: the last node outputs segments."""
        if self.segments == 1:
            return network
        last = network.output
        device = Network(dict(list(network.nodes.items())[:-1]))
        device.dense(last.inputs[0], last.name, self.units, "relu6")
        return device
