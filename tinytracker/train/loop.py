"""Training with checkpoints after each epoch, so that a resumed run ends exactly where an uninterrupted one would.

Importing this module imports TensorFlow.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tinytracker.data.index import PreparedIndex
from tinytracker.errors import OutputError, TinyTrackerError
from tinytracker.files import make_folder, read_json, write_json, write_text, writing
from tinytracker.model.keras_builder import build_keras
from tinytracker.model.presets import Preset
from tinytracker.progress import bar, say
from tinytracker.runs import Run, write_description
from tinytracker.train.config import TrainConfig
from tinytracker.train.dataset import decoded, in_cm, plain_batches, training_batches, training_spec
from tinytracker.train.initial import load_initial, source_file


@dataclass
class State:
    """How far training has come; what state.json holds.

    Attributes:
        epoch: epochs that are finished.
        best_epoch: the one with the lowest validation error (0 before the first).
        best_error_cm: that error.
        finished: True when the last epoch or the early stop was reached.
        seconds: spent in training so far.
        history: one dict per epoch.
    """

    epoch: int = 0
    best_epoch: int = 0
    best_error_cm: float | None = None
    finished: bool = False
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


def fit(index: PreparedIndex, preset: Preset, run: Run, config: TrainConfig, resume: bool) -> State:
    """Train a preset; see `tinytracker.train.train` for the contract."""
    frames = index.split("train").frames
    description = _description(index, preset, config)
    state = _state_to_go_on_from(run, description, resume)
    source = source_file(config.init, preset.name) if config.init and not state.epoch else None
    if state.finished and run.model_path.is_file():
        say(f"{run.path}: already trained, best validation error {state.best_error_cm:.2f} cm")
        return state
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    tf.keras.utils.set_random_seed(config.seed)

    steps = max(1, frames // config.batch_size)
    model = build_keras(preset.network(), output_bias=index.gaze.mean)
    if source is not None:
        description["init"] = _take_over(model, source, run)
    if not run.description_path.is_file():
        write_description(run, description)
    optimizer = tf.keras.optimizers.AdamW(_schedule(config, steps), weight_decay=config.weight_decay)
    model.compile(optimizer, _LOSSES[config.loss])
    optimizer.build(model.trainable_variables)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
    if state.epoch:
        _restore(checkpoint, run, state.epoch)

    caches = run.path / "cache"
    cut = training_spec(preset.input, config.augment)
    train_data = decoded(index, "train", cut, config.cache, caches)
    val_data = plain_batches(decoded(index, "val", preset.input, config.cache, caches))
    val_target = np.concatenate([target.numpy() for _, target in val_data])
    logs = (
        tf.summary.create_file_writer(str(run.tensorboard))
        if config.tensorboard
        else tf.summary.create_noop_writer()
    )

    with bar(f"train {preset.name}", config.epochs * steps, "steps") as advance:
        advance(state.epoch * steps)
        while not state.finished:
            start = time.monotonic()
            epoch = state.epoch + 1
            batches = training_batches(train_data, frames, preset.input, config, epoch)
            fitted = model.fit(batches, epochs=1, verbose=0, callbacks=[_Advance(advance)])
            predicted = model.predict(val_data, verbose=0)
            error = float(np.linalg.norm(in_cm(predicted, val_target) - val_target[:, :2], axis=1).mean())
            row = {
                "epoch": epoch,
                "train_loss": float(fitted.history["loss"][0]),
                "val_error_cm": error,
                "learning_rate": float(optimizer.learning_rate),
                "seconds": round(time.monotonic() - start, 3),
            }
            if not np.isfinite(row["train_loss"]):
                raise TinyTrackerError(
                    f"Training diverged in epoch {epoch}: the loss is {row['train_loss']}.",
                    f"Lower learning_rate (now {config.learning_rate:g}) and start again.",
                )
            _finish_epoch(state, row, config)
            _save(checkpoint, run, state)
            with logs.as_default(step=epoch):
                for key in ("train_loss", "val_error_cm", "learning_rate"):
                    tf.summary.scalar(key, row[key])
            logs.flush()
            advance(0, f"epoch {epoch}: train {row['train_loss']:.2f}, val {error:.2f} cm")

    # The best weights become the run's model; a kill between the two leaves a finished state without a model,
    # from which the next start comes here again.
    _restore(checkpoint, run, state.best_epoch)
    temporary = run.path / ".model.tmp.keras"
    with writing(run.model_path):
        model.save(temporary)
        temporary.replace(run.model_path)
    return state


def _euclidean(target: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    """Mean distance in cm, smooth at zero."""
    return tf.reduce_mean(tf.sqrt(2 * _square(target, predicted) + 1e-3))


def _square(target: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    """Mean square of both axes' errors in cm², (N,)."""
    return tf.reduce_mean(tf.square(target[:, :2] - in_cm(predicted, target)), -1)


