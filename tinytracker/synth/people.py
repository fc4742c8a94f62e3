"""Random sampling of a subject: shape of the head, eyes, colours, hair, glasses, clothes.

Sizes of the eye are those of schematic eyes (Le Grand; Atchison and Smith, "Optics of the Human Eye", 2000);
colours are linear RGB reflectances.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.synth.head import SIDES, Head, Side, load_head
from tinytracker.synth.identity import Clothes, Extras, Eye, EyeRegion, Glasses, Globe, Hair, Identity, Skin

Generator = np.random.Generator

APEX_CM = 1.27
"""Distance from the centre of rotation to the inner surface of the lids, by which the globe is moved forward."""

_SPREAD = {"head": 0.16, "nose": 0.26, "eyes": 0.22, "mouth": 0.22, "ears": 0.2, "neck": 0.1, "forehead": 0.2}
_DEFAULT_SPREAD = 0.22
_OPPOSITES = (
    ("-incr", "-decr"),
    ("-in", "-out"),
    ("-up", "-down"),
    ("-forward", "-backward"),
    ("-concave", "-convex"),
    ("-compress", "-uncompress"),
)
_NOT_SHAPE = ("macro/", "weight/", "face/")
_LEFT_OUT = re.compile(r"trans|age|measure|nubian|pointed|triang|eye-push|eye-scale|diamond|square|double")

SKIN_TONES = np.array(
    [
        [0.74, 0.51, 0.41],
        [0.66, 0.43, 0.33],
        [0.58, 0.35, 0.25],
        [0.46, 0.26, 0.17],
        [0.31, 0.16, 0.095],
        [0.19, 0.09, 0.052],
        [0.11, 0.052, 0.031],
    ]
)
IRIS_COLOURS = np.array(
    [
        [0.10, 0.045, 0.018],
        [0.055, 0.024, 0.011],
        [0.17, 0.095, 0.035],
        [0.14, 0.16, 0.075],
        [0.12, 0.19, 0.27],
        [0.20, 0.25, 0.29],
    ]
)
HAIR_COLOURS = np.array(
    [
        [0.010, 0.008, 0.007],
        [0.022, 0.014, 0.010],
        [0.055, 0.030, 0.017],
        [0.13, 0.075, 0.038],
        [0.30, 0.19, 0.095],
        [0.28, 0.26, 0.25],
    ]
)

PLAIN_REGION = EyeRegion(0.0, 0.0, 0.0, 0.0, 0.1, 0.0, 1.0)
"""The base mesh as it is; `looks.with_looks` replaces it."""
NO_EXTRAS = Extras("plain", 0.0, np.zeros(3), "", "", np.zeros(3), "", 1.0, 0.0, 1.0)


@lru_cache(maxsize=1)
def _sliders() -> dict[str, tuple[tuple[float, str, str], ...]]:
    """Return each slider's (sign, target, side) entries: opposite targets, and left and right, share a slider."""
    sliders: dict[str, list[tuple[float, str, str]]] = {}
    for name in load_head().names:
        if name.startswith(_NOT_SHAPE) or _LEFT_OUT.search(name):
            continue
        folder, base = name.split("/")
        side = base[0] if re.match(r"[lr]-", base) else ""
        stem, sign = base[2:] if side else base, 1.0
        for plus, minus in _OPPOSITES:
            if stem.endswith((plus, minus)):
                sign = 1.0 if stem.endswith(plus) else -1.0
                stem = stem.removesuffix(plus).removesuffix(minus)
                break
        sliders.setdefault(f"{folder}/{stem}", []).append((sign, name, side))
    return {key: tuple(value) for key, value in sorted(sliders.items())}


def _truncated(rng: Generator, mean: float, deviation: float, limit: float = 2.0) -> float:
    """Draw from a normal distribution truncated at `limit` standard deviations."""
    return mean + deviation * float(np.clip(rng.standard_normal(), -limit, limit))


def _shape(head: Head, rng: Generator, race: Floats, masculine: float, age: float, weight: Floats) -> Floats:
    vertices = head.vertices.copy()
    genders = (("female", 1 - masculine), ("male", masculine))
    ages = (("young", 1 - age), ("old", age))
    for gender, g in genders:
        for years, a in ages:
            for name, r in zip(("african", "asian", "caucasian"), race, strict=True):
                head.move(vertices, f"macro/{name}-{gender}-{years}", r * g * a)
            for name, w in zip(("minweight", "averageweight", "maxweight"), weight, strict=True):
                head.move(vertices, f"weight/{gender}-{years}-{name}", w * g * a)
    for slider, targets in _sliders().items():
        spread = _SPREAD.get(slider.split("/")[0], _DEFAULT_SPREAD)
        value, asymmetry = _truncated(rng, 0, spread), _truncated(rng, 0, 0.03)
        for sign, target, side in targets:
            amount = sign * (value + (asymmetry if side == "l" else 0.0))
            if amount > 0:
                head.move(vertices, target, amount)
    return vertices


