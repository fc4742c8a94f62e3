"""What a board says about itself in `tt hello`: the host needs to know nothing else about it."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tinytracker.data.crops import reference_width
from tinytracker.errors import ModelError
from tinytracker.measure.gate import BoardGate, parse_gate
from tinytracker.measure.protocol import PROTOCOL_VERSION, REGION_STEPS, Aimed, Gated, Message
from tinytracker.measure.session import LEAST_TICKS_PER_S, MOST_TICKS_PER_S
from tinytracker.quant.contract import IoContract, TensorContract, short_name

CLOCK_KINDS = ("device", "emulated")
SOURCES = ("camera", "loaded")

_DTYPES = ("int8", "uint8", "float32", "int32", "int64")
_PHASES_MAX = 32


@dataclass(frozen=True)
class Board:
    """A board with a network inside.

    Attributes:
        name, build: of board and firmware.
        model_sha256: of the .tflite file that the network was made from, 64 hexadecimal digits.
        ticks_per_s: of every time stamp. clock: "device", or "emulated" when no real time passes.
        source: "camera", or "loaded" when each frame uses the image that the host sent.
        phases: names in order; a frame's record has one time stamp more.
        io: inputs and outputs of the network.
        protocol: version that the board speaks.
        frame_px: width and height of the whole frame when the board aims its crop in it, else None.
        takes_frames: `tt load` also takes a whole frame.
        reference_px: width of the region for which the network answers in cm; None when the region does not matter.
        stamps_are_host: its time stamps are ns of this computer's clock (`host_clock`).
        runs_between_frames: it streams and infers all the time, so that it is not idle between the frames.
        gate: in front of its network; None when that runs on every frame.
        is_exact: its runtime must equal the oracle bit for bit; False for one that rounds in floating point.
    """

    name: str
    build: str
    model_sha256: str
    ticks_per_s: float
    clock: str
    source: str
    phases: tuple[str, ...]
    io: IoContract
    protocol: int = PROTOCOL_VERSION
    frame_px: tuple[int, int] | None = None
    takes_frames: bool = False
    reference_px: float | None = None
    stamps_are_host: bool = False
    runs_between_frames: bool = False
    is_exact: bool = True
    gate: BoardGate | None = None

    @property
    def input_bytes(self) -> int:
        """Packed size of all inputs, what `tt load` takes."""
        return sum(math.prod(t.shape) * np.dtype(t.dtype).itemsize for t in self.io.inputs)

    @property
    def loads_bytes(self) -> tuple[int, ...]:
        """Sizes that `tt load` takes: all inputs and, where a board takes frames, a grey and an RGB one."""
        if self.frame_px is None or not self.takes_frames:
            return (self.input_bytes,)
        pixels = self.frame_px[0] * self.frame_px[1]
        return self.input_bytes, pixels, 3 * pixels

    @property
    def is_emulated(self) -> bool:
        """Whether its times are counted instructions; must be stated wherever they are shown."""
        return self.clock == "emulated"

    def gaze_cm(
        self, outputs: bytes, aim: Aimed | None = None, gated: Gated | None = None
    ) -> tuple[float, float] | None:
        """Gaze in cm from a frame's raw outputs, or None when it has none.

        Args:
            outputs: packed as the network stores them.
            aim: of the frame; without eyes in its region there is no gaze, and its width decides the unit.
            gated: of the frame, if it went through a gate: the width of the region that was answered, maybe earlier.
        """
        gaze = gaze_cm(self.io, outputs)
        if aim is None or gaze is None:
            return gaze
        width = aim.width if gated is None else gated.answered_width
        if not aim.has_eyes or self.reference_px is None or width == 0:
            return None
        unit = self.reference_px * REGION_STEPS / width
        return unit * gaze[0], unit * gaze[1]

    def as_json(self) -> dict[str, Any]:
        """For the JSON document."""
        return {
            "name": self.name, "build": self.build, "protocol": self.protocol, "model_sha256": self.model_sha256,
            "ticks_per_s": self.ticks_per_s, "clock": self.clock, "source": self.source,
            "phases": list(self.phases), **({} if self.frame_px is None else {"frame_px": list(self.frame_px)}),
            **({} if self.gate is None else {"gate": self.gate.as_json()}),
            **self.io.as_json(),
        }  # fmt: skip


def gaze_cm(io: IoContract, outputs: bytes) -> tuple[float, float] | None:
    """Gaze in cm from packed raw outputs, or None when the first output is not a gaze; see `quant.contract`."""
    try:
        decoding = io.gaze if io.outputs else None
    except ModelError:
        decoding = None
    if decoding is None:
        return None
    dtype, count = np.dtype(io.outputs[0].dtype), math.prod(io.outputs[0].shape)
    if len(outputs) < count * dtype.itemsize:
        return None
    x, y = decoding.decode(np.frombuffer(outputs, dtype, count)[None])[0]
    return float(x), float(y)


def tensors_as_json(tensors: Sequence[TensorContract]) -> tuple[dict[str, Any], ...]:
    """For a session's header."""
    return tuple(asdict(t) | {"shape": list(t.shape)} for t in tensors)


