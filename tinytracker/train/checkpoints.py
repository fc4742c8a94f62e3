"""A run folder's checkpoints, and the state that names them. Importing this module imports TensorFlow."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict

import tensorflow as tf

from tinytracker.errors import TinyTrackerError
from tinytracker.files import make_folder, write_json, write_text, writing
from tinytracker.runs import Run
from tinytracker.train.distribution import Distribution
from tinytracker.train.state import State


class Checkpoints:
    """Weights and optimizer after each epoch that is still needed: the last one and the best one."""

    def __init__(self, model: tf.keras.Model, run: Run, workers: Distribution) -> None:
        """The model is compiled, and its optimizer built."""
        self._checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
        self._run = run
        self._workers = workers

    def save(self, state: State) -> None:
        """Write weights, then the state that names them, then drop what no state names any more.

        Variables that are shared are read by all workers together, so all write; only the chief's files are kept.

        Raises:
            OutputError: the run folder cannot be written.
        """
        if not self._workers.is_chief:
            self._save_with_chief(state)
            return
        run = self._run
        with writing(run.checkpoints):
            make_folder(run.checkpoints)
            self._checkpoint.write(self._prefix(state.epoch))
        write_text(run.history_path, "".join(json.dumps(row) + "\n" for row in state.history))
        write_json(run.state_path, asdict(state))
        keep = {f"epoch-{e:04d}" for e in (state.epoch, state.best_epoch)}
        for old in run.checkpoints.glob("epoch-*"):
            if old.name.split(".")[0] not in keep:
                old.unlink()

    def restore(self, epoch: int) -> None:
        """Give model and optimizer the values that they had after an epoch.

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
        with writing(folder):
            make_folder(folder)
            self._checkpoint.write(str(folder / f"epoch-{state.epoch:04d}"))
            shutil.rmtree(folder)

    def _prefix(self, epoch: int) -> str:
        return str(self._run.checkpoints / f"epoch-{epoch:04d}")
