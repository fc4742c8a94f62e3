"""All settings of training and their defaults; read from TOML, with an error for misspelt keys."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tinytracker.errors import ConfigError, closest
from tinytracker.files import StrPath, read_bytes

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AugmentConfig(_Section):
    """Augmentation of training images, drawn for each image and epoch; 0 disables a change."""

    mirror: bool = Field(True, description="mirror half of the images, with the x of gaze and position")
    rotation: float = Field(
        10.0,
        ge=0,
        le=45,
        description="largest rotation of image and gaze, degrees; only for networks without position input",
    )
    shift: float = Field(
        0.03,
        ge=0,
        le=0.1,
        description="largest shift, fraction of the input's width; only for networks without position input",
    )
    zoom: float = Field(
        0.08,
        ge=0,
        le=0.2,
        description="size is scaled by at most 1 + this, up or down; only for networks without position input",
    )
    brightness: float = Field(30.0, ge=0, le=128, description="largest brightness shift, grey levels of 255")
    contrast: float = Field(0.3, ge=0, lt=1, description="contrast is multiplied by at most 1 ± this")
    colour: float = Field(
        0.08, ge=0, lt=1, description="each colour channel is multiplied by at most 1 ± this"
    )
    noise: float = Field(5.0, ge=0, le=64, description="largest standard deviation of noise, grey levels")
    focus: float = Field(
        0.0, ge=0, le=1, description="share of images that are blurred or sharpened as cameras do"
    )
    gamma: float = Field(
        0.0, ge=0, le=1, description="largest change of the tone curve: the exponent is exp(± this)"
    )
    shade: float = Field(0.0, ge=0, lt=1, description="light from one side: at most 1 ± this at the edges")
    saturation: float = Field(
        0.0,
        ge=0,
        le=1,
        description="share of images whose colours are weakened, down to grey, or strengthened",
    )
    stretch: float = Field(
        0.0,
        ge=0,
        le=0.3,
        description="largest change of a crop's height against its width; only for networks with an aim",
    )
    near: float = Field(
        0.28,
        ge=0,
        lt=1,
        description="share of crops near the strip, most of those that teach the gaze; only for networks with "
        "an aim",
    )
    strips: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of a batch that are strips as networks without an aim see them, which teach the gaze "
        "alone; only for networks with an aim",
    )


class TrainConfig(_Section):
    """Training configuration. The defaults suit a synthetic data set of a few thousand frames on a CPU."""

    epochs: int = Field(30, ge=1, le=10_000, description="passes over the training split")
    batch_size: int = Field(64, ge=1, le=8192, description="frames per step")
    learning_rate: float = Field(2e-3, gt=0, le=1, description="peak of the schedule")
    warmup_epochs: float = Field(1.0, ge=0, description="epochs of linear warm-up")
    weight_decay: float = Field(
        1e-3,
        ge=0,
        le=1,
        description="weight decay per step, multiplied by the learning rate; plain Adam has none",
    )
    optimizer: Literal["muon", "adamw", "adam"] = Field(
        "muon",
        description="for kernels: orthogonal momentum, or AdamW as for all other weights; or plain Adam for all",
    )
    schedule: Literal["cosine", "exponential"] = Field(
        "cosine", description="of the learning rate after warm-up: cosine to zero, or exponential decay"
    )
    decay_rate: float = Field(0.9, gt=0, le=1, description="exponential: factor per decay_steps")
    decay_steps: int = Field(10_000, ge=1, description="exponential: steps per factor of decay_rate")
    head: Literal["linear", "tanh"] = Field(
        "linear",
        description="output of the network: linear in cm, or tanh times 30 cm as in the published models",
    )
    loss: Literal["euclidean", "mse"] = Field(
        "euclidean", description="mean distance in cm, or its mean square"
    )
    patience: int = Field(
        10, ge=1, description="stop after this many epochs without a better validation error"
    )
    init: str | None = Field(
        None,
        description="weights to start from: a run folder, a .keras or .npz file, or 'synthetic' for the "
        "bundled weights; random when omitted",
    )
    seed: int = Field(0, ge=0, lt=2**31, description="random seed of weights, order and augmentation")
    cache: Literal["memory", "disk", "none"] = Field(
        "memory", description="where decoded crops are cached between epochs"
    )
    deterministic: bool = Field(
        True, description="the same seed gives the same weights bit for bit; slower on a GPU"
    )
    tensorboard: bool = Field(True, description="write logs for TensorBoard")
    augment: AugmentConfig = AugmentConfig()  # type: ignore[call-arg]


def load_config(path: StrPath | None, overrides: dict[str, Any] | None = None) -> TrainConfig:
    """Read the configuration from a TOML file (or the defaults), and apply overrides from the command line.

    Args:
        path: TOML file with the keys of `TrainConfig`, or None.
        overrides: values that take precedence over the file; None values are ignored.

    Raises:
        ConfigError: not TOML, an unknown key (the message names the nearest known one), or a value out of range.
        InputFileError: the file cannot be read.

    Example:
        >>> from tinytracker.train import load_config
        >>> config = load_config(None, {"epochs": 5})
        >>> config.epochs, config.optimizer
        (5, 'muon')
    """
    path = Path(path) if path is not None else None
    values: dict[str, Any] = {}
    source = "options"
    if path is not None:
        source = str(path)
        try:
            values = tomllib.loads(read_bytes(path).decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(source, "", f"not valid TOML ({error})") from None
    values.update({k: v for k, v in (overrides or {}).items() if v is not None})
    try:
        return TrainConfig.model_validate(values)
    except ValidationError as error:
        raise _explain(source, error) from None


def _explain(source: str, error: ValidationError) -> ConfigError:
    """Turn the first problem of a validation into an error with one sentence."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        section = AugmentConfig if len(first["loc"]) > 1 else TrainConfig
        known = sorted(section.model_fields)
        near = closest(str(first["loc"][-1]), known)
        guess = f"Did you mean {near!r}? " if near else ""
        return ConfigError(source, key, "there is no such setting", f"{guess}Known: {', '.join(known)}.")
    return ConfigError(source, key, f"{first['input']!r} is not valid: {first['msg'].lower()}")
