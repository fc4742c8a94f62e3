"""Compare the processor time of `prepare` with that of the data set's own prepareDataset.py, one core each.

python benchmarks/prepare_peer.py [--script prepareDataset.py]

The peer's work per frame is known from its source: decode the whole frame, cut out face and eyes, and write three JPEG
files of quality 95. The model does the same with the same library and nothing else; its checks, JSON files, metadata,
copies of arrays and printing are left out, in its favour. With `--script` (github.com/CSAILVision/GazeCapture,
pytorch/prepareDataset.py) the peer itself runs, too, in this process: it gets the two names that numpy has dropped
since, a reference_metadata.mat of the frames at hand instead of that of the whole data set, and a key press at its end.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import SUPPORT, Stopwatch, stopwatch, write_csv

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


def load_script(script: Path, src: Path, folder: Path) -> Callable[[Path], None]:
    """Return a function that runs the peer's own file on a source folder and writes into a folder."""
    from scipy.io import savemat

    keys = []
    for subject in iter_subjects(src):
        recording = read_recording(subject, strict=False, motion=False)
        keys += [
            (int(subject.name), int(recording.frame_names[i][:5])) for i in np.flatnonzero(recording.usable)
        ]
    numbers, frames = np.array(keys).T
    reference: dict[str, Any] = {"labelRecNum": numbers, "frameIndex": frames}
    for name in ("labelDotXCam", "labelDotYCam", "labelTrain", "labelVal", "labelTest"):
        reference[name] = np.zeros(len(keys))
    folder.mkdir()
    savemat(folder / "reference_metadata.mat", reference)
    code = compile(script.read_text(), str(script), "exec")

    def run(out: Path) -> None:
        for name, kind in (("object", object), ("bool", bool)):
            setattr(np, name, kind)
        before = Path.cwd(), sys.argv
        os.chdir(folder)
        sys.argv = [script.name, "--dataset_path", str(src), "--output_path", str(out)]
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                names: dict[str, Any] = {"__name__": "peer", "input": lambda _: ""}
                exec(code, names)
                names["main"]()
        finally:
            os.chdir(before[0])
            sys.argv = before[1]

    return run


def main() -> None:
    """Measure and write results/prepare_peer.csv."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=4)
    parser.add_argument("--frames", type=int, default=200, help="frames per subject")
    parser.add_argument("--attempts", type=int, default=2)
    parser.add_argument("--script", type=Path, help="the peer's prepareDataset.py, to run it, too")
    options = parser.parse_args()
    set_quiet(True)
    import tensorflow  # noqa: F401 - its import is not part of the work

    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        src = folder / "src"
        make_source(src, options.subjects, options.frames)
        frames = 0
        peer = load_script(options.script, src, folder / "peer") if options.script else None
        for attempt in range(1, options.attempts + 1):
            watches: list[tuple[str, Stopwatch]] = []
            with stopwatch() as watch:
                frames = prepare(src, folder / f"ours{attempt}", jobs=1).index.frames
            watches.append(("prepare", watch))
            with stopwatch() as watch:
                write_crops(src, folder / f"modelled{attempt}")
            watches.append(("prepareDataset.py, modelled", watch))
            if peer is not None:
                with stopwatch() as watch:
                    peer(folder / f"theirs{attempt}")
                watches.append(("prepareDataset.py", watch))
                written = len(list((folder / f"theirs{attempt}").glob("*/appleFace/*.jpg")))
                assert written == frames, (written, frames)
            for what, watch in watches:
                rows.append({
                    "what": what, "attempt": attempt, "frames": frames,
                    "frames_per_cpu_s": f"{frames / watch.cpu_s:.1f}", "wall_s": f"{watch.wall_s:.1f}",
                })  # fmt: skip
    write_csv("prepare_peer", rows, ("numpy", "pillow", "tensorflow"))


if __name__ == "__main__":
    main()
