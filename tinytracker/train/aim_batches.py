"""The batches of a network with an aim. Importing this module imports TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tinytracker.aim.placement import misplaced, next_place
from tinytracker.arrays import Floats32
from tinytracker.data.inputs import REFERENCE_CROP, InputSpec
from tinytracker.data.pipeline import serialized_records
from tinytracker.errors import ConfigError
from tinytracker.train.aim_crops import (
    COLUMNS,
    CROPS_PER_FRAME,
    as_record,
    cut,
    decode_levels,
    draw,
    gaze_targets,
)
from tinytracker.train.augment import augment
from tinytracker.train.config import AugmentConfig
from tinytracker.train.dataset import scaled, training_batches, training_spec
from tinytracker.train.frames import Frames
from tinytracker.train.task import Task

_WINDOW = 4096
"""Encoded records in the shuffle buffer; shards are shuffled already."""

VALIDATION_FRAMES = 1920
"""With 640, two epochs of `tinytracker-s2-aim` whose errors differ by 0.04 cm on 6,000 frames changed places."""

VALIDATION_STEPS = 2
"""Steps of the aim from a misplaced crop, before the gaze is compared."""

START = (0.4, 0.16, 0.5)
"""Misplacement of a far start: largest shift right and down in crop widths, and ln of the scale."""


class AimTrainingBatches:
    """Batches of crops from the training split, and of strips as networks without an aim see them.

    A frame gives `CROPS_PER_FRAME` crops. An epoch shows each frame once, as a strip if batches hold more of these;
    then its crops are those of some of the frames.

    Attributes:
        steps: steps per epoch.
    """

    def __init__(self, task: Task) -> None:
        """Raises `ConfigError` when the batch size is not a multiple of `CROPS_PER_FRAME`.

        Raises:
            InputFileError: the records hold no whole frames.
            OutputError: the strips cannot be cached.
            UsageError: several workers.
        """
        task.require_whole_frames()
        self._config, self._spec, self._index = task.config, task.preset.input, task.index
        size, share = task.config.batch_size, task.config.augment.strips
        if size % CROPS_PER_FRAME:
            raise ConfigError(
                "options", "batch_size",
                f"a frame gives {CROPS_PER_FRAME} crops, and {size} is not a multiple of that",
            )  # fmt: skip
        frames = self._index.split("train").frames
        cropped = max(1, round(size * (1 - share) / CROPS_PER_FRAME))
        self._cropped = min(cropped, frames)
        self._strips = min(size - cropped * CROPS_PER_FRAME, frames)
        self.steps = frames // max(self._cropped, self._strips)
        self._source: Frames | None = None
        if self._strips:
            wide = training_spec(self._spec, self._config.augment)
            self._source = Frames(self._index, "train", wide, self._config.cache, task.cache)

    def of_epoch(self, epoch: int) -> Any:
        """Return the data set of an epoch for `Model.fit`, determined by seed and epoch; counted from 1."""
        crops = self._crops_of_epoch(epoch)
        if self._source is None:
            return crops
        strips = training_batches(self._source, self._spec, self._config, epoch, batch_size=self._strips)
        return tf.data.Dataset.zip((crops, strips)).map(_joined)

    def _crops_of_epoch(self, epoch: int) -> tf.data.Dataset:
        config, spec = self._config, self._spec
        photometric = config.augment.model_copy(update={"mirror": False})
        order = config.seed * 100_003 + epoch
        base = config.seed * 1_000_003 + epoch

        def crops(number: tf.Tensor, serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            seed = tf.stack([tf.constant(base, tf.int64), number * 128])
            changes = config.augment
            return draw(as_record(serialized), spec, seed, changes.stretch, changes.near, changes.mirror)

        frames = serialized_records(self._index, "train", order, _WINDOW)
        batches = frames.enumerate().map(crops, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        batches = batches.batch(self._cropped, drop_remainder=True).enumerate()
        return batches.map(
            lambda step, batch: _augmented(batch, [base, step * 16 + 2**41], spec, photometric),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        ).prefetch(tf.data.AUTOTUNE)


Batch = tuple[dict[str, tf.Tensor], tf.Tensor]


def _joined(crops: Batch, strips: Batch) -> Batch:
    """Return a batch of crops with strips behind them, of which only the gaze counts."""
    inputs = {name: tf.concat([x, strips[0][name]], 0) for name, x in crops[0].items()}
    return inputs, tf.concat([crops[1], gaze_targets(strips[1])], 0)


def _augmented(
    batch: tuple[tf.Tensor, tf.Tensor],
    seed: list[Any],
    spec: InputSpec,
    photometric: AugmentConfig,
) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    codes, target = batch
    image = tf.reshape(codes, [-1, *spec.shapes["image"]])
    target = tf.reshape(target, [-1, len(COLUMNS)])
    of_batch = tf.stack([tf.cast(s, tf.int64) for s in seed])
    inputs, target = augment({"image": image}, target, of_batch, spec, photometric)
    return scaled(inputs), target


class AimValidationBatches:
    """Frames of the validation split, whose crops the network itself places from a far start.

    The error is that of the gaze on the crop after `VALIDATION_STEPS` steps: it grows when gaze or aim get worse.
    """

    def __init__(self, task: Task) -> None:
        self._spec = task.preset.input
        frames = task.index.split("val").frames
        every = max(1, frames // VALIDATION_FRAMES)
        self._records = serialized_records(task.index, "val").shard(every, 0).map(as_record).cache()
        rows = list(self._records.as_numpy_iterator())
        self._gaze: Floats32 = np.stack([r["gaze"] for r in rows])
        self._longer: Floats32 = np.array([r["frame_size"].max() for r in rows])
        self._focal: Floats32 = np.array([r["focal"] for r in rows])
        strips = np.stack([r["strip"] for r in rows])
        rng = np.random.default_rng(0)
        dx, dy, ln = (rng.uniform(-limit, limit, len(rows)) for limit in START)
        self._start = misplaced(strips, dx, dy, ln)

    def mean_error_cm(self, model: tf.keras.Model) -> float:
        """Return the mean Euclidean error of the gaze on the self-placed crops, cm."""
        place = self._start
        for step in range(VALIDATION_STEPS + 1):
            answer = model.predict(self._crops(place), verbose=0)
            if step < VALIDATION_STEPS:
                place = next_place(place, answer[:, 2:])
        unit = REFERENCE_CROP * self._longer * self._focal / place[:, 2]
        return float(np.linalg.norm(answer[:, :2] * unit[:, None] - self._gaze, axis=1).mean())

    def _crops(self, place: NDArray[np.floating[Any]]) -> tf.data.Dataset:
        spec = self._spec

        def one(record: dict[str, tf.Tensor], where: tf.Tensor) -> dict[str, tf.Tensor]:
            levels = decode_levels(record["whole"], spec)
            size = tf.cast(tf.shape(levels[0])[1:3], tf.float32)
            to_stored = tf.reduce_max(size) / tf.reduce_max(record["frame_size"])
            crop = cut(levels, spec, tf.concat([where * to_stored, [0.0]], 0))
            return {"image": tf.round(crop) / 128 - 1}

        places = tf.data.Dataset.from_tensor_slices(place.astype(np.float32))
        both = tf.data.Dataset.zip((self._records, places))
        return both.map(one, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).batch(64)
