"""A network with an aim on this computer: a picture in, gaze and aim out, with the integers that a board computes."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from math import prod

import numpy as np

from tinytracker.aim.answer import AimAnswer, read_aim
from tinytracker.aim.layout import AIM, code_count
from tinytracker.arrays import Pixels
from tinytracker.errors import MissingDependencyError, ModelError
from tinytracker.files import sha256_bytes
from tinytracker.interpreters import Interpreter, MicroInterpreter, ReferenceInterpreter
from tinytracker.model.output import LIMIT_CM, GazeOutput
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.contract import GazeDecoding, IoContract

Point = tuple[float, float]

_AIM_CODES = code_count(AIM)
_NEEDED_FOR = "running a network on this computer"


@dataclass(frozen=True)
class Look:
    """What the network answers to one picture.

    Attributes:
        gaze: in units of the network: cm for a crop of the reference width.
        aim: where the strip lies relative to the crop.
    """

    gaze: Point
    aim: AimAnswer


class AimedNetwork:
    """An INT8 network whose output is a segmented gaze followed by an aim.

    Args:
        content: of the .tflite file.
        name: for messages.
        with_aim: names of networks that have one, for the way out.

    Attributes:
        width, height: of its picture, px. grey: one channel instead of three.
        sha256: of the file. runtime: what computes it.

    Raises:
        ModelError: its output has no aim, or its input is not a picture in INT8.
        MissingDependencyError: nothing that can run it is installed.
    """

    def __init__(self, content: bytes, name: str, with_aim: tuple[str, ...] = ()) -> None:
        model = read_tflite(content, name)
        self._contract = IoContract.of(model)
        self._decoding = _decoding(self._contract, name, with_aim)
        shape = self._contract.inputs[0].frame_shape
        if len(self._contract.inputs) != 1 or len(shape) != 3 or shape[2] not in (1, 3):
            raise ModelError(
                f"{name}: the input is not one picture in grey or RGB.", "Use a network that sees a strip."
            )
        self.height, self.width = shape[:2]
        self.grey = shape[2] == 1
        self.sha256 = sha256_bytes(content)
        self._interpreter = host_interpreter(content)
        self.runtime = self._interpreter.name

    def look(self, picture: Pixels) -> Look:
        """Run the network.

        Args:
            picture: uint8 (height, width, 1 or 3).
        """
        inputs = self._contract.encode_all({"image": picture[None]})
        raw = self._interpreter.run(inputs)[0].reshape(1, -1)
        split = raw.shape[1] - _AIM_CODES
        x, y = self._decoding.decode(raw[:, :split])[0].tolist()
        codes = raw[0, split:].astype(np.int64) - self._decoding.zero_point
        return Look((x, y), read_aim(codes))


def _decoding(contract: IoContract, name: str, with_aim: tuple[str, ...]) -> GazeDecoding:
    """Return how the first codes of the output become a gaze."""
    output = contract.outputs[0]
    segments, odd = divmod(prod(output.shape) - _AIM_CODES, 2)
    if segments < 1 or odd or output.dtype not in ("int8", "uint8"):
        known = f" Presets with an aim: {', '.join(with_aim)}." if with_aim else ""
        raise ModelError(
            f"{name}: this network has no aim ({prod(output.shape)} outputs, and an aim takes {_AIM_CODES}), so it "
            "cannot find the eyes in a picture.",
            f"Use a network with an aim.{known}",
        )
    step_cm = GazeOutput(segments).width_cm / 6.0 * output.scale
    return GazeDecoding(segments, -LIMIT_CM, step_cm, output.zero_point)


def host_interpreter(content: bytes) -> Interpreter:
    """Return the first of three runtimes that is there; all give the same bytes.

    Generated C needs a C compiler alone, TFLM its wheel, and TensorFlow takes seconds to start.

    Raises:
        MissingDependencyError: none is installed.
    """
    from tinytracker.codegen.host import GeneratedRuntime, host_compiler

    if host_compiler() is not None:
        return GeneratedRuntime(content)
    if find_spec("tflite_micro") is not None:
        return MicroInterpreter(content)
    if find_spec("tensorflow") is not None:
        return ReferenceInterpreter(content)
    raise MissingDependencyError("A C compiler", _NEEDED_FOR, "apt-get install gcc")
