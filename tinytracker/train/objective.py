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
_OPTIMIZERS: dict[str, Any] = {"muon": Muon, "adamw": tf.keras.optimizers.AdamW}


def _schedule(config: TrainConfig, steps: int) -> Any:
    total = config.epochs * steps
    warmup = min(round(config.warmup_epochs * steps), total - 1)
    cosine = tf.keras.optimizers.schedules.CosineDecay
    if warmup == 0:
        return cosine(config.learning_rate, total)
    return cosine(0.0, total - warmup, warmup_target=config.learning_rate, warmup_steps=warmup)
