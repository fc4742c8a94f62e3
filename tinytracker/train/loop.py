"""Training with a checkpoint after each epoch, so that a resumed run ends exactly as an uninterrupted one would.

Importing this module imports TensorFlow.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tinytracker.data.index import PreparedIndex
from tinytracker.data.tensorflow_errors import names_damaged_shards, writing_tensorflow
from tinytracker.errors import OutputError, TinyTrackerError
from tinytracker.locks import locked
from tinytracker.model.keras_builder import build_keras
from tinytracker.model.presets import Preset
from tinytracker.progress import Advance, bar, say
from tinytracker.runs import Run, write_description
from tinytracker.train.batches_of import AnyTrainingBatches, training_batches_of, validation_batches_of
from tinytracker.train.checkpoints import Checkpoints
from tinytracker.train.config import TrainConfig
from tinytracker.train.distribution import Distribution, distribution, lost_worker
from tinytracker.train.initial import load_initial, source_file
from tinytracker.train.objective import compile_model
from tinytracker.train.state import State, describe_training, state_to_go_on_from
from tinytracker.train.task import Task


@names_damaged_shards
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
    with locked(run.path, "train") if workers.is_chief else nullcontext():
        return _fit(index, preset, run, config, resume, workers)


def _fit(
    index: PreparedIndex, preset: Preset, run: Run, config: TrainConfig, resume: bool, workers: Distribution
) -> State:
    description = describe_training(index, preset, config) | {"replicas": workers.replicas}
    state = state_to_go_on_from(run, description, resume, is_chief=workers.is_chief)
    source = source_file(config.init, preset.name) if config.init and not state.epoch else None
    if state.finished and run.model_path.is_file():
        say(f"{run.path}: already trained, best validation error {state.best_error_cm:.2f} cm")
        return state
    tf.keras.utils.set_random_seed(config.seed)

    plain = build_keras(preset.network(), output_bias=index.gaze.mean, head=config.head, levels=preset.levels)
    model = plain
    if source is not None:
        description["init"] = _take_over(plain, source, run)
    if workers.is_distributed:
        with workers.strategy.scope():
            model = build_keras(preset.network(), synchronized=True, head=config.head, levels=preset.levels)
        model.set_weights(plain.get_weights())
    if workers.is_chief and not run.description_path.is_file():
        write_description(run, description)
    try:
        keep_start = source is not None and not workers.is_distributed
        task = Task(index, preset, run, config, workers)
        train_epochs(model, task, state, f"train {preset.name}", keep_start, _loaded(run, description))
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
    model: tf.keras.Model, task: Task, state: State, title: str, keep_start: bool = False,
    loaded: Collection[str] = (),
) -> None:  # fmt: skip
    """Train a model to the end of its schedule, and set its best weights.

    Args:
        model: as built; its weights are restored when the state is past the first epoch.
        task: network inputs, data, settings and run folder.
        state: training progress; training resumes from it, and it is written after each epoch.
        title: title of the progress bar.
        keep_start: whether the weights before the first epoch count as candidates for the best ones.
        loaded: names of layers that training began with the weights of; see `compile_model`.

    Raises:
        TinyTrackerError: training diverged, or a checkpoint is damaged.
        ConfigError: a batch cannot be shared evenly by the workers' devices.
    """
    config, workers = task.config, task.workers
    batches = training_batches_of(task)
    with workers.strategy.scope():
        compile_model(model, config, batches.steps, loaded)
    checkpoints = Checkpoints(model, task.run, workers)
    if state.epoch:
        checkpoints.restore(state.epoch)
    validation = validation_batches_of(task)
    # A model that is shared by several devices is evaluated through a plain copy.
    judge = model
    if workers.is_distributed:
        judge = build_keras(task.preset.network(), head=config.head, levels=task.preset.levels)
    logs = _logs(task)
    if keep_start and not state.epoch:
        state.best_error_cm = validation.mean_error_cm(model)
        checkpoints.save(state)

    with bar(title, config.epochs * batches.steps, "steps") as advance:
        advance(state.epoch * batches.steps)
        while not state.finished:
            start = time.monotonic()
            epoch = state.epoch + 1
            loss = _one_epoch(model, batches, epoch, workers, advance)
            if judge is not model:
                judge.set_weights(model.get_weights())
            row = {
                "epoch": epoch,
                "train_loss": loss,
                "val_error_cm": workers.chief_s(validation.mean_error_cm(judge)),
                "learning_rate": float(tf.keras.backend.get_value(model.optimizer.learning_rate)),
                "seconds": round(time.monotonic() - start, 3),
            }
            _refuse_divergence(row, config)
            _finish_epoch(state, row, config)
            checkpoints.save(state)
            _log(logs, row, task.run.tensorboard)
            advance(0, f"epoch {epoch}: train {loss:.2f}, val {row['val_error_cm']:.2f} cm")

    workers.chief_s(0.0)  # no worker reads the best checkpoint before the chief has written the last one
    checkpoints.restore(state.best_epoch)
    if workers.is_chief:  # nobody else reads frames any more
        shutil.rmtree(task.cache, ignore_errors=True)


def _one_epoch(
    model: tf.keras.Model,
    batches: AnyTrainingBatches,
    epoch: int,
    workers: Distribution,
    advance: Advance,
) -> float:
    """Train for one epoch; returns the mean loss."""
    # With one worker, its batches end by themselves; several workers must all stop after the same step.
    limit = {"steps_per_epoch": batches.steps} if workers.workers > 1 else {}
    fitted = model.fit(batches.of_epoch(epoch), epochs=1, verbose=0, callbacks=[_MoveBar(advance)], **limit)
    return float(fitted.history["loss"][0])


def _refuse_divergence(row: dict[str, float], config: TrainConfig) -> None:
    # The last step may spoil the weights after the last loss was taken.
    if not np.isfinite([row["train_loss"], row["val_error_cm"]]).all():
        raise TinyTrackerError(
            f"Training diverged in epoch {row['epoch']}: the loss is {row['train_loss']}, the validation error "
            f"{row['val_error_cm']}.",
            f"Lower learning_rate (now {config.learning_rate:g}) and start again.",
        )


def _finish_epoch(state: State, row: dict[str, float], config: TrainConfig) -> None:
    state.epoch = int(row["epoch"])
    state.seconds += row["seconds"]
    state.history.append(row)
    if state.best_error_cm is None or row["val_error_cm"] < state.best_error_cm:
        state.best_error_cm = row["val_error_cm"]
        state.best_epoch = state.epoch
    state.finished = state.epoch >= config.epochs or state.epoch - state.best_epoch >= config.patience


def _save_model(model: tf.keras.Model, run: Run) -> None:
    """Save the best weights as the run's model; if killed before, the finished state allows it to be saved again."""
    temporary = run.path / ".model.tmp.keras"
    with writing_tensorflow(run.model_path):
        model.save(temporary)
        temporary.replace(run.model_path)