def _ramp(colours: Floats, position: float) -> Floats:
    position = float(np.clip(position, 0, len(colours) - 1.001))
    i = int(position)
    mixed: Floats = colours[i] * (1 - position + i) + colours[i + 1] * (position - i)
    return mixed


def _eyes(head: Head, vertices: Floats, rng: Generator) -> dict[Side, Eye]:
    yaw, pitch = np.radians(_truncated(rng, 5.0, 1.2)), np.radians(_truncated(rng, -1.5, 1.0))
    eyes: dict[Side, Eye] = {}
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        ball = vertices[head.eye[side]]
        radius = float((np.ptp(ball[:, 0]) + np.ptp(ball[:, 1])) / 4)
        centre = ball.mean(0) + np.array([0.0, 0.0, radius - APEX_CM])
        # The visual axis lies nasal to the optical axis, so the optical axis points temporally.
        eyes[side] = Eye(centre, sign * yaw + _truncated(rng, 0, 0.005), pitch + _truncated(rng, 0, 0.005))
    return eyes


def _globe(rng: Generator, light_eyes: bool) -> Globe:
    choice = rng.choice(
        6, p=[0.32, 0.2, 0.14, 0.12, 0.13, 0.09] if light_eyes else [0.5, 0.46, 0.04, 0, 0, 0]
    )
    colour = IRIS_COLOURS[choice] * rng.uniform(0.75, 1.3)
    inner = colour * (1 - 0.5 * rng.random()) + IRIS_COLOURS[2] * 0.5 * rng.random()
    return Globe(
        sclera_radius=_truncated(rng, 1.21, 0.02),
        cornea_radius=_truncated(rng, 0.78, 0.02),
        cornea_offset=_truncated(rng, 0.565, 0.012),
        iris_depth=_truncated(rng, 0.985, 0.02),
        iris_radius=_truncated(rng, 0.558, 0.022),
        pupil_radius=float(rng.uniform(0.13, 0.27)),
        iris_colour=colour,
        iris_inner=inner,
        redness=float(rng.beta(1.5, 5)),
    )


def _hair(rng: Generator, masculine: float, age: float, european: bool) -> Hair:
    grey = rng.random() < max(0.0, age - 0.45) * 1.6
    choices = [0.14, 0.22, 0.28, 0.18, 0.18, 0.0] if european else [0.62, 0.3, 0.08, 0, 0, 0]
    colour = HAIR_COLOURS[5 if grey else rng.choice(6, p=choices)] * rng.uniform(0.75, 1.3)
    if masculine > 0.5:
        style = rng.choice(["bald", "buzz", "short", "medium", "long"], p=[0.06, 0.16, 0.55, 0.15, 0.08])
    else:
        style = rng.choice(
            ["bald", "buzz", "short", "medium", "long", "tied"], p=[0.005, 0.02, 0.1, 0.2, 0.45, 0.225]
        )
    lengths = {"bald": 0.0, "buzz": 0.6, "short": 4.5, "medium": 13.0, "long": 30.0, "tied": 9.0}
    receding = masculine * max(0.0, age - 0.3) * rng.random()
    return Hair(
        style=str(style),
        colour=colour,
        line=float(rng.uniform(-0.4, 0.5) + 2.2 * receding),
        volume=float(rng.uniform(0.3, 1.0)),
        length=lengths[str(style)] * float(rng.uniform(0.75, 1.25)),
        parting=float(rng.uniform(-3.5, 3.5)),
        curl=float(rng.beta(1, 4)),
        fringe=float(rng.random()),
    )


