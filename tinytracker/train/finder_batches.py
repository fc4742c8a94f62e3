"""The batches of a finder: views of whole frames and of rooms without a person. Importing this imports TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tinytracker.aim.layout import FINDER, encode
from tinytracker.data.examples import parse
from tinytracker.data.index import PreparedIndex
from tinytracker.data.inputs import LUMA
from tinytracker.data.pipeline import serialized_records
from tinytracker.files import make_folder
from tinytracker.train.dataset import decoded, scaled
from tinytracker.train.finder_places import mean_distance_cm, read_places, strips_of
from tinytracker.train.finder_views import cell_targets, training_views
from tinytracker.train.task import Task

CANVAS = 160
"""Longer side of a frame from which training views are cut, px: the nearest view is then cut at its own resolution."""

Sample = tuple[tf.Tensor, tf.Tensor, tf.Tensor]
"""Grey codes uint8 (CANVAS, CANVAS, 1) with the frame in the top left corner, its size (2,), and its strip (4,)."""

_WINDOW = 4096


def finder_samples(index: PreparedIndex, split: str) -> tf.data.Dataset:
    """Return the frames of a split as samples for views, and after a frame the picture of a room that it carries."""

    def to_samples(serialized: tf.Tensor) -> tf.data.Dataset:
        record = parse(serialized, True)
        frame = _canvas(record["whole"])
        scale = tf.reduce_max(frame[1]) / tf.reduce_max(record["frame_size"])
        strip = tf.concat([record["strip"] * scale, [1.0]], 0)
        both = tf.data.Dataset.from_tensors((*frame, strip))
        if_room = tf.data.Dataset.from_tensors(record["room"]).filter(
            lambda room: tf.strings.length(room) > 0
        )
        return both.concatenate(if_room.map(lambda room: (*_canvas(room), tf.zeros([4]))))

    samples = serialized_records(index, split)
    return samples.interleave(
        to_samples, cycle_length=8, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )


def _canvas(content: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Decode a picture at CANVAS px; returns it and its size (2,)."""
    image = tf.io.decode_jpeg(content, channels=3, ratio=2, dct_method="INTEGER_ACCURATE")
    weighted = tf.reduce_sum(tf.cast(image, tf.int32) * tf.constant(LUMA, tf.int32), -1, keepdims=True)
    grey = tf.cast(tf.bitwise.right_shift(weighted + 128, 8), tf.float32)
    shape = tf.cast(tf.shape(grey)[:2], tf.float32)
    small = tf.maximum(tf.cast(tf.round(shape * CANVAS / tf.reduce_max(shape)), tf.int32), 1)
    reduced = tf.cast(tf.round(tf.image.resize(grey, small, "area")), tf.uint8)
    padded = tf.image.pad_to_bounding_box(reduced, 0, 0, CANVAS, CANVAS)
    return tf.ensure_shape(padded, [CANVAS, CANVAS, 1]), tf.cast(small[::-1], tf.float32)


class FinderTrainingBatches:
    """Batches of views of the training split.

    Attributes:
        steps: steps per epoch.
    """

    def __init__(self, task: Task) -> None:
        """Prepare the pipeline.

        Raises:
            InputFileError: the records hold no whole frames.
            UsageError: several workers.
        """
        task.require_whole_frames()
        self._config = task.config
        self._frames = task.index.split("train").frames
        self._per_step = min(task.config.batch_size, self._frames)
        self.steps = max(1, self._frames // self._per_step)
        self._samples = _kept(finder_samples(task.index, "train"), task.config.cache, task.cache)

    def of_epoch(self, epoch: int) -> Any:
        """Return the data set of an epoch for `Model.fit`, determined by seed and epoch; counted from 1."""
        config = self._config
        order, base = config.seed * 100_003 + epoch, config.seed * 1_000_003 + epoch
        window = min(self._frames, _WINDOW) if config.cache != "memory" else 2 * self._frames
        batches = self._samples.shuffle(window, seed=order, reshuffle_each_iteration=False)
        batches = batches.batch(self._per_step, drop_remainder=True).take(self.steps).enumerate()

        def views(step: tf.Tensor, batch: Sample) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
            codes, truth = training_views(*batch, seed=tf.stack([tf.constant(base, tf.int64), step * 16]))
            return scaled({"image": codes}), cell_targets(truth)

        return batches.map(views, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(2)


def _kept(samples: tf.data.Dataset, cache: str, folder: Path) -> tf.data.Dataset:
    if cache == "memory":
        return samples.cache()
    return samples.cache(str(make_folder(folder) / "train")) if cache == "disk" else samples


class FinderValidationBatches:
    """The frames of the validation split, as a device's finder sees them."""

    def __init__(self, task: Task) -> None:
        index, spec = task.index, task.preset.input
        self._strips, self._sizes = strips_of(index, "val")
        codes = [inputs["image"].numpy() for inputs, _ in decoded(index, "val", spec).batch(256)]
        self._views = np.concatenate(codes)

    def mean_error_cm(self, model: tf.keras.Model) -> float:
        """Return the mean distance between the found and the true strip, cm at the face; see `evaluate.finder`."""
        answers = model.predict(self._views.astype(np.float32) / 128 - 1, batch_size=256, verbose=0)
        places, _ = read_places(encode(FINDER, answers), self._sizes)
        return mean_distance_cm(places, self._strips)
