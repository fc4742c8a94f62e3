"""The checkpoints of a run folder, and the state that refers to them. Importing this module imports TensorFlow."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict

import tensorflow as tf

from tinytracker.data.tensorflow_errors import writing_tensorflow
from tinytracker.errors import TinyTrackerError
from tinytracker.files import make_folder, write_json, write_text
from tinytracker.runs import Run
from tinytracker.train.distribution import Distribution
from tinytracker.train.state import State


class Checkpoints:
    """Weights and optimizer state of the epochs that are still needed: the last one and the best one."""

    def __init__(self, model: tf.keras.Model, run: Run, workers: Distribution) -> None:
        """The model must be compiled and its optimizer built."""
        self._checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
        self._run = run
        self._workers = workers

    def save(self, state: State) -> None:
        """Write the weights, then the state that refers to them, then delete checkpoints that no state refers to.

        Shared variables can only be read by all workers at once, so all write; only the chief's files are kept.

        Raises:
            OutputError: the run folder cannot be written.
        """
        if not self._workers.is_chief:
            self._save_with_chief(state)
            return
        run = self._run
        with writing_tensorflow(run.checkpoints):
            make_folder(run.checkpoints)
            self._checkpoint.write(self._prefix(state.epoch))
        write_text(run.history_path, "".join(json.dumps(row) + "\n" for row in state.history))
        write_json(run.state_path, asdict(state))
        keep = {f"epoch-{e:04d}" for e in (state.epoch, state.best_epoch)}
        for old in run.checkpoints.glob("epoch-*"):
            if old.name.split(".")[0] not in keep:
                old.unlink()

    def restore(self, epoch: int) -> None:
        """Restore model and optimizer to their values after an epoch.

        Raises:
            TinyTrackerError: the checkpoint is damaged.
        """
        try:
            self._checkpoint.read(self._prefix(epoch)).assert_consumed()
        except (tf.errors.OpError, AssertionError, ValueError) as error:
            first_line = str(error).strip().splitlines()[0]
            raise TinyTrackerError(
                f"{self._run.checkpoints}: the checkpoint of epoch {epoch} cannot be read ({first_line}).",
                "Delete the run folder and train again.",
            ) from error

    def _save_with_chief(self, state: State) -> None:
        folder = self._workers.checkpoint_folder(self._run.checkpoints)
        with writing_tensorflow(folder):
            make_folder(folder)
            self._checkpoint.write(str(folder / f"epoch-{state.epoch:04d}"))
            shutil.rmtree(folder)

    def _prefix(self, epoch: int) -> str:
        return str(self._run.checkpoints / f"epoch-{epoch:04d}")
