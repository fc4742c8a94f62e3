"""Loss and optimizer of training. Importing this module imports TensorFlow."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import tensorflow as tf

from tinytracker.aim.layout import AIM
from tinytracker.train.config import TrainConfig
from tinytracker.train.dataset import in_cm
from tinytracker.train.finder_views import finder_loss
from tinytracker.train.fixed_statistics import fix_statistics
from tinytracker.train.muon import Muon


def compile_model(
    model: tf.keras.Model, config: TrainConfig, steps: int, loaded: Collection[str] = ()
) -> None:
    """Compile a model with its loss and its optimizer, and create the optimizer's variables.

    Args:
        model: the model to train.
        config: names loss, optimizer and learning rate.
        steps: steps per epoch.
        loaded: names of layers whose weights are not random; their normalizations keep their statistics.
    """
    optimizer = _OPTIMIZERS[config.optimizer](_schedule(config, steps), weight_decay=config.weight_decay)
    has_aim = model.output_shape[-1] == 2 + len(AIM)
    losses = _FINDER_LOSSES if len(model.output_shape) == 4 else _AIM_LOSSES if has_aim else _LOSSES
    model.compile(optimizer, losses[config.loss])
    optimizer.build(model.trainable_variables)
    fix_statistics(model, loaded)


def _euclidean(target: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    """Return the mean distance in cm, smooth at zero."""
    return tf.reduce_mean(tf.sqrt(2 * _square(target, predicted) + 1e-3))


def _square(target: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    """Return the mean square of both axes' errors in cm², (N,)."""
    return tf.reduce_mean(tf.square(target[:, :2] - in_cm(predicted, target)), -1)


GAZE_SHARE, PLACE_SHARE = 0.5, 4.0
"""Weights of the gaze's error in cm and of the aim's in crop widths, beside the cross entropy of presence."""

_PLACE_WEIGHTS = (1.0, 2.0, 0.5, 0.5)
"""Of dx, dy, ln scale and roll: a strip is a third as high as wide."""


def _with_aim(target: tf.Tensor, predicted: tf.Tensor, distance: Any) -> tf.Tensor:
    """Return the loss of gaze, place and presence; `target` (N, 11) as `aim_crops.COLUMNS`, predicted (N, 7)."""
    gaze_weight, place_weight, presence_weight = (target[:, i] for i in (8, 9, 10))
    gaze = _weighted(gaze_weight, distance(target[:, :2] - predicted[:, :2] * target[:, 2:3]))
    place = _weighted(
        place_weight, tf.reduce_sum(tf.abs(target[:, 3:7] - predicted[:, 2:6]) * _PLACE_WEIGHTS, 1)
    )
    cross = tf.nn.sigmoid_cross_entropy_with_logits(target[:, 7], predicted[:, 6])
    return GAZE_SHARE * gaze + PLACE_SHARE * place + _weighted(presence_weight, cross)


def _weighted(weight: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(weight * values) / (tf.reduce_sum(weight) + 1)


def _aim_euclidean(target: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    return _with_aim(target, predicted, lambda e: tf.sqrt(tf.reduce_sum(tf.square(e), 1) + 1e-3))


def _aim_square(target: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    return _with_aim(target, predicted, lambda e: tf.reduce_mean(tf.square(e), 1))


_LOSSES: dict[str, Any] = {"euclidean": _euclidean, "mse": _square}
_AIM_LOSSES: dict[str, Any] = {"euclidean": _aim_euclidean, "mse": _aim_square}
_FINDER_LOSSES: dict[str, Any] = {"euclidean": finder_loss, "mse": finder_loss}
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
