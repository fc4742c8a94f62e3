"""Saved sessions of Nordic's Power Profiler (.ppk2).

A ZIP archive. `session.raw`: a sample is a float32 in µA (NaN: lost) and a uint16 with a pair of bits per line, lowest
line first: 01 low, 10 high, 11 both within the sample, 00 not recorded; little-endian. `metadata.json`:
{"metadata": {"samplesPerSecond", "startSystemTime": ms since 1970}, "formatVersion": 2}. The voltage is not in it,
unless our own recorder wrote it (`tinytracker.measure.ppk2`): under "tinytracker" it gives the voltage, and whether the
number of samples agrees with the host's clock.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.archives import DAMAGED
from tinytracker.energy.formats import ReadOptions, voltage_or_fail
from tinytracker.energy.formats.ppk2_csv import FULL_SCALE_A
from tinytracker.energy.formats.table import check_finite, settle_uncertain
from tinytracker.energy.refusals import SAMPLES_LOST
from tinytracker.energy.trace import CHUNK, Levels, Samples, Trace, find_gaps
from tinytracker.errors import InputFileError, RefusedError
from tinytracker.files import opened_for_reading

FRAME = np.dtype([("current", "<f4"), ("bits", "<u2")])
FORMAT_VERSIONS = (1, 2)
_LOW, _HIGH, _BOTH = 1, 2, 3
_MAX_BYTES = 1 << 32
_MAX_METADATA_BYTES = 1 << 20


def matches(path: Path, head: bytes) -> bool:
    """Whether this is a ZIP archive under the right name, or with the right member first."""
    return head.startswith(b"PK\x03\x04") and (path.suffix.lower() == ".ppk2" or b"session.raw" in head)


def read(path: Path, options: ReadOptions) -> Trace:
    """Read a saved session.

    Raises:
        InputFileError: not such a session, or damaged.
        UsageError: no voltage was given.
    """
    with opened_for_reading(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                metadata = json.loads(_member(path, archive, "metadata.json", _MAX_METADATA_BYTES))
                raw = _member(path, archive, "session.raw", _MAX_BYTES)
        except DAMAGED as error:
            raise InputFileError(
                path, f"the archive is damaged ({error})", "Save the session again."
            ) from None
    rate, start = _times(path, metadata)
    voltage, notes = _own_words(path, document=metadata, options=options)
    if len(raw) % FRAME.itemsize:
        notes.append("The last sample was cut off and is skipped.")
    samples = np.frombuffer(raw, FRAME, len(raw) // FRAME.itemsize)
    if not len(samples):
        raise InputFileError(path, "it holds no samples")
    current = _amperes(path, samples["current"])
    digital, lines = _levels(samples["bits"])
    return Trace(
        current,
        voltage,
        rate,
        start_unix_s=start,
        digital=digital if lines else None,
        lines=lines,
        gaps=find_gaps(current),
        full_scale_a=options.full_scale_a or FULL_SCALE_A,
        meter="Nordic PPK2",
        notes=tuple(notes),
    )


def _own_words(path: Path, document: Any, options: ReadOptions) -> tuple[float, list[str]]:
    """The voltage, and what our own recorder says about its time base.

    Raises:
        RefusedError: samples are missing, and nothing shows where.
    """
    told = document.get("tinytracker")
    if not isinstance(told, dict):
        return voltage_or_fail(path, options), []
    voltage = told.get("voltageV")
    supply = options.voltage_v or 0.0
    if (
        not supply
        and isinstance(voltage, int | float)
        and not isinstance(voltage, bool)
        and 0 < voltage < 1e3
    ):
        supply = float(voltage)
    supply = supply or voltage_or_fail(path, options)
    error = told.get("timeErrorSeconds")
    if not isinstance(error, int | float) or isinstance(error, bool) or not abs(error) < 1e9:
        return supply, []
    said = f"its samples and the host's clock are {abs(error) * 1e3:.1f} ms apart in the end"
    if told.get("timeAgrees") is not True:
        raise RefusedError(SAMPLES_LOST, f"{path}: {said}, and nothing shows where", "Record again.")
    if told.get("timeChecked") is not True:
        return supply, ["The recording was too short for its time base to be checked."]
    return supply, [f"Time base checked while recording: {said}."]


def _member(path: Path, archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Content of a member, checked against its checksum and a limit."""
    if name not in archive.namelist():
        raise InputFileError(
            path, f"the archive has no {name}", "Save the session again with the Power Profiler."
        )
    size = archive.getinfo(name).file_size
    if size > limit:
        raise InputFileError(path, f"{name} claims to be {size:,} bytes; the limit is {limit:,}")
    with archive.open(name) as member:
        # In a malicious archive, the size that a member claims is not what it unpacks to.
        return member.read(size)


def _times(path: Path, document: Any) -> tuple[float, float | None]:
    """Samples per second, and when the first was taken."""
    if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
        raise InputFileError(path, "metadata.json is not in the Power Profiler's format")
    version = document.get("formatVersion")
    if version not in FORMAT_VERSIONS:
        raise InputFileError(
            path, f"format version {version!r} is not known ({FORMAT_VERSIONS[-1]} is the newest)"
        )
    rate, start = document["metadata"].get("samplesPerSecond"), document["metadata"].get("startSystemTime")
    if not isinstance(rate, int | float) or isinstance(rate, bool) or not 0 < rate <= 1e9:
        raise InputFileError(path, f"samplesPerSecond is {rate!r}")
    known = isinstance(start, int | float) and not isinstance(start, bool) and 0 < start < 1e14
    return float(rate), float(start) / 1e3 if known else None


def _amperes(path: Path, microamperes: NDArray[np.float32]) -> Samples:
    current = np.empty(len(microamperes), np.float32)
    for at in range(0, len(current), CHUNK):
        part = microamperes[at : at + CHUNK].astype(np.float64) * 1e-6
        check_finite(path, "current", part)
        current[at : at + CHUNK] = part
    return current


def _levels(bits: NDArray[np.uint16]) -> tuple[Levels, int]:
    """(N,) bits and the lines that were recorded throughout."""
    digital = np.zeros(len(bits), np.uint8)
    lines = 0
    for line in range(8):
        pair = (bits >> (2 * line) & 3).astype(np.uint8)
        if not pair.all():
            continue
        digital |= settle_uncertain((pair == _HIGH).astype(np.uint8), pair == _BOTH) << np.uint8(line)
        lines |= 1 << line
    return digital, lines
