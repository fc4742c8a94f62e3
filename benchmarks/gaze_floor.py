"""Estimate the error that remains with a perfect view of the eyes: that of the person and the face box.

No image is drawn and nothing is trained. For the test people of `tinytracker synth --seed 1` the scene is planned. The
best smooth function is fitted from all that a strip network could know, the direction of an eye relative to the
camera, to its output. Two effects still keep the result from the dot: the line of sight deviates from the visible axis
of the eye by some degrees, which vary from person to person; and the distance is derived from the width of the face
box, which depends on the person's face and is found with some error.

    python benchmarks/gaze_floor.py
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np
from common import write_csv
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.data.inputs import cm_per_unit
from tinytracker.model.presets import find_preset
from tinytracker.synth.boxes import detect
from tinytracker.synth.head import SIDES
from tinytracker.synth.scene import aim_eyes
from tinytracker.synth.sitting import Sitting, plan_sitting, subject_streams
from tinytracker.synth.subject import split_of

SEED, SUBJECTS, FRAMES = 1, 900, 60
"""Parameters of the data set in recipes/README.md."""

_ROUNDS = 20


@dataclass(frozen=True)
class Looks:
    """Frames in which a face was found.

    Attributes:
        dot: (N, 2) cm. eyes: (N, 3) point between the eyes, cm. axis: (N, 3) mean of both eyes' optical axes.
        cm_per_unit: (N,) cm per unit of the strip network's output, from the face box. phone: (N,) phone or tablet.
    """

    dot: Floats
    eyes: Floats
    axis: Floats
    cm_per_unit: Floats
    phone: NDArray[np.bool_]


def looks_of(sitting: Sitting, rng: np.random.Generator) -> Looks:
    """Return where the eyes of one subject are and how they are turned, frame by frame."""
    face = detect(sitting.identity, sitting.frames, rng)["face"]
    spec = find_preset("tinytracker-v2").input
    rows = []
    for frame, valid, width in zip(sitting.frames, face.valid, face.w, strict=True):
        if not valid:
            continue
        eyes = aim_eyes(sitting.identity, frame.pose, frame.dot_cm)
        centre = np.mean([eyes[side].centre for side in SIDES], axis=0)
        axis = np.mean([eyes[side].optical for side in SIDES], axis=0)
        unit = cm_per_unit(spec, width, max(frame.camera.width, frame.camera.height))
        rows.append(np.concatenate([frame.dot_cm, centre, axis, [unit]]))
    table = np.array(rows).reshape(-1, 9)
    phone = np.full(len(table), sitting.device.family == "phone")
    return Looks(table[:, :2], table[:, 2:5], table[:, 5:8], table[:, 8], phone)


def past_the_camera(eyes: Floats, direction: Floats) -> Floats:
    """Return tangents (N, 2) of the angle between a direction (N, 3) and the line from the eyes (N, 3) to the camera.

    Right and up are those of a camera turned to the eyes by the shortest rotation.
    """
    ahead = eyes / np.linalg.norm(eyes, axis=1, keepdims=True)
    # The shortest rotation of `ahead` to +z (Rodrigues' formula), row by row of x and y.
    x, y, z = ahead.T
    scale = 1 / (1 + z)
    right = np.stack([1 - x * x * scale, -x * y * scale, -x], 1)
    up = np.stack([-x * y * scale, 1 - y * y * scale, -y], 1)
    back = -np.sum(direction * ahead, axis=1)
    return np.stack([np.sum(direction * right, axis=1), np.sum(direction * up, axis=1)], 1) / back[:, None]


def best_answer(tangents: Floats, cm: Floats, dot: Floats) -> Floats:
    """Return the error (N,) in cm of cm · f(tangents); f is the cubic with the least mean error on these frames."""
    squared = np.sum(tangents**2, axis=1, keepdims=True)
    terms = np.concatenate([np.ones_like(squared), tangents, tangents * squared, tangents**2], axis=1)
    terms *= cm[:, None]
    weight = np.ones((len(dot), 1))
    for _ in range(_ROUNDS):  # iteratively reweighted least squares, for the least mean distance (Weiszfeld)
        root = np.sqrt(weight)
        factors = np.linalg.lstsq(terms * root, dot * root, rcond=None)[0]
        error = np.linalg.norm(terms @ factors - dot, axis=1)
        weight = 1 / np.maximum(error, 0.05)[:, None]
    return error


def main() -> None:
    """Plan the test people, fit, and write the table."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    people = [index for index in range(SUBJECTS) if split_of(index) == "test"]
    parts = []
    for index in people:
        streams = subject_streams(SEED, index)
        sitting = plan_sitting(streams, FRAMES, None, (480, 640), 1.0)
        parts.append(looks_of(sitting, streams["boxes"]))
    all_ = Looks(*(np.concatenate([getattr(p, name) for p in parts]) for name in Looks.__dataclass_fields__))
    sight = np.pad(all_.dot, ((0, 0), (0, 1))) - all_.eyes
    distance = np.linalg.norm(all_.eyes, axis=1)
    rows: list[dict[str, Any]] = []
    for seen, direction in (("line of sight", sight), ("axis of the eye", all_.axis)):
        tangents = past_the_camera(all_.eyes, direction)
        for known, cm in (("distance", distance), ("face box", all_.cm_per_unit)):
            error = best_answer(tangents, cm, all_.dot)
            rows.append(
                {
                    "seen": seen,
                    "scaled_by": known,
                    "error_cm": round(float(error.mean()), 3),
                    "phone_cm": round(float(error[all_.phone].mean()), 3),
                    "tablet_cm": round(float(error[~all_.phone].mean()), 3),
                    "frames": len(error),
                    "subjects": len(people),
                }
            )
            print(*rows[-1].values(), sep="  ")
    write_csv("gaze_floor", rows, ("numpy",))


if __name__ == "__main__":
    main()
