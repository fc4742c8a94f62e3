"""Frames for the live view: from a board in real time, or from a session at the pace of its recording."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from tinytracker.aim.controller import State
from tinytracker.errors import UsageError
from tinytracker.measure.board import Board
from tinytracker.measure.following import following
from tinytracker.measure.frame import Frame
from tinytracker.measure.images import TestImages
from tinytracker.measure.measurement import SearchingSource, Source
from tinytracker.measure.pictures import Picture, picture_of
from tinytracker.measure.protocol import REGION_STEPS, Aimed, Lost
from tinytracker.measure.results import session_gaze
from tinytracker.measure.session_reader import Session

Point = tuple[float, float]

LONGEST_PAUSE_S = 1.0
"""A replay does not wait longer than this for a frame: nobody wants to watch pauses in a recording."""

_BATCH = 10_000


@dataclass(frozen=True)
class LiveFrame:
    """One frame to show.

    Attributes:
        sequence: number of the frame on its board.
        gaze_cm: as the network answered, or None.
        phases_ms: duration of each phase on the device.
        true_cm: where the person in the image looked, when that is known.
        lost: frames missing before this one.
        picture: of a camera on this computer, when there is a new one; or the whole frame that was sent to a board that
            aims.
        aim: of a board that aims: its state, and whether there were eyes.
        region: of such a board: what the network saw, as in the record.
    """

    sequence: int
    gaze_cm: Point | None
    phases_ms: tuple[float, ...]
    true_cm: Point | None = None
    lost: int = 0
    picture: Picture | None = None
    aim: Aim | None = None
    region: Aimed | None = None


@dataclass(frozen=True)
class Aim:
    """What a board's aim did with a frame.

    Attributes:
        state: "searching", "following" or "lost".
        has_eyes: whether there were eyes in the region; without them there is no gaze.
    """

    state: str
    has_eyes: bool

    @classmethod
    def of(cls, state: int, has_eyes: bool) -> Aim | None:
        """Return it from a record's numbers; None for a state that is not known."""
        return cls(State(state).name.lower(), has_eyes) if state in list(State) else None


@runtime_checkable
class _Pictured(Protocol):
    """A source whose camera is on this computer."""

    def take_picture(self) -> Picture | None:
        """The newest picture, once."""
        ...


def frames_of_session(
    session: Session, speed: float = 1.0, sleep: Callable[[float], None] = time.sleep, repeat: bool = True
) -> Generator[LiveFrame, None, None]:
    """The frames of a session again and again, spaced as they arrived.

    Args:
        session: what was recorded.
        speed: 2 is twice as fast.
        sleep: waits so many seconds.
        repeat: begin again at the end.

    Raises:
        UsageError: it has no frames.
        ModelError: its outputs cannot be decoded.
    """
    if not len(session):
        raise UsageError(f"{session.path}: the session has no frames.", "Measure again.")
    gaze = [None if x != x else (float(x), float(y)) for x, y in session_gaze(session)]  # NaN is not itself
    scale = 1e3 / session.header.ticks_per_s
    aimed = following(session)
    for _ in itertools.count() if repeat else range(1):
        before = None
        for k in range(len(session)):
            if before is not None:
                pause_s = max(int(session.host_ns[k]) - before, 0) / 1e9
                sleep(min(pause_s, LONGEST_PAUSE_S) / speed)
            missing = 0 if k == 0 else int(session.sequence[k] - session.sequence[k - 1]) - 1
            before = int(session.host_ns[k])
            steps = (session.stamps[k, 1:] - session.stamps[k, :-1]) * scale
            aim = None if aimed is None else Aim.of(int(aimed.state[k]), bool(aimed.has_eyes[k]))
            yield LiveFrame(
                int(session.sequence[k]),
                gaze[k],
                tuple(float(s) for s in steps),
                lost=max(missing, 0),
                aim=aim,
            )
        sleep(LONGEST_PAUSE_S / speed)


def frames_of_board(
    source: Source, images: TestImages | None = None, truth: Sequence[Point] | None = None
) -> Generator[LiveFrame, None, None]:
    """Frames of a board until the caller stops.

    Args:
        source: the board.
        images: for a board that takes images from the host; shown one after the other.
        truth: where the person in each image looked, cm.

    Raises:
        UsageError: the board needs images and there are none.
        DeviceError: it fails or is disconnected.
    """
    if source.board.source == "camera":
        while True:
            yield from _batch(source, _BATCH)
    if not images:
        raise UsageError("This board takes its images from the host, and none were given.", "Give --images.")
    for k in itertools.cycle(range(len(images))):
        source.load(images.packed[k])
        if k == 0 and images.is_sequence and isinstance(source, SearchingSource):
            source.search()
        cm = images.cm_per_unit[k] if images.cm_per_unit else 1.0
        for frame in _batch(source, 1, None if truth is None else truth[k], cm):
            yield replace(frame, picture=_sent(source.board, images.packed[k], frame.region))


def _sent(board: Board, packed: bytes, aim: Aimed | None) -> Picture | None:
    """The whole frame that was sent, with the region that the board cut; None when it was the network's input."""
    if aim is None or board.frame_px is None:
        return None
    width, height = board.frame_px
    pixels = np.frombuffer(packed, np.uint8).reshape(height, width, -1)
    x, y, across = aim.x / REGION_STEPS, aim.y / REGION_STEPS, aim.width / REGION_STEPS
    region = (x - across / 2, y - across / 6, across, across / 3)
    return picture_of(np.broadcast_to(pixels, (height, width, 3)), region)


def _batch(
    source: Source, count: int, true_cm: Point | None = None, cm_per_unit: float = 1.0
) -> Generator[LiveFrame, None, None]:
    scale = 1e3 / source.board.ticks_per_s
    lost = 0
    pictured = source if isinstance(source, _Pictured) else None
    with closing(source.frames(count)) as events:
        for event in events:
            if isinstance(event, Frame):
                steps = tuple((b - a) * scale for a, b in zip(event.stamps, event.stamps[1:], strict=False))
                gaze = event.gaze_cm and (cm_per_unit * event.gaze_cm[0], cm_per_unit * event.gaze_cm[1])
                picture = None if pictured is None else pictured.take_picture()
                aim = None if event.aim is None else Aim.of(event.aim.state, event.aim.has_eyes)
                yield LiveFrame(event.sequence, gaze, steps, true_cm, lost, picture, aim, event.aim)
                lost = 0
            elif isinstance(event, Lost):
                lost += event.count
