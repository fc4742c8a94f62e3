"""The inputs and outputs of a quantized model: conversion from codes to tensors, and from tensors to gaze."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from math import isclose, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim import layout
from tinytracker.errors import ModelError
from tinytracker.model.finder_output import GRID
from tinytracker.model.output import AIM_CODES, FULL_SCALE, LIMIT_CM, OUTPUT_SCALE, GazeOutput
from tinytracker.model.preset import SEGMENTED
from tinytracker.model.tflite_model import Tensor, TfliteModel

Codes = dict[str, NDArray[np.uint8]]
"""Network inputs by name, as camera and crop deliver them: uint8 codes p, (N, H, W, C), with the value p/128 - 1."""

PIXEL_SCALE = 1 / 128
"""Input scale of our models; with zero point 0 an INT8 input is q = p - 128, with UINT8 I/O it is p itself."""

INPUT_SUFFIX = "_pixels"
"""Suffix that quantization-aware training adds to an input's name for the layer that rounds it."""

_INPUT_DTYPES = ("int8", "uint8", "float32")
_OUTPUT_DTYPES = ("int8", "uint8", "int16", "int32", "int64", "float32")
POSITIONS = ("int32", "int64")
"""Types of outputs that count: classes, positions. They have no scale."""

WITH_AIM = GazeOutput(SEGMENTED.segments, aim=True)
"""The only form of an output with an aim: its number of codes identifies it."""

_PLAIN_DTYPES = (*POSITIONS, "float32")
"""Numbers that are what they stand for: scale 1, zero point 0."""


@dataclass(frozen=True)
class TensorContract:
    """One input or output tensor of a model.

    Attributes:
        name: short name ("image", "gaze").
        tensor: name inside the file.
        shape: with the batch dimension. A frame fills the whole tensor, whatever the size of that dimension.
        dtype: "int8", "uint8", "float32" or, for an output, "int16", "int32" (positions, counts) or "int64".
        scale: real value of one step. zero_point: code of the real value 0. For float32, int32 and int64, they are 1
            and 0.
    """

    name: str
    tensor: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """Shape of one frame: without the batch dimension when it is 1, else that of the whole tensor."""
        return self.shape[1:] if self.shape[:1] == (1,) else self.shape


