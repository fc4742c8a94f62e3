"""Everything that decides a training, with its default; read from TOML, refused when a key is misspelt."""

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
    """Changes to training images, drawn anew for each image and epoch; 0 switches one off."""

    mirror: bool = Field(
        True, description="flip left and right in half of the images, with x of gaze and position"
    )
    rotation: float = Field(
        10.0, ge=0, le=45, description="largest turn of image and gaze, degrees; if no position is seen"
    )
    shift: float = Field(
        0.03, ge=0, le=0.1, description="largest shift, part of the input's width; if no position is seen"
    )
    zoom: float = Field(
        0.08, ge=0, le=0.2, description="size is multiplied or divided by 1 + this at most; likewise"
    )
    brightness: float = Field(30.0, ge=0, le=128, description="largest shift, grey levels of 255")
    contrast: float = Field(0.3, ge=0, lt=1, description="contrast is multiplied by 1 ± this at most")
    colour: float = Field(
        0.08, ge=0, lt=1, description="each colour channel is multiplied by 1 ± this at most"
    )
    noise: float = Field(5.0, ge=0, le=64, description="largest standard deviation of noise, grey levels")


class TrainConfig(_Section):
    """How to train. The defaults suit a synthetic data set of some thousand frames on a CPU."""

    epochs: int = Field(30, ge=1, le=10_000, description="passes over the training split")
    batch_size: int = Field(64, ge=1, le=8192, description="frames per step")
    learning_rate: float = Field(2e-3, gt=0, le=1, description="peak of the cosine schedule")
    warmup_epochs: float = Field(1.0, ge=0, description="epochs of linear warm-up")
    weight_decay: float = Field(
        1e-3, ge=0, le=1, description="times the rate, taken from each weight at a step"
    )
    optimizer: Literal["muon", "adamw"] = Field(
        "muon", description="of kernels: orthogonal momentum, or as all other weights"
    )
    loss: Literal["euclidean", "mse"] = Field(
        "euclidean", description="mean distance in cm, or its mean square"
    )
    patience: int = Field(10, ge=1, description="stop after so many epochs without a better validation error")
    init: str | None = Field(
        None,
        description="weights to start from: a run folder, a .keras or .npz file, or 'synthetic' for those that come "
        "with the package; random when not given",
    )
    seed: int = Field(0, ge=0, lt=2**31, description="of weights, order and augmentation")
    cache: Literal["memory", "disk", "none"] = Field(
        "memory", description="where decoded crops are kept between epochs"
    )
    deterministic: bool = Field(True, description="same seed, same weights bit for bit; slower on a GPU")
    tensorboard: bool = Field(True, description="write logs for TensorBoard")
    augment: AugmentConfig = AugmentConfig()  # type: ignore[call-arg]


def load_config(path: StrPath | None, overrides: dict[str, Any] | None = None) -> TrainConfig:
    """The configuration of a TOML file (or the defaults), with overrides from the command line on top.

    Args:
        path: TOML file with the keys of `TrainConfig`, or None.
        overrides: values that win over the file; None values are left out.

    Raises:
        ConfigError: not TOML, an unknown key (with the nearest known one), or a value out of its limits.
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
    """The first problem of a validation, as one sentence."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        section = AugmentConfig if len(first["loc"]) > 1 else TrainConfig
        known = sorted(section.model_fields)
        near = closest(str(first["loc"][-1]), known)
        guess = f"Did you mean {near!r}? " if near else ""
        return ConfigError(source, key, "there is no such setting", f"{guess}Known: {', '.join(known)}.")
    return ConfigError(source, key, f"{first['input']!r} will not do: {first['msg'].lower()}")
