"""Which group each frame of a subject belongs to, by what is known about the subject: for errors by kind of person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

DISTANCES_CM = (30.0, 40.0, 50.0)
AGES = (30, 45, 60)
"""Limits between the groups of mean distance from the device, and of age in years."""


def _range(limits: tuple[float, ...], unit: str) -> Callable[[Any], str]:
    def name(value: Any) -> str:
        for i, limit in enumerate(limits):
            if float(value) < limit:
                return f"below {limit:g} {unit}" if i == 0 else f"{limits[i - 1]:g} to {limit:g} {unit}"
        return f"{limits[-1]:g} {unit} and more"

    return name


def _yes_no(value: Any) -> str:
    return "yes" if value else "no"


def _word(value: Any) -> str:
    return str(value) or "none"


TRAITS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "glasses": ("glasses", _yes_no),
    "light": ("light", _word),
    "distance": ("distance_cm", _range(DISTANCES_CM, "cm")),
    "skin tone": ("skin_tone", _word),
    "age": ("age", _range(AGES, "years")),
    "eye shape": ("eye_shape", _word),
    "make-up": ("make_up", _yes_no),
    "contact lenses": ("contact_lenses", _word),
    "headwear": ("headwear", _word),
    "hand at the face": ("hand", _word),
    "hair over an eye": ("hair_over_eye", _yes_no),
}
"""Trait: the attribute in `synth.json` that it comes from, and how its value becomes a group."""


def groups_of(
    people: Mapping[str, Mapping[str, Any]], subject: NDArray[np.str_]
) -> dict[str, NDArray[np.str_]]:
    """Return the group of each frame for every trait, "" where it is not known.

    Args:
        people: attributes by name of the subject.
        subject: (N,) names of the frames' subjects.
    """
    names, index = np.unique(subject, return_inverse=True)
    groups = {}
    for trait, (attribute, group) in TRAITS.items():
        found = [people.get(str(name), {}) for name in names]
        words = np.array([group(p[attribute]) if attribute in p else "" for p in found], np.str_)
        if (words != "").any():
            groups[trait] = words[index]
    return groups
