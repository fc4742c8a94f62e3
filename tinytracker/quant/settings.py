"""Settings of quantization-aware training."""

from __future__ import annotations

from dataclasses import dataclass

from tinytracker.errors import UsageError


@dataclass(frozen=True)
class QatSettings:
    """Settings of `--method qat`; all others are those of the run.

    Attributes:
        epochs: passes over the training split.
        learning_rate: peak of the cosine schedule; None for a twentieth of the run's.
    """

    epochs: int = 5
    learning_rate: float | None = None

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise UsageError(
                f"The number of epochs of quantization-aware training is {self.epochs}.",
                "It must be at least 1.",
            )
        if self.learning_rate is not None and not 0 < self.learning_rate <= 1:
            raise UsageError(
                f"The learning rate of {self.learning_rate} is out of range.",
                "It must be more than 0 and at most 1.",
            )