def _take_over(model: tf.keras.Model, source: Path, run: Run) -> dict[str, Any]:
    """Load the weights to start from; returns their description for run.json."""
    initial = load_initial(model, source)
    if run.description_path.is_file():
        before = run.describe().init
        if before is None or before.sha256 != initial.sha256:
            raise OutputError(
                run.path, f"cannot resume: {source} is no longer the file that this run began with",
                "Choose another --out.",
            )  # fmt: skip
    say(initial.sentence())
    return initial.as_json()


def _loaded(run: Run, description: dict[str, Any]) -> tuple[str, ...]:
    """Return the layers whose weights were loaded before the first epoch, whichever call trained that."""
    if "init" in description:
        return tuple(description["init"]["loaded"])
    before = run.describe().init if run.description_path.is_file() else None
    return before.loaded if before is not None else ()


def _logs(task: Task) -> Any:
    """Return the writer of TensorBoard curves, on one worker and only when enabled."""
    if task.config.tensorboard and task.workers.is_chief:
        with writing_tensorflow(task.run.tensorboard):
            return tf.summary.create_file_writer(str(task.run.tensorboard))
    return tf.summary.create_noop_writer()


def _log(logs: Any, row: dict[str, float], folder: Path) -> None:
    with writing_tensorflow(folder):
        with logs.as_default(step=int(row["epoch"])):
            for key in ("train_loss", "val_error_cm", "learning_rate"):
                tf.summary.scalar(key, row[key])
        logs.flush()


class _MoveBar(tf.keras.callbacks.Callback):  # type: ignore[misc]
    """Advances the progress bar."""

    def __init__(self, advance: Advance) -> None:
        super().__init__()
        self._advance = advance

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._advance(1)
