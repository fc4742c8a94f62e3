"""The description of one training run. Importing this module imports TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tinytracker.data.index import PreparedIndex
from tinytracker.errors import UsageError
from tinytracker.model.presets import Preset
from tinytracker.runs import Run
from tinytracker.train.config import TrainConfig
from tinytracker.train.distribution import Distribution, distribution


@dataclass(frozen=True)
class Task:
    """One training run, except for the network itself and its progress.

    Attributes:
        index: prepared data.
        preset: defines the network's inputs.
        run: holds state, history and checkpoints.
        config: training configuration.
        workers: the processes and devices that train; by default only this process.
    """

    index: PreparedIndex
    preset: Preset
    run: Run
    config: TrainConfig
    workers: Distribution = field(default_factory=lambda: distribution("none"))

    @property
    def cache(self) -> Path:
        """The folder of decoded frames with `cache = "disk"`; it is deleted when training has ended."""
        return self.run.path / "cache"

    def require_whole_frames(self) -> None:
        """Check what training on whole frames needs.

        Raises:
            InputFileError: the records hold no whole frames.
            UsageError: several workers.
        """
        self.index.require_surroundings(f"training {self.preset.name}")
        if self.workers.workers > 1:
            raise UsageError(
                f"{self.preset.name} cannot be trained by several workers.",
                "Use --distribute mirrored or none.",
            )
