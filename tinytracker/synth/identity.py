"""The person in front of the camera: everything about a subject that stays constant over a sitting.

Lengths are in cm, colours linear RGB reflectances (3,). `people.sample_identity` draws one at random.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinytracker.arrays import Floats
from tinytracker.synth.head import Side


@dataclass(frozen=True)
class Eye:
    """One eyeball in head coordinates (cm, origin between the eyes, x subject's left, y up, z forward).

    Attributes:
        centre: (3,) centre of rotation.
        kappa_yaw: optical axis minus visual axis, radians, positive to the subject's left.
        kappa_pitch: optical axis minus visual axis, radians, positive up.
    """

    centre: Floats
    kappa_yaw: float
    kappa_pitch: float


@dataclass(frozen=True)
class Globe:
    """Shape and colour of both eyeballs (cm, reflectance)."""

    sclera_radius: float
    cornea_radius: float
    cornea_offset: float
    iris_depth: float
    iris_radius: float
    pupil_radius: float
    iris_colour: Floats
    iris_inner: Floats
    redness: float


@dataclass(frozen=True)
class Hair:
    """Hair of the scalp."""

    style: str
    colour: Floats
    line: float
    volume: float
    length: float
    parting: float
    curl: float
    fringe: float


@dataclass(frozen=True)
class Skin:
    """Appearance of the skin."""

    tone: Floats
    blush: float
    freckles: float
    roughness: float
    oil: float
    lips: Floats
    lip_strength: float
    wrinkles: float
    dark_circles: float
    beard: float
    beard_length: float
    brow_colour: Floats
    brow_density: float
    brow_width: float
    brow_height: float
    lash_length: float
    makeup: float


@dataclass(frozen=True)
class EyeRegion:
    """The surroundings of the eyes; see `eye_region`.

    Attributes:
        ridge: how far the brow ridge stands out beyond that of the base mesh, cm.
        crease: depth, cm, of the fold above the upper lid; negative when the lid has no fold and bulges.
        hollow: share of the light of the surroundings that the socket loses, 0 to 1.
        lash_line: opacity of the dark edge of the upper lid, 0 to 1. lash_line_cm: its width.
        lower_line: opacity of the edge of the lower lid.
        white: factor on the reflectance of the white of the eye.
    """

    ridge: float
    crease: float
    hollow: float
    lash_line: float
    lash_line_cm: float
    lower_line: float
    white: float


HAND_PLACES = ("cheek", "temple", "chin")


@dataclass(frozen=True)
class Extras:
    """What only some people have or wear.

    Attributes:
        eye_shape: "plain", "monolid" (no crease), "epicanthic" (a fold over the inner corner), "hooded" (skin hangs
            over the upper lid) or "deep-set".
        eye_shadow: strength of the colour on the upper lid, 0 to 1. eye_shadow_colour: (3,).
        contact_lenses: "", "clear" or "coloured".
        headwear: "", "cap", "beanie" or "headscarf". headwear_colour: (3,).
        hand: where a hand rests: "", or one of `HAND_PLACES`. hand_side: 1 for the subject's left, else -1.
        lock: share of the hairs that may hang over one eye, 0 for none. lock_side: as `hand_side`.
    """

    eye_shape: str
    eye_shadow: float
    eye_shadow_colour: Floats
    contact_lenses: str
    headwear: str
    headwear_colour: Floats
    hand: str
    hand_side: float
    lock: float
    lock_side: float


@dataclass(frozen=True)
class Glasses:
    """Frame and lenses (cm); None in the identity means no glasses."""

    width: float
    height: float
    power: float
    colour: Floats
    thickness: float
    rimless: bool
    reflection: float
    magnification: float


@dataclass(frozen=True)
class Clothes:
    """A shirt over the torso."""

    colour: Floats
    second: Floats
    pattern: int
    pattern_size: float
    neckline: float
    thickness: float


@dataclass(frozen=True)
class Identity:
    """One subject.

    Attributes:
        vertices: (n, 3) cm, neutral face, origin between the centres of the eyes.
        neck: (3,) cm, pivot between head and torso.
        origins: (3,) shares of African, Asian and European morphs. masculine, age: 0 to 1; age 0 is about 20 years.
        region: what is around the eyes. extras: what only some have or wear.
        eyes: by side. lid_rest: added to the blink weight at rest. neutral: weights of face units at rest.
    """

    vertices: Floats
    neck: Floats
    eyes: dict[Side, Eye]
    globe: Globe
    hair: Hair
    skin: Skin
    glasses: Glasses | None
    clothes: Clothes
    lid_rest: float
    neutral: dict[str, float]
    noise_offset: Floats
    origins: Floats
    masculine: float
    age: float
    region: EyeRegion
    extras: Extras
