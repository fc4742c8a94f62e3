"""Training: configuration, augmentation and a resumable loop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tinytracker.files import StrPath
from tinytracker.lazy import exports
from tinytracker.requirements import require_tensorflow
from tinytracker.train.config import AugmentConfig, TrainConfig, load_config

if TYPE_CHECKING:
    from tinytracker.runs import Run
    from tinytracker.train.export import ExportResult, export_weights
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "export": ("ExportResult", "export_weights"),
        },
    )

__all__ = [
    "AugmentConfig",
    "ExportResult",
    "TrainConfig",
    "TrainResult",
    "export_weights",
    "load_config",
    "train",
]


@dataclass(frozen=True)
class TrainResult:
    """The outcome of a training run.

    Attributes:
        run: the run folder.
        epochs: number of trained epochs.
        best_epoch: the epoch whose weights became model.keras.
        val_error_cm: mean Euclidean error of that epoch on the validation split.
        seconds: training time, summed over all starts.
    """

    run: Run
    epochs: int
    best_epoch: int
    val_error_cm: float
    seconds: float


def train(
    prepared: StrPath,
    preset: str,
    out: StrPath,
    config: TrainConfig | None = None,
    resume: bool = False,
    distribute: str = "none",
) -> TrainResult:
    """Train a preset on prepared data into a run folder.

    After each epoch the weights and the optimizer state are saved. With `resume`, a stopped run continues after its
    last epoch and ends with the same metrics as an uninterrupted one; a finished run returns at once.

    Args:
        prepared: folder that `tinytracker prepare` made.
        preset: name of the network.
        out: run folder to create.
        config: training configuration; None for the defaults.
        resume: resume the run in `out`, or start one when there is none.
        distribute: "mirrored" for all GPUs of this computer, "multiworker" for the cluster in TF_CONFIG; the batch
            size is the total over all devices. Must be the first use of TensorFlow in the process.

    Raises:
        UnknownNameError: no such preset, or `config.init` is "synthetic" and the package has no bundled weights for
            the preset.
        InputFileError: not a prepared folder, an empty train or val split, or `config.init` cannot be read.
        ModelError: no layer of `config.init` matches.
        OutputError: `out` is in use, belongs to another configuration, or cannot be written.
        MissingDependencyError: TensorFlow is not installed.

    Example:
        >>> from tinytracker.train import TrainConfig, train
        >>> config = TrainConfig(epochs=2, batch_size=16)
        >>> train("prepared", "tinytracker-s", "run", config, resume=True).epochs
        2
    """
    prepared = Path(prepared)
    out = Path(out)
    from tinytracker.data.index import read_index
    from tinytracker.model.presets import find_preset
    from tinytracker.runs import Run

    found = find_preset(preset)
    index = read_index(prepared)
    for name in ("train", "val"):
        index.split(name)
    if found.aim or found.finder:
        index.require_surroundings(f"training {found.name}")
    require_tensorflow("training")
    from tinytracker.train.initial import normalized
    from tinytracker.train.loop import fit

    run = Run(Path(out))
    config = config or TrainConfig()  # type: ignore[call-arg]
    config = config.model_copy(update={"init": normalized(config.init)})
    state = fit(index, found, run, config, resume, distribute)
    assert state.best_error_cm is not None
    return TrainResult(run, state.epoch, state.best_epoch, state.best_error_cm, state.seconds)
