"""Gate, rule and steering together, as a board runs them on one frame after the other (deploy/common/tt_cascade.c)."""

from __future__ import annotations

import numpy as np

from tinytracker.aim.answer import AimAnswer
from tinytracker.aim.controller import AimSettings
from tinytracker.aim.region import Region
from tinytracker.arrays import Pixels
from tinytracker.cascade import flow
from tinytracker.cascade.counterturn import Counterturn
from tinytracker.cascade.rule import Gate, GateSettings
from tinytracker.cascade.steering import Steering


class Cascade:
    """Decides for each frame where to cut it and whether the network runs on it.

    For each frame: cut the gate's strip by `region`, `look` at it, then either run the network on the same region and
    pass its answer to `answered`, or call `kept`.

    Args:
        frame_width: px.
        frame_height: px.
        gate: thresholds.
        aim: settings of the controller, or None for its defaults.
    """

    def __init__(
        self, frame_width: int, frame_height: int, gate: GateSettings, aim: AimSettings | None = None
    ) -> None:
        self._steering, self._gate = Steering(frame_width, frame_height, aim), Gate(gate)
        self._counterturn = Counterturn()
        self._frame = 0
        self._strips: list[flow.Ints] = []
        self._before: Region | None = None
        self._head = np.zeros(4, np.int64)
        self._face: list[int] = []

    @property
    def region(self) -> Region:
        """Where to cut the next frame: both the gate's strip and the network's input."""
        return self._steering.region

    @property
    def steering(self) -> Steering:
        """The controller and what it is told."""
        return self._steering

    def look(self, strip: Pixels) -> bool:
        """Take the gate's strip of a frame, (32, 96) grey; returns whether the network must run on this frame."""
        self._strips = [*self._strips[-1:], flow.prepare(strip[None])]
        region, before, self._face = self.region, self._before, []
        self._before = region
        if self._steering.needs_network or before is None:
            self._head = np.zeros(4, np.int64)
            return self._gate.step(0, 0, 0, known=False)
        crop = np.array(flow.guess(before, region))
        moved = flow.motion(self._strips[0], self._strips[1], (crop + self._head)[None])
        if moved.lost[0]:
            self._head, self._face = np.zeros(4, np.int64), crop.tolist()
            return self._gate.step(0, 0, 0, known=False)
        self._face, self._head = moved.face[0].tolist(), moved.face[0] - crop
        x, y = self._counterturn.without(moved.eyes[0].tolist(), self._head.tolist())
        return self._gate.step(x, y, int(moved.misfit[0]))

    def answered(self, answer: AimAnswer) -> None:
        """Take the network's answer to this frame."""
        self._steering.seen(self._frame, answer, self.region)
        self._frame += 1

    def kept(self) -> None:
        """The network has not run on this frame: the face's movement steers the crop."""
        self._steering.moved(self._frame, self._face, self.region)
        self._frame += 1
