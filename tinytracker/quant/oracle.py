"""Which oracle a model is compared with: TFLite's reference kernels, or the specification where those are wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.model.tflite_file import TfliteModel, read_tflite
from tinytracker.quant.contract import Codes, IoContract
from tinytracker.quant.runtimes import ReferenceRuntime, Runtime, Step
from tinytracker.quant.specification import SpecificationInterpreter, reference_is_wrong


class SpecificationRuntime:
    """The specification as a runtime; see `tinytracker.quant.runtimes.Runtime`."""

    name = SpecificationInterpreter.name

    def __init__(self, model: TfliteModel) -> None:
        self.contract = IoContract.of(model)
        self._interpreter = SpecificationInterpreter(model)

    def run(self, codes: Codes, advance: Step = lambda n: None) -> NDArray[Any]:
        """See `Runtime.run`."""
        results = []
        for frame in range(len(next(iter(codes.values())))):
            inputs = [tensor[None] for tensor in self.contract.encode(codes, frame)]
            results.append(np.ravel(self._interpreter.run(inputs)[0]))
            advance(1)
        return np.stack(results)


def oracle_of(model: bytes) -> Runtime:
    """The oracle of a model; its `name` says which.

    Raises:
        ModelError: the reference kernels are wrong for it and the specification does not cover it.
    """
    parsed = read_tflite(model)
    return SpecificationRuntime(parsed) if reference_is_wrong(parsed) else ReferenceRuntime(model)
