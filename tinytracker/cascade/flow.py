"""Eye flow: how far the eyes have moved against the face between two strips, in integers.

A hand that trembles and a head that moves shift everything in the strip; only a gaze that moves shifts the irises
against lids and brows. So the face outside of the eyes is registered first (Gauss-Newton steps on a similarity, after
Lucas and Kanade 1981 and Baker and Matthews 2004), and the shift that is left inside the eyes is solved after that.
Brightness is taken out of all sums: a factor by the means, an offset by centring.

Eyes that rest on a point turn against a head that moves; `cascade.counterturn` takes that out.

This is the specification; deploy/common/tt_flow.c computes the same to the last bit. All arrays have the frames
first, so that a whole sequence is computed at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinytracker.aim.cutting import cut
from tinytracker.aim.fixed import Q8, Q12, divided, limited
from tinytracker.aim.region import Region

Ints = NDArray[np.int64]

WIDTH, HEIGHT = 96, 32
"""Of the gate's strip, px: grey, cut by the same region as the network's input."""

LUMA = (77, 150, 29)
"""Weights of red, green and blue in grey, of 256 (ITU-R BT.601)."""

STEPS = 3
"""Gauss-Newton steps of the registration: the first solves a shift, the others also scale and turn."""

EYE_ROWS, EYE_COLUMNS = (9, 23), ((8, 34), (62, 88))
"""Rows and columns around both eyes that are not face, px."""
IRIS_ROWS, IRIS_COLUMNS = (11, 21), ((11, 31), (65, 85))
"""Rows and columns in which each eye's shift is solved, px."""
MARGIN = 2
"""Rows and columns at the strip's edges that are not used, px."""

FARTHEST_Q8 = 8 * Q8
"""Largest shift of the face beside the guess that is followed, Q8 px."""
TURNED_Q14 = 1638
"""Largest change of scale and of angle beside the guess that is followed, 0.1 in Q14."""
GUESS_Q8, GUESS_Q14 = 32 * Q8, 1 << 13
"""Largest guess: 32 px, and half as large or half as large again."""
_FARTHEST_GUESS = 1 << 30
FARTHEST_EYES_Q8 = 4 * Q8

BRIGHTEST = 2047
"""Limit of a strip after its brightness is adjusted: 4 × grey, 11 bits."""
UNITS = np.array([8, 8, 4, 4])
"""Steps of a solution (Q12, of the columns) per step of shift (Q8 px), growth and turn (Q14)."""

RIDGE = 1 << 12
"""Added to the diagonal of the normal equations: an area without texture answers 0 rather than noise."""
DIAGONAL_BITS = 24
"""Normal equations are shifted right until the largest number of the diagonal fits into so many bits."""
BIAS = 1 << 20
"""Keeps numbers positive while they are shifted: C leaves the shift of negative ones to the compiler."""


