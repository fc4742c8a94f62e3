"""A recording while it grows, and the file that it becomes: a saved session as Nordic's Power Profiler writes it."""

from __future__ import annotations

import json
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import OutputError
from tinytracker.files import writing
from tinytracker.measure.ppk2 import RATE_HZ
from tinytracker.measure.ppk2.calibration import SOURCE_METER, Calibration, SpikeFilter, amperes
from tinytracker.measure.ppk2.timeline import Jump, Timeline, timeline
from tinytracker.measure.ppk2.words import Words, WordStream, lines_of, range_of

FRAME = np.dtype([("current", "<f4"), ("bits", "<u2")])
_FORMAT_VERSION = 2
_BLOCK = 1 << 20
_LOW, _HIGH = 1, 2


@dataclass(frozen=True)
class Summary:
    """What was recorded.

    Attributes:
        samples: places in the file. lost: how many of them have no sample. timeline: how that was determined.
    """

    samples: int
    lost: int
    timeline: Timeline


class Recording:
    """Words on the disk, places of jumps and arrivals in memory.

    Args:
        calibration: of the meter.
        folder: for temporary files, 24 MB a minute.
    """

    def __init__(self, calibration: Calibration, folder: Path) -> None:
        self._calibration = calibration
        self._stream = WordStream()
        self._raw: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115, `save` closes it
        self._jumps: list[Jump] = []
        self._received: list[int] = []
        self._arrived_s: list[float] = []
        self._start_unix_s = 0.0
        self.samples = 0

    def add(self, data: bytes, arrived_s: float, unix_s: float) -> None:
        """Bytes of the port.

        Args:
            data: as received.
            arrived_s: when, on the host's monotonic clock, s.
            unix_s: the same instant in seconds since 1970.
        """
        for piece in self._stream.feed(data):
            if piece.broken:
                self._jumps.append(Jump(self.samples, piece.skipped))
            self._raw.write(piece.words.tobytes())
            self.samples += len(piece.words)
        if not self.samples:
            return
        if not self._received:
            self._start_unix_s = unix_s - self.samples / RATE_HZ
        self._received.append(self.samples)
        self._arrived_s.append(arrived_s)

    def save(self, path: Path, voltage_v: float | None) -> Summary:
        """Write the file.

        Args:
            path: must not exist.
            voltage_v: of the board's supply, or None where only a source meter knows.

        Raises:
            OutputError: it cannot be written.
        """
        known = timeline(self._jumps, self._received, self._arrived_s)
        lost = sum(known.missing)
        document = self._metadata(known, lost, voltage_v)
        with writing(path), self._raw:
            try:
                with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                    archive.writestr("metadata.json", json.dumps(document))
                    with archive.open("session.raw", "w", force_zip64=True) as out:
                        self._write_frames(out, known.missing)
            except FileExistsError:
                raise OutputError(path, "the file exists already", "Choose another --power.") from None
        return Summary(self.samples + lost, lost, known)

    def _metadata(self, known: Timeline, lost: int, voltage_v: float | None) -> dict[str, Any]:
        supplied = self._calibration.supply_v if self._calibration.mode == SOURCE_METER else None
        return {
            "metadata": {"samplesPerSecond": RATE_HZ, "startSystemTime": self._start_unix_s * 1e3},
            "formatVersion": _FORMAT_VERSION,
            "tinytracker": {
                "voltageV": voltage_v or supplied, "lost": lost, "jumps": len(self._jumps),
                "hostSeconds": known.host_s, "timeErrorSeconds": known.error_s, "timeAgrees": known.agrees,
                "timeChecked": known.is_checked,
                "calibration": self._calibration.text,
            },
        }  # fmt: skip

    def _write_frames(self, out: IO[bytes], missing: tuple[int, ...]) -> None:
        self._raw.seek(0)
        at, level = 0, 0
        borders = [*(jump.at for jump in self._jumps), self.samples]
        for number, border in enumerate(borders):
            spikes = SpikeFilter()  # samples before a gap say nothing about those after it
            while at < border:
                count = min(_BLOCK, border - at)
                words: Words = np.frombuffer(self._raw.read(4 * count), "<u4")
                current = spikes.apply(amperes(words, self._calibration), range_of(words))
                levels = lines_of(words)
                out.write(_frames(current, levels))
                level = int(levels[-1])
                at += count
            if number < len(missing):
                hole = np.full(missing[number], np.nan)
                out.write(_frames(hole, np.full(len(hole), level, np.uint8)))


def _frames(current_a: NDArray[np.float64], levels: NDArray[np.uint8]) -> bytes:
    frames = np.zeros(len(current_a), FRAME)
    frames["current"] = current_a * 1e6
    for line in range(8):
        high = (levels >> line & 1).astype(bool)
        frames["bits"] |= (np.where(high, _HIGH, _LOW) << (2 * line)).astype(np.uint16)
    return frames.tobytes()
