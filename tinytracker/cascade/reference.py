"""What a board must answer to a sequence: gate, networks and steering in Python, with the reference kernels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.answer import read_aim
from tinytracker.aim.controller import State
from tinytracker.aim.cutting import cut
from tinytracker.aim.finding import read_finder
from tinytracker.aim.region import Region
from tinytracker.cascade import flow
from tinytracker.cascade.device import Cascade
from tinytracker.cascade.judge import SEGMENTS, Judge, limit_of
from tinytracker.cascade.networks import require_aim
from tinytracker.cascade.presence import Presence
from tinytracker.cascade.rule import GateSettings
from tinytracker.cascade.simulation import BY_BIG, BY_LITTLE, REUSED
from tinytracker.cascade.thresholds import ALWAYS_LOOK, Thresholds
from tinytracker.errors import MissingDependencyError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.contract import IoContract
from tinytracker.quant.finder import reference_finder
from tinytracker.quant.oracle import available_oracle
from tinytracker.requirements import install_hint

NOBODY = 3
"""What happened to a frame that was not looked at because nobody is there; beside `simulation.REUSED` and so on."""


@dataclass(frozen=True)
class Step:
    """One frame.

    Attributes:
        region: of the frame. state, has_eyes: of the controller after it.
        path: `REUSED`, `BY_LITTLE` or `BY_BIG` of `cascade.simulation`, or `NOBODY`.
        output: Big's, packed; if it did not run, that of an earlier frame.
        answered_width: of the region that this output is to, 1/16 px; 0 before the first.
    """

    region: Region
    state: State
    has_eyes: bool
    path: int
    output: bytes
    answered_width: int = field(default=0, compare=False)


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

    Raises:
        as `follow_board`.
    """
    return follow_board(model, frames, Thresholds(gate, ALWAYS_LOOK, limit_of(moved_cm)), little)


def follow_board(
    model: bytes,
    frames: NDArray[np.uint8],
    thresholds: Thresholds,
    little: bytes | None = None,
    finder: bytes | None = None,
) -> list[Step]:
    """Run what a board with a gate runs (deploy/common/tt_gated.c), one frame after the other.

    Args:
        model: content of the .tflite file.
        frames: (N, H, W, 3), RGB.
        thresholds: of the board.
        little: content of a second .tflite file that looks first, or None.
        finder: content of the finder's .tflite file; None to search without one.

    Raises:
        ModelError: a network has no aim, or the finder is not one.
        MissingDependencyError: no reference kernels are installed.
    """
    height, width = frames.shape[1:3]
    cascade, presence = Cascade(width, height, thresholds.gate), Presence(thresholds.presence)
    big, small = _Network(model), None if little is None else _Network(little)
    look = None if finder is None else reference_finder(finder)
    judge, controller = Judge(thresholds.moved), cascade.steering.controller
    steps, output, answered = list[Step](), bytes(big.output_bytes), 0
    for frame in frames:
        path = NOBODY
        if presence.looks(following=controller.state == State.FOLLOWING):
            if look is not None and controller.wants_finder:
                controller.found(read_finder(look(frame), width, height))
            path = REUSED
        region = cascade.region
        if path == REUSED and cascade.look(flow.grey_strip(frame, region)):
            path, codes = BY_LITTLE, None if small is None else small.look(frame, region)
            if codes is None or judge.wants_big(codes.tolist()):
                path, codes, answered = BY_BIG, big.look(frame, region), region.width
                output = big.packed
            cascade.answered(read_aim(codes[2 * SEGMENTS :]))
        elif path == REUSED:
            cascade.kept()
        steps.append(Step(region, controller.state, controller.has_eyes, path, output, answered))
    return steps


class _Network:
    """A network with the reference kernels: a part of a frame in, codes out.

    Attributes:
        packed: the last output, as the network stores it.
    """

    def __init__(self, model: bytes) -> None:
        require_aim(read_tflite(model))
        oracle = available_oracle(model)
        if oracle is None:
            raise MissingDependencyError("reference kernels", "comparing a board's answers", install_hint())
        self._oracle = oracle
        self._contract = IoContract.of(read_tflite(model))
        self._output = self._contract.outputs[0]
        self.packed = b""

    @property
    def output_bytes(self) -> int:
        return int(np.prod(self._output.shape))

    def look(self, frame: NDArray[np.uint8], region: Region) -> NDArray[np.int64]:
        """Return all codes, 0 to 255."""
        _, rows, columns, channels = self._contract.inputs[0].shape
        image = {self._contract.inputs[0].name: cut(frame, region.box, columns, rows, channels)[None]}
        raw = self._oracle.run(self._contract.encode_all(image))[0].reshape(-1)
        self.packed = raw.tobytes()
        codes: NDArray[np.int64] = raw.astype(np.int64) - self._output.zero_point
        return codes
