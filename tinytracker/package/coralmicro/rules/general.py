"""Rules that hold for every operator."""

from __future__ import annotations

from tinytracker.model.tflite_model import Tensor
from tinytracker.package.coralmicro import TARGET
from tinytracker.package.coralmicro.rules.node import Node
from tinytracker.package.coralmicro.rules.table import OPERATORS, REPLACEMENTS
from tinytracker.package.rules import Rule, rule

INTEGERS = ("int8", "uint8")
MAPPED_DIMENSIONS = 3


@rule(TARGET)
def known_operator(node: Node) -> str | None:
    """The operator is in the Edge TPU's list of supported operations.

    Fix: Build the network from convolutions, dense layers, pooling, ReLU, addition and reshape.
    Source: Coral, "TensorFlow models on the Edge TPU", table of supported operations.
    """
    if node.name in OPERATORS:
        return None
    way_out = REPLACEMENTS.get(node.name)
    return f"the Edge TPU does not have {node.name}" + (f" ({way_out.rstrip('.')})" if way_out else "")


@rule(TARGET)
def integer_tensors(node: Node) -> str | None:
    """All activations are int8 or uint8 with a scale.

    Fix: Convert the model again, quantized to integers from input to output; a run:
    `tinytracker quantize RUN --io uint8`.
    Source: Coral, "TensorFlow models on the Edge TPU", model requirements.
    """
    for tensor in node.activations:
        if tensor.is_variable:
            continue  # the 16-bit state of a recurrent layer maps (keras_lstm_mnist_ptq)
        if tensor.dtype not in INTEGERS:
            return f"{tensor.label} is not INT8"
        if not tensor.scales:
            return f"{tensor.label} has no scale"
    return None


@rule(TARGET)
def integer_parameters(node: Node) -> str | None:
    """Weights are int8 or uint8; biases, axes and sizes are integers.

    Fix: Quantize fully to INT8; 16-bit, 4-bit and float weights do not map.
    Source: Coral, "TensorFlow models on the Edge TPU"; edgetpu issue 338 ("we only accept int8 and float32").
    """
    for tensor in node.parameters:
        allowed = (*INTEGERS, "int32", "int16") if not tensor.scales else (*INTEGERS, "int32")
        if tensor.dtype not in allowed:
            return f"{tensor.label} is {tensor.dtype}"
    return None


@rule(TARGET)
def static_shapes(node: Node) -> str | None:
    """All shapes are known when the model is compiled.

    Fix: Export with fixed sizes (a signature with batch 1 and the image's height and width).
    Source: Coral, "TensorFlow models on the Edge TPU", model requirements.
    """
    dynamic = next((t for t in node.activations if t.is_dynamic), None)
    return f"{dynamic.label} has shape {list(dynamic.shape_signature)}" if dynamic else None


@rule(TARGET)
def three_dimensions(node: Node) -> str | None:
    """Only the three innermost dimensions of a tensor are larger than 1.

    Fix: Use batch 1, and fold further dimensions into height, width or channels.
    Source: Coral, "TensorFlow models on the Edge TPU"; the compiler says "Tensor has unsupported rank".
    """
    deep = next((t for t in node.activations if _outer(t) != 1), None)
    return f"{deep.label} has more" if deep else None


def _outer(tensor: Tensor) -> int:
    """Return the product of the dimensions outside the three innermost."""
    product = 1
    for n in tensor.shape[:-MAPPED_DIMENSIONS]:
        product *= n
    return product


@rule(TARGET)
def constant_parameters(node: Node) -> str | None:
    """Weights, biases, axes and sizes are constants in the file.

    Fix: Make them constants of the network; only activations may be computed at run time.
    Source: the compiler says "Filter, bias, or other param is not constant at compile-time".
    """
    computed = next((t for t in node.parameters if not t.is_constant and t.elements > 0), None)
    return f"{computed.label} is computed at run time" if computed else None


@rule(TARGET)
def version_is_taken(node: Node) -> str | None:
    """The compiler is not known to refuse the operator's version.

    Fix: Convert with TensorFlow 2.15 (the `train` extra), and give dense layers a flat input.
    Source: edgetpu issue 631 (CONV_2D 6); the compiler says "Operation version not supported".
    """
    support = OPERATORS.get(node.name)
    if support is None or support.rejected is None or node.operator.version < support.rejected:
        return None
    return f"version {node.operator.version}; versions {support.rejected} and later are refused"


@rule(TARGET, level="warns")
def version_was_seen_mapped(node: Node) -> str | None:
    """The operator's version has been found mapped in a compiled file.

    Fix: If the compiler says "Operation version not supported", convert with TensorFlow 2.15.
    Source: the versions in some thirty files of compilers 15 and 16.
    """
    support = OPERATORS.get(node.name)
    if support is None or node.operator.version <= support.seen:
        return None
    if support.rejected is not None and node.operator.version >= support.rejected:
        return None  # `version_is_taken` reports it
    return f"version {node.operator.version}; the newest seen mapped is {support.seen}"


GENERAL_RULES: tuple[Rule[Node], ...] = (
    known_operator, integer_tensors, integer_parameters, static_shapes, three_dimensions, constant_parameters,
    version_is_taken, version_was_seen_mapped,
)  # fmt: skip
