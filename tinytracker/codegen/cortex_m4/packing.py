"""Weights in the order in which the kernels of tt_m4_conv.h read them.

A window is read row by row. Full quads of four come first; the values left over at the end of each row share quads
behind them. The quad (q0, q1, q2, q3) is one word of bytes, or two words of pairs (q0, q2), (q1, q3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.codegen.graph import Int8s, Int32s

MAX_QUADS_PER_PASS = 12
_QUAD = 4
_LOOP_INSTRUCTIONS = 3
_NARROW_QUAD_INSTRUCTIONS = 14


@dataclass(frozen=True)
class Passes:
    """How a patch is divided: `count` passes of `quads` quads; the last quads may lie beyond the window."""

    quads: int
    count: int

    @property
    def total(self) -> int:
        """Return the number of quads in a patch."""
        return self.quads * self.count


def divide(quads: int) -> Passes:
    """Return the cheapest division into equal passes: little padding, and few iterations of the loop around them."""
    candidates = [Passes(n, -(-quads // n)) for n in range(1, MAX_QUADS_PER_PASS + 1)]
    return min(candidates, key=lambda p: (_instructions(p), p.quads))


def _instructions(passes: Passes) -> int:
    rounds = 0 if passes.count == 1 else passes.count
    return passes.total * _NARROW_QUAD_INSTRUCTIONS + rounds * _LOOP_INSTRUCTIONS


def window_quads(rows: int, length: int) -> int:
    """Return the number of quads of a window with `rows` rows of `length` values."""
    return rows * (length // _QUAD) + -(-(rows * (length % _QUAD)) // _QUAD)


def position_order(length: int, quads: int) -> NDArray[np.int64]:
    """Return `patch_order` for windows of one position, which are contiguous."""
    order = np.full(quads * _QUAD, -1)
    order[:length] = np.arange(length)
    return order.reshape(quads, _QUAD)


def patch_order(rows: int, length: int, quads: int) -> NDArray[np.int64]:
    """Return which value of the window (rows·length, row by row) each place of a patch holds; -1 for none.

    Args:
        rows: rows of the window.
        length: values per row.
        quads: quads of the patch, at least `window_quads`.

    Returns:
        (quads, 4).
    """
    index = np.arange(rows * length).reshape(rows, length)
    whole = length // _QUAD * _QUAD
    order = np.full((quads, _QUAD), -1)
    full = index[:, :whole].reshape(-1, _QUAD)
    rest = index[:, whole:].reshape(-1)
    order[: len(full)] = full
    padded = np.full(-(-len(rest) // _QUAD) * _QUAD, -1)
    padded[: len(rest)] = rest
    # They are widened one by one, in memory order: the pairs are (j0, j1), (j2, j3).
    order[len(full) : len(full) + len(padded) // _QUAD] = padded.reshape(-1, _QUAD)[:, [0, 2, 1, 3]]
    return order


def patch_weights(weights: Int8s, order: NDArray[np.int64]) -> Int8s:
    """Return weights (channels, values of the window) as patches (channels, quads, 4); zero where the order is -1."""
    with_zero = np.concatenate([weights, np.zeros((len(weights), 1), np.int8)], axis=1)
    return np.asarray(with_zero[:, order], np.int8)


def as_words(quads: Int8s, wide: bool) -> Int32s:
    """Return quads (..., 4) as words in the order of the instructions: (..., 1) of bytes, or (..., 2) of pairs."""
    if not wide:
        return np.ascontiguousarray(quads).view("<i4")
    pairs = quads[..., [0, 2, 1, 3]].astype("<i2")
    return np.ascontiguousarray(pairs).view("<i4")


def pack_channels(patches: Int8s, bias: Int32s, factors: list[tuple[int, int]], wide: bool) -> Int32s:
    """Return the stream of words that a channel function reads.

    Per two channels a and b: bias a, bias b; per quad the words of a, then of b; factor and power of a, then of
    b. A last single channel gets a partner of zeros.

    Args:
        patches: (channels, quads, 4).
        bias: (channels,), including the zero point of the input.
        factors: per channel, from `rounding_factors`.
        wide: store pairs of 16 bits rather than bytes.

    Returns:
        (pairs of channels · words,).
    """
    channels, quads, _ = patches.shape
    pairs = -(-channels // 2)
    spare = 2 * pairs - channels
    words = np.pad(as_words(patches, wide), ((0, spare), (0, 0), (0, 0)))
    words = words.reshape(pairs, 2, quads, -1).transpose(0, 2, 1, 3).reshape(pairs, -1)
    ends = np.pad(np.array(factors, np.int32), ((0, spare), (0, 0))).reshape(pairs, 4)
    biases = np.pad(bias, (0, spare)).reshape(pairs, 2)
    stream: Int32s = np.concatenate([biases, words, ends], axis=1).astype(np.int32).reshape(-1)
    return stream
