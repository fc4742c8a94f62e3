"""The input pipeline: from prepared records to batches of inputs. Importing this module imports TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from tinytracker.data.index import PreparedIndex
from tinytracker.data.inputs import InputSpec, cm_per_unit, make_inputs
from tinytracker.data.pipeline import decode, serialized_records
from tinytracker.files import make_folder
from tinytracker.train.augment import augment
from tinytracker.train.config import AugmentConfig, TrainConfig
from tinytracker.train.warp import can_warp, warp, with_room

PIXEL_ZERO = 128.0
"""The network's input is x = p / 128 - 1, so that its INT8 input is exactly q = p - 128."""

# Far above any epoch or step number, so that no two workers draw the same numbers.
_WORKER_ORDER = 10**12
_WORKER_AUGMENT = 2**40


def decoded(
    index: PreparedIndex,
    split: str,
    spec: InputSpec,
    cache: str = "none",
    cache_folder: Path | None = None,
    part: tuple[int, int] = (1, 0),
) -> tf.data.Dataset:
    """Return the frames of a split as (inputs, target), in the order of the shards.

    Inputs are uint8 codes by name. A target is float32 (3,): gaze x and y in cm, and the cm per unit of the network's
    output in this frame.

    Args:
        index: prepared data.
        split: "train", "val" or "test".
        spec: the network's inputs.
        cache: "memory" or "disk" keeps the decoded, resized crops after the first pass; "none" decodes every time.
        cache_folder: folder for "disk".
        part: (workers, worker): take every workers-th frame, starting at number `worker`. Shards are already
            shuffled, so each part mixes subjects; the other workers' records are read but not decoded.
    """
    workers, worker = part

    def to_inputs(serialized: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        record = decode(serialized, index.has_surroundings)
        unit = cm_per_unit(spec, record["face"][2], tf.reduce_max(record["frame_size"]))
        if index.has_surroundings and spec.unit != "cm":
            unit *= record["focal"]
        return make_inputs(spec, record), tf.concat([record["gaze"], unit[None]], 0)

    records = serialized_records(index, split)
    if workers > 1:
        records = records.shard(workers, worker).take(index.split(split).frames // workers)
    dataset = records.map(to_inputs, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    if cache == "memory":
        return dataset.cache()
    if cache == "disk":
        assert cache_folder is not None
        own = split if workers == 1 else f"{split}-{worker}-of-{workers}"
        return dataset.cache(str(make_folder(cache_folder) / own))
    return dataset


def training_spec(spec: InputSpec, config: AugmentConfig) -> InputSpec:
    """Return the input to cut for training: the network's input, with a margin if it will be rotated or shifted."""
    return with_room(spec) if can_warp(spec, config) else spec


def training_batches(
    dataset: tf.data.Dataset,
    frames: int,
    spec: InputSpec,
    config: TrainConfig,
    epoch: int,
    worker: int = 0,
    batch_size: int | None = None,
) -> tf.data.Dataset:
    """Return one epoch of a data set cut by `training_spec`: shuffled, batched, augmented, scaled.

    Determined by seed and epoch, regardless of earlier epochs.

    A cached split is shuffled as a whole; otherwise within a window, which is enough because shards are shuffled.

    Args:
        dataset: from `decoded`.
        frames: number of frames in it.
        spec: the network's inputs.
        config: seed, batch size and augmentation.
        epoch: counted from 1.
        worker: number of the worker; each has its own order and augmentation.
        batch_size: replaces the configuration's batch size.
    """
    batch_size = batch_size or config.batch_size
    order = config.seed * 100_003 + epoch + worker * _WORKER_ORDER
    window = frames if config.cache == "memory" else min(frames, 64 * batch_size)
    batches = dataset.shuffle(window, seed=order, reshuffle_each_iteration=False)
    batches = batches.batch(batch_size, drop_remainder=frames >= batch_size)
    return (
        batches.enumerate()
        .map(
            lambda step, batch: _augmented(
                batch,
                [config.seed * 1_000_003 + epoch, step * 16 + worker * _WORKER_AUGMENT],
                spec,
                config.augment,
            ),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        .prefetch(tf.data.AUTOTUNE)
    )


def plain_batches(dataset: tf.data.Dataset, batch_size: int = 128) -> tf.data.Dataset:
    """Return all frames in order, scaled but not augmented."""
    return dataset.batch(batch_size).map(lambda x, y: (scaled(x), y)).prefetch(tf.data.AUTOTUNE)


def in_cm(predicted: Any, target: Any) -> Any:
    """Convert a network's gaze, the first two columns of its output, to cm, (N, 2); `target` as `decoded` returns it.

    Arrays or tensors.
    """
    return predicted[:, :2] * target[:, 2:3]


def scaled(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Convert codes 0..255 to the network's input p / 128 - 1, float32."""
    return {name: tf.cast(p, tf.float32) / PIXEL_ZERO - 1 for name, p in inputs.items()}


def _augmented(
    batch: tuple[dict[str, tf.Tensor], tf.Tensor],
    seed: list[int | tf.Tensor],
    spec: InputSpec,
    config: AugmentConfig,
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    inputs, target = batch
    of_batch = tf.stack([tf.cast(s, tf.int64) for s in seed])
    if can_warp(spec, config):
        image, target = warp(inputs["image"], target, of_batch, spec, config)
        inputs = {"image": image}
    inputs, target = augment(inputs, target, of_batch, spec, config)
    return scaled(inputs), target
