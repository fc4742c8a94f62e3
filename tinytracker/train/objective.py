"""Loss and optimizer of training. Importing this module imports TensorFlow."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tinytracker.train.config import TrainConfig
from tinytracker.train.dataset import in_cm
from tinytracker.train.muon import Muon


def compile_model(model: tf.keras.Model, config: TrainConfig, steps: int) -> None:
    """Compile a model with its loss and its optimizer, and create the optimizer's variables.

    Args:
        model: the model to train.
        config: names loss, optimizer and learning rate.
        steps: steps per epoch.
    """
    optimizer = _OPTIMIZERS[config.optimizer](_schedule(config, steps), weight_decay=config.weight_decay)
    model.compile(optimizer, _LOSSES[config.loss])
    optimizer.build(model.trainable_variables)


def _euclidean(target: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    """Return the mean distance in cm, smooth at zero."""
    return tf.reduce_mean(tf.sqrt(2 * _square(target, predicted) + 1e-3))


def _square(target: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    """Return the mean square of both axes' errors in cm², (N,)."""
    return tf.reduce_mean(tf.square(target[:, :2] - in_cm(predicted, target)), -1)


_LOSSES: dict[str, Any] = {"euclidean": _euclidean, "mse": _square}
_OPTIMIZERS: dict[str, Any] = {
    "muon": Muon,
    "adamw": tf.keras.optimizers.AdamW,
    "adam": lambda rate, weight_decay: tf.keras.optimizers.Adam(rate),
}


def _schedule(config: TrainConfig, steps: int) -> Any:
    total = config.epochs * steps
    warmup = min(round(config.warmup_epochs * steps), total - 1)
    if config.schedule == "exponential":
        return Exponential(config.learning_rate, config.decay_rate, config.decay_steps, warmup)
    cosine = tf.keras.optimizers.schedules.CosineDecay
    if warmup == 0:
        return cosine(config.learning_rate, total)
    return cosine(0.0, total - warmup, warmup_target=config.learning_rate, warmup_steps=warmup)


@tf.keras.utils.register_keras_serializable(package="tinytracker")
class Exponential(tf.keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Linear warm-up, then `rate` times decay_rate^(step / decay_steps), smoothly.

    Args:
        rate: learning rate after warm-up.
        decay_rate: factor per `decay_steps` steps.
        decay_steps: see above.
        warmup: steps of warm-up; they count as steps of the decay too.
    """

    def __init__(self, rate: float, decay_rate: float, decay_steps: int, warmup: int) -> None:
        self.rate, self.decay_rate, self.decay_steps, self.warmup = rate, decay_rate, decay_steps, warmup

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Return the learning rate of a step, counted from 0."""
        done = tf.cast(step, tf.float32)
        ramp = tf.minimum(1.0, (done + 1) / max(1, self.warmup))
        return ramp * self.rate * tf.pow(self.decay_rate, done / self.decay_steps)

    def get_config(self) -> dict[str, Any]:
        """Return the configuration for saving."""
        return dict(vars(self))
