"""What goes into a quantized model and what comes out: the one place where codes become tensors and tensors gaze."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import ModelError
from tinytracker.model.tflite_file import Tensor, TfliteModel

Codes = dict[str, NDArray[np.uint8]]
"""Network inputs by name as the camera and the crop give them: uint8 codes p, (N, H, W, C); the value is p/128 - 1."""

PIXEL_SCALE = 1 / 128
"""Scale of every input of ours; with zero point 0 the INT8 input is q = p - 128, with UINT8 I/O it is p itself."""

_INPUT_DTYPES = ("int8", "uint8")
_OUTPUT_DTYPES = ("int8", "uint8", "int16", "float32")


@dataclass(frozen=True)
class TensorContract:
    """One input or output tensor of a model.

    Attributes:
        name: short name ("image", "gaze").
        tensor: name inside the file.
        shape: with the batch dimension, which is 1.
        dtype: "int8", "uint8", "int16" or, for an output, "float32".
        scale: real value of one step. zero_point: code of the real value 0. (1 and 0 for float32.)
    """

    name: str
    tensor: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int


@dataclass(frozen=True)
class IoContract:
    """Inputs and outputs of a quantized model, in the order of the file."""

    inputs: tuple[TensorContract, ...]
    outputs: tuple[TensorContract, ...]

    @classmethod
    def of(cls, model: TfliteModel) -> IoContract:
        """The contract of a .tflite file.

        Raises:
            ModelError: an input is not INT8 or UINT8, or an output has a dtype that cannot be decoded.
        """
        inputs = tuple(_describe(t, _INPUT_DTYPES, "input") for t in model.input_tensors())
        outputs = tuple(_describe(t, _OUTPUT_DTYPES, "output") for t in model.output_tensors())
        return cls(inputs, outputs)

    @property
    def is_pixel_exact(self) -> bool:
        """True when a camera byte goes in by an addition at most: scale 1/128 and the zero point of p/128 - 1."""
        zero = {"int8": 0, "uint8": 128}
        return all(t.scale == PIXEL_SCALE and t.zero_point == zero[t.dtype] for t in self.inputs)

    def encode(self, codes: Codes, frame: int) -> list[NDArray[Any]]:
        """One frame's input tensors, each (1, H, W, C), in the order of the file.

        Args:
            codes: inputs by name; a model with one input takes the only entry whatever its name.
            frame: index along the first axis.
        """
        tensors = []
        for t in self.inputs:
            p = codes[t.name] if len(self.inputs) > 1 else next(iter(codes.values()))
            value = (p[frame : frame + 1].astype(np.float64) / 128 - 1) / t.scale + t.zero_point
            info = np.iinfo(t.dtype)
            tensors.append(np.clip(np.rint(value), info.min, info.max).astype(t.dtype).reshape(t.shape))
        return tensors

    def decode(self, raw: NDArray[Any]) -> NDArray[np.float64]:
        """Raw values of the first output, (N, 2), to gaze in cm."""
        t = self.outputs[0]
        return (raw.astype(np.float64) - t.zero_point) * t.scale

    def as_json(self) -> dict[str, Any]:
        """For manifests."""
        return {"inputs": [asdict(t) for t in self.inputs], "outputs": [asdict(t) for t in self.outputs]}


def _describe(tensor: Tensor, allowed: tuple[str, ...], role: str) -> TensorContract:
    if tensor.dtype not in allowed:
        raise ModelError(
            f"The {role} {tensor.name!r} is {tensor.dtype}, not {' or '.join(allowed)}.",
            "Use a model that is quantized to INT8, for example one that `tinytracker quantize` made.",
        )
    quantized = tensor.dtype != "float32"
    if quantized and len(tensor.scales) != 1:
        raise ModelError(
            f"The {role} {tensor.name!r} is {tensor.dtype} without a scale.",
            "Quantize the model with a calibration set.",
        )
    return TensorContract(
        short_name(tensor.name), tensor.name, tensor.shape, tensor.dtype,
        tensor.scale if quantized else 1.0, tensor.zero_point if quantized else 0,
    )  # fmt: skip


def short_name(tensor: str) -> str:
    """What a tensor is, from TensorFlow's name for it.

    "serving_default_image:0" is the input "image"; outputs are called "StatefulPartitionedCall:0" whatever they
    hold, and ours is the gaze. Any other name stays as it is.
    """
    name = tensor.removeprefix("serving_default_").split(":")[0]
    return "gaze" if name.startswith("StatefulPartitionedCall") else name
