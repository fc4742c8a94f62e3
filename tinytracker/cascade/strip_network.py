"""An INT8 network with an aim: a part of a frame in, gaze and aim out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.answer import AimAnswer, read_aim
from tinytracker.aim.cutting import cut
from tinytracker.aim.layout import AIM, Part, code_count, decode
from tinytracker.aim.region import Region
from tinytracker.arrays import Floats, Pixels
from tinytracker.errors import ModelError
from tinytracker.interpreters import DefaultInterpreter
from tinytracker.model.output import LIMIT_CM
from tinytracker.model.tflite_file import read_tflite

SEGMENTS = 8
_GAZE = tuple(Part(axis, SEGMENTS, -LIMIT_CM, LIMIT_CM) for axis in "xy")
_SIGN = 128


class StripNetwork:
    """An INT8 network with an aim that sees strips.

    Args:
        model: content of the .tflite file.
        name: for messages.

    Raises:
        ModelError: its input is not one strip, or its output has no aim.
    """

    def __init__(self, model: bytes, name: str) -> None:
        parsed = read_tflite(model, name)
        inputs, outputs = parsed.input_tensors(), parsed.output_tensors()
        shape = inputs[0].shape
        codes = 2 * SEGMENTS + code_count(AIM)
        if len(inputs) != 1 or len(shape) != 4 or shape[3] not in (1, 3) or outputs[0].shape[-1] != codes:
            raise ModelError(
                f"{name}: this is not a network that sees a strip and aims.",
                "Use a network of the presets tinytracker-v2-aim and tinytracker-s2-aim.",
            )
        _, self.height, self.width, self.channels = shape
        self._interpreter = DefaultInterpreter(model)

    def input(self, frame: Pixels, region: Region) -> NDArray[np.int8]:
        """Return the network's input for a region of a frame, (height, width, channels)."""
        codes = cut(frame, region.box, self.width, self.height, self.channels)
        return (codes.astype(np.int16) - _SIGN).astype(np.int8)

    def look(self, inputs: Sequence[NDArray[np.int8]]) -> tuple[Floats, list[AimAnswer]]:
        """Return gaze (n, 2) in cm of a crop of the reference width, and the aims."""
        (raw,) = self._interpreter.run([np.stack(inputs)[:, None]])
        codes = raw.reshape(len(inputs), -1).astype(np.int64) + _SIGN
        return decode(_GAZE, codes[:, : 2 * SEGMENTS]), [read_aim(c[2 * SEGMENTS :]) for c in codes]
