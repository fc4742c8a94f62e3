"""Chooses the oracle with which a model's outputs are compared."""

from __future__ import annotations

from importlib.util import find_spec

from tinytracker.interpreters.base import Interpreter
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.interpreters.tflite import ReferenceInterpreter
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.specification import SpecificationInterpreter, reference_is_wrong


def oracle_of(model: bytes) -> Interpreter:
    """Return the oracle of a model: TensorFlow Lite's reference kernels, or the specification where those are wrong.

    Parity records show its name.

    Raises:
        MissingDependencyError: TensorFlow is not installed.
        ModelError: the reference kernels refuse the model, or the specification does not cover it.
    """
    parsed = read_tflite(model)
    return SpecificationInterpreter(parsed) if reference_is_wrong(parsed) else ReferenceInterpreter(model)


def available_oracle(model: bytes) -> Interpreter | None:
    """Return the best installed oracle: `oracle_of` with TensorFlow, else TFLM, which equals it, else None.

    Raises:
        ModelError: the oracle refuses the model.
    """
    if find_spec("tensorflow") is not None:
        return oracle_of(model)
    return MicroInterpreter(model) if find_spec("tflite_micro") is not None else None
