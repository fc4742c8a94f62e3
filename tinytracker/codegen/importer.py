"""From a .tflite graph to nodes; refuses with a sentence what cannot be generated."""

from __future__ import annotations

from collections.abc import Callable

from tinytracker.codegen.checks import refuse
from tinytracker.codegen.fold import fold_constants
from tinytracker.codegen.graph import Graph, Node
from tinytracker.codegen.import_elementwise import (
    import_add,
    import_dequantize,
    import_logistic,
    import_mul,
    import_quantize,
    import_relu,
    import_softmax,
    import_tanh,
)
from tinytracker.codegen.import_shape import (
    import_alias,
    import_concat,
    import_mean,
    import_pad,
    import_pool,
    import_split,
    import_split_v,
)
from tinytracker.codegen.import_weighted import import_conv, import_depthwise, import_fully_connected
from tinytracker.errors import ModelError
from tinytracker.model.tflite_model import Operator, TfliteModel

_IMPORTERS: dict[str, Callable[[TfliteModel, Operator], Node | list[Node]]] = {
    "ADD": import_add,
    "AVERAGE_POOL_2D": import_pool,
    "CONCATENATION": import_concat,
    "CONV_2D": import_conv,
    "DEPTHWISE_CONV_2D": import_depthwise,
    "DEQUANTIZE": import_dequantize,
    "EXPAND_DIMS": import_alias,
    "FULLY_CONNECTED": import_fully_connected,
    "LOGISTIC": import_logistic,
    "MAX_POOL_2D": import_pool,
    "MEAN": import_mean,
    "MUL": import_mul,
    "PAD": import_pad,
    "PADV2": import_pad,
    "QUANTIZE": import_quantize,
    "RELU": import_relu,
    "RELU6": import_relu,
    "RELU_N1_TO_1": import_relu,
    "RESHAPE": import_alias,
    "SOFTMAX": import_softmax,
    "SPLIT": import_split,
    "SPLIT_V": import_split_v,
    "SQUEEZE": import_alias,
    "TANH": import_tanh,
}

SUPPORTED_OPERATORS = tuple(sorted(_IMPORTERS))
"""Names of the operators that C can be generated for."""

_SHAPE_ONLY = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")  # all but their first input only say the output's shape


def import_graph(model: TfliteModel) -> Graph:
    """Check the model and work out every number that the arithmetic needs.

    Operators that nothing depends on are left out (also those that only compute the shape for a RESHAPE), and
    those that can be computed now.

    Raises:
        ModelError: an operator, dtype, shape or quantisation cannot be generated; names operator, tensor,
        reason.
    """
    if not model.inputs or not model.outputs:
        raise ModelError(f"{model.source} has {len(model.inputs)} inputs and {len(model.outputs)} outputs.")
    for tensor in (*model.input_tensors(), *model.output_tensors()):
        if tensor.dtype not in ("int8", "uint8", "float32"):
            raise ModelError(f"{tensor.label} is an input or output; supported are int8, uint8 and float32.")
        if tensor.is_dynamic or tensor.elements == 0:
            raise ModelError(
                f"{tensor.label} has the dynamic shape {list(tensor.shape_signature)}; "
                "inputs and outputs must be fixed.",
                "Export the model with a fixed input size.",
            )
        if tensor.is_constant:
            raise ModelError(f"{tensor.label} is an output but constant; there is nothing to compute.")
    folded = fold_constants(model)
    return Graph(
        folded, tuple(node for operator in _needed(folded) for node in _import_nodes(folded, operator))
    )


def _import_nodes(model: TfliteModel, operator: Operator) -> list[Node]:
    if operator.name not in _IMPORTERS:
        tensor = model.tensors[operator.outputs[0]] if operator.outputs else None
        known = ", ".join(SUPPORTED_OPERATORS)
        raise refuse(operator, tensor, "no kernel exists for this operator", f"Supported: {known}.")
    imported = _IMPORTERS[operator.name](model, operator)
    nodes = imported if isinstance(imported, list) else [imported]
    for node in nodes:
        if all(tensor.is_constant for tensor in node.inputs):
            raise refuse(
                operator, node.output, "is computed from constants only", "Fold them when exporting."
            )
    return nodes


def _needed(model: TfliteModel) -> list[Operator]:
    """Operators that an output depends on, in execution order."""
    wanted = set(model.outputs)
    kept = []
    for operator in reversed(model.operators):
        if wanted.isdisjoint(operator.outputs):
            continue
        kept.append(operator)
        sources = operator.inputs[:1] if operator.name in _SHAPE_ONLY else operator.inputs
        wanted.update(i for i in sources if i >= 0)
    return kept[::-1]
