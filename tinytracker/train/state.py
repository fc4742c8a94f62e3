"""Training progress, and the check that a run folder can be resumed. Plain files, no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tinytracker.data.index import PreparedIndex
from tinytracker.errors import OutputError
from tinytracker.files import make_folder, read_json
from tinytracker.locks import require_unused
from tinytracker.model.presets import Preset
from tinytracker.runs import Run
from tinytracker.train.config import TrainConfig


@dataclass
class State:
    """How far training has come; what state.json holds.

    Attributes:
        epoch: number of finished epochs.
        best_epoch: the epoch with the lowest validation error (0 before the first).
        best_error_cm: validation error of that epoch.
        finished: True when the last epoch or early stopping was reached.
        seconds: training time so far.
        history: one dict per epoch.
    """

    epoch: int = 0
    best_epoch: int = 0
    best_error_cm: float | None = None
    finished: bool = False
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


def describe_training(index: PreparedIndex, preset: Preset, config: TrainConfig) -> dict[str, Any]:
    """Return what run.json stores about this training run."""
    data = {
        "path": str(index.folder.resolve()),
        "data_hash": index.data_sha256,
        "origin": index.origin,
        "frames": {name: split.frames for name, split in index.splits.items()},
        "mean_gaze_cm": list(index.gaze.mean),
    }
    return {"preset": preset.name, "config": config.model_dump(), "data": data}


def state_to_go_on_from(
    run: Run,
    description: dict[str, Any],
    resume: bool,
    another: str = "choose another --out",
    is_chief: bool = True,
) -> State:
    """Return the state of the existing run, or a new one.

    Args:
        run: the run folder, may be new.
        description: of the requested training, see `describe_training`.
        resume: whether a run may exist.
        another: the fix to suggest when it cannot be resumed.
        is_chief: whether this worker creates the folder; the others accept it as it is.

    Raises:
        OutputError: the folder holds something else, or a run with other settings or data.
    """
    if not run.description_path.is_file():
        if not is_chief:
            return State()
        require_unused(run.path, "a run")
        make_folder(run.path)
        return State()
    if not resume and is_chief:
        raise OutputError(
            run.path, "a run is already here", "Add --resume to continue it, or choose another --out."
        )
    same, was = _identity(description), _identity(run.describe().as_json())
    for what, value in same.items():
        if was.get(what) != value:
            raise OutputError(
                run.path, f"cannot resume: the {what.replace('_', ' ')} differs from the one this run began with",
                f"It began with {_only(was.get(what), value)}; now it is {_only(value, was.get(what))}. "
                f"Use the same, or {another}.",
            )  # fmt: skip
    if not run.state_path.is_file():
        return State()
    return State(**read_json(run.state_path))


def _only(value: Any, other: Any) -> Any:
    """Return the settings that differ from the other's; a value that is not a dict of settings unchanged."""
    if isinstance(value, dict) and isinstance(other, dict):
        return ", ".join(f"{key} = {v}" for key, v in value.items() if other.get(key) != v)
    return value


def _identity(description: dict[str, Any]) -> dict[str, Any]:
    """Return what must not change when a run is resumed."""
    # A run of an older release has fewer settings; it was trained with what are now the defaults of the others.
    defaults = TrainConfig().model_dump()  # type: ignore[call-arg]
    config = defaults | description["config"]
    config["augment"] = defaults["augment"] | config["augment"]
    own: dict[str, Any] = {
        key: description[key] for key in ("float_sha256", "calibration_sha256") if key in description
    }
    return {
        "preset": description["preset"], "config": config, "data_hash": description["data"]["data_hash"], **own,
    }  # fmt: skip
