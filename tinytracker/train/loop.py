"""Training with checkpoints after each epoch, so that a resumed run ends exactly where an uninterrupted one would.

Importing this module imports TensorFlow.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tinytracker.data.index import PreparedIndex
from tinytracker.errors import OutputError, TinyTrackerError
from tinytracker.files import make_folder, write_json, write_text, writing
from tinytracker.model.keras_builder import build_keras
from tinytracker.model.presets import Preset
from tinytracker.progress import bar, say
from tinytracker.runs import Run, write_description
from tinytracker.train.config import TrainConfig
from tinytracker.train.dataset import decoded, in_cm, plain_batches, training_batches, training_spec
from tinytracker.train.distribution import Distribution, distribution, lost_worker
from tinytracker.train.initial import load_initial, source_file
from tinytracker.train.muon import Muon
from tinytracker.train.state import State, describe_training, state_to_go_on_from


def fit(
    index: PreparedIndex,
    preset: Preset,
    run: Run,
    config: TrainConfig,
    resume: bool,
    distribute: str = "none",
) -> State:
    """Train a preset; see `tinytracker.train.train` for the contract."""
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    workers = distribution(distribute)
    description = describe_training(index, preset, config) | {"replicas": workers.replicas}
    state = state_to_go_on_from(run, description, resume, is_chief=workers.is_chief)
    source = source_file(config.init, preset.name) if config.init and not state.epoch else None
    if state.finished and run.model_path.is_file():
        say(f"{run.path}: already trained, best validation error {state.best_error_cm:.2f} cm")
        return state
    tf.keras.utils.set_random_seed(config.seed)

    plain = build_keras(preset.network(), output_bias=index.gaze.mean)
    model = plain
    if source is not None:
        description["init"] = _take_over(plain, source, run)
    if workers.is_distributed:
        with workers.strategy.scope():
            model = build_keras(preset.network(), synchronized=True)
        model.set_weights(plain.get_weights())
    if workers.is_chief and not run.description_path.is_file():
        write_description(run, description)
    try:
        keep_start = source is not None and not workers.is_distributed
        train_epochs(
            model, index, preset, run, config, state, f"train {preset.name}", keep_start, workers=workers
        )
        if workers.is_distributed:
            plain.set_weights(model.get_weights())
    except (tf.errors.UnavailableError, tf.errors.InternalError, tf.errors.AbortedError) as error:
        if workers.workers == 1:
            raise
        raise lost_worker(error) from error
    if workers.is_chief:
        _save_model(plain, run)
    return state


def train_epochs(
    model: tf.keras.Model,
    index: PreparedIndex,
    preset: Preset,
    run: Run,
    config: TrainConfig,
    state: State,
    title: str,
    keep_start: bool = False,
    workers: Distribution | None = None,
) -> None:
    """Train a model to the end of its schedule, and leave it with its best weights.

    Args:
        model: as it was built; its weights are restored when the state is past its first epoch.
        index: prepared data.
        preset: says what the network sees.
        run: keeps state, history and checkpoints.
        config: how to train.
        state: how far training has come; goes on from there and is written after each epoch.
        title: of the progress.
        keep_start: the weights before the first epoch may be the best ones.
        workers: who trains; None for this process alone.

    Raises:
        TinyTrackerError: training diverged, or a checkpoint is damaged.
        ConfigError: the batch cannot be shared by the workers' devices.
    """
    workers = workers or distribution("none")
    frames = index.split("train").frames
    batch_size = workers.per_replica_batch(config, frames)
    steps = workers.steps(config, frames)
    with workers.strategy.scope():
        optimizer = _OPTIMIZERS[config.optimizer](_schedule(config, steps), weight_decay=config.weight_decay)
        model.compile(optimizer, _LOSSES[config.loss])
        optimizer.build(model.trainable_variables)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
    if state.epoch:
        _restore(checkpoint, run, state.epoch)

    caches = run.path / "cache"
    part = (workers.workers, workers.worker)
    cut = training_spec(preset.input, config.augment)
    train_data = decoded(index, "train", cut, config.cache, caches, part)
    # Every worker evaluates the whole split, with a copy of its own: what is read together must be read by all.
    own = "memory" if config.cache == "disk" and not workers.is_chief else config.cache
    val_data = plain_batches(decoded(index, "val", preset.input, own, caches))
    val_target = np.concatenate([target.numpy() for _, target in val_data])
    judge = build_keras(preset.network()) if workers.is_distributed else model
    logs = (
        tf.summary.create_file_writer(str(run.tensorboard))
        if config.tensorboard and workers.is_chief
        else tf.summary.create_noop_writer()
    )

    def batches_of(epoch: int) -> Any:
        if workers.workers == 1:  # Keras itself shares batches among the devices of one computer
            return training_batches(train_data, frames, preset.input, config, epoch)
        return workers.strategy.distribute_datasets_from_function(
            lambda context: training_batches(
                train_data, frames // workers.workers, preset.input, config, epoch, workers.worker, batch_size
            )
        )

    if keep_start and not state.epoch:
        state.best_error_cm = _mean_error(model, val_data, val_target)
        _save(checkpoint, run, state)

    with bar(title, config.epochs * steps, "steps") as advance:
        advance(state.epoch * steps)
        while not state.finished:
            start = time.monotonic()
            epoch = state.epoch + 1
            # One worker's batches end by themselves; of several, all must stop after the same step.
            limit = {"steps_per_epoch": steps} if workers.workers > 1 else {}
            fitted = model.fit(batches_of(epoch), epochs=1, verbose=0, callbacks=[_Advance(advance)], **limit)
            if judge is not model:
                judge.set_weights(model.get_weights())
            error = workers.chief_s(_mean_error(judge, val_data, val_target))
            row = {
                "epoch": epoch,
                "train_loss": float(fitted.history["loss"][0]),
                "val_error_cm": error,
                "learning_rate": float(tf.keras.backend.get_value(optimizer.learning_rate)),
                "seconds": round(time.monotonic() - start, 3),
            }
            if not np.isfinite(row["train_loss"]):
                raise TinyTrackerError(
                    f"Training diverged in epoch {epoch}: the loss is {row['train_loss']}.",
                    f"Lower learning_rate (now {config.learning_rate:g}) and start again.",
                )
            _finish_epoch(state, row, config)
            if workers.is_chief:
                _save(checkpoint, run, state)
            else:
                _save_with_chief(checkpoint, run, state, workers)
            with logs.as_default(step=epoch):
                for key in ("train_loss", "val_error_cm", "learning_rate"):
                    tf.summary.scalar(key, row[key])
            logs.flush()
            advance(0, f"epoch {epoch}: train {row['train_loss']:.2f}, val {error:.2f} cm")

    workers.chief_s(0.0)  # nobody reads the best checkpoint before the chief has written the last one
    _restore(checkpoint, run, state.best_epoch)


def _mean_error(model: tf.keras.Model, data: tf.data.Dataset, target: NDArray[np.float32]) -> float:
    """Mean Euclidean error in cm."""
    predicted = in_cm(model.predict(data, verbose=0), target)
    return float(np.linalg.norm(predicted - target[:, :2], axis=1).mean())


def _save_model(model: tf.keras.Model, run: Run) -> None:
    """The best weights become the run's model; a kill before leaves a finished state, from which it is made again."""
    temporary = run.path / ".model.tmp.keras"
    with writing(run.model_path):
        model.save(temporary)
        temporary.replace(run.model_path)


