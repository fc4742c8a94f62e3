"""Joulescope recordings, JLS version 2, read with Joulescope's own library (extra `energy`).

The library repairs a file that was not closed, in place: opening a damaged recording would change it. So the header is
checked first, and only a file that claims to be complete is opened.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.capture import captured_output
from tinytracker.energy.formats import ReadOptions, voltage_or_fail
from tinytracker.energy.formats.table import check_finite
from tinytracker.energy.trace import CHUNK, Levels, Samples, Trace, find_gaps
from tinytracker.errors import InputFileError
from tinytracker.files import opened_for_reading
from tinytracker.requirements import require

IDENTIFICATION = bytes(
    [0x6A, 0x6C, 0x73, 0x66, 0x6D, 0x74, 0x0D, 0x0A, 0x20, 0x0A, 0x20, 0x1A, 0x20, 0x20, 0xB2, 0x1C]
)
_HEADER = struct.Struct("<16sQBBHI")
_U1 = 0x0103
_F32 = 0x2004
_MAX_SAMPLES = 1 << 31
_MIN_COVERED = 0.9
_LINE = re.compile(r"gpi\[?([0-7])\]?", re.IGNORECASE)


def matches(path: Path, head: bytes) -> bool:
    """Whether the file claims to be JLS."""
    return head.startswith(IDENTIFICATION)


def read(path: Path, options: ReadOptions) -> Trace:
    """Read a Joulescope recording.

    Raises:
        InputFileError: not such a recording, damaged, or not closed.
        MissingDependencyError: pyjls is not installed.
        UsageError: the voltage was not recorded, and none was given.
    """
    _check_header(path)
    require("pyjls", "pyjls", "reading Joulescope recordings", "energy")
    import pyjls

    # The library reports what it skips on stderr, from C.
    with captured_output():
        try:
            with pyjls.Reader(str(path)) as reader:
                return _read(path, reader, options, pyjls)
        except (
            RuntimeError,
            ValueError,
            IndexError,
            OverflowError,
            MemoryError,
            UnicodeDecodeError,
        ) as error:
            raise InputFileError(path, f"the recording is damaged ({error})", "Record again.") from None


def _check_header(path: Path) -> None:
    with opened_for_reading(path) as file:
        header = file.read(_HEADER.size)
        size = path.stat().st_size
    if len(header) < _HEADER.size or not header.startswith(IDENTIFICATION):
        raise InputFileError(path, "not a JLS file")
    _, length, *_ = _HEADER.unpack(header)
    if length == 0:
        raise InputFileError(
            path,
            "the recording was not closed",
            "Open it once in Joulescope's own program, which repairs a copy.",
        )
    if length != size:
        raise InputFileError(
            path, f"the recording claims to be {length:,} bytes but is {size:,}", "Copy it again."
        )


def _read(path: Path, reader: Any, options: ReadOptions, pyjls: Any) -> Trace:
    signals = {s.name.lower(): s for s in reader.signals.values() if s.name and s.sample_rate and s.length}
    current = signals.get("current")
    if current is None:
        raise InputFileError(path, f"there is no signal 'current' ({', '.join(signals) or 'none at all'})")
    rate = float(current.sample_rate)
    if current.length > _MAX_SAMPLES or current.data_type & 0xFFFF != _F32:
        raise InputFileError(
            path, f"a current of {current.length:,} samples of type {current.data_type:#x} is not supported"
        )
    voltage = signals.get("voltage") if options.voltage_v is None else None
    if voltage is not None and (voltage.sample_rate != rate or voltage.data_type & 0xFFFF != _F32):
        raise InputFileError(
            path, f"the voltage was recorded at {voltage.sample_rate} samples/s, the current at {rate:g}",
            "Give the supply with --voltage.",
        )  # fmt: skip
    lines, notes = _usable_lines(signals, current)
    # The meter streams each signal on its own: they begin and end a little apart. Only what all of them cover counts.
    spans = [_span(s) for s in (current, *([voltage] if voltage is not None else []), *lines.values())]
    first, last = max(a for a, _ in spans), min(b for _, b in spans)
    if first >= last:
        raise InputFileError(path, "current and voltage were not recorded at the same time")
    current_a = _samples(path, reader, current, first, last)
    voltage_v: float | Samples
    if voltage is None:
        voltage_v = voltage_or_fail(path, options)
    else:
        voltage_v = _samples(path, reader, voltage, first, last)
        for at in range(0, len(current_a), CHUNK):
            current_a[at : at + CHUNK][np.isnan(voltage_v[at : at + CHUNK])] = np.nan
    digital = _levels(reader, lines, first, last) if lines else None
    try:
        start = float(
            pyjls.jls_to_utc(
                reader.sample_id_to_timestamp(current.signal_id, first - current.sample_id_offset)
            )
        )
    except (RuntimeError, ValueError):
        start = 0.0
    source = reader.sources.get(current.source_id)
    return Trace(
        current_a,
        voltage_v,
        rate,
        start_unix_s=start if start > 0 else None,
        digital=digital,
        lines=sum(1 << line for line in lines),
        gaps=find_gaps(current_a),
        full_scale_a=options.full_scale_a,
        meter=f"Joulescope {getattr(source, 'model', '') or ''}".strip(),
        notes=notes,
    )


def _span(signal: Any) -> tuple[int, int]:
    """First sample and one past the last, on the count that all signals of a rate share."""
    begin = int(signal.sample_id_offset)
    return begin, begin + int(signal.length)


def _usable_lines(signals: dict[str, Any], current: Any) -> tuple[dict[int, Any], tuple[str, ...]]:
    """Digital lines by number that cover nearly the whole current, and notes about the others."""
    lines, notes = {}, []
    begin, end = _span(current)
    for name, signal in signals.items():
        match = _LINE.fullmatch(name)
        if match is None:
            continue
        first, last = _span(signal)
        covered = (min(end, last) - max(begin, first)) / current.length
        same = signal.data_type & 0xFFFF == _U1 and signal.sample_rate == current.sample_rate
        if same and covered >= _MIN_COVERED:
            lines[int(match[1])] = signal
        else:
            notes.append(f"Line {name} has a different rate or time from the current and is skipped.")
    return lines, tuple(notes)


def _samples(path: Path, reader: Any, signal: Any, first: int, last: int) -> Samples:
    """(last - first,) samples of a signal; NaN where the meter skipped some."""
    result = np.empty(last - first, np.float32)
    for at in range(first, last, CHUNK):
        count = min(CHUNK, last - at)
        part: Floats = reader.fsr(signal.signal_id, at - signal.sample_id_offset, count)
        check_finite(path, signal.name, part)
        result[at - first : at - first + count] = part
    return result


def _levels(reader: Any, lines: dict[int, Any], first: int, last: int) -> Levels:
    """(last - first,) a bit per line."""
    digital = np.zeros(last - first, np.uint8)
    for line, signal in lines.items():
        for at in range(first, last, CHUNK):
            count = min(CHUNK, last - at)
            packed = reader.fsr(signal.signal_id, at - signal.sample_id_offset, count)
            bits = np.unpackbits(packed, bitorder="little")[:count]
            digital[at - first : at - first + count] |= bits << np.uint8(line)
    return digital
