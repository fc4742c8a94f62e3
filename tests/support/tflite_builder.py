"""Writes .tflite files from plain descriptions: tests choose every scale, zero point and shape themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import tflite

OPTIONS_CLASS = {
    "ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions", "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions", "FULLY_CONNECTED": "FullyConnectedOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions", "MAX_POOL_2D": "Pool2DOptions",
    "CONCATENATION": "ConcatenationOptions",
    "MEAN": "ReducerOptions", "SOFTMAX": "SoftmaxOptions", "RESHAPE": "ReshapeOptions",
    "SUM": "ReducerOptions", "STRIDED_SLICE": "StridedSliceOptions", "PACK": "PackOptions",
    "SPLIT": "SplitOptions", "SQUEEZE": "SqueezeOptions",
    "RESIZE_BILINEAR": "ResizeBilinearOptions", "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions",
    "ARG_MAX": "ArgMaxOptions", "ARG_MIN": "ArgMinOptions", "LEAKY_RELU": "LeakyReluOptions", "UNPACK": "UnpackOptions",
    "DIV": "DivOptions", "CAST": "CastOptions",
    "SVDF": "SVDFOptions", "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTMOptions",
}  # fmt: skip
INT8_VERSION = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4, "RESHAPE": 1, "QUANTIZE": 1}


@dataclass
class T:
    """A tensor to write; `data` makes it a constant."""

    shape: tuple[int, ...]
    dtype: str = "int8"
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int = 0
    data: np.ndarray | None = None
    name: str = ""
    signature: tuple[int, ...] = ()
    is_variable: bool = False


@dataclass
class Op:
    """An operator to write; tensors by position. A custom one is called "CUSTOM:<code>"."""

    code: str
    inputs: list[int]
    outputs: list[int]
    options: dict[str, Any] = field(default_factory=dict)
    version: int = 0
    options_class: str | None = None
    custom_options: bytes = b""
    intermediates: list[int] = field(default_factory=list)


def conv_options(
    stride: tuple[int, int] = (1, 1), padding: str = "SAME", activation: str = "NONE", **more: Any
) -> dict:
    """Options of CONV_2D; DEPTHWISE_CONV_2D also takes DepthMultiplier."""
    return {
        "Padding": padding, "StrideH": stride[0], "StrideW": stride[1],
        "DilationHFactor": 1, "DilationWFactor": 1,
        "FusedActivationFunction": activation, **more,
    }  # fmt: skip


def build_tflite(tensors: list[T], operators: list[Op], inputs: list[int], outputs: list[int]) -> bytes:
    """The bytes of a .tflite file with this graph."""
    b = flatbuffers.Builder(1024)
    contents = [b""] + [np.ascontiguousarray(t.data).tobytes() for t in tensors if t.data is not None]
    buffers = [_buffer(b, content) for content in contents]
    next_buffer = iter(range(1, len(buffers)))
    tensor_tables = [
        _tensor(b, t, i, next(next_buffer) if t.data is not None else 0) for i, t in enumerate(tensors)
    ]
    versions = [op.version or INT8_VERSION.get(op.code, 2) for op in operators]
    codes = sorted({(op.code, version) for op, version in zip(operators, versions, strict=True)})
    operator_tables = [
        _operator(b, op, codes.index((op.code, version)))
        for op, version in zip(operators, versions, strict=True)
    ]
    tensor_vector, operator_vector = _tables(b, tensor_tables), _tables(b, operator_tables)
    input_vector, output_vector = _ints(b, inputs), _ints(b, outputs)
    tflite.SubGraphStart(b)
    tflite.SubGraphAddTensors(b, tensor_vector)
    tflite.SubGraphAddOperators(b, operator_vector)
    tflite.SubGraphAddInputs(b, input_vector)
    tflite.SubGraphAddOutputs(b, output_vector)
    graphs = _tables(b, [tflite.SubGraphEnd(b)])
    code_vector = _tables(b, [_code(b, *code) for code in codes])
    buffer_vector, description = _tables(b, buffers), b.CreateString("written by a test")
    tflite.ModelStart(b)
    tflite.ModelAddVersion(b, 3)
    tflite.ModelAddDescription(b, description)
    tflite.ModelAddOperatorCodes(b, code_vector)
    tflite.ModelAddSubgraphs(b, graphs)
    tflite.ModelAddBuffers(b, buffer_vector)
    b.Finish(tflite.ModelEnd(b), file_identifier=b"TFL3")
    return bytes(b.Output())


def _tables(b: flatbuffers.Builder, offsets: list[int]) -> int:
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return b.EndVector()


def _ints(b: flatbuffers.Builder, values: Any) -> int:
    return b.CreateNumpyVector(np.array(values, np.int32))


def _buffer(b: flatbuffers.Builder, content: bytes) -> int:
    data = None
    if content:
        b.StartVector(1, len(content), 16)
        b.head = b.head - len(content)
        b.Bytes[b.head : b.head + len(content)] = content
        data = b.EndVector()
    tflite.BufferStart(b)
    if data is not None:
        tflite.BufferAddData(b, data)
    return tflite.BufferEnd(b)


def _tensor(b: flatbuffers.Builder, t: T, index: int, buffer: int) -> int:
    name = b.CreateString(t.name or f"t{index}")
    shape = _ints(b, t.shape)
    signature = _ints(b, t.signature) if t.signature else None
    quantization = None
    if t.scales:
        scales = b.CreateNumpyVector(np.array(t.scales, np.float32))
        zero_points = b.CreateNumpyVector(np.array(t.zero_points or [0] * len(t.scales), np.int64))
        tflite.QuantizationParametersStart(b)
        tflite.QuantizationParametersAddScale(b, scales)
        tflite.QuantizationParametersAddZeroPoint(b, zero_points)
        tflite.QuantizationParametersAddQuantizedDimension(b, t.axis)
        quantization = tflite.QuantizationParametersEnd(b)
    tflite.TensorStart(b)
    tflite.TensorAddShape(b, shape)
    tflite.TensorAddType(b, getattr(tflite.TensorType, t.dtype.upper()))
    tflite.TensorAddBuffer(b, buffer)
    tflite.TensorAddName(b, name)
    tflite.TensorAddIsVariable(b, t.is_variable)
    if quantization is not None:
        tflite.TensorAddQuantization(b, quantization)
    if signature is not None:
        tflite.TensorAddShapeSignature(b, signature)
    if t.is_variable:
        tflite.TensorAddIsVariable(b, True)
    return tflite.TensorEnd(b)


def _code(b: flatbuffers.Builder, code: str, version: int) -> int:
    builtin, _, custom = code.partition(":")
    value = getattr(tflite.BuiltinOperator, builtin)
    custom_code = b.CreateString(custom) if custom else None
    tflite.OperatorCodeStart(b)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(b, min(value, 127))
    tflite.OperatorCodeAddBuiltinCode(b, value)
    tflite.OperatorCodeAddVersion(b, version)
    if custom_code is not None:
        tflite.OperatorCodeAddCustomCode(b, custom_code)
    return tflite.OperatorCodeEnd(b)


def _operator(b: flatbuffers.Builder, op: Op, code: int) -> int:
    inputs, outputs = _ints(b, op.inputs), _ints(b, op.outputs)
    options_class = op.options_class or OPTIONS_CLASS.get(op.code)
    options = None
    custom_options = b.CreateByteVector(op.custom_options) if op.custom_options else None
    intermediates = _ints(b, op.intermediates) if op.intermediates else None
    if options_class is not None:
        values = {name: _value(b, name, value) for name, value in op.options.items()}
        getattr(tflite, f"{options_class}Start")(b)
        for name, value in values.items():
            getattr(tflite, f"{options_class}Add{name}")(b, value)
        options = getattr(tflite, f"{options_class}End")(b)
    tflite.OperatorStart(b)
    tflite.OperatorAddOpcodeIndex(b, code)
    tflite.OperatorAddInputs(b, inputs)
    tflite.OperatorAddOutputs(b, outputs)
    if options is not None:
        tflite.OperatorAddBuiltinOptionsType(b, getattr(tflite.BuiltinOptions, options_class))
        tflite.OperatorAddBuiltinOptions(b, options)
    if custom_options is not None:
        tflite.OperatorAddCustomOptions(b, custom_options)
    if intermediates is not None:
        tflite.OperatorAddIntermediates(b, intermediates)
    return tflite.OperatorEnd(b)


def _value(b: flatbuffers.Builder, name: str, value: Any) -> Any:
    if name == "Padding":
        return getattr(tflite.Padding, value)
    if name == "FusedActivationFunction":
        return getattr(tflite.ActivationFunctionType, value)
    if name == "WeightsFormat":
        return getattr(tflite.FullyConnectedOptionsWeightsFormat, value)
    return _ints(b, value) if name in ("NewShape", "SqueezeDims") else value
