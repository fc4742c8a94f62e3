"""Joulescope recordings, JLS version 2, read with Joulescope's own library (extra `energy`).

The library mends a file that was not closed, in place: opening a damaged recording would change it. So the header is
checked first, and only a file that says to be complete is handed over.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.capture import captured_output
from tinytracker.energy.formats import ReadOptions, voltage_or_fail
from tinytracker.energy.formats.table import check_finite
from tinytracker.energy.trace import CHUNK, Floats, Levels, Samples, Trace, find_gaps
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
_LINE = re.compile(r"gpi\[?([0-7])\]?", re.IGNORECASE)


def matches(path: Path, head: bytes) -> bool:
    """Whether the file says to be JLS."""
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
            "Open it once in Joulescope's own program, which mends a copy.",
        )
    if length != size:
        raise InputFileError(
            path, f"the recording says to be {length:,} bytes and is {size:,}", "Copy it again."
        )


def _read(path: Path, reader: Any, options: ReadOptions, pyjls: Any) -> Trace:
    signals = {s.name.lower(): s for s in reader.signals.values() if s.name and s.sample_rate and s.length}
    current = signals.get("current")
    if current is None:
        raise InputFileError(path, f"there is no signal 'current' ({', '.join(signals) or 'none at all'})")
    rate = float(current.sample_rate)
    if current.length > _MAX_SAMPLES or current.data_type & 0xFFFF != _F32:
        raise InputFileError(
            path, f"a current of {current.length:,} samples of type {current.data_type:#x} is not read"
        )
    current_a = _samples(path, reader, current, current)
    voltage_v: float | Samples
    if options.voltage_v is None and "voltage" in signals:
        voltage = signals["voltage"]
        if voltage.sample_rate != rate or voltage.data_type & 0xFFFF != _F32:
            raise InputFileError(
                path, f"the voltage was recorded at {voltage.sample_rate} samples/s, the current at {rate:g}",
                "Give the supply with --voltage.",
            )  # fmt: skip
        voltage_v = _samples(path, reader, voltage, current)
        for at in range(0, len(current_a), CHUNK):
            current_a[at : at + CHUNK][np.isnan(voltage_v[at : at + CHUNK])] = np.nan
    else:
        voltage_v = voltage_or_fail(path, options)
    digital, lines, notes = _lines(reader, signals, current)
    try:
        start = float(pyjls.jls_to_utc(reader.sample_id_to_timestamp(current.signal_id, 0)))
    except (RuntimeError, ValueError):
        start = 0.0
    source = reader.sources.get(current.source_id)
    return Trace(
        current_a,
        voltage_v,
        rate,
        start_unix_s=start if start > 0 else None,
        digital=digital if lines else None,
        lines=lines,
        gaps=find_gaps(current_a),
        full_scale_a=options.full_scale_a,
        meter=f"Joulescope {getattr(source, 'model', '') or ''}".strip(),
        notes=notes,
    )


def _samples(path: Path, reader: Any, signal: Any, like: Any) -> Samples:
    """(N,) samples of a signal at the places of another; NaN where it has none."""
    result = np.full(like.length, np.nan, np.float32)
    shift = signal.sample_id_offset - like.sample_id_offset
    for at in range(0, signal.length, CHUNK):
        count = min(CHUNK, signal.length - at)
        part: Floats = reader.fsr(signal.signal_id, at, count)
        check_finite(path, signal.name, part)
        first, last = max(0, at + shift), min(like.length, at + shift + count)
        if first < last:
            result[first:last] = part[first - at - shift : last - at - shift]
    return result


def _lines(reader: Any, signals: dict[str, Any], like: Any) -> tuple[Levels, int, tuple[str, ...]]:
    """(N,) bits, the lines that cover the whole current, and what was left out."""
    digital, lines, notes = np.zeros(like.length, np.uint8), 0, []
    for name, signal in signals.items():
        match = _LINE.fullmatch(name)
        if match is None:
            continue
        line = int(match[1])
        shift = signal.sample_id_offset - like.sample_id_offset
        covers = shift <= 0 and shift + signal.length >= like.length
        if signal.data_type & 0xFFFF != _U1 or signal.sample_rate != like.sample_rate or not covers:
            notes.append(f"Line {name} has another rate or length than the current and is left out.")
            continue
        for at in range(0, like.length, CHUNK):
            count = min(CHUNK, like.length - at)
            packed = reader.fsr(signal.signal_id, at - shift, count)
            digital[at : at + count] |= np.unpackbits(packed, bitorder="little")[:count] << np.uint8(line)
        lines |= 1 << line
    return digital, lines, tuple(notes)
