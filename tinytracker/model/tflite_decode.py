"""Decodes the FlatBuffers bytes of a .tflite file to `TfliteModel`; no offset, length or index is trusted.

The generated accessors of the `tflite` package check nothing. Three measures make them safe: reads outside the
buffer raise in `struct` or numpy (caught in `decode`), vectors are read as numpy views whose length numpy
checks against the buffer, and small vectors that a damaged file could share between many tables (shapes,
tensor lists) are limited in size.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from tinytracker.errors import InputFileError, ModelError
from tinytracker.model.tflite_model import ITEM_BYTES, Operator, Tensor, TfliteModel
from tinytracker.model.tflite_options import MAX_RANK, decode_options, enumeration_names, index_vector

MAX_NAME_BYTES = 1024
MAX_ELEMENTS = 1 << 40  # far above any model that can run; keeps products of shapes small

_DAMAGE = (
    struct.error,
    IndexError,
    ValueError,
    TypeError,
    OverflowError,
    AttributeError,
    KeyError,
    AssertionError,
)


class _ContradictionError(ValueError):
    """What a file says cannot be; the message says what."""


class _Budget:
    """Bounds the work that a small damaged file can cause by pointing at one long vector from many tables."""

    def __init__(self, file_bytes: int) -> None:
        self._left = 4 * file_bytes + (1 << 20)

    def spend(self, amount: int) -> None:
        """Count elements or characters just read; raises `_ContradictionError` when no valid file can have so many."""
        self._left -= amount
        if self._left < 0:
            raise _ContradictionError("its tables share more data than the file can hold")


def decode(content: bytes, label: str) -> TfliteModel:
    """Decode the bytes of a .tflite file; see `tflite_file.read_tflite`, which documents the errors."""
    if len(content) < 16 or content[4:8] != b"TFL3":
        raise InputFileError(label, "not a .tflite file (no TFL3 identifier at byte 4)")
    try:
        return _decode(content, label)
    except _DAMAGE as error:
        # What struct and numpy say is about Python: which call wanted how many bytes.
        reason = (
            error
            if isinstance(error, _ContradictionError)
            else f"something in it lies beyond its {len(content):,} bytes"
        )
        raise InputFileError(label, f"damaged or truncated ({reason})", "Export or copy it again.") from error


def _decode(content: bytes, label: str) -> TfliteModel:
    root = tflite.Model.GetRootAs(content, 0)
    if root.Version() != 3:
        raise InputFileError(label, f"schema version {root.Version()} is not supported; it must be 3")
    if root.SubgraphsLength() != 1:
        raise ModelError(
            f"{label} has {root.SubgraphsLength()} subgraphs; only 1 is supported.",
            "Export the network without control flow (if, while) and without resource initializers.",
        )
    graph = root.Subgraphs(0)
    tensor_count = _table_count(content, graph.TensorsLength(), "tensors")
    operator_count = _table_count(content, graph.OperatorsLength(), "operators")
    budget = _Budget(len(content))
    tensors = tuple(_tensor(content, root, graph.Tensors(i), i, budget) for i in range(tensor_count))
    operators = tuple(_operator(root, graph.Operators(i), i, budget) for i in range(operator_count))
    model = TfliteModel(
        source=label,
        sha256=hashlib.sha256(content).hexdigest(),
        file_bytes=len(content),
        description=_text(root.Description()),
        tensors=tensors,
        operators=operators,
        inputs=index_vector(graph.InputsAsNumpy(), "graph inputs"),
        outputs=index_vector(graph.OutputsAsNumpy(), "graph outputs"),
    )
    _check_graph(model)
    return model


def _table_count(content: bytes, count: int, what: str) -> int:
    """Check a table count; raises when their offsets alone would not fit in the file."""
    if count * 4 > len(content):
        raise _ContradictionError(f"it claims {count} {what}, more than fit in the file")
    return count


def _text(raw: bytes | None) -> str:
    return (raw or b"")[:MAX_NAME_BYTES].decode("utf-8", errors="replace")


def _tensor(content: bytes, root: Any, raw: Any, index: int, budget: _Budget) -> Tensor:
    name_bytes = raw.Name()
    name = _text(name_bytes)
    where = f"tensor {index} {name!r}"
    shape = index_vector(raw.ShapeAsNumpy(), f"dimensions of {where}", MAX_RANK)
    if shape and shape[0] == -1:
        shape = (1, *shape[1:])
    elements = 1
    for n in shape:
        if n < 0:
            raise ModelError(f"{where} has shape {list(shape)}: only the batch dimension may be unknown.")
        elements *= n
    if elements > MAX_ELEMENTS:
        raise ModelError(f"{where} has {elements} elements; the limit is {MAX_ELEMENTS}.")
    dtype = enumeration_names(tflite.TensorType).get(raw.Type(), f"type{raw.Type()}").lower()
    if raw.Sparsity() is not None:
        raise ModelError(
            f"{where} is sparse, which is not supported.", "Export the model with dense weights."
        )
    scales, zero_points, axis = _quantization(raw.Quantization(), shape, where)
    budget.spend(len(name_bytes or b"") + len(shape) + len(scales))
    return Tensor(
        index=index,
        name=name,
        shape=shape,
        shape_signature=index_vector(raw.ShapeSignatureAsNumpy(), f"dimensions of {where}", MAX_RANK)
        or shape,
        dtype=dtype,
        scales=scales,
        zero_points=zero_points,
        quantized_dimension=axis,
        data=_constant(content, root, raw.Buffer(), shape, elements, dtype, where),
        is_variable=bool(raw.IsVariable()),
    )


def _quantization(
    raw: Any, shape: tuple[int, ...], where: str
) -> tuple[tuple[float, ...], tuple[int, ...], int]:
    if raw is None:
        return (), (), 0
    scales, zero_points = raw.ScaleAsNumpy(), raw.ZeroPointAsNumpy()
    axis = int(raw.QuantizedDimension())
    if isinstance(scales, int) or len(scales) == 0:
        return (), (), 0
    if isinstance(zero_points, int) or len(zero_points) == 0:
        zero_points = np.zeros(len(scales), np.int64)
    # A vector has only one axis, whatever the file says: biases of depthwise layers carry the axis of their weights.
    is_vector = shape == (len(scales),)
    if len(scales) > 1 and not is_vector and not (0 <= axis < len(shape) and shape[axis] == len(scales)):
        raise ModelError(f"{where} has {len(scales)} scales along axis {axis} of shape {list(shape)}.")
    if len(zero_points) not in (1, len(scales)):
        raise ModelError(f"{where} has {len(scales)} scales but {len(zero_points)} zero points.")
    if not bool(np.all(np.isfinite(scales) & (scales >= 0))):
        raise ModelError(f"{where} has a scale that is negative or not finite.")
    if len(zero_points) != len(scales):
        zero_points = np.repeat(zero_points, len(scales))
    return tuple(map(float, scales)), tuple(map(int, zero_points)), axis


def _constant(
    content: bytes,
    root: Any,
    buffer_index: int,
    shape: tuple[int, ...],
    elements: int,
    dtype: str,
    where: str,
) -> NDArray[np.generic] | None:
    """Return the tensor's contents as a read-only view, or None when they are computed at run time."""
    if buffer_index == 0:  # the empty buffer, by convention
        return None
    if not 0 < buffer_index < root.BuffersLength():
        raise ModelError(f"{where} refers to buffer {buffer_index}; the file has {root.BuffersLength()}.")
    buffer = root.Buffers(buffer_index)
    data = buffer.DataAsNumpy()
    if isinstance(data, int):
        if buffer.Offset() <= 1:
            return None
        # Models larger than 2 GB keep their constants after the FlatBuffer.
        data = np.frombuffer(
            content, np.uint8, count=min(buffer.Size(), len(content)), offset=buffer.Offset()
        )
    if len(data) == 0 or dtype not in ITEM_BYTES:
        return None
    if len(data) != elements * ITEM_BYTES[dtype]:
        raise ModelError(
            f"{where} has shape {list(shape)} of {dtype}, which is {elements * ITEM_BYTES[dtype]} bytes, "
            f"but its buffer holds {len(data)}."
        )
    view: NDArray[np.generic] = data.view(np.dtype(dtype).newbyteorder("<")).reshape(shape)
    return view


