"""The batches of one training run: training batches, epoch by epoch, and validation batches.

Importing this module imports TensorFlow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tinytracker.train.dataset import in_cm, plain_batches, training_batches, training_spec
from tinytracker.train.frames import Frames
from tinytracker.train.task import Task


class TrainingBatches:
    """Batches of the training split, shared among the workers.

    Attributes:
        steps: steps per epoch, the same for all workers.
    """

    def __init__(self, task: Task) -> None:
        """Raises `ConfigError` when a batch cannot be shared evenly by the workers' devices."""
        self._task = task
        self._frames = task.index.split("train").frames
        self._batch_size = task.workers.per_replica_batch(task.config, self._frames)
        self.steps = task.workers.steps(task.config, self._frames)
        workers, config = task.workers, task.config
        cut = training_spec(task.preset.input, config.augment)
        part = (workers.workers, workers.worker)
        self._source = Frames(task.index, "train", cut, config.cache, task.cache, part)

    def of_epoch(self, epoch: int) -> Any:
        """Return the data set of an epoch for `Model.fit`; epochs are counted from 1."""
        workers, config, spec = self._task.workers, self._task.config, self._task.preset.input
        if workers.workers == 1:  # Keras distributes batches among the devices of one computer
            return training_batches(self._source, spec, config, epoch)
        return workers.strategy.distribute_datasets_from_function(
            lambda context: training_batches(
                self._source, spec, config, epoch, workers.worker, self._batch_size
            )
        )


class ValidationBatches:
    """The whole validation split, in order."""

    def __init__(self, task: Task) -> None:
        config = task.config
        # Every worker evaluates the whole split on its own copy: shared variables are read by all workers at once.
        cache = "memory" if config.cache == "disk" and not task.workers.is_chief else config.cache
        self._data = plain_batches(Frames(task.index, "val", task.preset.input, cache, task.cache).in_order())
        self._target: NDArray[np.float32] = np.concatenate([target.numpy() for _, target in self._data])

    def mean_error_cm(self, model: tf.keras.Model) -> float:
        """Return the mean Euclidean error over the validation split, cm."""
        predicted = in_cm(model.predict(self._data, verbose=0), self._target)
        return float(np.linalg.norm(predicted - self._target[:, :2], axis=1).mean())