def _skin(rng: Generator, tone: Floats, masculine: float, age: float, hair: Hair) -> Skin:
    feminine_look = masculine < 0.5 and rng.random() < 0.45
    bearded = masculine > 0.55 and rng.random() < 0.55
    rose = np.array([0.42, 0.13, 0.12]) * (0.35 + 0.65 * tone.mean() / 0.5)
    return Skin(
        tone=tone,
        blush=float(rng.uniform(0.15, 0.6)),
        freckles=float(rng.beta(0.6, 3)) * float(tone[0] > 0.4),
        roughness=float(rng.uniform(0.35, 0.6)),
        oil=float(rng.uniform(0.25, 1.0)),
        lips=rose * rng.uniform(0.8, 1.2, 3),
        lip_strength=float(rng.uniform(0.5, 0.9) if feminine_look else rng.uniform(0.2, 0.5)),
        wrinkles=float(np.clip(age * 1.3 - 0.25, 0, 1)),
        dark_circles=float(rng.uniform(0.1, 0.7)),
        beard=float(rng.uniform(0.15, 1.0)) if bearded else 0.0,
        beard_length=float(rng.choice([0.08, 0.25, 0.9], p=[0.55, 0.3, 0.15])),
        brow_colour=np.minimum(hair.colour * 0.6, 0.07),
        brow_density=float(rng.uniform(0.55, 1.0)),
        brow_width=float(rng.uniform(0.32, 0.55) * (0.8 + 0.45 * masculine)),
        brow_height=float(rng.uniform(-0.15, 0.3)),
        lash_length=float(rng.uniform(0.7, 1.1) * (1.25 - 0.4 * masculine)),
        makeup=float(rng.uniform(0.3, 1.0)) if feminine_look else 0.0,
    )


def _glasses(rng: Generator) -> Glasses | None:
    worn = rng.random() < 0.25
    dark = rng.random() < 0.65
    glasses = Glasses(
        width=float(rng.uniform(2.35, 2.75)),
        height=float(rng.uniform(1.55, 2.2)),
        power=float(rng.uniform(2.0, 5.0)),
        colour=HAIR_COLOURS[rng.integers(3)] * 1.2 if dark else rng.uniform(0.05, 0.5, 3),
        thickness=float(rng.choice([0.09, 0.16, 0.3]) * rng.uniform(0.85, 1.2)),
        rimless=bool(rng.random() < 0.12),
        reflection=float(rng.beta(1.2, 2.5)),
        magnification=float(np.clip(rng.normal(-0.02, 0.03), -0.09, 0.07)),
    )
    return glasses if worn else None


def _clothes(rng: Generator) -> Clothes:
    grey = rng.uniform(0.01, 0.55)
    colour = np.clip(grey * (1 + rng.beta(1, 2) * rng.uniform(-1, 1, 3)), 0.008, 0.75)
    return Clothes(
        colour=colour,
        second=np.clip(rng.uniform(0.03, 0.6) * (1 + rng.beta(1, 2) * rng.uniform(-1, 1, 3)), 0.008, 0.8),
        pattern=int(rng.choice([0, 1, 2], p=[0.7, 0.2, 0.1])),
        pattern_size=float(rng.uniform(0.8, 3.0)),
        neckline=float(rng.uniform(-1.5, 2.5)),
        thickness=float(rng.uniform(0.3, 0.9)),
    )


def sample_identity(rng: Generator) -> Identity:
    """Draw one subject."""
    head = load_head()
    race = rng.dirichlet([0.5] * 3)
    masculine = float(rng.beta(0.45, 0.45))
    age = float(rng.beta(1.0, 1.7))
    vertices = _shape(head, rng, race, masculine, age, rng.dirichlet([0.7, 1.4, 0.6]))
    origin = (head.eye_centre(vertices, "left") + head.eye_centre(vertices, "right")) / 2
    vertices = vertices - origin
    tone_position = rng.normal(float(race @ [5.0, 2.0, 0.9]), 0.55)
    tone = _ramp(SKIN_TONES, tone_position) * rng.normal(1, 0.025, 3)
    european = bool(race[2] > 0.45)
    hair = _hair(rng, masculine, age, european)
    neutral_units = (
        "mouthSmileLeft",
        "browInnerUp",
        "jawOpen",
        "eyeSquintLeft",
        "mouthPressLeft",
    )
    return Identity(
        vertices=vertices,
        neck=head.neck - origin,
        eyes=_eyes(head, vertices, rng),
        globe=_globe(rng, european),
        hair=hair,
        skin=_skin(rng, tone, masculine, age, hair),
        glasses=_glasses(rng),
        clothes=_clothes(rng),
        lid_rest=_truncated(rng, -0.25, 0.14),
        neutral={
            n: max(0.0, _truncated(rng, 0.08, 0.20) if n.startswith("eye") else _truncated(rng, 0, 0.12))
            for n in neutral_units
        },
        noise_offset=rng.uniform(0, 64, 3),
        origins=race,
        masculine=masculine,
        age=age,
        region=PLAIN_REGION,
        extras=NO_EXTRAS,
    )
