"""From the PPK2's converter codes to amperes, with the constants that each meter reports about itself.

Its answer to the request for metadata is text, `NAME: VALUE` a line, ended by a line END. For each of five ranges:
R (shunt, ohm), O (offset, codes), GS and GI (gain, quadratic and linear), S and I (offset by voltage, and constant, A),
UG (the user's gain; 1 when it is not reported).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import TinyTrackerError
from tinytracker.measure.ppk2.words import Words, converter_of, range_of

RANGES = 5
AMPERE_METER, SOURCE_METER = 1, 2
END = b"END"

_CONSTANTS = ("R", "O", "GS", "GI", "S", "I", "UG")
_VOLTS_PER_CODE = 1.8 / 163840
_CODE_FACTOR = 4  # the constants are for codes of 16 bits, the words hold 14
_SETTLING = 3
_KEPT_OUT = 2
_SMOOTHING, _SMOOTHING_HIGHEST = 0.18, 0.06
_HIGHEST = RANGES - 1


class MetadataError(TinyTrackerError):
    """What a meter says about itself cannot be used."""

    kind = "meter"


@dataclass(frozen=True)
class Calibration:
    """What a meter says about itself.

    Attributes:
        constants: (7, 5), rows as R, O, GS, GI, S, I, UG, a column a range.
        mode: `AMPERE_METER` or `SOURCE_METER`.
        supply_v: the voltage that it supplies, or assumes to be supplied, V.
        text: the whole answer.
    """

    constants: NDArray[np.float64]
    mode: int
    supply_v: float
    text: str


def parse_metadata(text: str) -> Calibration:
    """Read the answer.

    Raises:
        MetadataError: a constant is missing or is not a number.
    """
    told = dict.fromkeys((f"UG{k}" for k in range(RANGES)), "1")  # older firmware has no gain of the user's
    told |= {name.upper(): value for name, value in re.findall(r"^\s*(\w+)\s*:\s*(\S+)\s*$", text, re.M)}
    constants = np.array([[_number(told, f"{name}{k}") for k in range(RANGES)] for name in _CONSTANTS])
    if not (constants[0] > 0).all():
        raise MetadataError(
            f"The PPK2 reports a shunt of {constants[0].min():g} ohm.", "Update its firmware."
        )
    mode = int(_number(told, "MODE"))
    supply_v = _number(told, "VDD") / 1e3
    if mode not in (AMPERE_METER, SOURCE_METER) or not 0.5 <= supply_v <= 6:
        raise MetadataError(
            f"The PPK2 reports mode {mode} and a voltage of {supply_v:g} V.",
            "Configure it once with Nordic's Power Profiler.",
        )
    return Calibration(constants, mode, supply_v, text)


def _number(told: dict[str, str], name: str) -> float:
    try:
        value = float(told[name])
    except (KeyError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        said = told.get(name, "nothing")
        raise MetadataError(f"The PPK2's calibration gives {said} for {name}.", "Update its firmware.")
    return value


def amperes(words: Words, calibration: Calibration) -> NDArray[np.float64]:
    """(N,) A of each word by itself; NaN in a range that is not defined."""
    ranges = range_of(words)
    known = np.minimum(ranges, _HIGHEST)
    r, o, gs, gi, s, i, ug = calibration.constants[:, known]
    raw = (_CODE_FACTOR * converter_of(words) - o) * (_VOLTS_PER_CODE / r)
    current: NDArray[np.float64] = ug * (raw * (gs * raw + gi) + s * calibration.supply_v + i)
    current[ranges > _HIGHEST] = np.nan
    return current


class SpikeFilter:
    """Smooths the samples after a change of range, where the meter overshoots.

    The three samples from a change on are replaced by a running mean (weight 0.18 for a new sample; 0.06 in the highest
    range, whose first two samples do not enter it).
    """

    def __init__(self) -> None:
        self._range: int | None = None
        self._since = _SETTLING
        self._means: list[float | None] = [None, None]

    def apply(self, current_a: NDArray[np.float64], ranges: NDArray[np.uint8]) -> NDArray[np.float64]:
        """(N,) A, smoothed; the state is kept for the next call."""
        if not len(current_a):
            return current_a
        before = self._range if self._range is not None else int(ranges[0])
        changed = np.flatnonzero(np.diff(ranges, prepend=np.uint8(before)))
        place = np.arange(len(ranges))
        last = np.full(len(ranges), -self._since)
        last[changed] = changed
        since = np.minimum(place - np.maximum.accumulate(last), _SETTLING)
        high = ranges == _HIGHEST
        settling = since < _SETTLING
        enters = ~(settling & high & (since < _KEPT_OUT)) & np.isfinite(current_a)
        smooth = [
            self._running_mean(which, current_a, enters, weight)
            for which, weight in enumerate((_SMOOTHING, _SMOOTHING_HIGHEST))
        ]
        self._range, self._since = int(ranges[-1]), int(since[-1]) + 1
        return np.where(settling, np.where(high, smooth[1], smooth[0]), current_a)

    def _running_mean(
        self, which: int, current_a: NDArray[np.float64], enters: NDArray[np.bool_], weight: float
    ) -> NDArray[np.float64]:
        from scipy.signal import lfilter

        taken = current_a[enters]
        before = self._means[which]
        if before is None:
            before = float(taken[0]) if len(taken) else float("nan")
        if not len(taken):
            return np.full(len(current_a), before)
        means, _ = lfilter([weight], [1.0, weight - 1.0], taken, zi=[(1 - weight) * before])
        self._means[which] = float(means[-1])
        latest = np.cumsum(enters)
        filled: NDArray[np.float64] = np.concatenate([[before], means])[latest]
        return filled
