"""Time stamps of MLPerf Tiny's meters as a line of a trace: high between the two edges of a window, low elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinytracker.energy.trace import Levels

LINE = 0
"""Where the windows are shown; analyse them with `--lines 0 --phases inference`."""


def window_levels(edges: Sequence[int], samples: int) -> Levels | None:
    """Levels (N,) of line 0, or None when there is no window.

    Edges come in pairs, around each run of N inferences. With an odd count, the first is
    skipped: runners test the line before they start.

    Args:
        edges: sample at which each time stamp was seen, ascending.
        samples: of the trace.
    """
    pairs = list(edges)[len(edges) % 2 :]
    if not pairs:
        return None
    levels = np.zeros(samples, np.uint8)
    for first, stop in zip(pairs[::2], pairs[1::2], strict=True):
        levels[first:stop] = 1 << LINE
    return levels
