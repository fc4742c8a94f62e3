"""How far a runtime of this computer is from the oracle, in output steps."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tinytracker.errors import MissingDependencyError
from tinytracker.hosts.runtimes import RUNTIMES, HostOptions, open_runtime
from tinytracker.interpreters.base import run_in_parts
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.contract import IoContract
from tinytracker.quant.oracle import available_oracle
from tinytracker.quant.parity import differing_frames, patterns
from tinytracker.words import counted


@dataclass(frozen=True)
class RuntimeComparison:
    """One runtime beside the oracle, on test patterns.

    Attributes:
        runtime: name with version. oracle: what it is compared with.
        images: number of patterns.
        differing: of them, on which any value of any output differs.
        max_steps: largest difference of any value, in steps of its output. mean_steps: over all values.
        absent: why there are no numbers; "" when there are.
    """

    runtime: str
    oracle: str = ""
    images: int = 0
    differing: int = 0
    max_steps: float = 0.0
    mean_steps: float = 0.0
    absent: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """Return one line for people."""
        if self.absent:
            return f"{self.runtime}: not compared: {self.absent}"
        steps = "output step" if self.max_steps == 1 else "output steps"
        return (
            f"{self.runtime} differs from {self.oracle} on {self.differing} of {counted(self.images, 'pattern')}, "
            f"by up to {self.max_steps:g} {steps} (mean {self.mean_steps:.3g})"
        )


def compare_runtime(
    model: bytes, runtime: str, images: int, seed: int = 0, options: HostOptions | None = None
) -> RuntimeComparison:
    """Run a network in one of this computer's runtimes and in the oracle, on the same patterns.

    Args:
        model: content of the .tflite file.
        runtime: a key of `RUNTIMES`.
        images: number of patterns.
        seed: of their noise.
        options: threads and device; None for the runtime's defaults.

    Raises:
        UnknownNameError: no such runtime.
        ModelError: the runtime cannot run the network.
    """
    try:
        opened = open_runtime(model, options or HostOptions(runtime))
    except MissingDependencyError as error:
        return RuntimeComparison(RUNTIMES[runtime].label, absent=str(error))
    oracle = available_oracle(model)
    if oracle is None:
        return RuntimeComparison(opened.name, absent="neither TensorFlow nor tflite-micro is installed")
    contract = IoContract.of(read_tflite(model))
    inputs = contract.encode_all(patterns(contract, images, seed))
    expected, found = run_in_parts(oracle, inputs), run_in_parts(opened, inputs)
    apart = np.concatenate(
        [
            np.abs(a.astype(np.float64) - b.astype(np.float64)).reshape(-1)
            for a, b in zip(found, expected, strict=True)
        ]
    )
    differing = int(differing_frames(found, expected).sum())
    return RuntimeComparison(
        opened.name, oracle.name, images, differing, float(apart.max()), float(apart.mean())
    )
