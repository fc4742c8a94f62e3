"""The PPK2's stream of samples: words of 32 bits with a counter, found again after bytes were lost.

A word, little-endian: bits 0 to 13 converter, 14 to 16 range, 18 to 23 counter (modulo 64), 24 to 31 lines D0 to D7.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]

COUNTS = 64
_HELD = 4
_RUN = 8
"""Words whose counters follow each other: other bytes look like that by chance once in 64^7."""


def converter_of(words: Words) -> NDArray[np.int64]:
    """(N,) codes of 14 bits."""
    return (words & 0x3FFF).astype(np.int64)


def range_of(words: Words) -> NDArray[np.uint8]:
    """(N,) measuring range, 0 (microamperes) to 4 (up to 1 A); larger values are not defined."""
    return ((words >> 14) & 7).astype(np.uint8)


def lines_of(words: Words) -> NDArray[np.uint8]:
    """(N,) levels, bit b is line Db."""
    return (words >> 24).astype(np.uint8)


def _counter_of(words: Words) -> NDArray[np.int64]:
    return ((words >> 18) & (COUNTS - 1)).astype(np.int64)


@dataclass(frozen=True)
class Piece:
    """Words that follow each other.

    Attributes:
        words: (N,).
        skipped: words that are missing before them, modulo 64; only a clock can tell how many multiples of 64 to add.
        broken: something is missing before them, even if `skipped` is 0.
    """

    words: Words
    skipped: int = 0
    broken: bool = False


class WordStream:
    """Bytes in, words out.

    A word comes out once some behind it have arrived: where bytes are missing, one or two counters may still look
    right. The last four words before each jump are therefore discarded, and so is the first after it, whose first
    bytes may be another word's.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._last: int | None = None
        self._in_step = False

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The words that these bytes complete."""
        buffer = self._rest + data
        at = 0
        while True:
            if not self._in_step:
                found = _find_run(buffer, at)
                if found is None:
                    # The end may be the beginning of a run.
                    at = max(at, len(buffer) - 4 * _RUN - 3)
                    break
                at = found + 4
            words = _words(buffer, at)
            if not len(words):
                break
            counters = _counter_of(words)
            broken = not self._in_step and self._last is not None
            skipped = int(counters[0] - self._last - 1) % COUNTS if broken and self._last is not None else 0
            first = counters[0] if self._last is None or broken else (self._last + 1) % COUNTS
            off = np.flatnonzero(counters != (first + np.arange(len(words))) % COUNTS)
            good = int(off[0]) if len(off) else len(words)
            sure = max(0, good - _HELD)
            if sure:
                self._last = int(counters[sure - 1])
                yield Piece(words[:sure], skipped, broken)
            self._in_step = not len(off)
            if self._in_step:
                at += 4 * sure
                break
            at += 4 * good
        self._rest = buffer[at:]


def _words(buffer: bytes, at: int) -> Words:
    """Whole words from a place on."""
    count = max(0, (len(buffer) - at) // 4)
    return np.frombuffer(buffer[at : at + 4 * count], "<u4")


def _find_run(buffer: bytes, at: int) -> int | None:
    """The first place from `at` on where `_RUN` words have counters in a row."""
    places = []
    for shift in range(4):
        words = _words(buffer, at + shift)
        if len(words) < _RUN:
            continue
        follows = np.diff(_counter_of(words)) % COUNTS == 1
        runs = np.convolve(follows, np.ones(_RUN - 1, np.int64), "valid") == _RUN - 1
        if runs.any():
            places.append(at + shift + 4 * int(np.argmax(runs)))
    return min(places, default=None)