def _operator(root: Any, raw: Any, index: int, budget: _Budget) -> Operator:
    code_index = raw.OpcodeIndex()
    if not 0 <= code_index < root.OperatorCodesLength():
        raise ModelError(
            f"operator {index} refers to code {code_index}; the file has {root.OperatorCodesLength()}."
        )
    code = root.OperatorCodes(code_index)
    # Files before schema 3a have only the 8-bit field; later ones store 127 there for larger codes.
    builtin = max(code.DeprecatedBuiltinCode(), code.BuiltinCode())
    name = enumeration_names(tflite.BuiltinOperator).get(builtin)
    if name is None:
        raise ModelError(
            f"operator {index} has the unknown builtin code {builtin}.", "The file may be damaged."
        )
    if name == "CUSTOM":
        name = f"CUSTOM:{_text(code.CustomCode())}"
    inputs = index_vector(raw.InputsAsNumpy(), f"inputs of operator {index}")
    outputs = index_vector(raw.OutputsAsNumpy(), f"outputs of operator {index}")
    custom = raw.CustomOptionsAsNumpy() if name.startswith("CUSTOM:") else 0
    custom_options = b"" if isinstance(custom, int) else custom.tobytes()
    budget.spend(len(inputs) + len(outputs) + len(custom_options))
    return Operator(
        index=index,
        name=name,
        version=int(code.Version()),
        inputs=inputs,
        outputs=outputs,
        options=decode_options(raw, name, f"operator {index} {name}"),
        custom_options=custom_options,
    )


def _check_graph(model: TfliteModel) -> None:
    """Check that every index is in range and every operator reads only tensors computed before it."""
    for operator in model.operators:
        if operator.name == "CUSTOM:ethos-u":
            raise ModelError(
                f"{model.source} was compiled for Arm Ethos-U by Vela ({operator.label}); "
                "other processors cannot run it.",
                "Use the original .tflite file that was passed to Vela.",
            )
    count = len(model.tensors)
    for i in (*model.inputs, *model.outputs):
        if not 0 <= i < count:
            raise ModelError(f"A graph input or output refers to tensor {i}; the file has {count}.")
    for i in model.inputs:
        if model.tensors[i].is_constant:
            raise ModelError(f"Graph input {model.tensors[i].label} is a constant.")
    ready = {t.index for t in model.tensors if t.is_constant or t.is_variable or t.elements == 0} | set(
        model.inputs
    )
    for operator in model.operators:
        for i in operator.inputs:
            if i != -1 and not 0 <= i < count:
                raise ModelError(f"{operator.label} reads tensor {i}; the file has {count}.")
            if i != -1 and i not in ready:
                raise ModelError(f"{operator.label} reads {model.tensors[i].label} before it is computed.")
        for i in operator.outputs:
            if not 0 <= i < count:
                raise ModelError(f"{operator.label} writes tensor {i}; the file has {count}.")
            if i in ready:
                raise ModelError(
                    f"{operator.label} writes {model.tensors[i].label}, which already has contents."
                )
        ready.update(operator.outputs)
    for i in model.outputs:
        if i not in ready:
            raise ModelError(f"Graph output {model.tensors[i].label} is never computed.")