def contract_of(inputs: Sequence[dict[str, Any]], outputs: Sequence[dict[str, Any]]) -> IoContract:
    """The contract back from a session's header.

    Raises:
        ModelError: a field is missing or invalid.
    """

    def one(described: dict[str, Any]) -> TensorContract:
        try:
            tensor = TensorContract(
                str(described["name"]), str(described.get("tensor", described["name"])),
                tuple(int(n) for n in described["shape"]), str(np.dtype(described["dtype"])),
                float(described["scale"]), int(described["zero_point"]),
            )  # fmt: skip
            if not _is_possible(tensor):
                raise ValueError("a number is out of range")
            return tensor
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ModelError(
                f"The session describes a tensor as {described!r}, which is not valid."
            ) from error

    return IoContract(tuple(one(t) for t in inputs), tuple(one(t) for t in outputs))


def _is_possible(tensor: TensorContract) -> bool:
    """Whether a tensor's numbers fit the types that a model file has for them."""
    return (
        all(0 <= n < 1 << 31 for n in tensor.shape)
        and 0 < tensor.scale <= float(np.finfo(np.float32).max)
        and abs(tensor.zero_point) < 1 << 31
    )


def parse_hello(messages: Sequence[Message]) -> Board:
    """The board, from the lines that answer `tt hello`.

    Raises:
        ValueError: a line is missing or damaged; says which.
    """
    single = {m.name: m.value for m in messages if m.name not in ("input", "output")}
    missing = [
        name
        for name in ("protocol", "board", "build", "model", "time", "source", "phases")
        if name not in single
    ]
    if missing:
        raise ValueError(f"the line m-tt-{missing[0]} is missing")
    if not single["protocol"].isdigit():
        raise ValueError(f"the protocol version is {single['protocol']!r}")
    hz, _, clock = single["time"].partition(",")
    phases = tuple(single["phases"].split(","))
    if not re.fullmatch(r"[0-9a-f]{64}", single["model"]):
        raise ValueError(f"the model's hash is {single['model']!r}")
    if (
        not re.fullmatch(r"\d{1,20}", hz)
        or not LEAST_TICKS_PER_S <= int(hz) <= MOST_TICKS_PER_S
        or clock not in CLOCK_KINDS
    ):
        raise ValueError(f"the clock is {single['time']!r}")
    if single["source"] not in SOURCES:
        raise ValueError(f"the source of images is {single['source']!r}")
    if not all(phases) or len(set(phases)) < len(phases) or len(phases) > _PHASES_MAX:
        raise ValueError(f"the phases are {single['phases']!r}")
    io = IoContract(_tensors(messages, "input"), _tensors(messages, "output"))
    frame_px, takes_frames = _aim(single.get("aim"))
    return Board(
        single["board"], single["build"], single["model"], float(hz), clock, single["source"], phases, io,
        int(single["protocol"]), frame_px, takes_frames, None if frame_px is None else reference_width(*frame_px),
        gate=parse_gate(single),
    )  # fmt: skip


def _aim(value: str | None) -> tuple[tuple[int, int] | None, bool]:
    """Size of the whole frame, and whether it can be loaded, of a board that aims."""
    if value is None:
        return None, False
    found = re.fullmatch(r"([1-9]\d{0,4}),([1-9]\d{0,4}),(frames|inputs)", value)
    if found is None:
        raise ValueError(f"the aim is {value!r}")
    return (int(found[1]), int(found[2])), found[3] == "frames"


def _tensors(messages: Sequence[Message], role: str) -> tuple[TensorContract, ...]:
    tensors = []
    for number, message in enumerate(m for m in messages if m.name == role):
        fields = message.value.split(",")
        if len(fields) != 7 or fields[0] != str(number):
            raise ValueError(f"{role} {number} is {message.value!r}")
        _, name, dtype, shape, scale, zero, size = fields
        if dtype not in _DTYPES or not re.fullmatch(r"\d{1,9}(x\d{1,9})*", shape):
            raise ValueError(f"{role} {number} is {message.value!r}")
        if not re.fullmatch(r"[0-9a-f]{8}", scale) or not re.fullmatch(r"-?\d{1,4}", zero):
            raise ValueError(f"{role} {number} is {message.value!r}")
        dimensions = tuple(int(n) for n in shape.split("x"))
        real = struct.unpack(">f", bytes.fromhex(scale))[0]
        # A float32 tensor has no scale: the generated code writes 0 for it.
        is_float = dtype == "float32"
        if not is_float and not (math.isfinite(real) and real > 0):
            raise ValueError(f"{role} {number} has the scale {real}")
        if size != str(math.prod(dimensions) * np.dtype(dtype).itemsize):
            raise ValueError(f"{role} {number} has {size} bytes, which does not match its shape")
        quantization = (1.0, 0) if is_float else (real, int(zero))
        tensors.append(TensorContract(short_name(name), name, dimensions, dtype, *quantization))
    if not tensors:
        raise ValueError(f"it describes no {role}")
    return tuple(tensors)
