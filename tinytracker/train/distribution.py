"""One training on several GPUs or several computers. Importing this module imports TensorFlow."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from tinytracker.errors import ConfigError, TinyTrackerError, UnknownNameError, UsageError
from tinytracker.train.config import TrainConfig

KINDS = ("none", "mirrored", "multiworker")
CLUSTER_VARIABLE = "TF_CONFIG"
_EXAMPLE = '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True)
class Distribution:
    """Who trains.

    Attributes:
        kind: one of `KINDS`.
        strategy: TensorFlow's; the default one for "none".
        workers: processes; each reads its own part of the data.
        worker: number of this one; 0 is the chief, which writes the run folder.
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
        """True when gradients come from more than this one place, or could."""
        return self.kind != "none"

    @property
    def replicas(self) -> int:
        """Devices that share each batch."""
        return int(self.strategy.num_replicas_in_sync)

    def per_replica_batch(self, config: TrainConfig, frames: int) -> int:
        """Frames of a step on one device.

        Raises:
            ConfigError: the batch cannot be shared evenly, or a worker has less than its part of one.
        """
        batch = config.batch_size
        if batch % self.replicas:
            raise ConfigError(
                "options", "batch_size", f"{batch} frames cannot be shared evenly by {self.replicas} devices"
            )
        if self.workers > 1 and frames // self.workers < batch // self.workers:
            raise ConfigError(
                "options", "batch_size",
                f"a step takes {batch} frames, and {self.workers} workers have {frames} together",
            )  # fmt: skip
        return batch // self.replicas

    def steps(self, config: TrainConfig, frames: int) -> int:
        """Steps of an epoch: the same for all workers, or they would wait for each other for ever."""
        return max(1, frames // self.workers // (config.batch_size // self.workers))

    def chief_s(self, value: float) -> float:
        """The chief's number, on every worker: what depends on it must not differ by a rounding."""
        if self.workers == 1:
            return value
        own = tf.constant(value if self.is_chief else 0.0, tf.float64)

        def total() -> tf.Tensor:
            return self.strategy.reduce(tf.distribute.ReduceOp.SUM, self.strategy.run(lambda: own), axis=None)

        # Each of a worker's devices says the same, so that the sum holds the chief's number once for each.
        return float(tf.function(total)()) / (self.replicas // self.workers)

    def checkpoint_folder(self, folder: Path) -> Path:
        """Where this worker writes checkpoints: all have to write, but only the chief's are kept."""
        return folder if self.is_chief else folder.with_name(f".{folder.name}-worker-{self.worker}")


def distribution(kind: str) -> Distribution:
    """Set up one of `KINDS`; before TensorFlow does anything else in this process.

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
    """The sentence for a worker that went away."""
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return TinyTrackerError(
        f"The other workers cannot be reached ({first_line[:200]}).",
        "Start all of them again with the same command and --resume; training goes on after the last epoch.",
    )


def _cluster(text: str) -> tuple[int, int]:
    """Number of workers and number of this one, from TF_CONFIG."""
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
            f"All tasks are workers, counted from 0, for example: {CLUSTER_VARIABLE}='{_EXAMPLE}'",
        )
    return len(addresses), index
