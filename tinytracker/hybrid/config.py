"""The settings of training a hybrid, and their defaults."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tinytracker.documents import explained
from tinytracker.errors import UsageError
from tinytracker.hybrid.presets import require_interval


class HybridConfig(BaseModel):
    """How a hybrid is trained.

    A step sees `batch_size` windows. The share `moving` of them is drawn among those whose gaze moves, the others among
    all; the share `early` ends early, after a number of steps that is drawn.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    interval: int = Field(4, description="steps of a slot of the accumulator: 2, 4 or 8")
    epochs: int = Field(30, ge=1, le=10_000, description="after each, the validation split is judged")
    steps: int = Field(100, ge=1, le=100_000, description="steps of an epoch")
    batch_size: int = Field(32, ge=2, le=1024, description="windows of a step")
    moving: float = Field(0.75, ge=0, le=1, description="share of windows drawn among those that move")
    early: float = Field(0.25, ge=0, le=1, description="share of windows that end early")
    learning_rate: float = Field(
        3e-3, gt=0, le=1, description="at the beginning; it falls to zero as a cosine"
    )
    weight_decay: float = Field(1e-3, ge=0, le=1, description="of AdamW")
    shift: int = Field(1, ge=0, le=16, description="largest shift of a window's cells, in cells")
    spikes: float = Field(1500.0, ge=0, description="spikes of a window that cost nothing")
    spike_weight: float = Field(1e-4, ge=0, le=1, description="what each spike beyond them costs")
    validation_windows: int = Field(
        512, ge=2, le=100_000, description="windows that are judged after an epoch"
    )
    seed: int = Field(0, ge=0, lt=2**31, description="random seed of weights and windows")

    def as_json(self) -> dict[str, Any]:
        """Return all settings."""
        return self.model_dump()


def hybrid_config(**values: Any) -> HybridConfig:
    """Return settings; those that are None keep their default.

    Raises:
        UsageError: a value is out of range, or the interval does not divide the window.
    """
    given = {key: value for key, value in values.items() if value is not None}
    try:
        config = HybridConfig(**given)
    except ValidationError as error:
        raise UsageError(f"{explained(error)}.", "See `tinytracker hybrid train --help`.") from None
    require_interval(config.interval)
    return config
