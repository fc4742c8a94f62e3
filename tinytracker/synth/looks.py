"""Random sampling of what surrounds the eyes of a subject, and of what only some people have or wear.

It has a generator of its own, so that head, hair, light and gaze of a subject do not depend on it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.synth.eye_region import shape_region
from tinytracker.synth.head import load_head
from tinytracker.synth.identity import HAND_PLACES, Extras, EyeRegion, Globe, Identity

Generator = np.random.Generator

EYES_UP_CM = (0.035, 0.025)
"""Mean and standard deviation of how much higher than in the base mesh the globes sit between the lids."""
CORNERS_DOWN = (0.27, 0.12)
"""Mean and standard deviation of the weight of the morphs that lower both corners of an eye, by 2.1 and 2.5 mm at 1."""
WIDER = (0.2, 0.12)
"""Mean and standard deviation of the weight of the morph that moves the outer corners outwards, by 2.8 mm at 1."""

EYE_SHAPES = ("plain", "monolid", "epicanthic", "hooded", "deep-set")
_SHAPE_MORPHS: dict[str, dict[str, tuple[float, float]]] = {
    "plain": {},
    "monolid": {"eyefold-convex": (0.4, 1.0), "eyefold-down": (0.1, 0.35)},
    "epicanthic": {"epicanthus-out": (0.35, 0.7), "eyefold-down": (0.05, 0.3)},
    "hooded": {"eyefold-down": (0.55, 0.95), "eyefold-angle-down": (0.0, 0.4)},
    "deep-set": {"eyefold-concave": (0.25, 0.6)},
}
"""Lowest and highest weight of the morphs that make an eye shape."""
SHADOW_COLOURS = np.array(
    [
        [0.20, 0.11, 0.07],
        [0.09, 0.08, 0.08],
        [0.10, 0.14, 0.28],
        [0.22, 0.09, 0.20],
        [0.42, 0.18, 0.18],
        [0.40, 0.27, 0.12],
    ]
)
LENS_COLOURS = np.array(
    [
        [0.12, 0.25, 0.42],
        [0.15, 0.33, 0.20],
        [0.33, 0.33, 0.36],
        [0.34, 0.22, 0.08],
        [0.25, 0.15, 0.36],
    ]
)

COLOURED_LENSES, CLEAR_LENSES = 0.03, 0.10
DOTS_PER_REST = 6
HAND_SHARE, LOCK_SHARE = 0.08, 0.07


def with_looks(identity: Identity, rng: Generator, extras: Extras | None = None) -> Identity:
    """Return the subject with surroundings of the eyes, headwear and other extras, drawn at random unless given."""
    region = sample_region(identity, rng)
    drawn = sample_extras(identity, rng)
    extras = extras or drawn
    region = _fitting(region, extras, rng)
    up = np.array([0.0, float(np.clip(rng.normal(*EYES_UP_CM), 0.0, 0.1)), 0.0])
    eyes = {side: replace(eye, centre=eye.centre + up) for side, eye in identity.eyes.items()}
    vertices = shape_region(identity.vertices, region)
    down = float(np.clip(rng.normal(*CORNERS_DOWN), 0.0, 0.6))
    wider = float(np.clip(rng.normal(*WIDER), 0.0, 0.5))
    morphs = {"corner1-down": down, "corner2-down": down, "push1-out": wider}
    morphs |= {name: float(rng.uniform(*limits)) for name, limits in _SHAPE_MORPHS[extras.eye_shape].items()}
    for side in ("l", "r"):
        for name, weight in morphs.items():
            load_head().move(vertices, f"eyes/{side}-eye-{name}", weight)
    globe = _with_lenses(identity.globe, extras, rng)
    return replace(identity, region=region, extras=extras, eyes=eyes, vertices=vertices, globe=globe)


def sample_region(identity: Identity, rng: Generator) -> EyeRegion:
    """Draw the surroundings of the eyes: flatter for Asian origins, deeper for masculine faces."""
    asian, masculine = float(identity.origins[1]), identity.masculine
    ridge = rng.normal(0.26 + 0.2 * masculine - 0.24 * asian, 0.12)
    crease = rng.normal(0.10 - 0.14 * asian, 0.05)
    hollow = rng.beta(5.0, 3.0) * (1.0 - 0.45 * asian)
    painted = identity.skin.makeup
    return EyeRegion(
        ridge=float(np.clip(ridge, 0.0, 0.7)),
        crease=float(np.clip(crease, -0.06, 0.22)),
        hollow=float(np.clip(hollow, 0.1, 0.85)),
        lash_line=float(np.clip(rng.normal(0.75, 0.15) + 0.3 * painted, 0.3, 1.0)),
        lash_line_cm=float(np.clip(rng.normal(0.12, 0.03) + 0.07 * painted, 0.05, 0.24)),
        lower_line=float(np.clip(rng.normal(0.25, 0.12) + 0.35 * painted, 0.0, 0.8)),
        white=float(np.clip(rng.normal(0.86, 0.10), 0.6, 1.1)),
    )


def sample_extras(identity: Identity, rng: Generator) -> Extras:
    """Draw what only some people have or wear; hooded lids come with age."""
    asian, age = float(identity.origins[1]), identity.age
    chances = np.array(
        [0.0, 0.35 * asian, 0.35 * asian, 0.08 + 0.35 * max(0.0, age - 0.3), 0.14 * (1 - asian)]
    )
    chances[0] = 1 - chances.sum()
    shape = EYE_SHAPES[rng.choice(len(EYE_SHAPES), p=chances)]
    feminine = identity.masculine < 0.5
    headwear = ("", "cap", "beanie", "headscarf")
    wears = rng.choice(4, p=[0.86, 0.05, 0.03, 0.06] if feminine else [0.86, 0.09, 0.05, 0.0])
    lenses, painted = rng.random(), identity.skin.makeup
    no_glasses = identity.glasses is None
    lens = (
        "coloured" if lenses < COLOURED_LENSES else "clear" if lenses < COLOURED_LENSES + CLEAR_LENSES else ""
    )
    can_hang = identity.hair.style not in ("bald", "buzz") and not headwear[wears]
    hand, place, lock = (
        rng.random() < HAND_SHARE,
        HAND_PLACES[rng.integers(len(HAND_PLACES))],
        rng.random() < LOCK_SHARE,
    )
    thick = float(rng.uniform(0.25, 1.0))
    hand_side, lock_side = (float(rng.choice([-1, 1])) for _ in range(2))
    return Extras(
        eye_shape=shape,
        eye_shadow=painted * float(rng.uniform(0.2, 1.0)) * float(painted > 0.4),
        eye_shadow_colour=SHADOW_COLOURS[rng.integers(len(SHADOW_COLOURS))] * rng.uniform(0.7, 1.3),
        contact_lenses=lens if no_glasses else "",
        headwear=headwear[wears],
        headwear_colour=_cloth_colour(rng),
        hand=place if hand else "",
        hand_side=hand_side,
        lock=thick if lock and can_hang else 0.0,
        lock_side=lock_side,
    )


def sample_hand(identity: Identity, rng: Generator, dots: int) -> NDArray[np.bool_]:
    """Draw during which dots the hand of a subject who has one at the face rests there, (dots,): some in a row."""
    rests = np.repeat(rng.random(-(-dots // DOTS_PER_REST)) < 0.6, DOTS_PER_REST)[:dots]
    resting: NDArray[np.bool_] = rests & bool(identity.extras.hand)
    return resting


def _cloth_colour(rng: Generator) -> Floats:
    grey = rng.uniform(0.01, 0.5)
    colour: Floats = np.clip(grey * (1 + rng.beta(1, 1.5) * rng.uniform(-1, 1, 3)), 0.008, 0.7)
    return colour


def _fitting(region: EyeRegion, extras: Extras, rng: Generator) -> EyeRegion:
    """Return the region as the eye shape demands."""
    amount = float(rng.uniform(0.5, 1.0))
    if extras.eye_shape in ("monolid", "epicanthic"):
        crease = -0.05 * amount if extras.eye_shape == "monolid" else min(region.crease, 0.06)
        return replace(region, crease=crease, hollow=0.7 * region.hollow)
    if extras.eye_shape == "hooded":
        return replace(region, crease=min(region.crease, 0.04))
    if extras.eye_shape == "deep-set":
        ridge = min(region.ridge + 0.25 * amount, 0.8)
        return replace(region, ridge=ridge, hollow=max(region.hollow, 0.65 + 0.2 * amount))
    return region


def _with_lenses(globe: Globe, extras: Extras, rng: Generator) -> Globe:
    """Return the globe with a coloured contact lens over the iris, where the subject wears one."""
    colour = LENS_COLOURS[rng.integers(len(LENS_COLOURS))] * rng.uniform(0.7, 1.2)
    if extras.contact_lenses != "coloured":
        return globe
    return replace(globe, iris_colour=colour, iris_inner=0.6 * colour + 0.4 * globe.iris_inner)
