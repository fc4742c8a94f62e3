"""Measure the aim on photographs of real faces in a folder of yours; MediaPipe's face mesh is the ground truth.

python benchmarks/real_faces.py PHOTOS TRUTH.json RUN [RUN ...]

TRUTH.json is made first, in an environment with `pip install mediapipe==0.10.21` (its models are in the wheel):

python benchmarks/real_faces_truth.py PHOTOS TRUTH.json

Photographs are not part of this repository. `real_faces_found.csv` lists those of the set "found anew", and
`real_faces_collect.py` gathers them from clones of the repositories that it names. The truth is where MediaPipe sees
the eyes: the centre of each eye is the mean of its outline, and the strip follows from both by the rule of the
synthetic marks (`tinytracker.data.eye_marks`), with MediaPipe's depth for turned heads. A face counts if its detection
is sure and its strip is at least 32 px wide. Each run's INT8 network (PTQ, TensorFlow Lite's default kernels) starts
from several misplaced crops of each face; `real_faces.csv` gets a line per run.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from aim import Fast
from common import append_csv
from numpy.typing import NDArray
from PIL import Image, ImageOps

from tinytracker.aim.placement import misplaced, next_place
from tinytracker.arrays import Floats, Pixels
from tinytracker.data.area import area_strip
from tinytracker.data.eye_marks import STRIP_PER_EYE_DISTANCE
from tinytracker.evaluate.aim import FAR, FAR_STEPS, MID, MID_STEPS, on_it
from tinytracker.model.presets import find_preset
from tinytracker.runs import Run

SUREST, NARROWEST_PX = 0.6, 32.0
NARROWEST_TURNED = 0.9
STARTS = 5
"""Starts per face and kind."""
VIEW_STRIPS = 8.0
"""Side of the part of a photograph that is kept around a face, in strips."""
STORED_STRIP_PX = 192.0
LOOSE, LOOSE_LN = 0.1, 0.2
"""A wider limit for a crop on its strip, beside that of `tinytracker.evaluate.aim`: landmarks have their own errors."""


def faces_of(photos: Path, truth: dict[str, Any]) -> tuple[list[Pixels], Floats, Floats, int]:
    """Return a picture around each face, its strip (N, 3) in px of it, the roll (N,), rad, and the number of photos."""
    pictures: list[Pixels] = []
    strips, rolls, used = [], [], set()
    for name, found in truth.items():
        for face in found["faces"]:
            left, right = np.array(face["left"]), np.array(face["right"])
            flat = float(np.linalg.norm(left - right))
            width = STRIP_PER_EYE_DISTANCE * max(flat, NARROWEST_TURNED * face["distance_3d"])
            if face["score"] < SUREST or width < NARROWEST_PX:
                continue
            picture, strip = _around(photos / name, (left + right) / 2, width)
            pictures.append(picture)
            strips.append(strip)
            rolls.append(np.arctan2(left[1] - right[1], left[0] - right[0]))
            used.add(name)
    return pictures, np.array(strips), np.array(rolls), len(used)


def _around(path: Path, centre: Floats, width: float) -> tuple[Pixels, Floats]:
    """Return the part of a photograph around a face, at most 192 px a strip, and the strip in it."""
    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened).convert("RGB")
    half = VIEW_STRIPS / 2 * width
    corner = np.maximum(np.floor(centre - half), 0)
    end = np.minimum(np.ceil(centre + half), image.size)
    part = image.crop((*corner.astype(int), *end.astype(int)))
    scale = min(1.0, STORED_STRIP_PX / width)
    size = np.maximum(np.round(np.array(part.size) * scale), 1).astype(int)
    exact = size / np.array(part.size)
    part = part.resize((int(size[0]), int(size[1])), Image.Resampling.BOX)
    return np.asarray(part), np.array([*((centre - corner) * exact), width * exact[0]])


def measure(run: Run, pictures: list[Pixels], strips: Floats, rolls: Floats) -> dict[str, Any]:
    """Return the numbers of one run."""
    network = Fast((run.quantized("ptq-int8") / "model.tflite").read_bytes())
    spec = find_preset(run.preset_name).input

    def on(places: Floats) -> Floats:
        codes: NDArray[np.uint8] = np.stack(
            [area_strip(i, p, spec) for i, p in zip(pictures, places, strict=True)]
        )
        return network.answer(codes)[1]

    aim = on(strips)
    error = np.abs(aim[:, :4] - np.stack([*np.zeros((3, len(rolls))), rolls], -1))
    middle = np.median(error, 0)
    row = {
        "dx": round(middle[0], 4), "dy": round(middle[1], 4), "ln_scale": round(middle[2], 4),
        "roll_deg": round(float(np.degrees(middle[3])), 2), "present_at_strip": round(float((aim[:, 4] > 0).mean()), 4),
    }  # fmt: skip
    rng = np.random.default_rng(0)
    for name, start, steps in (("mid", MID, MID_STEPS), ("far", FAR, FAR_STEPS)):
        tight, loose = [], []
        for _ in range(STARTS):
            places = [misplaced(strips, *(rng.uniform(-limit, limit, len(strips)) for limit in start))]
            for _ in range(FAR_STEPS):
                places.append(next_place(places[-1], on(places[-1])))
            tight.append(on_it(strips, np.stack(places)))
            loose.append(on_it(strips, np.stack(places), LOOSE, LOOSE_LN))
        row[f"{name}_on_it_{steps}"] = round(float(np.mean(tight, 0)[steps - 1]), 4)
        row[f"{name}_within_0.1_{steps}"] = round(float(np.mean(loose, 0)[steps - 1]), 4)
        row[f"{name}_within_0.1_6"] = round(float(np.mean(loose, 0)[-1]), 4)
    return row


def main() -> None:
    """Measure each run and append its line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--photographs", default="yours", help="name of the set, for the table")
    arguments = parser.parse_args()
    pictures, strips, rolls, photos = faces_of(arguments.photos, json.loads(arguments.truth.read_text()))
    for path in arguments.runs:
        run = Run.open(path)
        row = {
            "photographs": arguments.photographs, "preset": run.preset_name,
            "seed": run.describe().config["seed"], "data": "photographs",
            "truth": "MediaPipe 0.10.21 face mesh", "photos": photos, "faces": len(pictures),
        }  # fmt: skip
        print(append_csv("real_faces", row | measure(run, pictures, strips, rolls), ("tensorflow",)))


if __name__ == "__main__":
    main()
