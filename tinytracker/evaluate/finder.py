"""How well a finder finds the eyes in a whole frame, and how often it finds some where nobody is."""

from __future__ import annotations

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.evaluate.finder_numbers import FinderNumbers

WITHIN = 0.4
"""Strip widths from which the aim of a strip network still reaches the eyes."""

FALSE_SHARE = 0.01


def summarize_finder(places: Floats, scores: Floats, strips: Floats, nothing: Floats) -> FinderNumbers:
    """Return the numbers of a finder.

    Args:
        places: (N, 3) found.
        scores: (N,) logits.
        strips: (N, 3) true.
        nothing: scores in pictures without a person, (M,).
    """
    distance = np.linalg.norm(places[:, :2] - strips[:, :2], axis=1) / strips[:, 2]
    ln_width = np.abs(np.log(places[:, 2] / strips[:, 2]))
    threshold = float(np.quantile(nothing, 1 - FALSE_SHARE)) if len(nothing) else float("nan")
    return FinderNumbers(
        frames=len(scores), rooms=len(nothing), distance=float(np.median(distance)),
        distance_p90=float(np.quantile(distance, 0.9)), within=float((distance < WITHIN).mean()),
        ln_width=float(np.median(ln_width)), score_threshold=threshold if len(nothing) else None,
        recall=float((scores > threshold).mean()) if len(nothing) else None,
    )  # fmt: skip
