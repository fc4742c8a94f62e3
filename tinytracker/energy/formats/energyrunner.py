"""Energy traces of EEMBC's EnergyRunner (`trace1-energy.bin`), as found in MLPerf Tiny's published results.

A byte 0xF1, the number of samples a second as a float32, then a float32 per sample: the energy since the last one in
µJ; little-endian. `trace1-timestamps.json` beside it lists the time stamps in seconds from the start. Current and
voltage are not in it, their product is: a trace of it has the voltage that was given, or 1 V, and the current that
makes the energy right.
"""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import numpy as np

from tinytracker.energy.formats import ReadOptions
from tinytracker.energy.formats.table import check_finite
from tinytracker.energy.formats.windows import LINE, window_levels
from tinytracker.energy.trace import CHUNK, Samples, Trace, find_gaps
from tinytracker.errors import InputFileError
from tinytracker.files import opened_for_reading

_ENERGY = 0xF1
_HEADER = struct.Struct("<Bf")
_RATE_MAX = 1e6
_J_PER_UNIT = 1e-6
_SUFFIX = "-energy.bin"
_STAMPS_MAX_BYTES = 1 << 20


def matches(path: Path, head: bytes) -> bool:
    """Whether the header is there, with a rate that a meter can have."""
    if len(head) < _HEADER.size or head[0] != _ENERGY:
        return False
    rate = _HEADER.unpack_from(head)[1]
    return bool(1 <= rate <= _RATE_MAX)


def read(path: Path, options: ReadOptions) -> Trace:
    """Read an energy trace, and the time stamps beside it.

    Raises:
        InputFileError: not such a file, or damaged.
    """
    with opened_for_reading(path) as file:
        content = file.read()
    if not matches(path, content):
        raise InputFileError(path, "it does not begin like an EnergyRunner energy trace")
    rate = float(_HEADER.unpack_from(content)[1])
    body = content[_HEADER.size :]
    energies = np.frombuffer(body, "<f4", len(body) // 4)
    if not len(energies):
        raise InputFileError(path, "it holds no samples")
    notes = ["EnergyRunner marks no lost samples: its time is the number of samples."]
    if len(body) % 4:
        notes.append("The last sample was cut off and is skipped.")
    voltage = options.voltage_v or 1.0
    if options.voltage_v is None:
        notes.append("The file holds energies alone: currents are shown as if the supply were 1 V.")
    current = _currents(path, energies, rate / voltage)
    edges, said = _edges(path, rate, len(current))
    levels = window_levels(edges, len(current))
    return Trace(
        current,
        voltage,
        rate,
        start_s=0.5 / rate,  # a sample holds the energy up to the next one's time
        digital=levels,
        lines=0 if levels is None else 1 << LINE,
        gaps=find_gaps(current),
        full_scale_a=options.full_scale_a,
        meter="EnergyRunner",
        notes=(*notes, *said),
    )


def _currents(path: Path, energies: Samples, per_volt_second: float) -> Samples:
    current = np.empty(len(energies), np.float32)
    for at in range(0, len(current), CHUNK):
        with np.errstate(
            invalid="ignore"
        ):  # a damaged byte makes a signalling NaN, which is a lost sample like any
            part = energies[at : at + CHUNK].astype(np.float64) * (_J_PER_UNIT * per_volt_second)
        check_finite(path, "power", part)
        current[at : at + CHUNK] = part
    return current


def _edges(path: Path, rate: float, samples: int) -> tuple[list[int], tuple[str, ...]]:
    """Samples of the time stamps, and what to say when there are none."""
    beside = path.with_name(path.name.removesuffix(_SUFFIX) + "-timestamps.json")
    if not path.name.endswith(_SUFFIX) or not beside.exists():
        return [], ("There are no time stamps beside it (NAME-energy.bin needs NAME-timestamps.json).",)
    try:
        with opened_for_reading(beside) as file:
            stamps = json.loads(file.read(_STAMPS_MAX_BYTES))
    except (ValueError, RecursionError):
        raise InputFileError(beside, "it is not JSON") from None
    if not isinstance(stamps, list) or not all(_is_time(stamp) for stamp in stamps):
        raise InputFileError(beside, "it is not a list of times in seconds")
    edges = [round(stamp * rate) for stamp in stamps]
    if edges != sorted(edges) or (edges and edges[-1] > samples):
        raise InputFileError(
            beside,
            f"its times do not ascend, or lie outside the trace of {samples / rate:.3f} s",
            "Use files of the same run.",
        )
    return edges, ()


def _is_time(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and 0 <= value < 1e6
    )
