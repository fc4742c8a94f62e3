"""The numbers of a network's aim, as an evaluation stores them; `tinytracker.evaluate.aim` measures them."""

from __future__ import annotations

from tinytracker.documents import Part


class AimNumbers(Part):
    """What a network's aim is worth.

    Attributes:
        frames, subjects: their numbers. rooms: pictures without a person among the crops without eyes.
        dx, dy, distance, ln_scale, roll: at the true strip, median absolute errors in strip widths, and rad.
        mid_on_it, far_on_it: share of crops on the strip after 1, 2, ... steps of the aim.
        gaze_true_cm, gaze_own_cm: mean error of the gaze on the true strip, and on the crop that the network placed
            after the steps from a mid start.
        presence_threshold: logit that 99.5 % of true strips exceed.
        false_eyes: share of crops without eyes that exceed it.
    """

    frames: int
    subjects: int
    rooms: int
    dx: float
    dy: float
    distance: float
    ln_scale: float
    roll: float
    mid_on_it: tuple[float, ...]
    far_on_it: tuple[float, ...]
    gaze_true_cm: float
    gaze_own_cm: float
    presence_threshold: float
    false_eyes: float
