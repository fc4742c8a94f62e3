"""A network with a new last layer, made of frames as they are and as other light would show them.

Importing this module imports TensorFlow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.adapt.frames import Reader, SplitFrames, in_other_light
from tinytracker.adapt.head import choose_strength, fit_head
from tinytracker.arrays import Floats
from tinytracker.model.keras_builder import build_keras
from tinytracker.model.output import GAZE_NODE
from tinytracker.model.presets import Preset
from tinytracker.train.config import AugmentConfig

VARIANTS = 6
"""Copies of each frame in another light and focus: a layer that was made of one day's light alone takes tomorrow's for
another direction of the eyes."""


def new_head(
    model: Any,
    preset: Preset,
    frames: SplitFrames,
    hidden: Floats,
    folds: NDArray[np.int64],
    light: AugmentConfig,
    seed: int,
) -> Any:
    """Return a Keras model with the layers of another one and a new last layer.

    Args:
        model: that it begins with.
        preset: of that network.
        frames: to learn from.
        hidden: (N, F) what the last layer gets for them.
        folds: (N,) stretches of time, to choose the strength of the prior.
        light: how other light and focus change pixels.
        seed: of these changes.
    """
    kernel, bias = (w.astype(np.float64) for w in model.get_layer(GAZE_NODE).get_weights())
    reader = Reader(model)
    others = [reader.read(in_other_light(frames, preset.input, light, seed + k))[0] for k in range(VARIANTS)]
    times = 1 + VARIANTS
    rows = (
        np.concatenate([hidden, *others]), np.tile(frames.unit, times), np.tile(frames.gaze, (times, 1)),
    )  # fmt: skip
    strength = choose_strength(*rows, kernel, bias, np.tile(folds, times))
    new, shift = fit_head(*rows, kernel, bias, strength)
    headed = build_keras(preset.network())
    headed.set_weights(model.get_weights())
    headed.get_layer(GAZE_NODE).set_weights([new.astype(np.float32), shift.astype(np.float32)])
    return headed
