"""Keeps the crop on the eyes in frames without an inference: the face's movement stands in for the network's aim.

The gate registers each strip to the one before. Where the network has said once where the eyes are, that says where
they are now, so the controller of `tinytracker.aim` gets an answer for every frame. The network's own answers, when
they arrive, correct it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinytracker.aim.answer import AimAnswer
from tinytracker.aim.controller import AimSettings, Controller, State
from tinytracker.aim.fixed import divided
from tinytracker.aim.region import Region

KEPT = 16
"""Frames whose estimates are remembered: the longest latency of an inference."""

_PER_WIDTH = 6
"""Q8 px of the gate's strip per 1/4096 of its width: 96 × 256 / 4096."""


class Steering:
    """The controller with an answer in every frame.

    Args:
        frame_width: px.
        frame_height: px.
        settings: of the controller, or None for its defaults.
    """

    def __init__(self, frame_width: int, frame_height: int, settings: AimSettings | None = None) -> None:
        self.controller = Controller(frame_width, frame_height, settings or AimSettings())
        self._estimates: list[tuple[int, AimAnswer]] = []

    @property
    def region(self) -> Region:
        """The crop for the next frame."""
        return self.controller.region

    @property
    def needs_network(self) -> bool:
        """Whether only the network can say where the eyes are."""
        return self.controller.state != State.FOLLOWING or not self._estimates

    def seen(self, frame: int, answer: AimAnswer, region: Region) -> None:
        """Take the network's answer to the current frame."""
        self.controller.update(answer, region)
        self._estimates.append((frame, answer))
        del self._estimates[:-KEPT]
        if self.controller.state != State.FOLLOWING:
            self._estimates.clear()

    def moved(self, frame: int, face: Sequence[int], region: Region) -> None:
        """Take the face's movement since the frame before.

        Args:
            frame: number of the current frame.
            face: (4,) of `flow.Motion.face`, between strips that were cut by the two frames' regions.
            region: of the current frame.
        """
        self.seen(frame, carried(self._estimates[-1][1], face), region)

    def corrected(self, frame: int, answer: AimAnswer) -> None:
        """Take the network's answer to an earlier frame: what it differs by is added to the newest estimate."""
        for number, before in self._estimates:
            if number == frame:
                last, now = self._estimates[-1]
                self._estimates[-1] = (last, _shifted(now, before, answer))
                return


def carried(answer: AimAnswer, face: Sequence[int]) -> AimAnswer:
    """Return the answer that a later crop would get, if the face has moved by `face` between the two crops.

    Example:
        >>> carried(AimAnswer(0, 0, 0, 0, 8192), (96 * 256 // 4, 0, 0, 0)).dx  # a quarter of the width
        1024
    """
    right, down, grown, turned = (int(v) for v in face)
    return AimAnswer(
        answer.dx + divided(answer.dx * grown - answer.dy * turned, 1 << 14) + divided(right, _PER_WIDTH),
        answer.dy + divided(answer.dx * turned + answer.dy * grown, 1 << 14) + divided(down, _PER_WIDTH),
        answer.ln_scale + divided(grown, 4),
        answer.roll + divided(turned, 4),
        answer.presence,
    )


def _shifted(now: AimAnswer, before: AimAnswer, answer: AimAnswer) -> AimAnswer:
    return AimAnswer(
        now.dx + answer.dx - before.dx,
        now.dy + answer.dy - before.dy,
        now.ln_scale + answer.ln_scale - before.ln_scale,
        now.roll + answer.roll - before.roll,
        answer.presence,
    )
