"""The cost of a .tflite graph: multiply-accumulates, parameters and peak memory of live tensors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from tinytracker.model.tflite_model import Operator, Tensor, TfliteModel


@dataclass(frozen=True)
class OperatorStats:
    """Cost of one operator.

    Attributes:
        index: position of the operator. name: builtin name.
        macs: multiply-accumulates of one inference; 0 for operators without a weighted sum.
        parameters: elements of its constant filter and bias; 0 for operators without MACs.
        constant_bytes: bytes of all its constant inputs.
        live_bytes: activation bytes alive while it runs (inputs, outputs and tensors that later operators need).
        output_shape: shape of its first output.
    """

    index: int
    name: str
    macs: int
    parameters: int
    constant_bytes: int
    live_bytes: int
    output_shape: tuple[int, ...]


@dataclass(frozen=True)
class ModelStats:
    """Cost of one inference.

    Attributes:
        operators: per operator, in execution order.
        macs: multiply-accumulates. parameters: weights and biases (a constant used twice is counted once).
        constant_bytes: bytes of all constants in the file's graph.
        peak_activation_bytes: most activation bytes alive at once, including inputs and outputs: the lower
            bound of any static arena that runs the operators in this order without computing in place.
        peak_operator: index of the operator at the peak, -1 for a graph without operators.
    """

    operators: tuple[OperatorStats, ...]
    macs: int
    parameters: int
    constant_bytes: int
    peak_activation_bytes: int
    peak_operator: int


def model_stats(model: TfliteModel) -> ModelStats:
    """Compute the cost of one inference; MACs are those of convolutions, dense layers and matrix products.

    Example:
        >>> from tinytracker.model import model_stats, read_tflite
        >>> model_stats(read_tflite("run/quantized/ptq-int8/model.tflite")).macs
        5230080
    """
    model = _with_resolved_rows(model)
    live = _live_bytes(model)
    rows = tuple(_operator_stats(model, operator, live[operator.index]) for operator in model.operators)
    counted = {
        i: model.tensors[i].elements
        for operator in model.operators
        for i in _parameter_inputs(model, operator)
    }
    peak = max(range(len(live)), key=live.__getitem__, default=-1)
    return ModelStats(
        operators=rows,
        macs=sum(row.macs for row in rows),
        parameters=sum(counted.values()),
        constant_bytes=sum(t.nbytes for t in model.tensors if t.is_constant),
        peak_activation_bytes=live[peak] if peak >= 0 else 0,
        peak_operator=peak,
    )


def _with_resolved_rows(model: TfliteModel) -> TfliteModel:
    """Return the model with the first dimension of tensors whose size follows from a dynamic batch.

    A file with a dynamic batch stores 1 for every unknown dimension, also for one that is a multiple of the batch,
    such as the rows of a RESHAPE from (batch, 5, 32) to (-1, 32).
    """
    shapes: dict[int, tuple[int, ...]] = {}
    for operator in model.operators:
        source = next((i for i in operator.inputs if i >= 0 and not model.tensors[i].is_constant), None)
        if source is None:
            continue
        declared = model.tensors[source].shape
        found = shapes.get(source, declared)
        for i in operator.outputs:
            made = model.tensors[i]
            if not made.shape_signature or made.shape_signature[0] >= 0:
                continue
            rest = math.prod(made.shape[1:])
            if operator.name == "RESHAPE" and rest and math.prod(found) % rest == 0:
                rows = math.prod(found) // rest
            elif found != declared and declared[0] == made.shape[0]:
                rows = found[0]
            else:
                continue
            if rows != made.shape[0]:
                shapes[i] = (rows, *made.shape[1:])
    if not shapes:
        return model
    tensors = tuple(replace(t, shape=shapes.get(t.index, t.shape)) for t in model.tensors)
    return replace(model, tensors=tensors)


def operator_macs(model: TfliteModel, operator: Operator) -> int:
    """Return the multiply-accumulates of one operator; padding positions are counted as if they were computed."""
    rule = _MACS.get(operator.name)
    if rule is None or len(operator.inputs) < 2 or not operator.outputs:
        return 0
    return rule(model, operator)


def lifetimes(model: TfliteModel) -> dict[int, tuple[int, int]]:
    """Return the first and last operator index at which each run-time tensor must exist.

    Graph inputs exist from operator 0, graph outputs until the last operator; unused tensors that are not outputs
    exist only for the operator that writes them.
    """
    last_operator = max(len(model.operators) - 1, 0)
    span: dict[int, tuple[int, int]] = dict.fromkeys(model.inputs, (0, 0))
    for operator in model.operators:
        for i in operator.outputs:
            span[i] = (operator.index, operator.index)
        for i in operator.inputs:
            if i in span:
                span[i] = (span[i][0], operator.index)
    for i in model.outputs:
        if i in span:
            span[i] = (span[i][0], last_operator)
    return span


def non_int8_tensors(model: TfliteModel) -> tuple[Tensor, ...]:
    """Return the tensors that prevent integer-only execution of the graph: all but int8 and constant int32.

    Inputs and outputs are included. Constants that no operator uses are not.
    """
    used = {i for operator in model.operators for i in (*operator.inputs, *operator.outputs) if i >= 0}
    used |= {*model.inputs, *model.outputs}
    return tuple(
        t for t in model.tensors
        if t.index in used and not (t.dtype == "int8" or (t.dtype == "int32" and t.is_constant))
    )  # fmt: skip


def _operator_stats(model: TfliteModel, operator: Operator, live_bytes: int) -> OperatorStats:
    constants = {i for i in operator.inputs if i >= 0 and model.tensors[i].is_constant}
    return OperatorStats(
        index=operator.index,
        name=operator.name,
        macs=operator_macs(model, operator),
        parameters=sum(model.tensors[i].elements for i in _parameter_inputs(model, operator)),
        constant_bytes=sum(model.tensors[i].nbytes for i in constants),
        live_bytes=live_bytes,
        output_shape=model.tensors[operator.outputs[0]].shape if operator.outputs else (),
    )


def _live_bytes(model: TfliteModel) -> list[int]:
    """Return the activation bytes alive during each operator."""
    change = [0] * (len(model.operators) + 1)
    for i, (first, last) in lifetimes(model).items():
        if model.operators:
            change[first] += model.tensors[i].nbytes
            change[last + 1] -= model.tensors[i].nbytes
    live, total = [], 0
    for step in change[:-1]:
        total += step
        live.append(total)
    return live


def _parameter_inputs(model: TfliteModel, operator: Operator) -> set[int]:
    """Return the constant inputs of a weighted-sum operator that are weights or bias (not shape arguments)."""
    if operator.name not in _MACS:
        return set()
    skip = 1 if operator.name == "TRANSPOSE_CONV" else 0  # its first input is the output shape
    return {i for i in operator.inputs[skip:] if i >= 0 and model.tensors[i].is_constant}


def _filter(model: TfliteModel, operator: Operator) -> tuple[int, ...]:
    i = operator.inputs[1]
    return model.tensors[i].shape if i >= 0 else ()


def _output_elements(model: TfliteModel, operator: Operator) -> int:
    return model.tensors[operator.outputs[0]].elements


def _conv_macs(model: TfliteModel, operator: Operator) -> int:
    shape = _filter(model, operator)  # output channels, height, width, input channels
    return _output_elements(model, operator) * shape[1] * shape[2] * shape[3] if len(shape) == 4 else 0


def _depthwise_macs(model: TfliteModel, operator: Operator) -> int:
    shape = _filter(model, operator)  # 1, height, width, output channels
    return _output_elements(model, operator) * shape[1] * shape[2] if len(shape) == 4 else 0


def _transpose_conv_macs(model: TfliteModel, operator: Operator) -> int:
    shape = _filter(model, operator)  # output channels, height, width, input channels
    if len(shape) != 4 or len(operator.inputs) < 3 or operator.inputs[2] < 0:
        return 0
    return model.tensors[operator.inputs[2]].elements * shape[0] * shape[1] * shape[2]


def _dense_macs(model: TfliteModel, operator: Operator) -> int:
    shape = _filter(model, operator)  # output features, input features
    return _output_elements(model, operator) * shape[-1] if shape else 0


def _matmul_macs(model: TfliteModel, operator: Operator) -> int:
    i = operator.inputs[0]
    shape = model.tensors[i].shape if i >= 0 else ()
    return _output_elements(model, operator) * shape[-1] if shape else 0


def _recurrent_macs(model: TfliteModel, operator: Operator) -> int:
    """Every matrix of an LSTM or SVDF once per sequence and step; the products of its gates do not count."""
    i = operator.inputs[0]
    rows = math.prod(model.tensors[i].shape[:-1]) if i >= 0 else 0
    constants = [model.tensors[k] for k in _parameter_inputs(model, operator)]
    return rows * sum(tensor.elements for tensor in constants if len(tensor.shape) == 2)


_MACS: dict[str, Callable[[TfliteModel, Operator], int]] = {
    "CONV_2D": _conv_macs,
    "DEPTHWISE_CONV_2D": _depthwise_macs,
    "TRANSPOSE_CONV": _transpose_conv_macs,
    "FULLY_CONNECTED": _dense_macs,
    "BATCH_MATMUL": _matmul_macs,
    "SVDF": _recurrent_macs,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _recurrent_macs,
}