_LOSSES: dict[str, Any] = {"euclidean": _euclidean, "mse": _square}


def _schedule(config: TrainConfig, steps: int) -> Any:
    total = config.epochs * steps
    warmup = min(round(config.warmup_epochs * steps), total - 1)
    cosine = tf.keras.optimizers.schedules.CosineDecay
    if warmup == 0:
        return cosine(config.learning_rate, total)
    return cosine(0.0, total - warmup, warmup_target=config.learning_rate, warmup_steps=warmup)


def _description(index: PreparedIndex, preset: Preset, config: TrainConfig) -> dict[str, Any]:
    """What run.json says about this training."""
    data = {
        "path": str(index.folder.resolve()),
        "data_hash": index.data_sha256,
        "frames": {name: split.frames for name, split in index.splits.items()},
        "mean_gaze_cm": list(index.gaze.mean),
    }
    return {"preset": preset.name, "config": config.model_dump(), "data": data}


def _state_to_go_on_from(run: Run, description: dict[str, Any], resume: bool) -> State:
    """The state of the run that is there, or a fresh one; refuses what cannot be gone on with."""
    if not run.description_path.is_file():
        if run.path.is_dir() and any(run.path.iterdir()):
            raise OutputError(run.path, "this folder is not empty and is not a run", "Choose another --out.")
        make_folder(run.path)
        return State()
    if not resume:
        raise OutputError(
            run.path, "a run is already here", "Add --resume to go on with it, or choose another --out."
        )
    same, was = _identity(description), _identity(run.describe())
    for what, value in same.items():
        if was[what] != value:
            raise OutputError(
                run.path, f"cannot resume: the {what.replace('_', ' ')} differs from the one this run began with",
                f"It began with {was[what]}; now it is {value}. Use the same, or choose another --out.",
            )  # fmt: skip
    if not run.state_path.is_file():
        return State()
    return State(**read_json(run.state_path))


def _identity(description: dict[str, Any]) -> dict[str, Any]:
    """What must not change while a training goes on."""
    # A run of an older release knows fewer settings; it was trained with what are their defaults now.
    config = TrainConfig().model_dump() | description["config"]  # type: ignore[call-arg]
    return {"preset": description["preset"], "config": config, "data_hash": description["data"]["data_hash"]}


def _take_over(model: tf.keras.Model, source: Path, run: Run) -> dict[str, Any]:
    """Load the weights to start from; for run.json."""
    initial = load_initial(model, source)
    if run.description_path.is_file():
        before = run.describe().get("init") or {}
        if before.get("sha256") != initial.sha256:
            raise OutputError(
                run.path, f"cannot resume: {source} is not the file any more that this run began with",
                "Choose another --out.",
            )  # fmt: skip
    say(initial.sentence())
    return initial.as_json()


def _finish_epoch(state: State, row: dict[str, float], config: TrainConfig) -> None:
    state.epoch = int(row["epoch"])
    state.seconds += row["seconds"]
    state.history.append(row)
    if state.best_error_cm is None or row["val_error_cm"] < state.best_error_cm:
        state.best_error_cm = row["val_error_cm"]
        state.best_epoch = state.epoch
    state.finished = state.epoch >= config.epochs or state.epoch - state.best_epoch >= config.patience


def _checkpoint_prefix(run: Run, epoch: int) -> str:
    return str(run.checkpoints / f"epoch-{epoch:04d}")


def _save(checkpoint: tf.train.Checkpoint, run: Run, state: State) -> None:
    """Write weights, then the state that names them, then drop what no state names any more."""
    with writing(run.checkpoints):
        make_folder(run.checkpoints)
        checkpoint.write(_checkpoint_prefix(run, state.epoch))
    write_text(run.history_path, "".join(json.dumps(row) + "\n" for row in state.history))
    write_json(run.state_path, asdict(state))
    keep = {f"epoch-{e:04d}" for e in (state.epoch, state.best_epoch)}
    for old in run.checkpoints.glob("epoch-*"):
        if old.name.split(".")[0] not in keep:
            old.unlink()


def _restore(checkpoint: tf.train.Checkpoint, run: Run, epoch: int) -> None:
    try:
        checkpoint.read(_checkpoint_prefix(run, epoch)).assert_consumed()
    except (tf.errors.OpError, AssertionError, ValueError) as error:
        first_line = str(error).strip().splitlines()[0]
        raise TinyTrackerError(
            f"{run.checkpoints}: the checkpoint of epoch {epoch} cannot be read ({first_line}).",
            "Delete the run folder and train again.",
        ) from error


class _Advance(tf.keras.callbacks.Callback):  # type: ignore[misc]
    """Moves the progress bar."""

    def __init__(self, advance: Any) -> None:
        super().__init__()
        self._advance = advance

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._advance(1)


def load_trained(path: Path) -> tf.keras.Model:
    """The float network of a finished run, from its model.keras."""
    return tf.keras.models.load_model(path, compile=False)
