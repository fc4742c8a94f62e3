"""The light of a sitting: sky from above, ground from below, lamps or windows, and the screen.

Units are arbitrary and linear; the camera's exposure maps them to pixel values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinytracker.arrays import Floats

Range = tuple[float, float]


@dataclass(frozen=True)
class Light:
    """Light on the subject.

    Attributes:
        sky: (3,) linear RGB from above. ground: (3,) from below.
        directions: (k, 3) unit vectors in the scene, from the subject to each source; the first casts
            shadows.
        colours: (k, 3) linear RGB of each source. softness: (k,) 0 (point) to 1 (large source).
        glint: (k,) cosine of half the angular size of the source's reflection in the cornea.
        screen: (3,) radiance of the device's screen. screen_share: its strength as a source on the face.
        room: brightness of the background relative to the light on the face.
        kind: name of the kind of light, for reports.
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
    """Return a tint from warm (+1) to cold (-1) around neutral."""
    return np.array([1 + 0.17 * kelvin_offset, 1.0, 1 - 0.24 * kelvin_offset])


def _from(azimuth_deg: float, height_deg: float) -> Floats:
    """Return the direction to a source; azimuth 0 is behind the camera, positive to the scene's right."""
    a, h = np.radians([azimuth_deg, height_deg])
    return np.array([np.sin(a) * np.cos(h), np.sin(h), -np.cos(a) * np.cos(h)])


@dataclass(frozen=True)
class _Source:
    """How a kind of source is sampled; all ranges are uniform.

    Attributes:
        azimuth: degrees from the camera, on the sitting's side. height: degrees above the horizon.
        strength: factor on its colour. softness, glint: see `Light`.
        warmth: of its colour; None for the sitting's warmth.
        sided: False when the azimuth range covers both sides. behind: the azimuth counts from behind the subject.
        chance: probability that the source is present.
    """

    azimuth: Range
    height: Range
    strength: Range
    softness: float
    glint: float
    warmth: float | None = None
    sided: bool = True
    behind: bool = False
    chance: float = 1.0


@dataclass(frozen=True)
class _Kind:
    """A kind of light: its frequency, its sources, ranges of sky and ground, and the room's brightness."""

    share: float
    sources: tuple[_Source, ...]
    sky: Range
    ground: Range
    room: float = 1.0


_KINDS = {
    "window": _Kind(0.3, (_Source((20, 85), (0, 35), (0.5, 1.1), 0.7, 0.975),), (0.18, 0.45), (0.08, 0.2)),
    "ceiling": _Kind(
        0.3,
        (
            _Source((-60, 60), (45, 80), (0.4, 0.8), 0.5, 0.99, sided=False),
            _Source((-120, 120), (35, 70), (0.15, 0.4), 0.5, 0.992, sided=False, chance=0.6),
        ),
        (0.3, 0.5),
        (0.12, 0.3),
    ),
    "lamp": _Kind(
        0.14, (_Source((15, 100), (-5, 50), (0.7, 1.2), 0.25, 0.994, 0.8),), (0.08, 0.25), (0.05, 0.15), 0.5
    ),
    "outdoor": _Kind(
        0.1,
        (_Source((-140, 140), (20, 70), (0.4, 1.3), 0.12, 0.998, 0.25, sided=False),),
        (0.6, 0.9),
        (0.2, 0.4),
        1.3,
    ),
    "backlight": _Kind(
        0.09, (_Source((10, 60), (5, 45), (0.8, 1.6), 0.6, 0.98, behind=True),), (0.3, 0.5), (0.15, 0.25), 2.2
    ),
    "screen": _Kind(
        0.07, (_Source((40, 130), (0, 40), (0.02, 0.12), 0.3, 0.995, 0.9),), (0.01, 0.06), (0.01, 0.03), 0.12
    ),
}
KINDS = tuple(_KINDS)
_FILL = _Source((30, 110), (0, 45), (0.06, 0.25), 0.6, 0.985, chance=0.35)
"""A second source on the other side, with the opposite tint; absent where the screen is the only light."""


def sample_light(rng: np.random.Generator) -> Light:
    """Draw a sitting's light: window, ceiling, lamp, outdoors, backlit, or the screen alone."""
    name = str(rng.choice(list(_KINDS), p=[kind.share for kind in _KINDS.values()]))
    kind = _KINDS[name]
    warm = rng.uniform(-1, 1)
    tint, counter = _tint(warm), _tint(-0.6 * warm + rng.normal(0, 0.2))
    side = int(rng.choice([-1, 1]))
    sources = [_draw(source, rng, side, tint) for source in kind.sources if _is_there(source, rng)]
    sky, ground = rng.uniform(*kind.sky), rng.uniform(*kind.ground)
    if name != "screen" and _is_there(_FILL, rng):
        sources.append(_draw(_FILL, rng, -side, counter))
    brightness = float(rng.uniform(0.15, 1.0))
    share = 0.45 if name == "screen" else 0.035
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
        room=float(kind.room * rng.uniform(0.6, 1.3)),
        kind=name,
    )


def _is_there(source: _Source, rng: np.random.Generator) -> bool:
    return source.chance == 1.0 or rng.random() < source.chance


def _draw(
    source: _Source, rng: np.random.Generator, side: int, tint: Floats
) -> tuple[Floats, Floats, float, float]:
    """Draw the direction, colour, softness and glint of one source."""
    azimuth = (side if source.sided else 1) * rng.uniform(*source.azimuth)
    direction = _from(180 - azimuth if source.behind else azimuth, rng.uniform(*source.height))
    colour = tint if source.warmth is None else _tint(source.warmth)
    return direction, colour * rng.uniform(*source.strength), source.softness, source.glint
