"""Draw the sheet of kinds of people that docs/synthetic-data.md shows.

python benchmarks/synth_kinds.py

Each row shows one kind on several subjects who have nothing else on: faces at half size, eyes at 1:1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from common import RESULTS
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tinytracker.synth.identity import Identity
from tinytracker.synth.looks import sample_extras, with_looks
from tinytracker.synth.people import NO_EXTRAS, sample_identity
from tinytracker.synth.render import Renderer
from tinytracker.synth.scene import Camera, HeadPose, rotation
from tinytracker.synth.sitting import plan_sitting, subject_streams

OUT = RESULTS.parent.parent / "docs" / "images" / "synth-kinds.jpg"
SEED, QUALITY = 500, 70
DARK = ("screen", "backlight")
CAMERA = Camera(480, 480, 560.0)

Choice = Callable[[Identity], bool]
FACES: dict[str, tuple[dict[str, Any], Choice]] = {
    "cap": ({"headwear": "cap"}, lambda i: True),
    "beanie": ({"headwear": "beanie"}, lambda i: True),
    "headscarf": ({"headwear": "headscarf"}, lambda i: i.masculine < 0.5),
    "hand at the cheek": ({"hand": "cheek"}, lambda i: True),
    "hand at the temple": ({"hand": "temple"}, lambda i: True),
    "hand at the chin": ({"hand": "chin"}, lambda i: True),
    "hair over an eye": ({"lock": 0.7}, lambda i: i.hair.style not in ("bald", "buzz")),
}
EYES: dict[str, tuple[dict[str, Any], Choice]] = {
    "plain": ({}, lambda i: True),
    "monolid": ({"eye_shape": "monolid"}, lambda i: i.origins[1] > 0.6),
    "epicanthic": ({"eye_shape": "epicanthic"}, lambda i: i.origins[1] > 0.6),
    "hooded": ({"eye_shape": "hooded"}, lambda i: i.age > 0.5),
    "deep-set": ({"eye_shape": "deep-set"}, lambda i: i.masculine > 0.6),
    "eye shadow": ({"eye_shadow": 0.9}, lambda i: i.skin.makeup > 0.4),
    "coloured lenses": ({"contact_lenses": "coloured"}, lambda i: True),
}
"""What a row's subjects have, and who may be one of them."""


def row(
    name: str, extras: dict[str, Any], choice: Choice, count: int, box: slice, wide: slice
) -> NDArray[np.uint8]:
    """Return `count` subjects with these extras side by side, cut to a box, with the row's name on the first."""
    tiles: list[NDArray[np.uint8]] = []
    index = -1
    while len(tiles) < count:
        index += 1
        streams = subject_streams(SEED, index)
        plain = sample_identity(subject_streams(SEED, index)["identity"])
        sitting = plan_sitting(streams, 1, None, (480, 640), 1.0)
        if plain.glasses is not None or not choice(plain) or sitting.light.kind in DARK:
            continue
        own = sample_extras(plain, np.random.default_rng(index))
        colours = {"headwear_colour": own.headwear_colour, "eye_shadow_colour": own.eye_shadow_colour}
        chosen = replace(
            NO_EXTRAS, **(colours | {"lock_side": own.lock_side, "hand_side": own.hand_side} | extras)
        )
        identity = with_looks(plain, np.random.default_rng(index), chosen)
        rng = np.random.default_rng(index)
        pose = HeadPose(
            np.array([0.0, -1.0, 36.0]),
            rotation(rng.normal(0, 0.06), rng.normal(0, 0.15), 0.0),
            rotation(0.1, 0.0, 0.0),
        )
        frame = replace(
            sitting.frames[0], camera=CAMERA, pose=pose, dot_cm=np.array([0.0, -3.0]), closed=(-0.2, -0.2),
            finger=None, hand=True,
        )  # fmt: skip
        picture = Renderer(replace(sitting, identity=identity, frames=(frame,)), streams).render(0)
        tiles.append(picture[box, wide])
    image = Image.fromarray(np.concatenate(tiles, 1))
    ImageDraw.Draw(image).text((4, 4), name, fill=(255, 255, 0))
    return np.asarray(image)


def main() -> None:
    faces = [row(name, *kind, 4, slice(60, 420), slice(60, 420)) for name, kind in FACES.items()]
    whole = Image.fromarray(np.concatenate(faces))
    small = whole.resize((whole.width * 11 // 18, whole.height * 11 // 18), Image.Resampling.LANCZOS)
    eyes = [row(name, *kind, 4, slice(175, 285), slice(130, 350)) for name, kind in EYES.items()]
    both = np.concatenate([np.asarray(small), np.concatenate(eyes)])
    Image.fromarray(both).save(OUT, quality=QUALITY, optimize=True)
    print(OUT, OUT.stat().st_size)


if __name__ == "__main__":
    main()
