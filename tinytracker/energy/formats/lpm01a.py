"""What ST's X-NUCLEO-LPM01A ("PowerShield") sends in its text format, kept as it came (UM2269, `format ascii_dec`).

A sample is four digits and an exponent: `6409-07` is 6409e-7, A or (with `output energy`) J since the last sample; a
line holds one or several. `TimeStamp: 001s 000ms, buff 00%` gives the meter's time at this place, so that lost samples
can be counted. `event 3 ris` is an edge on the trigger pin. Answers to commands (`ack freq 1k`) tell how it was set up,
where they are in the log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from tinytracker.energy.formats import ReadOptions, voltage_or_fail
from tinytracker.energy.formats.table import MAX_LOST_SHARE, check_finite
from tinytracker.energy.formats.windows import LINE, window_levels
from tinytracker.energy.trace import Trace, find_gaps
from tinytracker.errors import InputFileError
from tinytracker.files import opened_for_reading

_SAMPLE = re.compile(rb"\d{4}[+-]\d{2}")
_SAMPLES_LINE = re.compile(rb"(?:\d{4}[+-]\d{2}\s*)+")
_TIME = re.compile(rb"TimeStamp:[ ><]*(\d{1,6})s (\d{1,3})ms")
_EVENT = re.compile(rb"event (\d+) (?:ris|fal)")
_SETTING = re.compile(rb"ack (freq|volt|output|format) (\S+)")
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(?:([umk])|([+-]\d{1,2}))?")
_FACTORS = {"u": 1e-6, "m": 1e-3, "k": 1e3}
_RATES = tuple(digit * 10.0**power for power in range(5) for digit in (1, 2, 5)) + (1e5,)
"""The meter has these; lost samples make it look slower than it is."""


def matches(path: Path, head: bytes) -> bool:
    """Whether the meter's prompt, its time stamps or a line of its samples are there."""
    lines = head.split(b"\n")
    return b"PowerShield >" in head or any(
        _TIME.search(line) or _SAMPLES_LINE.fullmatch(line.strip(b"\0\r ")) for line in lines[:-1]
    )


@dataclass
class _Log:
    """What the lines say, in order.

    Attributes:
        values: samples, NaN for what cannot be read. stamps: (samples before it, meter's time in s).
        events: (counter, samples before it). settings: last answer by name.
    """

    values: list[float] = field(default_factory=list)
    stamps: list[tuple[int, float]] = field(default_factory=list)
    events: list[tuple[int, int]] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)


def read(path: Path, options: ReadOptions) -> Trace:
    """Read a log.

    Raises:
        InputFileError: no samples, no time base, or the binary format.
        UsageError: currents without a voltage.
    """
    log = _parse(path)
    if log.settings.get("format", "ascii_dec") != "ascii_dec":
        raise InputFileError(
            path, f"the meter sent {log.settings['format']}", "Record with `format ascii_dec`."
        )
    if not log.values:
        raise InputFileError(path, "it holds no samples")
    rate = _rate(path, log)
    values, moved = _with_gaps(path, log, rate)
    notes = [] if len(log.stamps) > 1 else ["The log has no time stamps: lost samples would go unnoticed."]
    told = _quantity(log.settings.get("volt", ""))
    voltage = options.voltage_v or told
    if log.settings.get("output") == "energy":
        voltage = voltage or 1.0
        values = values * (rate / voltage)
    elif voltage is None:
        voltage = voltage_or_fail(path, options)
    check_finite(path, "current", values)
    counters = [counter for counter, _ in log.events]
    if any(after != before + 1 for before, after in pairwise(counters)):
        raise InputFileError(
            path, f"an event is missing: {counters}", "The trigger's edge may have been too short."
        )
    levels = window_levels([moved[at] for _, at in log.events], len(values))
    current = values.astype(np.float32)
    return Trace(
        current,
        voltage,
        rate,
        start_s=0.5 / rate,
        digital=levels,
        lines=0 if levels is None else 1 << LINE,
        gaps=find_gaps(current),
        full_scale_a=options.full_scale_a,
        meter="ST X-NUCLEO-LPM01A",
        notes=tuple(notes),
    )


def _parse(path: Path) -> _Log:
    log = _Log()
    with opened_for_reading(path) as file:
        for raw in file:
            if not raw.endswith(b"\n"):
                break  # half a line: half a number looks like a number
            line = raw.strip(b"\0\r\n ")
            if _SAMPLES_LINE.fullmatch(line):
                log.values += [_value(text) for text in _SAMPLE.findall(line)]
            elif time := _TIME.search(line):
                log.stamps.append((len(log.values), int(time[1]) + int(time[2]) / 1e3))
            elif event := _EVENT.search(line):
                log.events.append((int(event[1]), len(log.values)))
            elif setting := _SETTING.search(line):
                log.settings[setting[1].decode()] = setting[2].decode("ascii", "replace")
            elif found := _SAMPLE.findall(line):
                log.values += [float("nan")] * len(found)  # a damaged line may hold parts of two samples
    return log


def _value(text: bytes) -> float:
    return float(text[:4]) * 10.0 ** int(text[4:])


def _quantity(text: str) -> float | None:
    """A number as the meter writes it: "1k", "1800m", "2-3"; None for anything else."""
    found = _QUANTITY.fullmatch(text)
    if found is None:
        return None
    factor = _FACTORS[found[2]] if found[2] else 10.0 ** int(found[3]) if found[3] else 1.0
    value = float(found[1]) * factor
    return value if 0 < value < 1e6 else None


def _rate(path: Path, log: _Log) -> float:
    """Samples per second: as set up, or from the time stamps."""
    rate = _quantity(log.settings.get("freq", ""))
    if rate is None and len(log.stamps) > 1:
        steps = np.diff(np.array(log.stamps, np.float64), axis=0)
        good = steps[:, 1] > 0
        if good.any():
            counted = max(float(np.median(steps[good, 0] / steps[good, 1])), 0.1)
            rate = min(_RATES, key=lambda known: abs(np.log(known / counted)))
    if rate is None or not 0 < rate <= _RATES[-1]:
        raise InputFileError(
            path, "neither `freq` nor time stamps give the sampling rate", "Keep the whole log of the meter."
        )
    return rate


def _with_gaps(
    path: Path, log: _Log, rate: float
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], list[int]]:
    """Samples with a NaN for each that is missing by the time stamps, and where the sample N has moved to.

    Which sample of an interval was lost is not known: the hole is put at its end.
    """
    missing = np.zeros(len(log.values) + 1, np.int64)
    for (first, begin), (last, end) in pairwise(log.stamps):
        if end < begin:
            raise InputFileError(
                path, f"the meter's time runs backwards at {begin:g} s", "Use a log of a single recording."
            )
        missing[last] += max(0, round((end - begin) * rate) - (last - first))
    total = int(missing.sum())
    if total > MAX_LOST_SHARE * (total + len(log.values)):
        raise InputFileError(path, f"{total:,} of {total + len(log.values):,} samples are missing")
    moved = np.arange(len(log.values) + 1) + np.cumsum(missing)
    values = np.full(len(log.values) + total, np.nan)
    values[moved[:-1]] = log.values
    return values, [int(at) for at in moved]
