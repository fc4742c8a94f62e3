"""Training on several GPUs or several computers. Importing this module imports TensorFlow."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from tinytracker.errors import ConfigError, TinyTrackerError, UnknownNameError, UsageError
from tinytracker.train.config import TrainConfig
from tinytracker.words import counted

KINDS = ("none", "mirrored", "multiworker")
CLUSTER_VARIABLE = "TF_CONFIG"
_EXAMPLE = '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True)
class Distribution:
    """The devices and processes that train together.

    Attributes:
        kind: one of `KINDS`.
        strategy: TensorFlow's distribution strategy; the default one for "none".
        workers: number of processes; each reads its own part of the data.
        worker: number of this process; 0 is the chief, which writes the run folder.
    """

    kind: str
    strategy: Any
    workers: int = 1
    worker: int = 0

    @property
    def is_chief(self) -> bool:
        """True for the process that writes the run folder."""
        return self.worker == 0

    @property
    def is_distributed(self) -> bool:
        """True when gradients may come from several devices."""
        return self.kind != "none"

    @property
    def replicas(self) -> int:
        """Number of devices that share each batch."""
        return int(self.strategy.num_replicas_in_sync)

    def per_replica_batch(self, config: TrainConfig, frames: int) -> int:
        """Return the number of frames per step on one device.

        Raises:
            ConfigError: the batch cannot be shared evenly, or a worker has fewer frames than its share of one batch.
        """
        batch = config.batch_size
        if batch % self.replicas:
            raise ConfigError(
                "options",
                "batch_size",
                f"a batch of {counted(batch, 'frame')} cannot be shared evenly by {self.replicas} devices",
            )
        if self.workers > 1 and frames // self.workers < batch // self.workers:
            raise ConfigError(
                "options", "batch_size",
                f"a step needs {counted(batch, 'frame')}, but {self.workers} workers have only {frames} together",
            )  # fmt: skip
        return batch // self.replicas

    def steps(self, config: TrainConfig, frames: int) -> int:
        """Return the steps per epoch: the same for all workers, otherwise they would wait for each other forever."""
        return max(1, frames // self.workers // (config.batch_size // self.workers))

    def chief_s(self, value: float) -> float:
        """Return the chief's value on every worker: decisions that depend on it must not differ by rounding."""
        if self.workers == 1:
            return value
        own = tf.constant(value if self.is_chief else 0.0, tf.float64)

        def total() -> tf.Tensor:
            return self.strategy.reduce(tf.distribute.ReduceOp.SUM, self.strategy.run(lambda: own), axis=None)

        # All devices of a worker contribute the same value, so the sum counts the chief's value once per device.
        return float(tf.function(total)()) / (self.replicas // self.workers)

    def checkpoint_folder(self, folder: Path) -> Path:
        """Return the folder for this worker's checkpoints: all workers must write, but only the chief's are kept."""
        return folder if self.is_chief else folder.with_name(f".{folder.name}-worker-{self.worker}")


def distribution(kind: str) -> Distribution:
    """Set up one of `KINDS`; must run before any other use of TensorFlow in this process.

    Raises:
        UnknownNameError: no such kind.
        UsageError: "multiworker" without a valid cluster in TF_CONFIG.
        TinyTrackerError: the other workers cannot be reached.
    """
    if kind not in KINDS:
        raise UnknownNameError("distribution", kind, KINDS)
    if kind == "none":
        return Distribution(kind, tf.distribute.get_strategy())
    if kind == "mirrored":
        return Distribution(kind, tf.distribute.MirroredStrategy())
    workers, worker = _cluster(os.environ.get(CLUSTER_VARIABLE, ""))
    try:
        return Distribution(kind, tf.distribute.MultiWorkerMirroredStrategy(), workers, worker)
    except (tf.errors.OpError, RuntimeError, ValueError) as error:
        raise lost_worker(error) from error


def lost_worker(error: Exception) -> TinyTrackerError:
    """Return the error for a worker that cannot be reached."""
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return TinyTrackerError(
        f"The other workers cannot be reached ({first_line[:200]}).",
        "Start all of them again with the same command and --resume; training continues after the last epoch.",
    )


def _cluster(text: str) -> tuple[int, int]:
    """Return the number of workers and the number of this one, from TF_CONFIG."""
    try:
        document = json.loads(text)
        addresses, task = document["cluster"]["worker"], document["task"]
        index, kind = int(task["index"]), task["type"]
    except (ValueError, KeyError, TypeError) as error:
        problem = "is not set" if not text else f"does not describe a cluster ({error!r})"
        raise UsageError(
            f"{CLUSTER_VARIABLE} {problem}.", f"For example: {CLUSTER_VARIABLE}='{_EXAMPLE}'"
        ) from None
    if set(document["cluster"]) != {"worker"} or kind != "worker" or not 0 <= index < len(addresses):
        raise UsageError(
            f"{CLUSTER_VARIABLE} names the task {kind} {index} of a cluster with {len(addresses)} workers.",
            f"All tasks must be workers, counted from 0, for example: {CLUSTER_VARIABLE}='{_EXAMPLE}'",
        )
    return len(addresses), index
