"""A measurement: from a board on a link to a session file."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from tinytracker.errors import DeviceError, TinyTrackerError, UnpluggedError, UsageError
from tinytracker.files import StrPath
from tinytracker.measure.board import Board, tensors_as_json
from tinytracker.measure.following import FRAME_PX, REFERENCE_PX, aim_numbers
from tinytracker.measure.frame import Exchange, Frame, FrameEvent, RawBytes
from tinytracker.measure.gated import GATE, gate_numbers
from tinytracker.measure.host_clock import now_ns
from tinytracker.measure.images import IMAGE, TestImages
from tinytracker.measure.marks import Marker
from tinytracker.measure.protocol import Damaged, Lost
from tinytracker.measure.session import (
    IS_EXACT,
    RUNS_BETWEEN_FRAMES,
    STAMPS_ARE_HOST,
    EndReason,
    Header,
    SessionWriter,
    host_description,
)
from tinytracker.measure.statistics import WARM_UP
from tinytracker.measure.stretches import Stretch
from tinytracker.progress import bar, say
from tinytracker.words import counted

COMPUTER = "computer"
"""Key of a session's metadata: what `DescribedSource` says."""

_EXCHANGES_AT_ENDS = 16
_EXCHANGES_BETWEEN = 4
_SEQUENCE_BATCH = 25
"""Frames of a sequence after which the board is asked for its time again."""

_BATCH = 250
"""Frames after which a camera board is asked for its time again."""


class Source(Protocol):
    """A source of frames to measure: a `Link`, or a camera with its network inside."""

    board: Board

    def exchange(self) -> Exchange:
        """Ask the time."""
        ...

    def load(self, image: bytes) -> None:
        """Set the image of the next frames."""
        ...

    def frames(self, count: int) -> Generator[FrameEvent, None, None]:
        """Run frames."""
        ...

    def take_raw(self) -> list[RawBytes]:
        """What went over the line since the last call."""
        ...

    def stop(self) -> None:
        """End frames that run; never fails."""
        ...

    def reconnect(self) -> bool:
        """Wait for a board that was unplugged; whether it is back."""
        ...


@runtime_checkable
class BurstSource(Protocol):
    """A source that can run many inferences back to back in a frame."""

    def bursts(self, count: int, inferences: int) -> Generator[FrameEvent, None, None]:
        """Run frames with so many inferences in each."""
        ...


@runtime_checkable
class LateSource(Protocol):
    """A source that keeps the frames that arrive after it was stopped."""

    def take_late(self) -> list[FrameEvent]:
        """What arrived behind the last stop, once."""
        ...


@runtime_checkable
class SearchingSource(Protocol):
    """A source that aims, and can begin its search anew."""

    def search(self) -> None:
        """Forget where the eyes were."""
        ...


@runtime_checkable
class DescribedSource(Protocol):
    """A source that says more about itself than a board does, for the session's header."""

    description: dict[str, Any]


@dataclass(frozen=True)
class Measurement:
    """A summary of the measurement.

    Attributes:
        path: of the session.
        end: as in the session's last line.
        frames, lost, damaged: counts, warm-up included.
        error: why it ended early, or None.
    """

    path: Path
    end: EndReason
    frames: int
    lost: int
    damaged: int
    error: TinyTrackerError | None


