"""A compiled .tflite file as plain values: operators on the chip, what they contain, and operators on the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinytracker.errors import InputFileError
from tinytracker.files import read_bytes
from tinytracker.flatbuffer import DamagedError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import Operator, TfliteModel
from tinytracker.package.coralmicro.edgetpu.executable import MARK, Executable, TpuPackage, read_package
from tinytracker.package.coralmicro.edgetpu.flexbuffer import read_map

CUSTOM_OPERATOR = "CUSTOM:edgetpu-custom-op"
_PACKAGE_KEY, _FURTHER_PACKAGES_KEY = "4", "7"  # libedgetpu, tflite/custom_op_data.cc
_BARE_EXECUTABLE_KEY = "3"
"""In the oldest files, this key and key 4 hold executables of another schema, without a package around them."""


@dataclass(frozen=True)
class TpuOperator:
    """One custom operator.

    Attributes:
        operator: operator in the .tflite graph. package: its content.
        further_packages: packages for other chips; the board's driver ignores them.
    """

    operator: Operator
    package: TpuPackage
    further_packages: int

    @property
    def caching(self) -> tuple[Executable, ...]:
        """Return the executables that run once and fill the chip's memory."""
        return tuple(e for e in self.package.executables if e.type == "PARAMETER_CACHING")

    @property
    def running(self) -> tuple[Executable, ...]:
        """Return the executables that run in every inference."""
        return tuple(e for e in self.package.executables if e.type != "PARAMETER_CACHING")


@dataclass(frozen=True)
class CompiledModel:
    """A compiled file.

    Attributes:
        model: the .tflite graph around the custom operators.
        tpu_operators: operators on the Edge TPU.
        cpu_operators: operators on the CPU.
    """

    model: TfliteModel
    tpu_operators: tuple[TpuOperator, ...]
    cpu_operators: tuple[Operator, ...]

    def _sum(self, kind: str) -> int:
        return sum(e.hinted_bytes(kind) for o in self.tpu_operators for e in o.running)

    @property
    def cached_bytes(self) -> int:
        """Return the bytes of parameters kept in the chip's memory; sent once."""
        return sum(e.parameter_bytes for o in self.tpu_operators for e in o.caching)

    @property
    def streamed_bytes(self) -> int:
        """Return the bytes of parameters sent again for every inference."""
        return sum(e.parameter_bytes for o in self.tpu_operators for e in o.running)

    @property
    def instruction_bytes(self) -> int:
        """Return the bytes of instructions sent for every inference."""
        return self._sum("instructions")

    @property
    def input_bytes(self) -> int:
        """Return the bytes of activations sent to the chip per inference, padding included."""
        return self._sum("input")

    @property
    def output_bytes(self) -> int:
        """Return the bytes of activations received from the chip per inference, padding included."""
        return self._sum("output")

    @property
    def transferred_bytes(self) -> int:
        """Return all bytes over USB per inference, after the first."""
        return self.instruction_bytes + self.input_bytes + self.output_bytes + self.streamed_bytes


def read_compiled(source: Path | str | bytes, name: str = "") -> CompiledModel:
    """Read a file that `edgetpu_compiler` wrote.

    Args:
        source: path, or the bytes themselves.
        name: name of the model in messages, when bytes are given.

    Raises:
        InputFileError: not a .tflite file, not compiled for the Edge TPU, or damaged.
        ModelError: a .tflite file whose graph contradicts itself.
    """
    content = source if isinstance(source, bytes) else read_bytes(Path(source))
    label = name or ("compiled model in memory" if isinstance(source, bytes) else str(source))
    model = read_tflite(content, label)
    on_chip = tuple(o for o in model.operators if o.name == CUSTOM_OPERATOR)
    if not on_chip:
        raise InputFileError(
            label, "not compiled for the Edge TPU (no edgetpu-custom-op in it)",
            "Compile it with edgetpu_compiler; `tinytracker check --target coralmicro` shows what would map.",
        )  # fmt: skip
    try:
        tpu_operators = tuple(_tpu_operator(o) for o in on_chip)
    except DamagedError as error:
        raise InputFileError(
            label, f"the Edge TPU package in it cannot be read ({error})", "Compile or copy it again."
        ) from error
    return CompiledModel(model, tpu_operators, tuple(o for o in model.operators if o not in on_chip))


def _tpu_operator(operator: Operator) -> TpuOperator:
    entries = read_map(operator.custom_options)
    package = entries.get(_PACKAGE_KEY)
    if not isinstance(package, bytes):
        raise DamagedError("it has no package")
    further = entries.get(_FURTHER_PACKAGES_KEY)
    if package[4:8] != MARK and entries.get(_BARE_EXECUTABLE_KEY):
        raise DamagedError("it has the layout of compilers before version 1.0")
    return TpuOperator(operator, read_package(package), len(further) if isinstance(further, tuple) else 0)
