"""Reading prepared shards with `tf.data`: from records to decoded frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinytracker.data.blocks import BLOCK, blocks_of_epoch, read_block_starts
from tinytracker.data.examples import parse
from tinytracker.data.index import PreparedIndex

if TYPE_CHECKING:
    import tensorflow as tf

WINDOW = 4096
"""Default number of records among which an epoch's order is shuffled; one takes some tens of kB."""

_BLOCKS_AT_ONCE = 16
"""Blocks read in parallel, which hides the latency of a disk or network drive."""


def serialized_records(
    index: PreparedIndex, split: str, shuffle_seed: int | None = None, window: int = WINDOW
) -> Any:
    """Return the records of a split, still serialized.

    Args:
        index: from `tinytracker.data.index.read_index`.
        split: "train", "val" or "test".
        shuffle_seed: None reads in a fixed order. A seed determines the order: equal seeds give equal orders, so pass
            a different one for each epoch.
        window: number of records buffered for shuffling.

    Returns:
        A finite `tf.data.Dataset` of scalar strings with known cardinality.

    Raises:
        InputFileError: the split is empty.
        UnknownNameError: no such split.
    """
    import tensorflow as tf

    paths = index.shard_paths(split)
    frames = [shard.frames for shard in index.split(split).shards]
    if shuffle_seed is None:
        records = tf.data.TFRecordDataset([str(path) for path in paths])
        return records.apply(tf.data.experimental.assert_cardinality(sum(frames)))
    starts = [read_block_starts(path, count) for path, count in zip(paths, frames, strict=True)]
    return shuffled_records(paths, frames, starts, shuffle_seed, window)


def shuffled_records(
    paths: Sequence[Path], frames: Sequence[int], starts: Sequence[Sequence[int]], seed: int, window: int
) -> Any:
    """Return the records of TFRecord files in an order drawn from a seed: blocks of all files, mixed in a window.

    Args:
        paths: the files.
        frames: number of records of each.
        starts: the byte at which each block of each file starts, see `tinytracker.data.blocks.block_starts`.
        seed: determines the order.
        window: number of records buffered for shuffling.

    Returns:
        A finite `tf.data.Dataset` of scalar strings with known cardinality.
    """
    import tensorflow as tf

    blocks = blocks_of_epoch(frames, seed)
    first = np.cumsum([0, *map(len, starts)])[:-1]
    flat = np.concatenate([np.asarray(s, np.int64) for s in starts])
    ends = np.concatenate(
        [[*s[1:], path.stat().st_size] for s, path in zip(starts, paths, strict=True)]
    ).astype(np.int64)
    place = first[blocks[:, 0]] + blocks[:, 1]
    names = tf.constant([str(path) for path in paths])

    def read(shard: tf.Tensor, start: tf.Tensor, size: tf.Tensor, count: tf.Tensor) -> tf.data.Dataset:
        # TFRecordDataset does not pass the operator's byte_offsets on.
        variant = tf.raw_ops.TFRecordDatasetV2(
            filenames=names[shard][None],
            compression_type="",
            buffer_size=size,
            byte_offsets=start[None],
        )
        records = tf.data.experimental.from_variant(variant, tf.TensorSpec([], tf.string))
        return records.take(count)

    rows = (blocks[:, 0], flat[place], ends[place] - flat[place], blocks[:, 2])
    records = tf.data.Dataset.from_tensor_slices(rows).interleave(
        read,
        cycle_length=min(_BLOCKS_AT_ONCE, len(blocks)),
        block_length=BLOCK,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    records = records.apply(tf.data.experimental.assert_cardinality(sum(frames)))
    return records.shuffle(min(window, sum(frames)), seed=seed, reshuffle_each_iteration=False)


def decode(serialized: Any, aim: bool = False) -> dict[str, Any]:
    """Parse one record and decode its image.

    Args:
        serialized: scalar string tensor.
        aim: also parse the fields of `Surroundings`, whose images stay encoded.

    Returns:
        The fields of `tinytracker.data.examples.StoredFrame` as tensors; `image` as uint8 (h, w, 3) RGB.
    """
    import tensorflow as tf

    example = parse(serialized, aim)
    # The accurate DCT gives the same pixels as other libjpeg decoders; the op also decodes PNG.
    example["image"] = tf.io.decode_jpeg(example["image"], channels=3, dct_method="INTEGER_ACCURATE")
    return example


def records(index: PreparedIndex, split: str, shuffle_seed: int | None = None, window: int = WINDOW) -> Any:
    """Return the decoded frames of a split: `serialized_records` mapped through `decode` in parallel, in stable order.

    Returns:
        A finite `tf.data.Dataset` of dicts.
    """
    import tensorflow as tf

    stream = serialized_records(index, split, shuffle_seed, window)
    return stream.map(decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
