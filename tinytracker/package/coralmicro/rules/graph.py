"""Rules of the whole graph."""

from __future__ import annotations

from tinytracker.model.tflite_model import TfliteModel
from tinytracker.package.coralmicro import TARGET
from tinytracker.package.coralmicro.rules.parameters import CACHE_BYTES, predicted_bytes
from tinytracker.package.graph_rules import GraphRule, rule


@rule(TARGET)
def single_input(model: TfliteModel) -> str | None:
    """The model has one input.

    Fix: Use a preset whose position planes are channels of its image (grid = "input"), or one without a grid.
    Source: coralmicro libs/tpu/edgetpu_executable.cc serves every input transfer from input 0.
    """
    return f"{len(model.inputs)} inputs" if len(model.inputs) != 1 else None


@rule(TARGET, level="warns")
def uint8_input(model: TfliteModel) -> str | None:
    """The input is uint8.

    Fix: `tinytracker quantize RUN --io uint8`.
    Source: coralmicro libs/tpu/edgetpu_executable.cc flips the top bit of a signed input in place, once per
    transfer.
    """
    signed = next((t for t in model.input_tensors() if t.dtype == "int8"), None)
    return f"input {signed.name!r} is int8" if signed else None


@rule(TARGET, level="warns")
def parameters_fit(model: TfliteModel) -> str | None:
    """The parameters fit into the Edge TPU's memory, about 7.7 MiB.

    Fix: Use a smaller network; what does not fit is sent over USB 2 for every frame.
    Source: "On-chip memory remaining" in logs of edgetpu_compiler; the size is a fit to compiled models.
    """
    size = predicted_bytes(model)
    return f"about {size:,} bytes of parameters" if size > CACHE_BYTES else None


@rule(TARGET)
def has_operators(model: TfliteModel) -> str | None:
    """The model computes something.

    Fix: Export the network, not an empty function.
    Source: there would be nothing to run on the chip.
    """
    return "the graph is empty" if not model.operators else None


GRAPH_RULES: tuple[GraphRule[TfliteModel], ...] = (has_operators, single_input, uint8_input, parameters_fit)
