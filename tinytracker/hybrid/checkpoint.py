"""What a stopped training resumes from, and files of arrays. Importing this module imports TensorFlow."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.archives import DAMAGED
from tinytracker.errors import InputFileError
from tinytracker.files import read_bytes, write_arrays, write_json, write_text
from tinytracker.hybrid.network import HybridNet, set_weights, weights_of
from tinytracker.runs import Run
from tinytracker.train.state import State


class Checkpoint:
    """Weights, best weights, optimizer and state after an epoch: one file, which is complete or as it was before."""

    def __init__(self, run: Run, net: HybridNet, optimizer: Any) -> None:
        self._run, self._net, self._optimizer = run, net, optimizer
        self._path = run.checkpoints / "last.npz"
        self._best = weights_of(net)

    def restore(self) -> State:
        """Set weights and optimizer as they were after the last epoch, and return its state.

        Raises:
            InputFileError: the file is damaged.
        """
        if not self._path.is_file():
            return State()
        held = read_arrays(self._path)
        try:
            state = State(**json.loads(str(held["state"])))
            set_weights(self._net, _under(held, "weights/"))
            self._best = _under(held, "best/")
            for i, variable in enumerate(self._optimizer.variables):
                variable.assign(held[f"optimizer/{i}"])
        except (KeyError, ValueError, TypeError) as error:
            raise InputFileError(
                self._path, f"a damaged checkpoint ({error})", "Delete the run folder and train again."
            ) from None
        return state

    def save(self, state: State) -> None:
        """Write the checkpoint, then what people and later commands read."""
        if state.best_epoch == state.epoch:
            self._best = weights_of(self._net)
        held: dict[str, Any] = {"state": np.array(json.dumps(asdict(state)))}
        held |= {f"weights/{name}": value for name, value in weights_of(self._net).items()}
        held |= {f"best/{name}": value for name, value in self._best.items()}
        held |= {f"optimizer/{i}": v.numpy() for i, v in enumerate(self._optimizer.variables)}
        write_arrays(self._path, held)
        self.publish(state)

    def publish(self, state: State) -> None:
        """Write the history, the best weights as those of the run when it is finished, and the state, in this order."""
        write_text(self._run.history_path, "".join(json.dumps(row) + "\n" for row in state.history))
        if state.finished:
            write_arrays(self._run.hybrid_path, self._best)
        write_json(self._run.state_path, asdict(state))


def _under(held: dict[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): value for name, value in held.items() if name.startswith(prefix)}


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read what `tinytracker.files.write_arrays` wrote.

    Raises:
        InputFileError: the file is missing or damaged.
    """
    try:
        with np.load(io.BytesIO(read_bytes(path, "Train again."))) as held:
            return {name: held[name] for name in held.files}
    except DAMAGED as error:
        raise InputFileError(path, f"a damaged file of weights ({error})", "Train again.") from None
