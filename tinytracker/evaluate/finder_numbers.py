"""The numbers of a finder, as an evaluation stores them; `tinytracker.evaluate.finder` measures them."""

from __future__ import annotations

from tinytracker.documents import Part


class FinderNumbers(Part):
    """How well a finder finds the eyes.

    Attributes:
        frames, rooms: number of frames with a person, and of pictures without.
        distance, distance_p90: between the found and the true strip, strip widths: median and 90th percentile.
        within: share of frames in which it is at most 0.4 strip widths, from where the aim finds the strip.
        ln_width: median of |ln(found width / true width)|.
        score_threshold: logit that 1 % of the pictures without a person exceed; None without such pictures.
        recall: share of frames whose score exceeds it.
    """

    frames: int
    rooms: int
    distance: float
    distance_p90: float
    within: float
    ln_width: float
    score_threshold: float | None = None
    recall: float | None = None
