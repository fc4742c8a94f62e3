"""What is to be trained. Importing this module imports TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinytracker.data.index import PreparedIndex
from tinytracker.model.presets import Preset
from tinytracker.runs import Run
from tinytracker.train.config import TrainConfig
from tinytracker.train.distribution import Distribution, distribution


@dataclass(frozen=True)
class Task:
    """One training, apart from the network itself and from how far it has come.

    Attributes:
        index: prepared data.
        preset: says what the network sees.
        run: keeps state, history and checkpoints.
        config: how to train.
        workers: who trains; this process alone unless told otherwise.
    """

    index: PreparedIndex
    preset: Preset
    run: Run
    config: TrainConfig
    workers: Distribution = field(default_factory=lambda: distribution("none"))
