"""Random sampling of what surrounds the eyes of a subject.

It has a generator of its own, so that head, hair, light and gaze of a subject do not depend on it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinytracker.synth.eye_region import shape_region
from tinytracker.synth.head import load_head
from tinytracker.synth.identity import EyeRegion, Identity

EYES_UP_CM = (0.035, 0.025)
"""Mean and standard deviation of how much higher than in the base mesh the globes sit between the lids."""
CORNERS_DOWN = (0.27, 0.12)
"""Mean and standard deviation of the weight of the morphs that lower both corners of an eye, by 2.1 and 2.5 mm at 1."""

WIDER = (0.2, 0.12)
"""Mean and standard deviation of the weight of the morph that moves the outer corners outwards, by 2.8 mm at 1."""


def with_looks(identity: Identity, rng: np.random.Generator) -> Identity:
    """Return the subject with the surroundings of the eyes drawn at random."""
    region = sample_region(identity, rng)
    up = np.array([0.0, float(np.clip(rng.normal(*EYES_UP_CM), 0.0, 0.1)), 0.0])
    eyes = {side: replace(eye, centre=eye.centre + up) for side, eye in identity.eyes.items()}
    vertices = shape_region(identity.vertices, region)
    down = float(np.clip(rng.normal(*CORNERS_DOWN), 0.0, 0.6))
    wider = float(np.clip(rng.normal(*WIDER), 0.0, 0.5))
    for side in ("l", "r"):
        for target, weight in (("corner1-down", down), ("corner2-down", down), ("push1-out", wider)):
            load_head().move(vertices, f"eyes/{side}-eye-{target}", weight)
    return replace(identity, region=region, eyes=eyes, vertices=vertices)


def sample_region(identity: Identity, rng: np.random.Generator) -> EyeRegion:
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
