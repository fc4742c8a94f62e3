"""Trains a hybrid on clips of events. Importing this module imports TensorFlow."""

from __future__ import annotations

import io
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tinytracker.errors import InputFileError, OutputError, TinyTrackerError
from tinytracker.files import StrPath, make_folder, read_bytes, write_bytes, write_json, write_text
from tinytracker.hybrid.config import HybridConfig
from tinytracker.hybrid.network import HybridNet, answers, set_weights, weights_of
from tinytracker.hybrid.presets import STEPS, HybridPreset, find_hybrid
from tinytracker.hybrid.streams import Stream, Windows, all_windows, moved, read_streams, spread
from tinytracker.locks import LOCK_FILE, locked
from tinytracker.progress import bar, say
from tinytracker.runs import Run, write_description
from tinytracker.train.state import State

_BATCH = 64
_SOFT = 0.05
"""Rounds off the loss near zero, in squared units."""


@dataclass(frozen=True)
class HybridTraining:
    """A finished training.

    Attributes:
        run: the run folder. epochs: that were trained. best_epoch: with the lowest validation error.
        val_error_cm: of the gaze change in it. seconds: of training.
    """

    run: Run
    epochs: int
    best_epoch: int
    val_error_cm: float
    seconds: float


def fit(
    folder: StrPath, preset: HybridPreset, out: StrPath, config: HybridConfig, resume: bool
) -> HybridTraining:
    """Train; see `tinytracker.hybrid.train_hybrid` for the contract."""
    run = Run(Path(out))
    streams, train_hash = read_streams(Path(folder), "train")
    judged, val_hash = read_streams(Path(folder), "val")
    description = {
        "preset": preset.name, "config": config.as_json(),
        "data": {
            "path": str(Path(folder).resolve()), "data_hash": f"{train_hash[:32]}{val_hash[:32]}",
            "origin": "synthetic", "frames": {"train": len(streams), "val": len(judged)},
        },
    }  # fmt: skip
    _require_same(run, description, resume)
    with locked(run.path, "hybrid train"):
        if not run.description_path.is_file():
            write_description(run, description)
        state = _fit(run, preset, config, streams, judged)
    return HybridTraining(run, state.epoch, state.best_epoch, state.best_error_cm or 0.0, state.seconds)


def _require_same(run: Run, description: dict[str, Any], resume: bool) -> None:
    if not run.description_path.is_file():
        if run.path.is_dir() and any(path.name != LOCK_FILE for path in run.path.iterdir()):
            raise OutputError(run.path, "this folder is not empty and is not a run", "Choose another --out.")
        make_folder(run.path)
        return
    if not resume:
        raise OutputError(
            run.path, "a run is already here", "Add --resume to continue it, or choose another --out."
        )
    was = run.describe()
    pairs = {
        "preset": (was.preset, description["preset"]), "config": (was.config, description["config"]),
        "clips": (was.data.data_hash, description["data"]["data_hash"]),
    }  # fmt: skip
    for what, (before, now) in pairs.items():
        if before != now:
            raise OutputError(
                run.path, f"cannot resume: the {what} differs from the one this run began with",
                f"It began with {before}; now it is {now}. Use the same, or choose another --out.",
            )  # fmt: skip


def _fit(
    run: Run,
    preset: HybridPreset,
    config: HybridConfig,
    streams: tuple[Stream, ...],
    judged: tuple[Stream, ...],
) -> State:
    if config.seed >= 0:
        tf.keras.utils.set_random_seed(config.seed)
        tf.config.experimental.enable_op_determinism()
    net = HybridNet(preset, config.interval, config.seed)
    total = config.epochs * config.steps
    optimizer = tf.keras.optimizers.AdamW(
        tf.keras.optimizers.schedules.CosineDecay(config.learning_rate, total),
        weight_decay=config.weight_decay, global_clipnorm=1.0,
    )  # fmt: skip
    optimizer.build(net.parts)
    kept = _Kept(run, net, optimizer)
    state = kept.restore()
    if state.finished:
        say(f"{run.path}: already trained, best validation error {state.best_error_cm:.3f} cm")
        return state
    pool, validation = _Pool(streams), validation_windows(judged, config.validation_windows)
    step = _step_function(net, optimizer, config)
    with bar(f"train {preset.name}", total, "steps") as advance:
        advance(state.epoch * config.steps)
        while not state.finished:
            start, losses = time.monotonic(), []
            rng = np.random.default_rng([config.seed, 2, state.epoch])
            for _ in range(config.steps):
                losses.append([float(v) for v in step(*_batch(pool, config, rng))])
                advance()
            _finish_epoch(
                state, np.mean(losses, 0), error_cm(net, validation), time.monotonic() - start, config
            )
            kept.save(state)
            row = state.history[-1]
            advance(
                0, f"epoch {state.epoch}: train {row['train_loss']:.3f}, val {row['val_error_cm']:.3f} cm"
            )
    return state


def _finish_epoch(
    state: State, means: NDArray[np.float64], val_cm: float, seconds: float, config: HybridConfig
) -> None:
    if not np.isfinite(means).all():
        raise TinyTrackerError(
            f"Training diverged in epoch {state.epoch + 1}: the loss is {means[0]}.",
            f"Lower --learning-rate (now {config.learning_rate:g}) and start again.",
        )
    state.epoch += 1
    state.seconds += seconds
    state.history.append(
        {
            "epoch": state.epoch, "train_loss": float(means[0]), "spikes": float(means[1]), "val_error_cm": val_cm,
            "seconds": round(seconds, 3),
        }
    )  # fmt: skip
    if state.best_error_cm is None or val_cm < state.best_error_cm:
        state.best_error_cm, state.best_epoch = val_cm, state.epoch
    state.finished = state.epoch >= config.epochs