def _euclidean(target: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    """Mean distance in cm, smooth at zero."""
    return tf.reduce_mean(tf.sqrt(2 * _square(target, predicted) + 1e-3))


def _square(target: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    """Mean square of both axes' errors in cm², (N,)."""
    return tf.reduce_mean(tf.square(target[:, :2] - in_cm(predicted, target)), -1)


_LOSSES: dict[str, Any] = {"euclidean": _euclidean, "mse": _square}
_OPTIMIZERS: dict[str, Any] = {"muon": Muon, "adamw": tf.keras.optimizers.AdamW}


def _schedule(config: TrainConfig, steps: int) -> Any:
    total = config.epochs * steps
    warmup = min(round(config.warmup_epochs * steps), total - 1)
    cosine = tf.keras.optimizers.schedules.CosineDecay
    if warmup == 0:
        return cosine(config.learning_rate, total)
    return cosine(0.0, total - warmup, warmup_target=config.learning_rate, warmup_steps=warmup)


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


def _save_with_chief(checkpoint: tf.train.Checkpoint, run: Run, state: State, workers: Distribution) -> None:
    """Variables that are shared are read by all workers together, so all write; only the chief's file is kept."""
    folder = workers.checkpoint_folder(run.checkpoints)
    with writing(folder):
        make_folder(folder)
        checkpoint.write(str(folder / f"epoch-{state.epoch:04d}"))
        shutil.rmtree(folder)


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