@dataclass(frozen=True)
class GazeDecoding:
    """Decoding of output codes to gaze, per axis: `offset_cm + cm_per_code * sum(code - zero_point)` over its segments.

    Attributes:
        segments: number of codes per axis, all of x first; see `tinytracker.model.output`. 1 for a plain pair.
        offset_cm: gaze at which all codes of an axis equal the zero point.
        cm_per_code: gaze in cm per step.
        zero_point: of the output tensor.
    """

    segments: int
    offset_cm: float
    cm_per_code: float
    zero_point: int

    @classmethod
    def of(cls, output: TensorContract) -> GazeDecoding:
        """Return the decoding of an output tensor, from its size and scale.

        Raises:
            ModelError: it is neither a pair nor segmented.
        """
        elements = prod(output.shape)
        if elements == 2 and output.dtype not in POSITIONS:
            return cls(1, 0.0, output.scale, output.zero_point)
        is_segmented = isclose(output.scale, OUTPUT_SCALE, rel_tol=1e-5) and output.dtype in ("int8", "uint8")
        if elements % 2 or elements < 4 or not is_segmented or FinderDecoding.of(output):
            raise ModelError(
                f"The output {output.name!r} ({output.dtype} {list(output.shape)}, scale {output.scale:g}) is not a "
                f"gaze: neither one pair (x, y) in cm nor segments of scale {OUTPUT_SCALE:g}.",
            )
        shape = WITH_AIM if elements == WITH_AIM.units else GazeOutput(elements // 2)
        return cls(shape.segments, -LIMIT_CM, shape.width_cm / FULL_SCALE * output.scale, output.zero_point)

    def decode(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        """Decode (N, 2 segments) codes to (N, 2) cm; codes behind them, of an aim, are ignored."""
        own = raw.reshape(len(raw), -1)[:, : 2 * self.segments]
        codes = own.astype(np.float64).reshape(len(raw), 2, self.segments) - self.zero_point
        gaze: NDArray[np.float64] = self.offset_cm + self.cm_per_code * codes.sum(-1)
        return gaze


@dataclass(frozen=True)
class AimDecoding:
    """Where the codes of an aim lie in the output, for `tinytracker.aim.layout`.

    Attributes:
        first: index of the first code, after those of the gaze. codes: number.
        zero_point: of the output tensor; a code minus it is 0 to 255.
    """

    first: int
    codes: int
    zero_point: int

    @classmethod
    def of(cls, output: TensorContract) -> AimDecoding | None:
        """Return the place of the aim in an output tensor, or None when it has none."""
        is_segmented = isclose(output.scale, OUTPUT_SCALE, rel_tol=1e-5) and output.dtype in ("int8", "uint8")
        if not is_segmented or prod(output.shape) != WITH_AIM.units:
            return None
        return cls(WITH_AIM.gaze_units, AIM_CODES, output.zero_point)

    def of_raw(self, raw: NDArray[Any]) -> NDArray[np.uint8]:
        """Return the codes of the aim, 0..255, (N, codes), of raw outputs (N, elements)."""
        own = raw.reshape(len(raw), -1)[:, self.first : self.first + self.codes].astype(np.int64)
        codes: NDArray[np.uint8] = (own - self.zero_point).astype(np.uint8)
        return codes

    def decode(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        """Decode raw outputs (N, elements) to dx, dy, ln_scale, roll, presence, (N, 5)."""
        return layout.decode(layout.AIM, self.of_raw(raw))


@dataclass(frozen=True)
class FinderDecoding:
    """The codes of a finder, for `tinytracker.aim.finding.read_finder`.

    Attributes:
        rows, columns: of its grid. zero_point: of the output tensor; a code minus it is 0 to 255.
    """

    rows: int
    columns: int
    zero_point: int

    @classmethod
    def of(cls, output: TensorContract) -> FinderDecoding | None:
        """Return the decoding of a finder's output tensor, or None when it is not one."""
        is_coded = isclose(output.scale, OUTPUT_SCALE, rel_tol=1e-5) and output.dtype in ("int8", "uint8")
        if not is_coded or output.shape != (1, *GRID, len(layout.FINDER)):
            return None
        return cls(*GRID, output.zero_point)

    def of_raw(self, raw: NDArray[Any]) -> NDArray[np.uint8]:
        """Return the codes, 0..255, (N, rows, columns, 4), of raw outputs (N, elements)."""
        codes = (raw.astype(np.int64) - self.zero_point).reshape(
            -1, self.rows, self.columns, len(layout.FINDER)
        )
        found: NDArray[np.uint8] = codes.astype(np.uint8)
        return found


@dataclass(frozen=True)
class IoContract:
    """Inputs and outputs of a quantized model, in the order of the file."""

    inputs: tuple[TensorContract, ...]
    outputs: tuple[TensorContract, ...]

    @classmethod
    def of(cls, model: TfliteModel) -> IoContract:
        """Return the contract of a .tflite file.

        Raises:
            ModelError: an input is not INT8, UINT8 or float32, an output is none of these and not INT16, INT32 or INT64
                either, or an 8- or 16-bit one has no scale.
        """
        inputs = [_describe(t, _INPUT_DTYPES, "input") for t in model.input_tensors()]
        outputs = [_describe(t, _OUTPUT_DTYPES, "output") for t in model.output_tensors()]
        if not inputs or not outputs:
            raise ModelError(
                f"{model.source} has {len(inputs)} inputs and {len(outputs)} outputs; at least one of each is needed."
            )
        return cls(_told_apart(inputs), _told_apart(outputs))

    @property
    def is_pixel_exact(self) -> bool:
        """True when a camera byte needs at most an addition: scale 1/128 and the zero point of p/128 - 1."""
        zero = {"int8": 0, "uint8": 128}
        return all(t.scale == PIXEL_SCALE and t.zero_point == zero.get(t.dtype) for t in self.inputs)

    def encode(self, codes: Codes, frame: int) -> list[NDArray[Any]]:
        """Return one frame's input tensors in their shapes, in the order of the file; p/128 - 1 for a float32 input.

        Args:
            codes: inputs by name; for a model with one input, the name of the only entry is ignored.
            frame: index along the first axis.
        """
        tensors = []
        for t in self.inputs:
            p = codes[t.name] if len(self.inputs) > 1 else next(iter(codes.values()))
            real = p[frame : frame + 1].astype(np.float64) / 128 - 1
            if t.dtype == "float32":
                tensors.append(real.astype(np.float32).reshape(t.shape))
                continue
            value = real / t.scale + t.zero_point
            info = np.iinfo(t.dtype)
            tensors.append(np.clip(np.rint(value), info.min, info.max).astype(t.dtype).reshape(t.shape))
        return tensors

    def encode_all(self, codes: Codes) -> list[NDArray[Any]]:
        """Return all frames for `Interpreter.run`: one array per input, (N, *shape).

        Args:
            codes: inputs by name, as for `encode`.

        Raises:
            ModelError: the codes do not match this model's inputs.
        """
        by_name = codes if len(self.inputs) > 1 else {self.inputs[0].name: next(iter(codes.values()))}
        for t in self.inputs:
            if t.name not in by_name or by_name[t.name].shape[1:] != t.frame_shape:
                given = " and ".join(f"{name!r} {list(p.shape[1:])}" for name, p in codes.items())
                raise ModelError(
                    f"Frames of {given} do not fit the input {t.name!r} {list(t.frame_shape)} of the model.",
                    "Use the preset or the data that the model was made for.",
                )
        count = len(next(iter(codes.values())))
        frames = [self.encode(codes, k) for k in range(count)]
        return [np.stack(tensors) for tensors in zip(*frames, strict=True)]

    @property
    def gaze(self) -> GazeDecoding:
        """The decoding of the first output to gaze.

        Raises:
            ModelError: it is neither a pair nor segmented.
        """
        return GazeDecoding.of(self.outputs[0])

    @property
    def aim(self) -> AimDecoding | None:
        """The place of the aim in the first output, or None for a network without one."""
        return AimDecoding.of(self.outputs[0])

    @property
    def finder(self) -> FinderDecoding | None:
        """The decoding of a finder's output, or None for any other network."""
        return FinderDecoding.of(self.outputs[0])

    def require_finder(self) -> FinderDecoding:
        """Return the decoding of a finder's output.

        Raises:
            ModelError: the output is not that of a finder.
        """
        if self.finder is None:
            output = self.outputs[0]
            raise ModelError(
                f"The output {output.name!r} ({output.dtype} {list(output.shape)}, scale {output.scale:g}) is not a "
                f"finder's: {GRID[0]} x {GRID[1]} cells with {len(layout.FINDER)} codes of scale {OUTPUT_SCALE:g}.",
                "Quantize a run of the preset finder with `tinytracker quantize`.",
            )
        return self.finder

    def decode(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        """Decode raw values of the first output, (N, elements) in any shape, to gaze in cm, (N, 2)."""
        return self.gaze.decode(raw)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object for manifests; `gaze`, `aim` and `finder` are None when the output has none."""
        try:
            gaze = asdict(self.gaze)
        except ModelError:
            gaze = None
        return {
            "inputs": [asdict(t) for t in self.inputs], "outputs": [asdict(t) for t in self.outputs], "gaze": gaze,
            "aim": asdict(self.aim) if self.aim else None,
            "finder": asdict(self.finder) if self.finder else None,
        }  # fmt: skip


def _describe(tensor: Tensor, allowed: tuple[str, ...], role: str) -> TensorContract:
    if tensor.dtype not in allowed:
        raise ModelError(
            f"The {role} {tensor.name!r} is {tensor.dtype}, not {' or '.join(allowed)}.",
            "Convert the model again, fully quantized to INT8; a run: `tinytracker quantize RUN`.",
        )
    quantized = tensor.dtype not in _PLAIN_DTYPES
    if quantized and len(tensor.scales) != 1:
        raise ModelError(
            f"The {role} {tensor.name!r} is {tensor.dtype} without a scale.",
            "Quantize the model with a calibration set.",
        )
    return TensorContract(
        short_name(tensor.name), tensor.name, tensor.shape, tensor.dtype,
        tensor.scale if quantized else 1.0, tensor.zero_point if quantized else 0,
    )  # fmt: skip


def _told_apart(tensors: list[TensorContract]) -> tuple[TensorContract, ...]:
    """Return the tensors with unique names; the position is appended to a shared name."""
    names = [t.name for t in tensors]
    return tuple(
        replace(t, name=f"{t.name}_{i}") if names.count(t.name) > 1 else t for i, t in enumerate(tensors)
    )


def short_name(tensor: str) -> str:
    """Return the short name of a tensor, from its name in TensorFlow.

    "serving_default_image:0" is the input "image"; outputs are called "StatefulPartitionedCall:0" whatever they
    contain, and ours is the gaze. A network from quantization-aware training names its tensors after its layers,
    "network/image_pixels/..." and "network/gaze/...". Any other name is unchanged.
    """
    if tensor.startswith("network/"):
        return tensor.split("/")[1].removesuffix(INPUT_SUFFIX)
    name = tensor.removeprefix("serving_default_").split(":")[0]
    return "gaze" if name.startswith("StatefulPartitionedCall") else name
