"""What makes a network answer too high or too low for people who look into the camera: photographs beside drawings.

python benchmarks/face_draw.py DRAWN                      # and RAISED with --raised 6, WHITE with --white 1.4
python benchmarks/real_faces_truth.py FOLDER TRUTH.json   # of each folder, in the environment with MediaPipe
python benchmarks/face_causes.py photographs=PHOTOS,TRUTH.json drawn=DRAWN,TRUTH.json raised=RAISED,TRUTH.json

For each set, of the faces that look into the camera as in `face_statistics.py`: the head's pitch and the height of the
iris, as MediaPipe's mesh sees them, and the packaged networks' answers up and down, where 0 is right. The last two
columns are the answers that a regression gives for the pitch, iris, lids, brows, turn and strip that the faces of the
*second* set have on average: what remains there has other causes. Results: `face_causes.csv`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from common import write_csv
from face_statistics import Face, answers, faces_of, looking

from tinytracker.arrays import Floats
from tinytracker.model.weight_file import packaged_weights

PRESETS = ("tinytracker-v2", "tinytracker-s2")
PITCH = 4  # of the features of a face


def features(face: Face) -> list[float]:
    """Return what may move an answer: where irises, lids, head and brows are, and how the strip lies."""
    measured = face.measures
    return [*face.features[:6], measured["brow"], measured["strip_offset"], measured["eye_width"]]


def at(where: Floats, faces: list[Face], heights: Floats) -> float:
    """Return the height that a regression of answers on features gives at some features."""
    rows = np.array([features(face) for face in faces]) - where
    found, *_ = np.linalg.lstsq(np.column_stack([rows, np.ones(len(rows))]), heights, rcond=None)
    return float(found[-1])


def main() -> None:
    """Measure each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", metavar="NAME=FOLDER,TRUTH.json")
    sets: dict[str, tuple[Path, list[Face]]] = {}
    for argument in parser.parse_args().sets:
        name, _, paths = argument.partition("=")
        folder, _, truth = paths.partition(",")
        sets[name] = Path(folder), looking(faces_of(Path(folder), json.loads(Path(truth).read_text())))
    drawn = list(sets.values())[min(1, len(sets) - 1)][1]
    where = np.mean([features(face) for face in drawn], 0)
    rows: list[dict[str, Any]] = []
    for name, (folder, faces) in sets.items():
        row: dict[str, Any] = {
            "set": name, "faces": len(faces),
            "pitch_rad": round(float(np.mean([f.features[PITCH] for f in faces])), 3),
            "iris_up": round(float(np.mean([f.measures["iris_up"] for f in faces])), 4),
            "white": round(float(np.nanmedian([f.measures["sclera"] for f in faces])), 3),
        }  # fmt: skip
        high = {p: answers(p, packaged_weights(p), faces, folder)[:, 1] for p in PRESETS}
        for preset, heights in high.items():
            row[f"{preset}_y_cm"] = round(float(heights.mean()), 2)
            row[f"{preset}_standard_error"] = round(float(heights.std() / np.sqrt(len(heights))), 2)
        for preset, heights in high.items():
            row[f"{preset}_y_as_drawn_cm"] = round(at(where, faces, heights), 2)
        rows.append(row)
        print(row, flush=True)
    print(write_csv("face_causes", rows, ("tensorflow", "pillow")))


if __name__ == "__main__":
    main()
