"""How long quantization-aware training goes on."""

from __future__ import annotations

from dataclasses import dataclass

from tinytracker.errors import UsageError


@dataclass(frozen=True)
class QatSettings:
    """Settings of `--method qat`; all else is as the run was trained.

    Attributes:
        epochs: passes over the training split.
        learning_rate: peak of the cosine; a twentieth of the run's when None.
    """

    epochs: int = 5
    learning_rate: float | None = None

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise UsageError(f"{self.epochs} epochs of quantization-aware training cannot be.", "At least 1.")
        if self.learning_rate is not None and not 0 < self.learning_rate <= 1:
            raise UsageError(f"A learning rate of {self.learning_rate} cannot be.", "Choose 0 to 1.")
