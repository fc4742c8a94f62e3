"""Trains a hybrid on clips of events. Importing this module imports TensorFlow."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tinytracker.errors import InputFileError, OutputError, TinyTrackerError
from tinytracker.files import StrPath, make_folder
from tinytracker.hybrid.batches import Pool, batch, validation_windows
from tinytracker.hybrid.checkpoint import Checkpoint, read_arrays
from tinytracker.hybrid.config import HybridConfig
from tinytracker.hybrid.network import HybridNet, answers, set_weights
from tinytracker.hybrid.presets import HybridPreset, find_hybrid
from tinytracker.hybrid.streams import Stream, Windows, read_streams
from tinytracker.locks import locked, require_unused
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
        require_unused(run.path, "a run")
        make_folder(run.path)
        return
    if not resume:
        raise OutputError(
            run.path, "a run is already here", "Add --resume to continue it, or choose another --out."
        )
    was = run.describe()
    pairs = {
        "preset": (was.preset, description["preset"]), "config": (was.config, description["config"]),
        "clips' hash": (was.data.data_hash, description["data"]["data_hash"]),
    }  # fmt: skip
    for what, (before, now) in pairs.items():
        if before != now:
            raise OutputError(
                run.path, f"cannot resume: the {what} differs from the one this run began with",
                f"It began with {_only(before, now)}; now it is {_only(now, before)}. Use the same, or choose another "
                "--out.",
            )  # fmt: skip


def _only(value: Any, other: Any) -> Any:
    """Return the settings that differ from the other's; a value that is not a dict of settings unchanged."""
    if isinstance(value, dict) and isinstance(other, dict):
        return ", ".join(f"{key} = {v}" for key, v in value.items() if other.get(key) != v)
    return value


def _fit(
    run: Run,
    preset: HybridPreset,
    config: HybridConfig,
    streams: tuple[Stream, ...],
    judged: tuple[Stream, ...],
) -> State:
    tf.keras.utils.set_random_seed(config.seed)
    tf.config.experimental.enable_op_determinism()
    net = HybridNet(preset, config.interval, config.seed)
    total = config.epochs * config.steps
    optimizer = tf.keras.optimizers.AdamW(
        tf.keras.optimizers.schedules.CosineDecay(config.learning_rate, total),
        weight_decay=config.weight_decay, global_clipnorm=1.0,
    )  # fmt: skip
    optimizer.build(net.parts)
    kept = Checkpoint(run, net, optimizer)
    state = kept.restore()
    if state.finished:
        kept.publish(state)  # in case that the run was killed before that
        say(f"{run.path}: already trained, best validation error {state.best_error_cm:.3f} cm")
        return state
    pool, validation = Pool(streams), validation_windows(judged, config.validation_windows)
    step = _step_function(net, optimizer, config)
    with bar(f"train {preset.name}", total, "steps") as advance:
        advance(state.epoch * config.steps)
        while state.epoch < config.epochs:
            start, losses = time.monotonic(), []
            rng = np.random.default_rng([config.seed, 2, state.epoch])
            for _ in range(config.steps):
                losses.append([float(v) for v in step(*batch(pool, config, rng))])
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
    # The last step may spoil the weights after the last loss was taken.
    if not np.isfinite([*means, val_cm]).all():
        raise TinyTrackerError(
            f"Training diverged in epoch {state.epoch + 1}: the loss is {means[0]}, the validation error {val_cm}.",
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


def _step_function(net: HybridNet, optimizer: Any, config: HybridConfig) -> Any:
    is_spiking = bool(net.kernels)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
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
    config = HybridConfig.model_validate(about.config)
    net = HybridNet(find_hybrid(about.preset), config.interval, config.seed)
    try:
        set_weights(net, read_arrays(path))
    except (KeyError, ValueError) as error:
        raise InputFileError(path, f"weights of another network ({error})", "Train again.") from None
    return net
