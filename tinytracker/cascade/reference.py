"""What a board must answer to a sequence: gate, network and steering in Python, with the reference kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.answer import read_aim
from tinytracker.aim.controller import State
from tinytracker.aim.cutting import cut
from tinytracker.aim.layout import AIM, code_count
from tinytracker.aim.region import Region
from tinytracker.cascade import flow
from tinytracker.cascade.device import Cascade
from tinytracker.cascade.judge import SEGMENTS, Judge, limit_of
from tinytracker.cascade.rule import GateSettings
from tinytracker.cascade.simulation import BY_BIG, BY_LITTLE, REUSED
from tinytracker.interpreters import ReferenceInterpreter
from tinytracker.model.tflite_file import read_tflite

_SIGN = 128
_CODES = 2 * SEGMENTS + code_count(AIM)


@dataclass(frozen=True)
class Step:
    """One frame.

    Attributes:
        region: of the frame. state, has_eyes: of the controller after it.
        path: `REUSED`, `BY_LITTLE` or `BY_BIG` of `cascade.simulation`.
        output: Big's, packed; if it did not run, that of an earlier frame.
    """

    region: Region
    state: State
    has_eyes: bool
    path: int
    output: bytes


def follow(
    model: bytes,
    frames: NDArray[np.uint8],
    gate: GateSettings,
    little: bytes | None = None,
    moved_cm: float = 1.5,
) -> list[Step]:
    """Run a network that aims behind a gate, one frame after the other as a board without delay does.

    Args:
        model: content of the .tflite file.
        frames: (N, H, W, 3), RGB.
        gate: thresholds.
        little: content of a second .tflite file that looks first, or None.
        moved_cm: Big runs when Little's answer has moved by more since Big's last run, cm at the reference width.
    """
    big, small = _Network(model), None if little is None else _Network(little)
    judge = Judge(limit_of(moved_cm))
    cascade, steps, output = Cascade(frames.shape[2], frames.shape[1], gate), list[Step](), bytes(_CODES)
    for frame in frames:
        region, path = cascade.region, REUSED
        if cascade.look(flow.grey_strip(frame, region)):
            codes = None if small is None else small.look(frame, region)
            path = BY_LITTLE
            if codes is None or judge.wants_big(codes.tolist()):
                codes, path = big.look(frame, region), BY_BIG
                output = (codes - _SIGN).astype(np.int8).tobytes()
            cascade.answered(read_aim(codes[2 * SEGMENTS :]))
        else:
            cascade.kept()
        controller = cascade.steering.controller
        steps.append(Step(region, controller.state, controller.has_eyes, path, output))
    return steps


class _Network:
    """A network with the reference kernels: a part of a frame in, codes out."""

    def __init__(self, model: bytes) -> None:
        self._interpreter = ReferenceInterpreter(model)
        _, self._height, self._width, self._channels = read_tflite(model).input_tensors()[0].shape

    def look(self, frame: NDArray[np.uint8], region: Region) -> NDArray[np.int64]:
        """Return all codes, 0 to 255."""
        picture = cut(frame, region.box, self._width, self._height, self._channels).astype(np.int16) - _SIGN
        (answer,) = self._interpreter.run([picture.astype(np.int8)[None, None]])
        codes: NDArray[np.int64] = answer.reshape(-1).astype(np.int64) + _SIGN
        return codes
