"""Draw synthetic people as photographs show real ones: the synthetic side of benchmarks/face_statistics.py.

python benchmarks/face_draw.py OUT [--subjects 150] [--views 1] [--looking camera|around] [--seed 77]

Each subject is drawn once, or `--views` times (00003-07.jpg: the eighth view of the fourth), with the head towards the
camera (a spread of 5° up and down and 7° aside), no finger over the lens and no blink. `camera`: the gaze is at the
camera; `around`: at a place within 8 cm beside the camera, and from 13 cm below to 7 cm above it. OUT/labels.json holds
the gaze of each picture, cm.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from tinytracker.synth.render import Renderer, encode_jpeg
from tinytracker.synth.scene import Camera, HeadPose, rotation
from tinytracker.synth.sitting import plan_sitting, subject_streams

CAMERA = Camera(560, 560, 532.0)
DISTANCE_CM = 36.0
LEAST_OPEN = 0.1
"""Blink weight that no eye exceeds: half-closed eyes say nothing about the gaze."""
QUALITY = 92
LABELS = "labels.json"


def draw(out: Path, subjects: int, seed: int, looking: str, views: int = 1) -> None:
    """Draw pictures of each subject, and write their gaze."""
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
            pose = HeadPose(position, rotation(pitch, yaw, roll), rotation(0.1, yaw / 2, 0.0))
            dot = np.zeros(2) if looking == "camera" else rng.uniform([-8, -13], [8, 7])
            closed = (min(planned.closed[0], LEAST_OPEN), min(planned.closed[1], LEAST_OPEN))
            frames.append(replace(planned, camera=CAMERA, pose=pose, dot_cm=dot, closed=closed, finger=None))
        renderer = Renderer(replace(sitting, frames=tuple(frames)), streams)
        for view, frame in enumerate(frames):
            name = f"{index:05d}.jpg" if views == 1 else f"{index:05d}-{view:02d}.jpg"
            (out / name).write_bytes(encode_jpeg(renderer.render(view), QUALITY))
            labels[name] = frame.dot_cm.tolist()
    (out / LABELS).write_text(json.dumps(labels))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--subjects", type=int, default=150)
    parser.add_argument("--views", type=int, default=1)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--looking", choices=("camera", "around"), default="camera")
    arguments = parser.parse_args()
    draw(arguments.out, arguments.subjects, arguments.seed, arguments.looking, arguments.views)


if __name__ == "__main__":
    main()