def measure(
    source: Source,
    out: StrPath,
    frames: int,
    *,
    warmup: int = WARM_UP,
    burst: int = 1,
    images: TestImages | None = None,
    metadata: dict[str, Any] | None = None,
    stretches: Sequence[Stretch] = (),
    marker: Marker | None = None,
    afterwards: Callable[[], None] | None = None,
) -> Measurement:
    """Run frames and write everything that comes back into a session.

    When a board is disconnected or fails, or on Ctrl-C, the session is complete with what was measured until then.

    Args:
        source: the board.
        out: session file; must not exist.
        frames: how many, after the warm-up.
        warmup: first frames that do not count.
        burst: inferences in each frame, back to back.
        images: for a board that takes images from the host; each gets an equal share of the frames.
        metadata: for the session's header.
        stretches: baselines that were recorded before.
        marker: its steps, including those made before, are written to the session.
        afterwards: called after the last frame, while the session is open.

    Raises:
        UsageError: the board needs images and there are none, or it does not support bursts.
        OutputError: the session cannot be written.
    """
    out = Path(out)
    board = source.board
    if board.source == "loaded" and not images:
        raise UsageError("This board takes its images from the host, and none were given.", "Give --images.")
    if burst > 1 and not isinstance(source, BurstSource):
        raise UsageError(
            f"{board.name} runs one inference per frame, not {burst}.", "Omit --burst for this target."
        )
    if board.source == "camera":
        images = None
    total = frames + warmup
    described = dict(metadata or {}) | ({} if images is None else {"images": images.as_json()})
    if isinstance(source, DescribedSource):
        described[COMPUTER] = source.description
    end: EndReason = "done"
    error: TinyTrackerError | None = None
    with SessionWriter(out, header_of(board, warmup, described, burst)) as writer:
        run = _Run(source, writer, images, burst, marker)
        for stretch in stretches:
            writer.stretch(stretch)
        try:
            with bar(f"measure {board.name}", total, "frames") as advance:
                run.all(total, advance)
            if afterwards is not None:
                afterwards()
        except KeyboardInterrupt:
            end = "stopped"
            run.late()
        except DeviceError as gone:
            end, error = ("unplugged" if isinstance(gone, UnpluggedError) else "failed"), gone
            writer.note(str(gone))
        if end == "done" and not writer.frames:
            error = DeviceError(
                board.name,
                f"no frame arrived, {writer.lost} lost, {counted(writer.damaged, 'damaged record')}",
                "Check the settings of the line (baud rate, no translation of bytes). The session holds what arrived.",
            )
            end = "failed"
            writer.note(str(error))
        run.keep_raw()
        writer.end(end)
    return Measurement(out, end, writer.frames, writer.lost, writer.damaged, error)


def header_of(board: Board, warmup: int, metadata: dict[str, Any], burst: int = 1) -> Header:
    """First line of a session of this board."""
    return Header(
        source="emulated" if board.is_emulated else "hardware",
        board={
            "name": board.name,
            "build": board.build,
            "protocol": board.protocol,
            "source": board.source,
            STAMPS_ARE_HOST: board.stamps_are_host,
            RUNS_BETWEEN_FRAMES: board.runs_between_frames,
            **({} if board.is_exact else {IS_EXACT: False}),
            **(
                {}
                if board.frame_px is None
                else {FRAME_PX: list(board.frame_px), REFERENCE_PX: board.reference_px}
            ),
            **({} if board.gate is None else {GATE: board.gate.as_json()}),
        },
        model={"sha256": board.model_sha256},
        phases=board.phases,
        ticks_per_s=board.ticks_per_s,
        clock="emulated" if board.is_emulated else "device",
        inputs=tensors_as_json(board.io.inputs),
        outputs=tensors_as_json(board.io.outputs),
        warmup=warmup,
        burst=burst,
        host=host_description(),
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        metadata=metadata,
    )


