"""The finder on this computer: where in a whole frame the eyes of the largest face are."""

from __future__ import annotations

import numpy as np

from tinytracker.aim.cutting import Box, cut
from tinytracker.aim.finding import Find, read_finder
from tinytracker.aim.layout import FINDER, FINDER_CELL_PX, FINDER_HEIGHT, FINDER_WIDTH
from tinytracker.arrays import Pixels
from tinytracker.errors import ModelError
from tinytracker.live.webcam_network import host_interpreter
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.contract import IoContract

_GRID = (FINDER_HEIGHT // FINDER_CELL_PX, FINDER_WIDTH // FINDER_CELL_PX, len(FINDER))


class Finder:
    """The INT8 finder: a grey view of the whole frame in, a grid of codes out.

    Args:
        content: of the .tflite file.
        name: for messages.

    Raises:
        ModelError: the network is not a finder.
        MissingDependencyError: nothing that can run it is installed.
    """

    def __init__(self, content: bytes, name: str) -> None:
        self._contract = IoContract.of(read_tflite(content, name))
        output = self._contract.outputs[0]
        if self._contract.inputs[0].frame_shape != (FINDER_HEIGHT, FINDER_WIDTH, 1) or (
            output.frame_shape != _GRID
        ):
            raise ModelError(f"{name}: this network is not a finder.", "Use one of the preset `finder`.")
        self._zero_point = output.zero_point
        self._interpreter = host_interpreter(content)

    def find(self, pixels: Pixels, view: Box, frame_width: int, frame_height: int) -> Find:
        """Return the strip of the largest face.

        Args:
            pixels: RGB (h, w, 3).
            view: what the finder sees (`aim.finding.view_box`), in px of `pixels`.
            frame_width: of the frame, px.
            frame_height: of the frame, px.
        """
        picture = cut(pixels, view, FINDER_WIDTH, FINDER_HEIGHT, 1)
        raw = self._interpreter.run(self._contract.encode_all({"image": picture[None]}))[0]
        codes = raw.reshape(_GRID).astype(np.int64) - self._zero_point
        return read_finder(codes, frame_width, frame_height)
