"""Decodes the options of operators from their FlatBuffers tables to plain dictionaries."""

from __future__ import annotations

from functools import cache
from typing import Any

import tflite

from tinytracker.errors import ModelError
from tinytracker.model.tflite_model import Option

MAX_RANK = 8  # TFLite's kernels support at most 6 or 8
MAX_OPERANDS = 4096

_POOL_FIELDS = ("Padding", "StrideW", "StrideH", "FilterWidth", "FilterHeight", "FusedActivationFunction")

_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ADD": ("AddOptions", ("FusedActivationFunction",)),
    "SUB": ("SubOptions", ("FusedActivationFunction",)),
    "MUL": ("MulOptions", ("FusedActivationFunction",)),
    "CONV_2D": (
        "Conv2DOptions",
        ("Padding", "StrideW", "StrideH", "DilationWFactor", "DilationHFactor", "FusedActivationFunction"),
    ),
    "DEPTHWISE_CONV_2D": (
        "DepthwiseConv2DOptions",
        (
            "Padding", "StrideW", "StrideH", "DilationWFactor", "DilationHFactor", "DepthMultiplier",
            "FusedActivationFunction",
        ),
    ),
    "TRANSPOSE_CONV": ("TransposeConvOptions", ("Padding", "StrideW", "StrideH", "FusedActivationFunction")),
    "FULLY_CONNECTED": ("FullyConnectedOptions", ("FusedActivationFunction", "WeightsFormat", "KeepNumDims")),
    "AVERAGE_POOL_2D": ("Pool2DOptions", _POOL_FIELDS),
    "MAX_POOL_2D": ("Pool2DOptions", _POOL_FIELDS),
    "CONCATENATION": ("ConcatenationOptions", ("Axis", "FusedActivationFunction")),
    "MEAN": ("ReducerOptions", ("KeepDims",)),
    "SUM": ("ReducerOptions", ("KeepDims",)),
    "REDUCE_MAX": ("ReducerOptions", ("KeepDims",)),
    "SOFTMAX": ("SoftmaxOptions", ("Beta",)),
    "LEAKY_RELU": ("LeakyReluOptions", ("Alpha",)),
    "RESHAPE": ("ReshapeOptions", ("NewShape",)),
    "RESIZE_BILINEAR": ("ResizeBilinearOptions", ("AlignCorners", "HalfPixelCenters")),
    "RESIZE_NEAREST_NEIGHBOR": ("ResizeNearestNeighborOptions", ("AlignCorners", "HalfPixelCenters")),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask"),
    ),
    "REDUCE_MIN": ("ReducerOptions", ("KeepDims",)),
    "PACK": ("PackOptions", ("Axis", "ValuesCount")),
    "UNPACK": ("UnpackOptions", ("Axis", "Num")),
    "SPLIT": ("SplitOptions", ("NumSplits",)),
    "SQUEEZE": ("SqueezeOptions", ("SqueezeDims",)),
    "SVDF": ("SVDFOptions", ("Rank", "FusedActivationFunction")),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (
        "UnidirectionalSequenceLSTMOptions", ("FusedActivationFunction", "CellClip", "ProjClip", "TimeMajor"),
    ),
}  # fmt: skip
"""Operator -> (options table, fields to keep). No options are kept for other operators."""


def index_vector(vector: Any, what: str, limit: int = MAX_OPERANDS) -> tuple[int, ...]:
    """Return a short vector of integers; the generated accessors return the number 0 for a missing one."""
    if isinstance(vector, int):
        return ()
    if len(vector) > limit:
        raise ModelError(f"{len(vector)} {what}; the limit is {limit}.")
    return tuple(int(v) for v in vector)


def decode_options(raw: Any, name: str, where: str) -> dict[str, Option]:
    """Return the options of one operator by snake-case name; empty when the file has none or they are not known here.

    Args:
        raw: the operator's table.
        name: builtin name of the operator.
        where: name of the operator in messages.

    Raises:
        ModelError: the options belong to another operator or hold an unknown value.
    """
    type_id = raw.BuiltinOptionsType()
    table = raw.BuiltinOptions()
    if name not in _OPTIONS or type_id == 0 or table is None:
        return {}
    class_name, fields = _OPTIONS[name]
    found = enumeration_names(tflite.BuiltinOptions).get(type_id, f"type {type_id}")
    if found != class_name:
        raise ModelError(f"{where} has {found} in place of {class_name}.")
    options = getattr(tflite, class_name)()
    options.Init(table.Bytes, table.Pos)
    found_options = {_snake(field): _option(options, field, where) for field in fields}
    if name == "UNIDIRECTIONAL_SEQUENCE_LSTM":  # tensors that only hold the quantization of inner values
        found_options["intermediates"] = index_vector(raw.IntermediatesAsNumpy(), f"inner tensors of {where}")
    return found_options


def _option(options: Any, field: str, where: str) -> Option:
    if field in ("NewShape", "SqueezeDims"):
        return index_vector(getattr(options, f"{field}AsNumpy")(), f"dimensions in {where}", MAX_RANK)
    value = getattr(options, field)()
    enumeration = {
        "Padding": tflite.Padding,
        "FusedActivationFunction": tflite.ActivationFunctionType,
        "WeightsFormat": tflite.FullyConnectedOptionsWeightsFormat,
    }.get(field)
    if enumeration is None:
        return value if isinstance(value, int | float | bool) else int(value)
    if value not in enumeration_names(enumeration):
        raise ModelError(f"{where} has the unknown {field} {value}.", "The file may be damaged.")
    return enumeration_names(enumeration)[value]


def _snake(camel: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in camel).lstrip("_")


@cache
def enumeration_names(enumeration: type) -> dict[int, str]:
    """Return value -> name of one of the schema's enumerations (plain classes with integer attributes)."""
    return {v: k for k, v in vars(enumeration).items() if isinstance(v, int) and not k.startswith("_")}