class _Run:
    """Frames in portions, with clock exchanges around them."""

    def __init__(
        self,
        source: Source,
        writer: SessionWriter,
        images: TestImages | None,
        burst: int,
        marker: Marker | None,
    ) -> None:
        self._marker = marker
        self._source = source
        self._writer = writer
        self._images = images
        self._burst = burst
        self._last: int | None = None
        self._extra: dict[str, float] | None = None

    def all(self, total: int, advance: Any) -> None:
        self._exchanges(_EXCHANGES_AT_ENDS)
        for portion, (number, count) in enumerate(_portions(total, self._images)):
            if portion > 0:
                self._writer.pause(self._last)
            if portion > 0 and (count > 1 or portion % _SEQUENCE_BATCH == 0):
                self._exchanges(_EXCHANGES_BETWEEN)
            self._frames(number, count, advance)
        self._exchanges(_EXCHANGES_AT_ENDS)

    def keep_raw(self) -> None:
        for piece in self._source.take_raw():
            self._writer.raw(piece.direction, piece.data, piece.host_ns)
        for mark in () if self._marker is None else self._marker.take():
            self._writer.mark(mark)

    def _exchanges(self, count: int) -> None:
        for _ in range(count):
            e = self._source.exchange()
            self.keep_raw()  # before what was read from it: a session that is cut off has all its bytes
            self._writer.exchange(e.sent_ns, e.received_ticks, e.answered_ticks, e.arrived_ns)

    def _frames(self, number: int, count: int, advance: Any) -> None:
        """A portion; a board that reconnects within ten seconds resumes it, and the gap is recorded."""
        done = 0

        def counted(frames: int, trouble: str) -> None:
            nonlocal done
            done += frames
            advance(frames, trouble)

        while done < count:
            try:
                if self._images is not None:
                    self._source.load(self._images.packed[number])
                    if self._images.is_sequence and number == 0 and isinstance(self._source, SearchingSource):
                        self._source.search()
                self._portion(number, count - done, counted)
                return
            except UnpluggedError as gone:
                began = now_ns()
                self.keep_raw()
                say(f"{gone} Waiting for it to reconnect.")
                if not self._source.reconnect():
                    raise
                self.keep_raw()
                self._writer.gap(self._last, began, now_ns())
                self._exchanges(_EXCHANGES_AT_ENDS)

    def _events(self, count: int) -> Generator[FrameEvent, None, None]:
        if self._burst > 1 and isinstance(self._source, BurstSource):
            return self._source.bursts(count, self._burst)
        return self._source.frames(count)

    def _portion(self, number: int, count: int, advance: Any) -> None:
        self._extra = None if self._images is None else {IMAGE: number}
        with closing(self._events(count)) as events:
            for event in events:
                self.keep_raw()
                self._write(event)
                done = event.count if isinstance(event, Lost) else int(isinstance(event, Frame))
                advance(done, _trouble(self._writer))

    def late(self) -> None:
        """Write the frames that were on their way when Ctrl-C came: the board ran them, and a meter saw them."""
        if isinstance(self._source, LateSource):
            self.keep_raw()
            for event in self._source.take_late():
                self._write(event)

    def _write(self, event: FrameEvent) -> None:
        writer = self._writer
        if isinstance(event, Frame):
            self._last = event.sequence
            gate = gate_numbers(event.gated, self._source.board.ticks_per_s)
            numbers = {**(self._extra or {}), **(event.extra or {}), **aim_numbers(event.aim), **gate}
            writer.frame(event.sequence, event.stamps, event.outputs, event.host_ns, numbers or None)
        elif isinstance(event, Lost):
            writer.lose(event.count, event.after)
        elif isinstance(event, Damaged):
            writer.damage(event.reason, event.text, event.host_ns)


def _portions(total: int, images: TestImages | None) -> Sequence[tuple[int, int]]:
    """Number of the image, and of the frames.

    An equal share for each image; each frame of a sequence once and again; or batches, between which the board is asked
    for its time.
    """
    if images is None:
        return [(0, min(_BATCH, total - at)) for at in range(0, total, _BATCH)]
    if images.is_sequence:
        return [(k % len(images), 1) for k in range(total)]
    each, more = divmod(total, len(images))
    return [(k, share) for k in range(len(images)) if (share := each + (k < more)) > 0]


def _trouble(writer: SessionWriter) -> str:
    return f"{writer.lost} lost, {writer.damaged} damaged" if writer.lost or writer.damaged else ""
