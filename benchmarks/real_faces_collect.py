"""Gather the photographs of the set "found anew" from clones of public repositories, and keep the chosen faces.

python benchmarks/real_faces_collect.py CLONES PHOTOS              # CLONES/owner+name: a git repository each
python benchmarks/real_faces_truth.py PHOTOS ALL.json              # in the environment with MediaPipe
python benchmarks/real_faces_collect.py CLONES PHOTOS --faces ALL.json TRUTH.json

`real_faces_found.csv` beside this file names each photograph by repository, commit, path and SHA-256, and each face by
the place between its eyes, px. The pictures belong to others and are not part of this repository. They come from the
test data and examples of face libraries, and none is in the first set, to which the renderer was fitted: equal files,
equal pictures (64-bit difference hash) and equal faces were left out, then by eye what is not a photograph of a face
with open, uncovered eyes (paintings, renderings, generated faces, sunglasses, boxes drawn over eyes).
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import subprocess
from pathlib import Path

FOUND = Path(__file__).resolve().with_name("real_faces_found.csv")
SAME_PX = 8.0
"""Distance within which a found face is the listed one: landmarks differ a little from run to run."""


def listed() -> list[dict[str, str]]:
    """Return the lines of the list."""
    with FOUND.open(newline="") as file:
        return list(csv.DictReader(file))


def copy(clones: Path, photos: Path) -> int:
    """Copy the listed files whose hash is right out of the clones; returns their number."""
    photos.mkdir(parents=True, exist_ok=True)
    copied = 0
    for line in listed():
        clone = clones / line["repository"].replace("/", "+")
        show = ["git", "-C", str(clone), "show", f"{line['commit']}:{line['path']}"]
        content = subprocess.run(show, capture_output=True, check=False).stdout
        if hashlib.sha256(content).hexdigest() == line["sha256"]:
            (photos / line["name"]).write_bytes(content)
            copied += 1
        else:
            print(f"not found: {line['repository']} {line['path']}")
    return copied


def choose(everything: Path, out: Path) -> int:
    """Keep the listed faces of a truth file; returns their number."""
    found = json.loads(everything.read_text())
    kept = {}
    for line in listed():
        places = [tuple(map(float, place.split(","))) for place in line["eyes_px"].split()]

        def is_listed(face: dict[str, list[float]], places: list[tuple[float, ...]] = places) -> bool:
            x, y = ((face["left"][k] + face["right"][k]) / 2 for k in (0, 1))
            return any(abs(x - a) < SAME_PX and abs(y - b) < SAME_PX for a, b in places)

        if line["name"] in found:
            entry = found[line["name"]]
            kept[line["name"]] = entry | {"faces": [face for face in entry["faces"] if is_listed(face)]}
    out.write_text(json.dumps(kept))
    return sum(len(entry["faces"]) for entry in kept.values())


def main() -> None:
    """Copy, or choose the faces."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clones", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--faces", type=Path, nargs=2, metavar=("ALL", "TRUTH"))
    arguments = parser.parse_args()
    if arguments.faces:
        print(f"{choose(*arguments.faces)} faces")
    else:
        print(f"{copy(arguments.clones, arguments.photos)} of {len(listed())} photographs")


if __name__ == "__main__":
    main()
