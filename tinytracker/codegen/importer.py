"""Converts a .tflite graph to nodes; refuses, with a sentence, what cannot be generated."""

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
from tinytracker.codegen.import_moves import (
    import_gather_nd,
    import_pack,
    import_slice,
    import_strided_slice,
    import_transpose,
    import_unpack,
)
from tinytracker.codegen.import_recurrent import import_lstm, import_svdf
from tinytracker.codegen.import_resize import import_resize_bilinear, import_resize_nearest
from tinytracker.codegen.import_select import (
    import_arg_extreme,
    import_cast,
    import_extreme_pair,
    import_leaky_relu,
    import_plain_pair,
    import_prelu,
    import_sqrt,
    import_sub,
    plain_or,
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
    "ADD": plain_or(import_add),
    "ARG_MAX": import_arg_extreme,
    "ARG_MIN": import_arg_extreme,
    "AVERAGE_POOL_2D": import_pool,
    "CAST": import_cast,
    "CONCATENATION": import_concat,
    "CONV_2D": import_conv,
    "DEPTHWISE_CONV_2D": import_depthwise,
    "DEQUANTIZE": import_dequantize,
    "DIV": import_plain_pair,
    "EXPAND_DIMS": import_alias,
    "FLOOR_DIV": import_plain_pair,
    "FULLY_CONNECTED": import_fully_connected,
    "GATHER_ND": import_gather_nd,
    "LEAKY_RELU": import_leaky_relu,
    "LOGISTIC": import_logistic,
    "MAXIMUM": plain_or(import_extreme_pair),
    "MAX_POOL_2D": import_pool,
    "MEAN": import_mean,
    "MINIMUM": plain_or(import_extreme_pair),
    "MUL": plain_or(import_mul),
    "PACK": import_pack,
    "PAD": import_pad,
    "PADV2": import_pad,
    "PRELU": import_prelu,
    "QUANTIZE": import_quantize,
    "RELU": import_relu,
    "RELU6": import_relu,
    "RELU_N1_TO_1": import_relu,
    "RESHAPE": import_alias,
    "RESIZE_BILINEAR": import_resize_bilinear,
    "RESIZE_NEAREST_NEIGHBOR": import_resize_nearest,
    "SLICE": import_slice,
    "SOFTMAX": import_softmax,
    "SPLIT": import_split,
    "SPLIT_V": import_split_v,
    "SQRT": import_sqrt,
    "SQUEEZE": import_alias,
    "STRIDED_SLICE": import_strided_slice,
    "SUB": plain_or(import_sub),
    "SVDF": import_svdf,
    "TANH": import_tanh,
    "TRANSPOSE": import_transpose,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": import_lstm,
    "UNPACK": import_unpack,
}

SUPPORTED_OPERATORS = tuple(sorted(_IMPORTERS))
"""Names of the operators for which C can be generated."""

_SHAPE_ONLY = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")  # inputs after the first only give the output's shape


def import_graph(model: TfliteModel) -> Graph:
    """Check the model and compute every number that the arithmetic needs.

    Operators that nothing depends on are omitted (for example those that only compute the shape for a RESHAPE), and so
    are those that can be computed now.

    Raises:
        ModelError: an operator, dtype, shape or quantization cannot be generated; names operator, tensor and
            reason.
    """
    if not model.inputs or not model.outputs:
        raise ModelError(f"{model.source} has {len(model.inputs)} inputs and {len(model.outputs)} outputs.")
    for tensor in (*model.input_tensors(), *model.output_tensors()):
        if tensor.dtype not in ("int8", "uint8", "int32", "int64", "float32"):
            raise ModelError(
                f"{tensor.label} is an input or output; only int8, uint8, int32, int64 and float32 are supported.",
                "Convert it with a QUANTIZE or CAST inside the network.",
            )
        if tensor.is_dynamic or tensor.elements == 0:
            raise ModelError(
                f"{tensor.label} has the dynamic shape {list(tensor.shape_signature)}; "
                "inputs and outputs must be fixed.",
                "Export the model with a fixed input size.",
            )
        if tensor.is_constant:
            raise ModelError(f"{tensor.label} is a constant output; nothing has to be computed.")
    folded = fold_constants(model)
    return Graph(
        folded, tuple(node for operator in _needed(folded) for node in _import_nodes(folded, operator))
    )


def _import_nodes(model: TfliteModel, operator: Operator) -> list[Node]:
    if operator.name not in _IMPORTERS:
        tensor = model.tensors[operator.outputs[0]] if operator.outputs else None
        if operator.name == "CUSTOM:edgetpu-custom-op":
            raise refuse(
                operator, None, "was compiled for the Coral Edge TPU and runs only there",
                "Use the uncompiled .tflite file",
            )  # fmt: skip
        known = ", ".join(SUPPORTED_OPERATORS)
        raise refuse(operator, tensor, "no kernel exists for this operator", f"Supported: {known}.")
    imported = _IMPORTERS[operator.name](model, operator)
    nodes = imported if isinstance(imported, list) else [imported]
    for node in nodes:
        for tensor in node.inputs:
            if tensor.is_variable and not tensor.is_constant:
                raise refuse(
                    operator, tensor, "is a variable, which this operator cannot read; only LSTM and SVDF keep state",
                    "Pass the state as an input and an output of the network.",
                )  # fmt: skip
        if all(tensor.is_constant for tensor in node.inputs):
            raise refuse(
                operator, node.output, "is computed only from constants", "Fold them when exporting."
            )
    return nodes


def _needed(model: TfliteModel) -> list[Operator]:
    """Return the operators that an output depends on, in execution order."""
    wanted = set(model.outputs)
    kept = []
    for operator in reversed(model.operators):
        if wanted.isdisjoint(operator.outputs):
            continue
        kept.append(operator)
        sources = operator.inputs[:1] if operator.name in _SHAPE_ONLY else operator.inputs
        wanted.update(i for i in sources if i >= 0)
    return kept[::-1]
