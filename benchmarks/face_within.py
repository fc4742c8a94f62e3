"""Compare networks with landmarks on several pictures of each person, where what is peculiar to a person cancels.

python benchmarks/face_draw.py VIEWS --looking around --subjects 16 --views 8 --seed 278
python benchmarks/real_faces_truth.py FOLDER TRUTH.json       # of each folder, in the environment with MediaPipe
python benchmarks/face_within.py FRAMES,TRUTH.json VIEWS,TRUTH.json

FRAMES has frames of videos of yours, named VIDEO-NUMBER.jpg; none is part of this repository. Only differences from the
mean of a person (of a video) are compared. The proxy is a ridge regression from differences of landmarks to differences
of the gaze, fitted to VIEWS, where the gaze is known; how well it does is measured on people that it was not fitted to.
What the networks answer on VIEWS says what correlation with the proxy a network has that sees the gaze well.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import replace_in_csv
from face_statistics import Face, answers, faces_of

from tinytracker.arrays import Floats
from tinytracker.model.weight_file import packaged_weights

PRESETS = ("tinytracker-v2", "tinytracker-s2")
FEWEST = 6
"""Pictures of a person; fewer do not count."""
BLINK = 0.6
"""An eye that is open less than this share of the person's median blinks."""
RIDGE = 1e-2
RESAMPLED = 2000


@dataclass(frozen=True)
class Pictures:
    """Pictures of several people, those of one person behind each other.

    Attributes:
        folder: where they are. faces: one per picture. person: (n,) number of the person.
    """

    folder: Path
    faces: list[Face]
    person: Floats

    def within(self, values: Floats) -> Floats:
        """Return values (n, k) less their mean over the same person's pictures."""
        result = np.array(values, np.float64)
        for number in np.unique(self.person):
            result[self.person == number] -= result[self.person == number].mean(0)
        return result


def pictures_of(folder: Path, truth: Path) -> Pictures:
    """Find the largest face of every picture, and leave out blinks and people who are seen too seldom."""
    largest: dict[str, Face] = {}
    for face in faces_of(folder, json.loads(truth.read_text())):
        if face.name not in largest or face.strip[2] > largest[face.name].strip[2]:
            largest[face.name] = face
    by_person: dict[str, list[Face]] = defaultdict(list)
    for name, face in sorted(largest.items()):
        by_person[name.rpartition("-")[0]].append(face)
    faces, numbers = [], []
    for number, seen in enumerate(by_person.values()):
        usual = np.median([face.measures["lid_opening"] for face in seen])
        awake = [face for face in seen if face.measures["lid_opening"] > BLINK * usual]
        if len(awake) >= FEWEST:
            faces += awake
            numbers += [number] * len(awake)
    return Pictures(folder, faces, np.array(numbers))


def fit(features: Floats, gaze: Floats) -> Floats:
    """Return ridge weights (k, 2) from differences of features to differences of gaze."""
    penalty = np.diag(RIDGE * len(features) * features.var(0))
    weights: Floats = np.linalg.solve(features.T @ features + penalty, features.T @ gaze)
    return weights


def held_out(people: Floats, features: Floats, gaze: Floats) -> Floats:
    """Return the proxy (n, 2) of each person by weights that were fitted to all others."""
    guess = np.zeros_like(gaze)
    for number in np.unique(people):
        own = people == number
        guess[own] = features[own] @ fit(features[~own], gaze[~own])
    return guess


def correlations(people: Floats, one: Floats, other: Floats) -> list[str]:
    """Return the correlation of each axis with its 95 % interval over people: "0.61 (0.50 to 0.70)"."""
    rng = np.random.default_rng(0)
    rows = {number: np.flatnonzero(people == number) for number in np.unique(people)}
    drawn = [np.concatenate([rows[n] for n in rng.choice(list(rows), len(rows))]) for _ in range(RESAMPLED)]
    texts = []
    for axis in (0, 1):
        r = np.corrcoef(one[:, axis], other[:, axis])[0, 1]
        spread = [np.corrcoef(one[i, axis], other[i, axis])[0, 1] for i in drawn]
        low, high = np.quantile(spread, [0.025, 0.975])
        texts.append(f"{r:.2f} ({low:.2f} to {high:.2f})")
    return texts


def main() -> None:
    """Measure, and write results/face_within.csv."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("frames", help="FOLDER,TRUTH.json of frames of videos")
    parser.add_argument("views", help="FOLDER,TRUTH.json of synthetic people, drawn several times each")
    parser.add_argument(
        "--weights", nargs="*", default=[], metavar="PRESET=FILE", help="else those of the package"
    )
    parser.add_argument("--videos", default="yours", help="name of the set, for the table")
    arguments = parser.parse_args()
    real, drawn = (pictures_of(*map(Path, s.split(","))) for s in (arguments.frames, arguments.views))
    labels = json.loads((drawn.folder / "labels.json").read_text())
    gaze = drawn.within(np.array([labels[face.name] for face in drawn.faces]))
    # The last feature is the constant.
    features = {p.folder: p.within(np.stack([f.features[:-1] for f in p.faces])) for p in (real, drawn)}
    proxy = features[real.folder] @ fit(features[drawn.folder], gaze)
    proxy_drawn = held_out(drawn.person, features[drawn.folder], gaze)
    chosen = dict(entry.split("=", 1) for entry in arguments.weights) or {
        p: str(packaged_weights(p)) for p in PRESETS
    }
    rows = []
    for preset, weights in chosen.items():
        on_real, on_drawn = (
            p.within(answers(preset, Path(weights), p.faces, p.folder)) for p in (real, drawn)
        )
        row: dict[str, Any] = {
            "videos": arguments.videos, "preset": preset,
            "weights": Path(weights).name if arguments.weights else "packaged",
            "people": len(np.unique(real.person)), "frames": len(real.faces),
            "synthetic_people": len(np.unique(drawn.person)), "synthetic_pictures": len(drawn.faces),
        }  # fmt: skip
        for what, people, one, other in (
            ("r_proxy", real.person, on_real, proxy),
            ("synthetic_r_proxy", drawn.person, on_drawn, proxy_drawn),
            ("synthetic_r_gaze", drawn.person, on_drawn, gaze),
            ("proxy_r_gaze", drawn.person, proxy_drawn, gaze),
        ):
            row |= dict(zip((f"{what}_x", f"{what}_y"), correlations(people, one, other), strict=True))
        for what, one, other in (
            ("slope_proxy", on_real, proxy),
            ("synthetic_slope_proxy", on_drawn, proxy_drawn),
            ("synthetic_slope_gaze", on_drawn, gaze),
        ):  # cm of the network's answer per cm of the other
            slopes = (one * other).sum(0) / (other**2).sum(0)
            row |= {f"{what}_{axis}": round(float(slopes[k]), 2) for k, axis in enumerate("xy")}
        for what, values in (("network", on_real), ("proxy", proxy), ("synthetic_gaze", gaze)):
            row |= {f"sd_{what}_{axis}_cm": round(values[:, k].std(), 2) for k, axis in enumerate("xy")}
        rows.append(row)
    print(replace_in_csv("face_within", rows, "videos", ("pillow", "numpy", "tensorflow")))


if __name__ == "__main__":
    main()
