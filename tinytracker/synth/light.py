"""The light of a session: sky from above, ground from below, lamps or windows, and the screen.

Units are arbitrary and linear; the camera's exposure maps them to the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Light:
    """Light on the subject.

    Attributes:
        sky: (3,) linear RGB from above. ground: (3,) from below.
        directions: (k, 3) unit vectors in the scene, from the subject to each source; the first casts
            shadows.
        colours: (k, 3) linear RGB of each. softness: (k,) 0 (point) to 1 (large source).
        glint: (k,) cosine of the half angle under which the cornea mirrors the source.
        screen: (3,) radiance of the device's screen. screen_share: its strength as a source on the face.
        room: brightness of the background relative to the light on the face.
        kind: for reports.
    """

    sky: Floats
    ground: Floats
    directions: Floats
    colours: Floats
    softness: Floats
    glint: Floats
    screen: Floats
    screen_share: float
    room: float
    kind: str


def _tint(kelvin_offset: float) -> Floats:
    """Warm (+1) to cold (-1) around neutral."""
    return np.array([1 + 0.17 * kelvin_offset, 1.0, 1 - 0.24 * kelvin_offset])


def _from(azimuth_deg: float, height_deg: float) -> Floats:
    """Direction to a source; azimuth 0 is behind the camera, positive to the scene's right."""
    a, h = np.radians([azimuth_deg, height_deg])
    return np.array([np.sin(a) * np.cos(h), np.sin(h), -np.cos(a) * np.cos(h)])


def sample_light(rng: np.random.Generator) -> Light:
    """Draw a session's light: window, ceiling, lamp, outdoors, against the light, or the screen alone."""
    kind = str(
        rng.choice(
            ["window", "ceiling", "lamp", "outdoor", "backlight", "screen"],
            p=[0.3, 0.3, 0.14, 0.1, 0.09, 0.07],
        )
    )
    warm = rng.uniform(-1, 1)
    tint, counter = _tint(warm), _tint(-0.6 * warm + rng.normal(0, 0.2))
    side = rng.choice([-1, 1])
    sources: list[tuple[Floats, Floats, float, float]] = []
    sky, ground, room = 0.4, 0.18, 1.0
    if kind == "window":
        sources.append(
            (_from(side * rng.uniform(20, 85), rng.uniform(0, 35)), tint * rng.uniform(0.5, 1.1), 0.7, 0.975)
        )
        sky, ground = rng.uniform(0.18, 0.45), rng.uniform(0.08, 0.2)
    elif kind == "ceiling":
        sources.append(
            (_from(rng.uniform(-60, 60), rng.uniform(45, 80)), tint * rng.uniform(0.4, 0.8), 0.5, 0.99)
        )
        if rng.random() < 0.6:
            sources.append(
                (
                    _from(rng.uniform(-120, 120), rng.uniform(35, 70)),
                    tint * rng.uniform(0.15, 0.4),
                    0.5,
                    0.992,
                )
            )
        sky, ground = rng.uniform(0.3, 0.5), rng.uniform(0.12, 0.3)
    elif kind == "lamp":
        sources.append(
            (
                _from(side * rng.uniform(15, 100), rng.uniform(-5, 50)),
                _tint(0.8) * rng.uniform(0.7, 1.2),
                0.25,
                0.994,
            )
        )
        sky, ground, room = rng.uniform(0.08, 0.25), rng.uniform(0.05, 0.15), 0.5
    elif kind == "outdoor":
        sources.append(
            (
                _from(rng.uniform(-140, 140), rng.uniform(20, 70)),
                _tint(0.25) * rng.uniform(0.4, 1.3),
                0.12,
                0.998,
            )
        )
        sky, ground, room = rng.uniform(0.6, 0.9), rng.uniform(0.2, 0.4), 1.3
    elif kind == "backlight":
        sources.append(
            (
                _from(180 - side * rng.uniform(10, 60), rng.uniform(5, 45)),
                tint * rng.uniform(0.8, 1.6),
                0.6,
                0.98,
            )
        )
        sky, ground, room = rng.uniform(0.3, 0.5), rng.uniform(0.15, 0.25), 2.2
    else:
        sources.append(
            (
                _from(side * rng.uniform(40, 130), rng.uniform(0, 40)),
                _tint(0.9) * rng.uniform(0.02, 0.12),
                0.3,
                0.995,
            )
        )
        sky, ground, room = rng.uniform(0.01, 0.06), rng.uniform(0.01, 0.03), 0.12
    if kind != "screen" and rng.random() < 0.35:
        sources.append(
            (
                _from(-side * rng.uniform(30, 110), rng.uniform(0, 45)),
                counter * rng.uniform(0.06, 0.25),
                0.6,
                0.985,
            )
        )
    brightness = float(rng.uniform(0.15, 1.0))
    share = 0.45 if kind == "screen" else 0.035
    directions, colours, softness, glints = zip(*sources, strict=True)
    return Light(
        sky=tint * sky * rng.uniform(0.95, 1.05, 3),
        ground=counter * ground,
        directions=np.array(directions),
        colours=np.array(colours),
        softness=np.array(softness),
        glint=np.array(glints),
        screen=_tint(-0.25) * brightness,
        screen_share=share * (0.4 + brightness),
        room=float(room * rng.uniform(0.6, 1.3)),
        kind=kind,
    )
