"""What goes into a quantized model and what comes out: the one place where codes become tensors and tensors gaze."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from math import isclose, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import ModelError
from tinytracker.model.output import FULL_SCALE, LIMIT_CM, OUTPUT_SCALE, GazeOutput
from tinytracker.model.tflite_model import Tensor, TfliteModel

Codes = dict[str, NDArray[np.uint8]]
"""Network inputs by name as the camera and the crop give them: uint8 codes p, (N, H, W, C); the value is p/128 - 1."""

PIXEL_SCALE = 1 / 128
"""Scale of every input of ours; with zero point 0 the INT8 input is q = p - 128, with UINT8 I/O it is p itself."""

INPUT_SUFFIX = "_pixels"
"""Behind an input's name, the layer that rounds it in quantization-aware training."""

_INPUT_DTYPES = ("int8", "uint8", "float32")
_OUTPUT_DTYPES = ("int8", "uint8", "int16", "int32", "int64", "float32")
POSITIONS = ("int32", "int64")
"""Types of outputs that count: classes, positions. They have no scale."""

_PLAIN_DTYPES = (*POSITIONS, "float32")
"""Numbers that are what they stand for: scale 1, zero point 0."""


@dataclass(frozen=True)
class TensorContract:
    """One input or output tensor of a model.

    Attributes:
        name: short name ("image", "gaze").
        tensor: name inside the file.
        shape: with the batch dimension. A frame fills the whole tensor, whatever that dimension is.
        dtype: "int8", "uint8", "float32" or, for an output, "int16", "int32" (positions, counts) or "int64".
        scale: real value of one step. zero_point: code of the real value 0. (1 and 0 for float32, int32 and int64.)
    """

    name: str
    tensor: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """Shape of one frame: without the batch dimension when that is 1, else the whole tensor."""
        return self.shape[1:] if self.shape[:1] == (1,) else self.shape


@dataclass(frozen=True)
class GazeDecoding:
    """From output codes to gaze, for one axis: `offset_cm + cm_per_code * sum(code - zero_point)` over its segments.

    Attributes:
        segments: codes per axis, all of x first; see `tinytracker.model.output`. A plain pair has 1.
        offset_cm: gaze at which all codes of an axis are the zero point.
        cm_per_code: of one step.
        zero_point: of the output tensor.
    """

    segments: int
    offset_cm: float
    cm_per_code: float
    zero_point: int

    @classmethod
    def of(cls, output: TensorContract) -> GazeDecoding:
        """The decoding of an output tensor, from its size and scale.

        Raises:
            ModelError: it is neither a pair nor made of segments.
        """
        elements = prod(output.shape)
        if elements == 2 and output.dtype not in POSITIONS:
            return cls(1, 0.0, output.scale, output.zero_point)
        is_segmented = isclose(output.scale, OUTPUT_SCALE, rel_tol=1e-5) and output.dtype in ("int8", "uint8")
        if elements % 2 or elements < 4 or not is_segmented:
            raise ModelError(
                f"The output {output.name!r} ({output.dtype} {list(output.shape)}, scale {output.scale:g}) is no gaze: "
                f"neither one pair (x, y) in cm nor segments of scale {OUTPUT_SCALE:g}.",
            )
        shape = GazeOutput(elements // 2)
        return cls(shape.segments, -LIMIT_CM, shape.width_cm / FULL_SCALE * output.scale, output.zero_point)

    def decode(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        """(N, 2 segments) codes to (N, 2) cm."""
        codes = raw.astype(np.float64).reshape(len(raw), 2, self.segments) - self.zero_point
        gaze: NDArray[np.float64] = self.offset_cm + self.cm_per_code * codes.sum(-1)
        return gaze


@dataclass(frozen=True)
class IoContract:
    """Inputs and outputs of a quantized model, in the order of the file."""

    inputs: tuple[TensorContract, ...]
    outputs: tuple[TensorContract, ...]

    @classmethod
    def of(cls, model: TfliteModel) -> IoContract:
        """The contract of a .tflite file.

        Raises:
            ModelError: an input is not INT8, UINT8 or float32, an output is none of these and not INT16, INT32 or INT64
                either, or an 8- or 16-bit one has no scale.
        """
        inputs = [_describe(t, _INPUT_DTYPES, "input") for t in model.input_tensors()]
        outputs = [_describe(t, _OUTPUT_DTYPES, "output") for t in model.output_tensors()]
        if not inputs or not outputs:
            raise ModelError(f"{model.source} has {len(inputs)} inputs and {len(outputs)} outputs.")
        return cls(_told_apart(inputs), _told_apart(outputs))

    @property
    def is_pixel_exact(self) -> bool:
        """True when a camera byte goes in by an addition at most: scale 1/128 and the zero point of p/128 - 1."""
        zero = {"int8": 0, "uint8": 128}
        return all(t.scale == PIXEL_SCALE and t.zero_point == zero.get(t.dtype) for t in self.inputs)

    def encode(self, codes: Codes, frame: int) -> list[NDArray[Any]]:
        """One frame's input tensors, each in its own shape, in the order of the file; a float32 input takes p/128 - 1.

        Args:
            codes: inputs by name; a model with one input takes the only entry whatever its name.
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
        """All frames as `Interpreter.run` takes them: one array per input, (N, *shape).

        Args:
            codes: inputs by name, as for `encode`.

        Raises:
            ModelError: the codes are not those of this model's inputs.
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
        """How the first output becomes gaze.

        Raises:
            ModelError: it is neither a pair nor made of segments.
        """
        return GazeDecoding.of(self.outputs[0])

    def decode(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        """Raw values of the first output, (N, elements) in any shape, to gaze in cm, (N, 2)."""
        return self.gaze.decode(raw)

    def as_json(self) -> dict[str, Any]:
        """For manifests; `gaze` is None when the model does not answer a gaze."""
        try:
            gaze = asdict(self.gaze)
        except ModelError:
            gaze = None
        return {
            "inputs": [asdict(t) for t in self.inputs], "outputs": [asdict(t) for t in self.outputs], "gaze": gaze,
        }  # fmt: skip


def _describe(tensor: Tensor, allowed: tuple[str, ...], role: str) -> TensorContract:
    if tensor.dtype not in allowed:
        raise ModelError(
            f"The {role} {tensor.name!r} is {tensor.dtype}, not {' or '.join(allowed)}.",
            "Use a model that is quantized to INT8, for example one that `tinytracker quantize` made.",
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
    """Tensors with a name of its own each; those that share one get their position behind it."""
    names = [t.name for t in tensors]
    return tuple(
        replace(t, name=f"{t.name}_{i}") if names.count(t.name) > 1 else t for i, t in enumerate(tensors)
    )


def short_name(tensor: str) -> str:
    """What a tensor is, from TensorFlow's name for it.

    "serving_default_image:0" is the input "image"; outputs are called "StatefulPartitionedCall:0" whatever they
    hold, and ours is the gaze. A network that was trained with rounding in it names its tensors after its layers,
    "network/image_pixels/..." and "network/gaze/...". Any other name stays as it is.
    """
    if tensor.startswith("network/"):
        return tensor.split("/")[1].removesuffix(INPUT_SUFFIX)
    name = tensor.removeprefix("serving_default_").split(":")[0]
    return "gaze" if name.startswith("StatefulPartitionedCall") else name
