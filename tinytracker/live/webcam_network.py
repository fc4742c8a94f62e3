"""A network with an aim on this computer: a picture in, gaze and aim out, with the integers that a board computes."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from tinytracker.aim.answer import AimAnswer, read_aim
from tinytracker.arrays import Pixels
from tinytracker.errors import MissingDependencyError, ModelError
from tinytracker.files import sha256_bytes
from tinytracker.interpreters import Interpreter, MicroInterpreter, ReferenceInterpreter
from tinytracker.model.presets import PRESETS
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.contract import AimDecoding, IoContract

Point = tuple[float, float]

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

    Attributes:
        width, height: of its picture, px. grey: one channel instead of three.
        sha256: of the file. runtime: what computes it.

    Raises:
        ModelError: its output has no aim, or its input is not a picture in INT8.
        MissingDependencyError: nothing that can run it is installed.
    """

    def __init__(self, content: bytes, name: str) -> None:
        model = read_tflite(content, name)
        self._contract = IoContract.of(model)
        self._aim = _aim(self._contract, name)
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
        x, y = self._contract.decode(raw)[0].tolist()
        return Look((x, y), read_aim(self._aim.of_raw(raw)[0]))


def _aim(contract: IoContract, name: str) -> AimDecoding:
    """Return where the codes of the aim lie.

    Raises:
        ModelError: the network has none.
    """
    if contract.aim is None:
        known = ", ".join(preset.name for preset in PRESETS.values() if preset.aim)
        raise ModelError(
            f"{name}: this network has no aim, so it cannot find the eyes in a picture.",
            f"Use a network with an aim, of the presets {known}.",
        )
    return contract.aim


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
