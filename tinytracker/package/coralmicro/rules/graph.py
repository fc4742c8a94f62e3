"""Rules of the whole graph."""

from __future__ import annotations

from tinytracker.model.tflite_model import TfliteModel
from tinytracker.package.coralmicro import TARGET
from tinytracker.package.coralmicro.rules.parameters import CACHE_BYTES, predicted_bytes
from tinytracker.package.rules import Rule, rule


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

    Fix: Convert the model again with uint8 inputs; a run: `tinytracker quantize RUN --io uint8`.
    Source: coralmicro libs/tpu/edgetpu_executable.cc flips the top bit of a signed input in place, once per
    transfer.
    """
    signed = next((t for t in model.input_tensors() if t.dtype == "int8"), None)
    return f"input {signed.name!r} is int8" if signed else None


@rule(TARGET, level="warns")
def parameters_fit(model: TfliteModel) -> str | None:
    """The parameters fit into the Edge TPU's memory, about 7.7 MiB.

    Fix: Use a smaller network; parameters that do not fit are sent over USB 2 for every frame.
    Source: "On-chip memory remaining" in logs of edgetpu_compiler; the size is a fit to compiled models.
    """
    size = predicted_bytes(model)
    return f"about {size:,} bytes of parameters" if size > CACHE_BYTES else None


@rule(TARGET)
def has_operators(model: TfliteModel) -> str | None:
    """The model computes something.

    Fix: Export the network, not an empty function.
    Source: an empty graph has nothing to run on the chip.
    """
    return "the graph is empty" if not model.operators else None


@rule(TARGET)
def no_recurrent_layer(model: TfliteModel) -> str | None:
    """The network has no recurrent layers.

    Fix: Use convolutions over a few frames, or a filter on the host.
    Source: Coral's keras_lstm_mnist_ptq compiles to one program, but its transfers are not fully deterministic and the
    board's driver (coralmicro libs/tpu/edgetpu_executable.cc) supports no others.
    """
    names = sorted({o.name for o in model.operators if o.name in _RECURRENT})
    return ", ".join(names) if names else None


_RECURRENT = ("UNIDIRECTIONAL_SEQUENCE_LSTM",)


@rule(TARGET, level="warns")
def image_size(model: TfliteModel) -> str | None:
    """The image has fewer than 2048 x 2048 pixels.

    Fix: Use a smaller image; the compiler may end with "Internal compiler error" or "large activation tensors".
    Source: edgetpu issues 157 and 439; the largest image of a public compiled file has 1281 x 721 pixels.
    """
    for tensor in model.input_tensors():
        if len(tensor.shape) == 4 and tensor.shape[1] * tensor.shape[2] >= MAX_PIXELS:
            return f"input {tensor.name!r} has {tensor.shape[1]} x {tensor.shape[2]} pixels"
    return None


MAX_PIXELS = 2048 * 2048

GRAPH_RULES: tuple[Rule[TfliteModel], ...] = (
    has_operators, single_input, uint8_input, image_size, no_recurrent_layer,
)  # fmt: skip
"""Rules about the whole network."""

CHIP_RULES: tuple[Rule[TfliteModel], ...] = (parameters_fit,)
"""Rules about the network without the operators that do not map."""
