"""Reading prepared shards with `tf.data`: from records to decoded frames."""

from __future__ import annotations

from typing import Any

from tinytracker.data.examples import parse
from tinytracker.data.index import PreparedIndex

_SHARDS_AT_ONCE = 8
"""Shards read in parallel, so that neighbours in the stream come from several subjects."""


def serialized_records(
    index: PreparedIndex, split: str, shuffle_seed: int | None = None, shuffle_buffer: int = 2048
) -> Any:
    """Return the records of a split, still serialized.

    Args:
        index: from `tinytracker.data.index.read_index`.
        split: "train", "val" or "test".
        shuffle_seed: None reads in a fixed order. A seed determines the order of the shards and of the records:
            equal seeds give equal orders, so pass a different one for each epoch.
        shuffle_buffer: number of records buffered for shuffling. Frames are already shuffled within their shard,
            so a few thousand mix subjects well; one record takes some tens of kB.

    Returns:
        A finite `tf.data.Dataset` of scalar strings with known cardinality.

    Raises:
        InputFileError: the split is empty.
        UnknownNameError: no such split.
    """
    import tensorflow as tf

    paths = [str(path) for path in index.shard_paths(split)]
    files = tf.data.Dataset.from_tensor_slices(paths)
    if shuffle_seed is None:
        records = tf.data.TFRecordDataset(files)
    else:
        files = files.shuffle(len(paths), seed=shuffle_seed, reshuffle_each_iteration=False)
        records = files.interleave(tf.data.TFRecordDataset, cycle_length=min(_SHARDS_AT_ONCE, len(paths)))
        records = records.shuffle(shuffle_buffer, seed=shuffle_seed, reshuffle_each_iteration=False)
    return records.apply(tf.data.experimental.assert_cardinality(index.split(split).frames))


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


def records(
    index: PreparedIndex, split: str, shuffle_seed: int | None = None, shuffle_buffer: int = 2048
) -> Any:
    """Return the decoded frames of a split: `serialized_records` mapped through `decode` in parallel, in stable order.

    Returns:
        A finite `tf.data.Dataset` of dicts.
    """
    import tensorflow as tf

    stream = serialized_records(index, split, shuffle_seed, shuffle_buffer)
    return stream.map(decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
