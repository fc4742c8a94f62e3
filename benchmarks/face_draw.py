"""Draw synthetic people as photographs show real ones: the synthetic side of benchmarks/face_statistics.py.

python benchmarks/face_draw.py OUT [--subjects 150] [--views 1] [--looking camera|around] [--seed 77] [--raised 0]
    [--white 1]

Each subject is drawn once, or `--views` times (00003-07.jpg: the eighth view of the fourth), with the head towards the
camera (a spread of 5° up and down and 7° aside), no finger over the lens and no blink. `camera`: the gaze is at the
camera; `around`: at a place within 8 cm beside the camera, and from 13 cm below to 7 cm above it. OUT/labels.json holds
the gaze of each picture, cm. `--raised` lifts all heads by so many degrees, and `--white` multiplies the reflectance of
the white of the eye: to see what moves the answers of a network (`face_causes.py`).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from tinytracker.synth.identity import Identity
from tinytracker.synth.render import Renderer, encode_jpeg
from tinytracker.synth.scene import Camera, HeadPose, rotation
from tinytracker.synth.sitting import plan_sitting, subject_streams

CAMERA = Camera(560, 560, 532.0)
DISTANCE_CM = 36.0
LEAST_OPEN = 0.1
"""Blink weight that no eye exceeds: half-closed eyes say nothing about the gaze."""
QUALITY = 92
LABELS = "labels.json"


def draw(
    out: Path, subjects: int, seed: int, looking: str, views: int = 1, raised: float = 0.0, white: float = 1.0
) -> None:
    """Draw pictures of each subject, and write their gaze.

    Args:
        out: folder to write to.
        subjects: how many people.
        seed: of everything that is random.
        looking: "camera" or "around".
        views: pictures of each subject.
        raised: degrees by which heads are lifted.
        white: factor on the reflectance of the white of the eye.
    """
    out.mkdir(parents=True, exist_ok=True)
    labels = {}
    for index in range(subjects):
        streams = subject_streams(seed, index)
        sitting = plan_sitting(streams, views, None, (480, 640), 1.0)
        rng = np.random.default_rng([seed, index])
        frames = []
        for planned in sitting.frames:
            pitch, yaw, roll = rng.normal(0, [0.08, 0.12, 0.05])
            position = np.array([rng.normal(0, 1), rng.normal(-2, 1), DISTANCE_CM])
            head = rotation(pitch + np.radians(raised), yaw, roll)
            pose = HeadPose(position, head, rotation(0.1, yaw / 2, 0.0))
            dot = np.zeros(2) if looking == "camera" else rng.uniform([-8, -13], [8, 7])
            closed = (min(planned.closed[0], LEAST_OPEN), min(planned.closed[1], LEAST_OPEN))
            frames.append(replace(planned, camera=CAMERA, pose=pose, dot_cm=dot, closed=closed, finger=None))
        renderer = Renderer(
            replace(sitting, frames=tuple(frames), identity=_whiter(sitting.identity, white)), streams
        )
        for view, frame in enumerate(frames):
            name = f"{index:05d}.jpg" if views == 1 else f"{index:05d}-{view:02d}.jpg"
            (out / name).write_bytes(encode_jpeg(renderer.render(view), QUALITY))
            labels[name] = frame.dot_cm.tolist()
    (out / LABELS).write_text(json.dumps(labels))


def _whiter(identity: Identity, factor: float) -> Identity:
    return replace(identity, region=replace(identity.region, white=factor * identity.region.white))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--subjects", type=int, default=150)
    parser.add_argument("--views", type=int, default=1)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--looking", choices=("camera", "around"), default="camera")
    parser.add_argument("--raised", type=float, default=0.0, metavar="DEG")
    parser.add_argument("--white", type=float, default=1.0, metavar="FACTOR")
    arguments = parser.parse_args()
    draw(**vars(arguments))


if __name__ == "__main__":
    main()
