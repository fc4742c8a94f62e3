"""The accumulator between spikes and integers: the specification that `deploy/common/tt_accumulate.c` follows.

A window of T steps has T / I slots. The spikes of a neuron in the I steps of a slot are counted, and the count leaves
as the INT8 code

    code = min(-128 + count * (256 / I), 127)

which is what a head with scale 1/256 and zero point -128 reads as the share of steps in which the neuron fired; only
the full count I is one code short of 1. On the device this is one saturating addition for each spike: a cell starts at
-128 and grows by 256 / I. A neuron that is silent costs nothing after the cells are reset.

Cells are (height, width, slots * channels): channel c of slot s is at `s * channels + c`, so they are the head's input
tensor itself. Steps that have not come yet leave their slots empty.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import UsageError
from tinytracker.hybrid.presets import require_interval

EMPTY, FULL = -128, 127
"""Code of a cell without a spike, and the largest code."""

SCALE, ZERO_POINT = 1 / 256, EMPTY
"""With which a head reads the codes."""

LEVELS = 256


def code_step(interval: int) -> int:
    """Return by how much a spike raises a code: 128, 64 or 32.

    Raises:
        UsageError: not an interval of the accumulator.
    """
    return LEVELS // require_interval(interval)


def accumulate(spikes: NDArray[np.generic], interval: int) -> NDArray[np.int8]:
    """Add up the spikes of windows.

    Args:
        spikes: (steps, n, h, w, c) of 0 and 1; the number of steps is a multiple of the interval.
        interval: steps of a slot.

    Returns:
        (n, h, w, steps / interval * c) codes.

    Raises:
        UsageError: not an interval of the accumulator, or it does not divide the steps.

    Example:
        >>> import numpy as np
        >>> from tinytracker.hybrid import accumulate
        >>> spikes = np.array([1, 0, 1, 1, 1, 1, 1, 1]).reshape(8, 1, 1, 1, 1)
        >>> accumulate(spikes, 4).ravel().tolist()
        [64, 127]
    """
    step = code_step(interval)
    steps, n, h, w, c = spikes.shape
    if steps % interval:
        raise UsageError(
            f"An interval of {interval} steps does not divide {steps} steps of spikes.",
            "Pad them with empty steps.",
        )
    slots = steps // interval
    counts = spikes.astype(np.int64).reshape(slots, interval, n, h, w, c).sum(1)
    codes = np.minimum(EMPTY + counts * step, FULL).astype(np.int8)
    return np.ascontiguousarray(codes.transpose(1, 2, 3, 0, 4)).reshape(n, h, w, slots * c)
