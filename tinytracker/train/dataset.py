"""The input pipeline: from prepared records to batches of inputs. Importing this module imports TensorFlow."""

from __future__ import annotations

from typing import Any, Protocol

import tensorflow as tf

from tinytracker.data.index import PreparedIndex
from tinytracker.data.inputs import InputSpec, cm_per_unit, make_inputs
from tinytracker.data.pipeline import decode, serialized_records
from tinytracker.train.augment import augment
from tinytracker.train.config import AugmentConfig, TrainConfig
from tinytracker.train.warp import can_warp, warp, with_room

PIXEL_ZERO = 128.0
"""The network's input is x = p / 128 - 1, so that its INT8 input is exactly q = p - 128."""

# Far above any epoch or step number, so that no two workers draw the same numbers.
_WORKER_ORDER = 10**12
_WORKER_AUGMENT = 2**40


def decoded(index: PreparedIndex, split: str, spec: InputSpec) -> tf.data.Dataset:
    """Return the frames of a split as (inputs, target), in the order of the shards; see `to_inputs`.

    Args:
        index: prepared data.
        split: "train", "val" or "test".
        spec: the network's inputs.
    """
    return serialized_records(index, split).map(
        lambda serialized: to_inputs(spec, serialized, index.has_surroundings),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )


def to_inputs(
    spec: InputSpec, serialized: tf.Tensor, aim: bool = False
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    """Return a record as (inputs, target); `aim` says whether it holds the whole frame.

    Inputs are uint8 codes by name. A target is float32 (3,): gaze x and y in cm, and the cm per unit of the network's
    output in this frame.
    """
    record = decode(serialized, aim)
    unit = cm_per_unit(spec, record["face"][2], tf.reduce_max(record["frame_size"]))
    if aim and spec.unit != "cm":
        unit *= record["focal"]
    return make_inputs(spec, record), tf.concat([record["gaze"], unit[None]], 0)


class EpochSource(Protocol):
    """Frames in an order of their own for each epoch, as `tinytracker.train.frames.Frames` gives them."""

    frames: int

    def of_epoch(self, order: int, own_order: int, batch_size: int) -> tf.data.Dataset:
        """Return the frames in the order of one epoch."""


def training_spec(spec: InputSpec, config: AugmentConfig) -> InputSpec:
    """Return the input to cut for training: the network's input, with a margin if it will be rotated or shifted."""
    return with_room(spec) if can_warp(spec, config) else spec


def training_batches(
    source: EpochSource,
    spec: InputSpec,
    config: TrainConfig,
    epoch: int,
    worker: int = 0,
    batch_size: int | None = None,
) -> tf.data.Dataset:
    """Return one epoch of a data set cut by `training_spec`: shuffled, batched, augmented, scaled.

    Determined by seed and epoch, regardless of earlier epochs.

    Args:
        source: this worker's frames, a `tinytracker.train.frames.Frames`.
        spec: the network's inputs.
        config: seed, batch size and augmentation.
        epoch: counted from 1.
        worker: number of the worker; each has its own order and augmentation.
        batch_size: replaces the configuration's batch size.
    """
    batch_size = batch_size or config.batch_size
    order = config.seed * 100_003 + epoch
    batches = source.of_epoch(order, order + worker * _WORKER_ORDER, batch_size)
    batches = batches.batch(batch_size, drop_remainder=source.frames >= batch_size)
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
