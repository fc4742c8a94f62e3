"""The frames of a split in memory: what the network sees, where the person looked, and which dot it was.

Importing this module imports TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.data.index import PreparedIndex
from tinytracker.data.inputs import InputSpec
from tinytracker.evaluate.predict import truth
from tinytracker.model.output import GAZE_NODE
from tinytracker.train.augment import augment, mirrored
from tinytracker.train.config import AugmentConfig
from tinytracker.train.dataset import decoded, scaled

_BATCH = 64


@dataclass(frozen=True)
class SplitFrames:
    """All frames of a split, in the order of the records.

    Attributes:
        inputs: uint8 codes by input. gaze: (N, 2) cm. unit: (N,) cm per unit of the output.
        subject: (N,) str. dot: (N,) int.
    """

    inputs: dict[str, NDArray[np.uint8]]
    gaze: Floats
    unit: Floats
    subject: NDArray[np.str_]
    dot: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.gaze)

    @property
    def clusters(self) -> NDArray[np.int64]:
        """A number for each frame that is the same for frames of one dot, (N,)."""
        _, number = np.unique(np.char.add(self.subject, np.char.mod(" %d", self.dot)), return_inverse=True)
        return np.ravel(number)


def load(index: PreparedIndex, split: str, spec: InputSpec) -> SplitFrames:
    """Decode all frames of a split.

    Raises:
        InputFileError: the split is empty, or a shard cannot be read.
    """
    rows = list(decoded(index, split, spec).as_numpy_iterator())
    target = np.stack([t for _, t in rows]).astype(np.float64)
    known = truth(index, split)
    inputs = {name: np.stack([codes[name] for codes, _ in rows]) for name in rows[0][0]}
    return SplitFrames(inputs, target[:, :2], target[:, 2], known.subject, known.dot)


def in_other_light(frames: SplitFrames, spec: InputSpec, config: AugmentConfig, seed: int) -> SplitFrames:
    """Return the same frames as another light and another focus would show them; position and gaze stay.

    Args:
        frames: of a split.
        spec: the network's inputs.
        config: strength of each change; geometric ones are not made.
        seed: another one gives other changes.
    """
    parts: list[dict[str, NDArray[np.uint8]]] = []
    for start in range(0, len(frames), _BATCH):
        some = {name: tf.constant(codes[start : start + _BATCH]) for name, codes in frames.inputs.items()}
        gaze = tf.zeros([len(next(iter(some.values()))), 2])
        changed, _ = augment(some, gaze, tf.constant([seed, start << 10], tf.int64), spec, config)
        parts.append({name: tf.cast(codes, tf.uint8).numpy() for name, codes in changed.items()})
    return replace(frames, inputs={name: np.concatenate([p[name] for p in parts]) for name in parts[0]})


def in_a_mirror(frames: SplitFrames, spec: InputSpec) -> SplitFrames:
    """Return the same frames as a mirror would show them: another face that looks to the other side.

    Args:
        frames: of a split.
        spec: the network's inputs.
    """
    codes = {name: tf.constant(values) for name, values in frames.inputs.items()}
    flipped, gaze = mirrored(codes, tf.constant(frames.gaze), spec)
    return replace(frames, inputs={name: x.numpy() for name, x in flipped.items()}, gaze=gaze.numpy())


class Reader:
    """Runs a network on frames, and looks at the inputs of the layer that gives the gaze."""

    def __init__(self, model: tf.keras.Model) -> None:
        inner = tf.keras.Model(model.inputs, [model.get_layer(GAZE_NODE).input, model.outputs[0]])
        codes = {
            name: tf.TensorSpec([None, *tensor.shape[1:]], tf.uint8)
            for name, tensor in zip(model.input_names, model.inputs, strict=True)
        }
        # Traced once: TensorFlow would warn of each new network otherwise.
        self._answer = tf.function(
            lambda inputs: inner(scaled(inputs), training=False)
        ).get_concrete_function(codes)

    def read(self, frames: SplitFrames) -> tuple[Floats, Floats]:
        """Return the inputs (N, F) of that layer, and the gaze (N, 2) in cm."""
        hidden, out = [], []
        for start in range(0, len(frames), _BATCH):
            some = {name: tf.constant(codes[start : start + _BATCH]) for name, codes in frames.inputs.items()}
            answer = self._answer(some)
            hidden.append(answer[0].numpy().reshape(len(answer[1]), -1))
            out.append(answer[1].numpy()[:, :2])
        gaze: Floats = np.concatenate(out).astype(np.float64) * frames.unit[:, None]
        return np.concatenate(hidden).astype(np.float64), gaze
