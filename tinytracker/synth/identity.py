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
