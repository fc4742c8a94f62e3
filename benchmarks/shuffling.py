"""Count the people in a batch at GazeCapture's full size, and measure how fast records arrive in that order.

The people are simulated: 1,271 with 1,251,983 frames in all (the published counts of the train split), log-normal with
a factor of e^0.55, in shards that close at 2,000 frames, as `prepare` groups them. The records hold only the number of
the person, so that the files fit anywhere; the code that orders and reads them is the one that trains. The rate is that
of records of about the real size, 38 kB, at a tenth of the number of shards.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from common import stopwatch, write_csv
from numpy.typing import NDArray

from tinytracker.data.blocks import block_starts
from tinytracker.data.pipeline import WINDOW, shuffled_records
from tinytracker.train.frames import WINDOW_BATCHES

PEOPLE, FRAMES = 1271, 1_251_983
SHARD_FRAMES = 2000
BATCHES = 300
TOGETHER = 20
RECORD_BYTES = 38_000


def frames_per_person(people: int, frames: int) -> NDArray[np.int64]:
    """Return the number of frames of each person, as uneven as in a set of volunteers."""
    share = np.random.default_rng(0).lognormal(0, 0.55, people)
    return np.maximum(1, share / share.sum() * frames).astype(np.int64)


def write_shards(
    folder: Path, counts: NDArray[np.int64], padding: int = 0
) -> tuple[list[Path], list[int], list[list[int]]]:
    """Write TFRecord files whose records start with the number of a person; returns paths, records, block starts."""
    import tensorflow as tf

    rng = np.random.default_rng(1)
    paths: list[Path] = []
    sizes: list[int] = []
    starts: list[list[int]] = []
    group: list[int] = []
    for person, frames in enumerate(counts):
        group += [person] * int(frames)
        if len(group) < SHARD_FRAMES and person + 1 < len(counts):
            continue
        records = [b"%05d" % group[i] + bytes(padding) for i in rng.permutation(len(group))]
        path = folder / f"{len(paths):05d}.tfrecord"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in records:
                writer.write(record)
        paths.append(path)
        sizes.append(len(records))
        starts.append(block_starts([len(record) for record in records]))
        group = []
    return paths, sizes, starts


def distinct(batches: NDArray[np.int64]) -> float:
    """Return the mean number of people per row."""
    return float(np.mean([len(np.unique(row)) for row in batches]))


def main() -> None:
    """Measure and write results/shuffling.csv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    counts = frames_per_person(PEOPLE, FRAMES)
    chance = counts / counts.sum()
    rng = np.random.default_rng(2)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small", Path(folder) / "large"
        small.mkdir()
        large.mkdir()
        files = write_shards(small, counts)
        real = write_shards(large, frames_per_person(PEOPLE // 10, FRAMES // 100), RECORD_BYTES)
        for batch in (64, 128, 512):
            window = max(WINDOW, WINDOW_BATCHES * batch)
            stream = shuffled_records(*files, seed=batch, window=window).take(BATCHES * batch)
            seen = np.array([int(record) for record in stream.as_numpy_iterator()]).reshape(-1, batch)
            ideal = rng.choice(PEOPLE, (BATCHES, batch), p=chance)
            records = shuffled_records(*real, seed=batch, window=min(window, sum(real[1]) // 2))
            with stopwatch() as watch:
                for _ in records.batch(batch):
                    pass
            rows.append({
                "batch": batch, "window": window, "people_per_batch": f"{distinct(seen):.1f}",
                "people_by_chance": f"{distinct(ideal):.1f}",
                "share_of_chance": f"{distinct(seen) / distinct(ideal):.3f}",
                "people_per_20_batches": f"{distinct(seen.reshape(-1, TOGETHER * batch)):.0f}",
                "people_per_20_by_chance": f"{distinct(ideal.reshape(-1, TOGETHER * batch)):.0f}",
                "records_per_s": f"{sum(real[1]) / watch.wall_s:.0f}",
                "records_per_core_s": f"{sum(real[1]) / watch.cpu_s:.0f}",
            })  # fmt: skip
    write_csv("shuffling", rows, ("tensorflow", "numpy"))


if __name__ == "__main__":
    main()