class _Kept:
    """What a stopped run resumes from: one file, so that it is complete or as it was before."""

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
        write_text(self._run.history_path, "".join(json.dumps(row) + "\n" for row in state.history))
        if state.finished:
            write_arrays(self._run.hybrid_path, self._best)
        write_json(self._run.state_path, asdict(state))


def _under(held: dict[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): value for name, value in held.items() if name.startswith(prefix)}


def write_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> Path:
    """Write a file of arrays, completely or not at all."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return write_bytes(path, buffer.getvalue())


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read what `write_arrays` wrote.

    Raises:
        InputFileError: the file is missing or damaged.
    """
    try:
        with np.load(io.BytesIO(read_bytes(path, "Train again."))) as held:
            return {name: held[name] for name in held.files}
    except (ValueError, OSError, KeyError, EOFError) as error:
        raise InputFileError(path, f"a damaged file of weights ({error})", "Train again.") from None


class _Pool:
    """The windows that batches are drawn from."""

    def __init__(self, streams: tuple[Stream, ...]) -> None:
        self.all = all_windows(streams)
        self.moving = np.flatnonzero(moved(self.all))
        if not len(self.moving):
            raise TinyTrackerError(
                "The gaze moves in none of the windows of the split 'train'.",
                "Draw more clips, or longer ones.",
            )

    def draw(self, count: int, rng: np.random.Generator) -> Windows:
        """Return windows, half of which move and half of which end early."""
        half = count // 2
        chosen = np.concatenate([rng.choice(self.moving, half), rng.integers(0, len(self.all), count - half)])
        drawn = self.all.part(chosen)
        early = rng.random(count) < 0.5
        length = np.where(early, rng.integers(1, STEPS + 1, count), STEPS)
        return Windows(drawn.streams, drawn.clip, drawn.start, length)


def _batch(pool: _Pool, config: HybridConfig, rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """Return events, lengths and changes in units, mirrored and shifted at random."""
    windows = pool.draw(config.batch_size, rng)
    events, target = windows.events(), windows.change_cm() / windows.unit_cm()[:, None]
    mirrored = rng.random(len(windows)) < 0.5
    events[mirrored] = events[mirrored][:, :, :, ::-1]
    target[mirrored, 0] *= -1
    down, right = (int(n) for n in rng.integers(-config.shift, config.shift + 1, 2))
    events = np.roll(events, (down, right), (2, 3))
    events[:, :, slice(0, down) if down >= 0 else slice(down, None)] = 0
    events[:, :, :, slice(0, right) if right >= 0 else slice(right, None)] = 0
    return tf.constant(events), tf.constant(windows.length), tf.constant(target.astype(np.float32))


def _step_function(net: HybridNet, optimizer: Any, config: HybridConfig) -> Any:
    is_spiking = bool(net.kernels)

    @tf.function(reduce_retracing=True)  # type: ignore[misc]
    def step(events: Any, length: Any, target: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            found, spikes = net(events, length)
            loss = tf.reduce_mean(tf.sqrt(tf.reduce_sum((found - target) ** 2, -1) + _SOFT))
            cost = loss
            if is_spiking:
                cost += config.spike_weight * tf.nn.relu(spikes - config.spikes)
        optimizer.apply_gradients(zip(tape.gradient(cost, net.parts), net.parts, strict=True))
        return loss, spikes

    return step


def validation_windows(streams: tuple[Stream, ...], count: int) -> Windows:
    """Return the windows on which epochs are compared: half of them move, half are spread over all.

    Raises:
        TinyTrackerError: there are none.
    """
    everything = all_windows(streams, STEPS // 2)
    moving = everything.part(moved(everything))
    if not len(moving):
        raise TinyTrackerError(
            "The gaze moves in none of the windows of the split 'val'.", "Draw more clips, or longer ones."
        )
    a, b = spread(moving, count // 2), spread(everything, count - count // 2)
    return Windows(
        streams, np.r_[a.clip, b.clip], np.r_[a.start, b.start], np.r_[a.length, b.length]
    )  # fmt: skip


def predicted_cm(net: HybridNet, windows: Windows) -> NDArray[np.float64]:
    """Return the changes (n, 2) that the float network sees, cm."""
    found = []
    for i in range(0, len(windows), _BATCH):
        part = windows.part(slice(i, i + _BATCH))
        found.append(answers(net, part.events(), part.length))
    return np.concatenate(found) * windows.unit_cm()[:, None]


def error_cm(net: HybridNet, windows: Windows) -> float:
    """Return the mean distance of the float network's answers from the changes, cm."""
    return float(np.linalg.norm(predicted_cm(net, windows) - windows.change_cm(), axis=1).mean())


def trained_net(run: Run) -> HybridNet:
    """Return the float network of a finished run.

    Raises:
        InputFileError: training has not finished, or the weights are damaged.
    """
    path = run.hybrid_path
    if not path.is_file():
        raise InputFileError(
            run.path,
            "training has not finished here",
            "Resume it with `tinytracker hybrid train ... --resume`.",
        )
    about = run.describe()
    config = HybridConfig(**about.config)  # type: ignore[arg-type]
    net = HybridNet(find_hybrid(about.preset), config.interval, config.seed)
    try:
        set_weights(net, read_arrays(path))
    except (KeyError, ValueError) as error:
        raise InputFileError(path, f"weights of another network ({error})", "Train again.") from None
    return net
