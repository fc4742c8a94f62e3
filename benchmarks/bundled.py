"""Measure the gaze of the runs whose weights are bundled, on test people of the renderer's plain pictures.

Strips come from the face box and the eyes that `prepare` found, as for networks without an aim, so this is the
yardstick of a network's gaze alone: no varied lenses and distances, and no crop that the network placed by itself
(`aim.py`). INT8 networks run on TensorFlow Lite's reference kernels; intervals are bootstrapped over whole subjects.

    tinytracker synth faces --subjects 900 --frames 60 --seed 1 && tinytracker prepare faces prepared
    python benchmarks/bundled.py prepared weights-tinytracker-v2-aim weights-tinytracker-s2-aim

Only the test people of the 900 are used. No network was trained on pictures of this seed. All frames are synthetic.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from accuracy import errors_of, quantized, row
from common import append_csv

from tinytracker.runs import Run


def main() -> None:
    """Measure each run and append its line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prepared", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    arguments = parser.parse_args()
    for path in arguments.runs:
        run = Run.open(path)
        name = quantized(run)
        line = row(run, errors_of(run, arguments.prepared, "float"), errors_of(run, arguments.prepared, name))
        print(append_csv("bundled", {"data": "synthetic"} | line, ("tensorflow",)))


if __name__ == "__main__":
    main()
