"""What is known about a synthetic subject, for tables of errors by kind of person and picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.synth.sitting import Sitting

YOUNGEST_YEARS, YEARS = 20, 55
"""Age of the youngest subjects, and of the oldest beyond that; those of the mesh's "young" and "old" morphs, by eye."""

_TONES = ((55.0, "very light"), (41.0, "light"), (28.0, "intermediate"), (10.0, "tan"), (-30.0, "brown"))
_DARKEST = "dark"

_SRGB_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = np.array([0.9505, 1.0, 1.089])


def typology_angle(tone: Floats) -> float:
    """Return the individual typology angle of a skin colour, degrees, from its linear RGB reflectance (3,).

    atan((L* - 50) / b*), in CIELAB under D65: Chardon, Cretois and Hourseau, International Journal of Cosmetic Science
    13, 1991.
    """
    share = (_SRGB_TO_XYZ @ tone) / _WHITE
    root = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    lightness, yellow = 116 * root[1] - 16, 200 * (root[1] - root[2])
    return float(np.degrees(np.arctan2(lightness - 50, yellow)))


def tone_name(angle: float) -> str:
    """Return the class of a typology angle (degrees), from "very light" to "dark"."""
    return next((name for limit, name in _TONES if angle > limit), _DARKEST)


def attributes_of(sitting: Sitting) -> dict[str, Any]:
    """Return the attributes of a subject and of the sitting, ready for JSON; they are exact."""
    identity, extras = sitting.identity, sitting.identity.extras
    angle = typology_angle(identity.skin.tone)
    distances = [float(frame.pose.position[2]) for frame in sitting.frames]
    return {
        "age": round(YOUNGEST_YEARS + YEARS * identity.age),
        "skin_tone": tone_name(angle),
        "skin_ita_deg": round(angle, 1),
        "eye_shape": extras.eye_shape,
        "glasses": identity.glasses is not None,
        "contact_lenses": extras.contact_lenses,
        "make_up": bool(identity.skin.makeup > 0),
        "headwear": extras.headwear,
        "hand": extras.hand if any(frame.hand for frame in sitting.frames) else "",
        "hair_over_eye": extras.lock > 0,
        "light": sitting.light.kind,
        "distance_cm": round(float(np.mean(distances)), 1) if distances else 0.0,
    }
