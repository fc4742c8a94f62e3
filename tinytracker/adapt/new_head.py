"""A network with a new last layer, made of frames as they are, in other light, and in a mirror.

Importing this module imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.adapt.frames import Reader, SplitFrames, in_a_mirror, in_other_light
from tinytracker.adapt.head import choose_strength, fit_head
from tinytracker.arrays import Floats
from tinytracker.data.tensorflow_errors import writing_tensorflow
from tinytracker.model.keras_builder import build_keras, load_trained
from tinytracker.model.output import GAZE_NODE
from tinytracker.model.presets import Preset
from tinytracker.train.config import AugmentConfig

LIGHTS = 4
"""Copies of each frame in another light and focus: a layer that was made of one day's light alone takes tomorrow's for
another direction of the eyes. A fifth copy is as a mirror shows the frame, a sixth that in another light: so each place
and turn of the head that was recorded on one side is seen on the other, too."""


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
    turned = in_a_mirror(frames, preset.input)
    copies = [in_other_light(frames, preset.input, light, seed + k) for k in range(LIGHTS)]
    copies += [turned, in_other_light(turned, preset.input, light, seed + LIGHTS)]
    times = 1 + len(copies)
    rows = (
        np.concatenate([hidden, *(reader.read(copy)[0] for copy in copies)]), np.tile(frames.unit, times),
        np.concatenate([frames.gaze, *(copy.gaze for copy in copies)]),
    )  # fmt: skip
    strength = choose_strength(*rows, kernel, bias, np.tile(folds, times))
    new, shift = fit_head(*rows, kernel, bias, strength)
    headed = build_keras(preset.network())
    headed.set_weights(model.get_weights())
    headed.get_layer(GAZE_NODE).set_weights([new.astype(np.float32), shift.astype(np.float32)])
    return headed


def made_once(path: Path, make: Callable[[], Any]) -> Any:
    """Return the Keras model in a file, which is made and written when it is not there.

    Training of all layers begins with this file and resumes only if it is the same, byte for byte. A Keras file that is
    written again is another one, because it has the time in it.

    Args:
        path: of the file, which is written completely or not at all.
        make: returns the model.

    Raises:
        OutputError: the file cannot be written.
    """
    if path.is_file():
        return load_trained(path)
    model = make()
    temporary = path.with_name(f".{path.stem}.tmp{path.suffix}")
    with writing_tensorflow(path):
        model.save(temporary)
        temporary.replace(path)
    return model
