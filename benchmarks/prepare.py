"""Measure how fast frames are prepared, and how fast the input pipeline turns shards into network inputs.

The frames are 480 × 640 noise JPEGs of about the real size in bytes, or the frames of `--src`.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from common import SUPPORT, stopwatch, write_csv
from PIL import Image

sys.path.insert(0, str(SUPPORT))
from support.gazecapture_folder import make_recording

from tinytracker.data.gazecapture import write_recording
from tinytracker.data.index import PreparedIndex
from tinytracker.data.inputs import InputSpec, make_inputs
from tinytracker.data.pipeline import records, serialized_records
from tinytracker.data.preparation import prepare
from tinytracker.progress import set_quiet

FRAME_SIZE = (480, 640)
SPECS = {
    "face 112x112 rgb + positions": InputSpec("face", 112, 112, "rgb", "input"),
    "face 96x96 grey": InputSpec("face", 96, 96, "grey", "baked"),
    "eye band 192x64 rgb + positions": InputSpec("eye_band", 192, 64, "rgb", "input"),
    "itracker 224": InputSpec("itracker", 224, 224, "rgb", "input"),
}


def jpegs(frames: int, seed: int) -> Iterator[bytes]:
    """Return large blobs with fine noise, whose JPEG is about as long as that of a face in a room."""
    rng = np.random.default_rng(seed)
    for _ in range(frames):
        blobs = Image.fromarray(rng.integers(0, 256, (16, 12, 3), np.uint8)).resize(FRAME_SIZE)
        noisy = np.asarray(blobs, np.float32) + rng.normal(0, 6, (FRAME_SIZE[1], FRAME_SIZE[0], 3))
        buffer = io.BytesIO()
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=85)
        yield buffer.getvalue()


def make_source(root: Path, subjects: int, frames: int) -> None:
    """Make a folder whose subjects are all in the train split."""
    for i in range(subjects):
        write_recording(root, make_recording(f"{i:05d}", frames, frame_size=FRAME_SIZE), jpegs(frames, i))


def row(what: str, frames: int, wall_s: float, cpu_s: float | None, note: str) -> dict[str, object]:
    """Return one line of the table; processor time is None when other processes did the work."""
    per_cpu = f"{frames / cpu_s:.1f}" if cpu_s else ""
    return {
        "what": what,
        "frames": frames,
        "frames_per_s": f"{frames / wall_s:.1f}",
        "frames_per_core_s": per_cpu,
        "note": note,
    }


def bench_prepare(src: Path, out: Path) -> tuple[list[dict[str, object]], PreparedIndex]:
    """Prepare twice: in this process, which shows the cost per core, and on all cores."""
    import tensorflow as tf

    sizes = [path.stat().st_size for path in src.glob("*/frames/*.jpg")]
    note = f"{np.mean(sizes) / 1000:.0f} kB per frame" if sizes else ""
    with stopwatch() as one:
        index = prepare(src, out / "one", jobs=1).index
    jobs = len(os.sched_getaffinity(0))
    with stopwatch() as many:
        prepare(src, out / "many", jobs=jobs, shard_frames=max(1, index.frames // (2 * jobs)))
    return [
        row(
            "prepare, 1 process",
            index.frames,
            one.wall_s,
            one.cpu_s,
            f"{note}, TensorFlow {tf.__version__} loaded",
        ),
        row(
            f"prepare, {jobs} processes",
            index.frames,
            many.wall_s,
            None,
            f"{note}, including the start of the processes",
        ),
    ], index


def bench_pipeline(index: PreparedIndex, repeat: int) -> list[dict[str, object]]:
    """Measure reading, decoding, and making each input, in batches of 64."""
    import tensorflow as tf

    streams = {
        "read": serialized_records(index, "train", shuffle_seed=1),
        "read + decode": records(index, "train", shuffle_seed=1).map(lambda row: tf.reduce_max(row["image"])),
    }
    for name, spec in SPECS.items():
        streams[name] = records(index, "train", shuffle_seed=1).map(
            lambda example, spec=spec: (make_inputs(spec, example), example["gaze"]),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    rows = []
    for name, stream in streams.items():
        for _ in stream.take(32):
            pass  # fill caches
        with stopwatch() as watch:
            for _ in stream.repeat(repeat).batch(64).prefetch(2):
                pass
        frames = repeat * index.splits["train"].frames
        rows.append(row(f"pipeline: {name}", frames, watch.wall_s, watch.cpu_s, ""))
    return rows


def main() -> None:
    """Measure and write results/prepare.csv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--src", type=Path, help="a GazeCapture folder to use instead of noise")
    parser.add_argument("--subjects", type=int, default=8)
    parser.add_argument("--frames", type=int, default=400, help="frames per subject")
    parser.add_argument("--repeat", type=int, default=1, help="passes over the shards")
    options = parser.parse_args()
    set_quiet(True)
    with tempfile.TemporaryDirectory() as folder:
        src = options.src or Path(folder) / "src"
        if options.src is None:
            make_source(src, options.subjects, options.frames)
        rows, index = bench_prepare(src, Path(folder))
        rows += bench_pipeline(index, options.repeat)
    write_csv("prepare", rows, ("numpy", "pillow", "tensorflow"))


if __name__ == "__main__":
    main()
