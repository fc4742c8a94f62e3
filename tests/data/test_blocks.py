"""The order of an epoch: every record once, repeatable, and as many people in a batch as chance would put there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.gazecapture_folder import make_folder

from tinytracker.data.blocks import BLOCK, block_starts, blocks_of_epoch, read_block_starts
from tinytracker.data.preparation import prepare
from tinytracker.errors import InputFileError


def test_an_epoch_reads_every_block_once_in_an_order_of_its_own() -> None:
    counts = [20, 1, 8]
    first = blocks_of_epoch(counts, 1)
    assert sorted(map(tuple, first)) == [(0, 0, 8), (0, 1, 8), (0, 2, 4), (1, 0, 1), (2, 0, 8)]
    np.testing.assert_array_equal(first, blocks_of_epoch(counts, 1))
    assert (blocks_of_epoch(counts, 2) != first).any()


def test_block_starts_count_the_framing_of_a_record() -> None:
    assert block_starts([10] * (BLOCK + 1)) == [0, BLOCK * 26]
    assert block_starts([]) == []


def written(
    folder: Path, people: list[int], shard_frames: int
) -> tuple[list[Path], list[int], list[list[int]]]:
    """TFRecord files whose records are nothing but the number of a person, in the layout of prepared shards."""
    import tensorflow as tf

    rng = np.random.default_rng(0)
    paths, counts, starts = [], [], []
    shard: list[bytes] = []
    for person, frames in enumerate(people):
        shard += [b"%d" % person] * frames
        if len(shard) >= shard_frames or person == len(people) - 1:
            records = [shard[i] for i in rng.permutation(len(shard))]
            path = folder / f"{len(paths):05d}.tfrecord"
            with tf.io.TFRecordWriter(str(path)) as writer:
                for record in records:
                    writer.write(record)
            paths.append(path)
            counts.append(len(records))
            starts.append(block_starts([len(record) for record in records]))
            shard = []
    return paths, counts, starts


@pytest.mark.train
def test_a_batch_shows_as_many_people_as_chance_would(tmp_path: Path) -> None:
    from tinytracker.data.pipeline import shuffled_records

    people = np.random.default_rng(1).integers(20, 180, 300).tolist()  # in shards of two or three
    files = written(tmp_path, people, 200)
    stream = [int(record) for record in shuffled_records(*files, seed=3, window=2048).as_numpy_iterator()]
    assert sorted(stream) == sorted(p for p, frames in enumerate(people) for _ in range(frames))
    batches = np.array(stream[: len(stream) // 64 * 64]).reshape(-1, 64)[
        :-32
    ]  # the window runs empty at the end
    distinct = np.mean([len(set(batch)) for batch in batches.tolist()])
    rng = np.random.default_rng(2)
    ideal = np.mean([len(set(rng.choice(stream, 64, replace=False).tolist())) for _ in range(200)])
    assert distinct >= 0.95 * ideal
    again = [int(record) for record in shuffled_records(*files, seed=3, window=2048).as_numpy_iterator()]
    assert again == stream
    assert stream != [int(r) for r in shuffled_records(*files, seed=4, window=2048).as_numpy_iterator()]


@pytest.mark.train
def test_block_starts_come_from_the_sidecar_or_from_the_shard(tmp_path: Path) -> None:
    make_folder(tmp_path / "src", subjects=4, frames=12)
    index = prepare(tmp_path / "src", tmp_path / "out", jobs=1).index
    shard, frames = index.shard_paths("train")[0], index.split("train").frames
    starts = read_block_starts(shard, frames)
    assert len(starts) == 3
    sidecar = shard.with_suffix(".json")
    document = json.loads(sidecar.read_text())
    assert document["block_starts"] == starts
    del document["block_starts"]  # as an earlier release wrote it
    sidecar.write_text(json.dumps(document))
    assert read_block_starts(shard, frames) == starts
    sidecar.unlink()
    assert read_block_starts(shard, frames) == starts
    shard.write_bytes(b"\0" * 400)
    with pytest.raises(InputFileError, match=r"train-00000\.tfrecord: the shard's content has changed"):
        read_block_starts(shard, 100)
