"""Compare the processor time of `prepare` with that of the work of the data set's own prepareDataset.py, one core each.

The peer is modelled, not run: its script needs versions of numpy that this environment cannot have, a file of the
release, and a key press at the end. Its work per frame is known from its source: decode the whole frame, cut out face
and eyes, and write three JPEG files of quality 95. This does the same with the same library and nothing else; its
JSON files, its metadata and its printing are left out, in its favour.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from common import SUPPORT, stopwatch, write_csv

sys.path.insert(0, str(SUPPORT))
from PIL import Image
from prepare import make_source

from tinytracker.data.preparation import prepare
from tinytracker.data.reader import read_recording
from tinytracker.data.survey import iter_subjects
from tinytracker.progress import set_quiet


def write_crops(src: Path, out: Path) -> int:
    """Do the peer's work on every usable frame; returns the number of frames."""
    frames = 0
    for subject in iter_subjects(src):
        recording = read_recording(subject, strict=False, motion=False)
        face = recording.face.corners().astype(int) + [-1, -1, 1, 1]
        boxes = {"appleFace": face}
        for name, eye in (("appleLeftEye", recording.left_eye), ("appleRightEye", recording.right_eye)):
            boxes[name] = eye.corners().astype(int) + [0, -1, 0, 0]
            boxes[name][:, :2] += face[:, :2]
        for name in boxes:
            (out / subject.name / name).mkdir(parents=True)
        for i, frame in enumerate(recording.frame_names):
            if not recording.usable[i]:
                continue
            with Image.open(subject.path / "frames" / frame) as image:
                pixels = image.convert("RGB")
            for name, box in boxes.items():
                x, y, w, h = box[i].tolist()
                pixels.crop((x, y, x + w, y + h)).save(out / subject.name / name / frame, quality=95)
            frames += 1
    return frames


def main() -> None:
    """Measure and write results/prepare_peer.csv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=4)
    parser.add_argument("--frames", type=int, default=200, help="frames per subject")
    options = parser.parse_args()
    set_quiet(True)
    import tensorflow  # noqa: F401 - its import is not part of the work

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        src = Path(folder) / "src"
        make_source(src, options.subjects, options.frames)
        for attempt in (1, 2):
            with stopwatch() as ours:
                frames = prepare(src, Path(folder) / f"ours{attempt}", jobs=1).index.frames
            with stopwatch() as theirs:
                write_crops(src, Path(folder) / f"theirs{attempt}")
            for what, watch in (("prepare", ours), ("prepareDataset.py, modelled", theirs)):
                rows.append({
                    "what": what, "attempt": attempt, "frames": frames,
                    "frames_per_cpu_s": f"{frames / watch.cpu_s:.1f}", "wall_s": f"{watch.wall_s:.1f}",
                })  # fmt: skip
    write_csv("prepare_peer", rows, ("numpy", "pillow", "tensorflow"))


if __name__ == "__main__":
    main()
