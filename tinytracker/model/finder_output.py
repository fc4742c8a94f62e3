"""Output of the finder: for each cell of a grid over the frame, whether the strip's centre is there, and where.

In training the last layer answers the numbers of `tinytracker.aim.layout.FINDER` themselves. On a device each becomes
one code of a fixed range, as for gaze and aim, so that its step is known in advance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.layout import FINDER, FINDER_CELL_PX, FINDER_HEIGHT, FINDER_WIDTH, expand
from tinytracker.model.network import Network

CELLS_NODE = "cells"
"""The last node of a finder."""

GRID = (FINDER_HEIGHT // FINDER_CELL_PX, FINDER_WIDTH // FINDER_CELL_PX)
"""Rows and columns of the finder's cells."""


@dataclass(frozen=True)
class FinderOutput:
    """The form of a finder's last layer on a device: a 1x1 convolution, one code per number."""

    aim: bool = False
    segments: int = len(FINDER)

    @property
    def units(self) -> int:
        """Channels of a cell."""
        return len(FINDER)

    @property
    def trained_units(self) -> int:
        """Channels of a cell in training."""
        return len(FINDER)

    def on_device(self, network: Network) -> Network:
        """Return the network as a device runs it: the last node outputs codes."""
        last = network.output
        device = Network(dict(list(network.nodes.items())[:-1]))
        device.conv(last.inputs[0], last.name, self.units, norm=False, activation="relu6")
        return device

    def expand_layers(
        self, layers: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
    ) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Compute the weights of the device's last layer from those of the trained one.

        Args:
            layers: kernel (1, 1, channels, 4) and bias (4,) of the last node, by its name.
        """
        result = {}
        for name, (kernel, bias) in layers.items():
            wide, offset = expand(FINDER, kernel.reshape(-1, len(FINDER)), bias)
            result[name] = (wide.reshape(kernel.shape), offset)
        return result
