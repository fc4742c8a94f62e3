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
from tinytracker.cascade.rule import GateSettings
from tinytracker.interpreters import ReferenceInterpreter
from tinytracker.model.tflite_file import read_tflite

_SIGN = 128


@dataclass(frozen=True)
class Step:
    """One frame.

    Attributes:
        region: of the frame. state, has_eyes: of the controller after it. ran: whether the network ran on it.
        output: of the network, packed; if it did not run, that of an earlier frame.
    """

    region: Region
    state: State
    has_eyes: bool
    ran: bool
    output: bytes


def follow(model: bytes, frames: NDArray[np.uint8], gate: GateSettings) -> list[Step]:
    """Run a network that aims behind a gate, one frame after the other as a board without delay does.

    Args:
        model: content of the .tflite file.
        frames: (N, H, W, 3), RGB.
        gate: thresholds.
    """
    network, (shape,) = ReferenceInterpreter(model), [t.shape for t in read_tflite(model).input_tensors()]
    cascade, steps = Cascade(frames.shape[2], frames.shape[1], gate), list[Step]()
    output = bytes(read_tflite(model).output_tensors()[0].shape[-1])
    for frame in frames:
        region = cascade.region
        ran = cascade.look(flow.grey_strip(frame, region))
        if ran:
            picture = cut(frame, region.box, shape[2], shape[1], shape[3]).astype(np.int16) - _SIGN
            (answer,) = network.run([picture.astype(np.int8)[None, None]])
            output = answer.tobytes()
            codes = np.frombuffer(output, np.int8).astype(np.int64) + _SIGN
            cascade.answered(read_aim(codes[-code_count(AIM) :]))
        else:
            cascade.kept()
        controller = cascade.steering.controller
        steps.append(Step(region, controller.state, controller.has_eyes, ran, output))
    return steps