def _mask(rows: tuple[int, int], columns: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for low, high in columns:
        mask[rows[0] : rows[1], low:high] = True
    return mask


_INSIDE = _mask((MARGIN, HEIGHT - MARGIN), ((MARGIN, WIDTH - MARGIN),))
_EVERY_SECOND_ROW = (np.arange(HEIGHT) % 2 == 0)[:, None]
FACE = _INSIDE & _EVERY_SECOND_ROW & ~_mask(EYE_ROWS, EYE_COLUMNS)
IRISES = tuple(_mask(IRIS_ROWS, (columns,)) for columns in IRIS_COLUMNS)


@dataclass(frozen=True)
class Motion:
    """What has moved between two strips, for n pairs.

    Attributes:
        eyes: (n, 2) shift of the eyes against the face, right and down, Q8 px of the gate's strip; mean of both eyes.
        face: (n, 4) of the face: shift right, down (Q8 px), growth and turn (Q14).
        misfit: (n,) mean absolute difference inside the eyes after both are undone, Q4 grey: a blink does not fit.
        lost: (n,) 1 where the face went farther than is followed: then the other numbers mean nothing.
    """

    eyes: Ints
    face: Ints
    misfit: Ints
    lost: Ints


def grey_strip(frame: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
    """Return the gate's strip of a frame, (32, 96): means of areas of grey, black outside of the frame.

    Args:
        frame: (H, W, 3), RGB.
        region: by which the network's input is cut too.
    """
    x, y, width, height = region.box
    rows, columns = frame.shape[:2]
    left, right = (min(max(v, 0), columns) for v in (x, x + width))
    top, bottom = (min(max(v, 0), rows) for v in (y, y + height))
    grey = (frame[top:bottom, left:right].astype(np.int64) @ np.array(LUMA) + 128) >> 8
    box = (x - left, y - top, width, height)
    return cut(grey.astype(np.uint8), box, WIDTH, HEIGHT, 1)[..., 0]


def prepare(strips: NDArray[np.uint8]) -> Ints:
    """Smooth strips (n, 32, 96) by (1 2 1) along both axes; edges are repeated. Values are 4 × grey, 0 to 1020."""
    padded = np.pad(strips.astype(np.int64), ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    both: Ints = rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:]
    return (both + 2) >> 2


def guess(before: Region, after: Region) -> tuple[int, int, int, int]:
    """Return how a face that stays where it is moves between the strips of two regions, as `Motion.face`.

    Example:
        >>> guess(Region(1600, 800, 1536), Region(1616, 800, 1536))  # the crop goes 1 px to the right
        (-256, 0, 0, 0)
    """
    width = max(after.width, 1)
    numbers = (
        divided(WIDTH * Q8 * (before.x - after.x), width),
        divided(WIDTH * Q8 * (before.y - after.y), width),
        divided((before.width - after.width) << 14, width),
    )
    return *(limited(number, -_FARTHEST_GUESS, _FARTHEST_GUESS) for number in numbers), 0  # type: ignore[return-value]


def motion(before: Ints, after: Ints, guesses: ArrayLike = 0) -> Motion:
    """Return what has moved from `before` to `after`, both from `prepare`, (n, 32, 96).

    Args:
        before: strips.
        after: the strips that follow them.
        guesses: (n, 4) where the search begins: `guess` of the regions, plus how the head moved one frame before; or 0.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> strip = prepare(rng.integers(0, 256, (1, 32, 96)).astype(np.uint8))
        >>> motion(strip, strip).eyes.tolist()
        [[0, 0]]
    """
    reach = np.array([GUESS_Q8, GUESS_Q8, GUESS_Q14, GUESS_Q14])
    wanted = np.broadcast_to(np.asarray(guesses, np.int64), (len(before), 4))
    start = np.clip(wanted, -reach, reach)
    gain = _gain(before, after)
    after = np.minimum((after * gain[:, None, None] + Q12 // 2) >> 12, BRIGHTEST)
    columns = _columns(before)
    limits = np.array([FARTHEST_Q8, FARTHEST_Q8, TURNED_Q14, TURNED_Q14])
    found = np.zeros((len(before), 4), np.int64)
    moved = warp(after, start)
    for step in range(STEPS):
        unknowns = 2 if step == 0 else 4
        # gx and gy are twice the gradient; growth and turn count in 32 px: see _columns
        found[:, :unknowns] += _divided(_solve(columns[:unknowns], before - moved, FACE), UNITS[:unknowns])
        found = np.clip(found, -limits, limits)
        moved = warp(after, start + found)
    lost = ((np.abs(found) >= limits) | (wanted != start)).any(1).astype(np.int64)
    left = before - moved
    eyes = [
        np.clip(_divided(_solve(columns[:2], left, iris), UNITS[:2]), -FARTHEST_EYES_Q8, FARTHEST_EYES_Q8)
        for iris in IRISES
    ]
    both = _divided(eyes[0] + eyes[1], 2)
    return Motion(both, start + found, _misfit(left, columns[:2], eyes), lost)


def warp(strips: Ints, face: Ints) -> Ints:
    """Undo a movement of the face: sample strips (n, 32, 96) where the content has gone to, bilinearly.

    Args:
        strips: any values from 0 to 2047.
        face: (n, 4) as `Motion.face`.
    """
    x2 = 2 * np.arange(WIDTH)[None, None, :] - (WIDTH - 1)  # from the centre, half px
    y2 = 2 * np.arange(HEIGHT)[None, :, None] - (HEIGHT - 1)
    u, v, grown, turned = (face[:, k, None, None] for k in range(4))
    # Q14 × half px = Q15 px; to Q8 it is 7 bits
    right = ((grown * x2 - turned * y2 + BIAS) >> 7) - (BIAS >> 7) + u + Q8 * np.arange(WIDTH)[None, None, :]
    down = ((turned * x2 + grown * y2 + BIAS) >> 7) - (BIAS >> 7) + v + Q8 * np.arange(HEIGHT)[None, :, None]
    right = np.clip(right, 0, Q8 * (WIDTH - 1) - 1)
    down = np.clip(down, 0, Q8 * (HEIGHT - 1) - 1)
    column, row, fx, fy = right >> 8, down >> 8, right & 255, down & 255
    flat = strips.reshape(len(strips), -1)
    at = row * WIDTH + column

    def take(offset: int) -> Ints:
        found: Ints = np.take_along_axis(flat, (at + offset).reshape(len(at), -1), axis=1).reshape(at.shape)
        return found

    upper = take(0) * (Q8 - fx) + take(1) * fx
    lower = take(WIDTH) * (Q8 - fx) + take(WIDTH + 1) * fx
    sampled: Ints = (upper * (Q8 - fy) + lower * fy + (1 << 15)) >> 16
    return sampled


def _gain(before: Ints, after: Ints) -> Ints:
    """Return by what `after` must be multiplied for the face to be as bright as in `before`, Q12, 1/2 to 2."""
    was, now = before[:, FACE].sum(1), after[:, FACE].sum(1)
    return np.clip(_divided(Q12 * was, np.maximum(now, 1)), Q12 // 2, 2 * Q12)


def _columns(strips: Ints) -> list[Ints]:
    """Return how the strip changes by a shift right, a shift down, growth and turn: 2 × grey per px, and per 1/16."""
    gx, gy = np.zeros_like(strips), np.zeros_like(strips)
    gx[:, :, 1:-1] = strips[:, :, 2:] - strips[:, :, :-2]
    gy[:, 1:-1, :] = strips[:, 2:, :] - strips[:, :-2, :]
    x2 = 2 * np.arange(WIDTH)[None, None, :] - (WIDTH - 1)
    y2 = 2 * np.arange(HEIGHT)[None, :, None] - (HEIGHT - 1)
    grown = ((gx * x2 + gy * y2 + BIAS) >> 6) - (BIAS >> 6)
    turned = ((gy * x2 - gx * y2 + BIAS) >> 6) - (BIAS >> 6)
    return [gx, gy, grown, turned]


def _solve(columns: list[Ints], difference: Ints, mask: NDArray[np.bool_]) -> Ints:
    """Solve the least squares `columns · x = difference` on a mask, with the means taken out: (n, unknowns) in Q12."""
    chosen = [column[:, mask] for column in columns]
    target, count = difference[:, mask], int(mask.sum())
    size = len(chosen)
    sums = [column.sum(1) for column in chosen]
    total = target.sum(1)
    matrix = np.zeros((len(target), size, size + 1), np.int64)
    for i in range(size):
        for j in range(i, size):
            centred = (chosen[i] * chosen[j]).sum(1) - _divided(sums[i] * sums[j], count)
            matrix[:, i, j] = matrix[:, j, i] = centred
        matrix[:, i, size] = (chosen[i] * target).sum(1) - _divided(sums[i] * total, count)
        matrix[:, i, i] += RIDGE
    largest = matrix[:, range(size), range(size)].max(1)
    scale = np.ones(len(target), np.int64)
    while (too_large := largest // scale >= 1 << DIAGONAL_BITS).any():
        scale = np.where(too_large, 2 * scale, scale)
    return _eliminate(_divided(matrix, scale[:, None, None]))


def _eliminate(matrix: Ints) -> Ints:
    """Solve (n, k, k + 1) systems of normal equations by Gaussian elimination in Q16: (n, k) in Q12."""
    matrix = matrix.copy()
    size = matrix.shape[1]
    for i in range(size):
        pivot = np.maximum(matrix[:, i, i], 1)
        for j in range(i + 1, size):
            factor = _divided(matrix[:, j, i] << 16, pivot)
            matrix[:, j, i:] -= _divided(factor[:, None] * matrix[:, i, i:], 1 << 16)
    solved = np.zeros((len(matrix), size), np.int64)
    for i in reversed(range(size)):
        known = (matrix[:, i, i + 1 : size] * solved[:, i + 1 :]).sum(1)
        rest = (matrix[:, i, size] << 12) - known
        solved[:, i] = np.clip(_divided(rest, np.maximum(matrix[:, i, i], 1)), -(1 << 20), 1 << 20)
    return solved


def _misfit(left: Ints, columns: list[Ints], eyes: list[Ints]) -> Ints:
    """Return what the eyes' shift does not explain, Q4 grey: strips count 4 per grey, gradients 2 per px."""
    total, count = np.zeros(len(left), np.int64), 0
    for iris, eye in zip(IRISES, eyes, strict=True):
        gx, gy = columns[0][:, iris], columns[1][:, iris]
        shifted = gx * eye[:, :1] + gy * eye[:, 1:]
        explained = ((shifted + (BIAS << 9)) >> 9) - BIAS
        rest = left[:, iris] - explained
        total += np.abs(rest - _divided(rest.sum(1), int(iris.sum()))[:, None]).sum(1)
        count += int(iris.sum())
    return _divided(4 * total, count)


def _divided(numerator: Ints, denominator: Ints | int) -> Ints:
    """Divide to the nearest integer, halves up, elementwise (`tinytracker.aim.fixed.divided`)."""
    quotient: Ints = (2 * numerator + denominator) // (2 * np.asarray(denominator))
    return quotient
