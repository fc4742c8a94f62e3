"""Generated C compiled on this computer: a further runtime to compare with the oracle."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.codegen.edges import dequantized_output, quantized_input, with_integer_ends
from tinytracker.codegen.generation import GeneratedLibrary, generate
from tinytracker.codegen.kernel import KernelSet
from tinytracker.codegen.reference_kernels import PORTABLE
from tinytracker.errors import MissingDependencyError, ModelError
from tinytracker.interpreters.base import frame_count, stacked
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import Tensor, TfliteModel
from tinytracker.quant.contract import IoContract

_NAME = "model"


def host_compiler() -> str | None:
    """Return a C compiler of this computer, or None."""
    return shutil.which("cc") or shutil.which("gcc")


class GeneratedRuntime:
    """The generated library of a model, compiled and loaded; a `tinytracker.interpreters.base.Interpreter`.

    Args:
        model: content of the .tflite file.
        kernels: kernel set of the generated C.
        cores: number of cores that the C is divided over; here one thread computes the parts of all of them.
        integer_ends: generate C with the 8-bit tensors behind float32 inputs and outputs; `run` still takes and returns
            what the file says, and quantizes and dequantizes as a caller on the board has to.

    Attributes:
        library: what was generated (its files are deleted). contract: inputs and outputs.

    Raises:
        MissingDependencyError: this computer has no C compiler.
        ModelError: C cannot be generated from the model, or the compiler rejects it.
    """

    name = "generated C"

    def __init__(
        self, model: bytes, kernels: KernelSet = PORTABLE, integer_ends: bool = False, cores: int = 1
    ) -> None:
        compiler = host_compiler()
        if compiler is None:
            raise MissingDependencyError(
                "A C compiler", "comparing generated C with the oracle", "apt-get install gcc"
            )
        self._model: TfliteModel = read_tflite(model)
        self._inside = with_integer_ends(self._model) if integer_ends else self._model
        self.contract = IoContract.of(self._model)
        # The library stays loaded after its file is deleted.
        with tempfile.TemporaryDirectory() as folder:
            self.library: GeneratedLibrary = generate(
                self._inside, folder, name=_NAME, kernels=kernels, cores=cores
            )
            shared = Path(folder) / "network.so"
            command = [
                compiler,
                "-std=c99",
                "-O2",
                "-shared",
                "-fPIC",
                f"-I{folder}",
                *map(str, self.library.sources),
            ]
            done = subprocess.run([*command, "-o", str(shared)], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise ModelError(
                    f"{self._model.source}: {compiler} rejects the generated C: {done.stderr.strip()[:300]}"
                )
            loaded = ctypes.CDLL(str(shared))
        self._reset = loaded[f"{_NAME}_reset"] if f"{_NAME}_reset" in self.library.functions else None
        self._run = loaded[f"{_NAME}_run_packed"]
        self._run.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
        self._run.restype = ctypes.c_int

    def run(self, inputs: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        """See `tinytracker.interpreters.base.Interpreter.run`."""
        if self._reset is not None:
            self._reset()
        tensors = self._inside.output_tensors()
        inputs = (
            [
                quantized_input(values, tensor)
                for values, tensor in zip(inputs, self._inside.input_tensors(), strict=True)
            ]
            if self._inside is not self._model
            else inputs
        )
        packed = ctypes.create_string_buffer(sum(t.nbytes for t in tensors))
        frames = []
        for frame in range(frame_count(inputs)):
            code = self._run(b"".join(array[frame].tobytes() for array in inputs), packed)
            if code != 0:
                raise ModelError(f"{self._model.source}: the generated C returned error {code}.")
            frames.append(self._as_in_the_file(_unpacked(packed.raw, tensors)))
        return stacked(frames)

    def _as_in_the_file(self, outputs: list[NDArray[Any]]) -> list[NDArray[Any]]:
        """Return the outputs in the types of the file; with integer ends the caller dequantizes, as here."""
        pairs = zip(outputs, self._inside.output_tensors(), self._model.output_tensors(), strict=True)
        return [
            dequantized_output(codes, inside) if inside.index != outside.index else codes
            for codes, inside, outside in pairs
        ]


def _unpacked(packed: bytes, tensors: Sequence[Tensor]) -> list[NDArray[Any]]:
    """Split packed outputs, and return each in its dtype and shape."""
    outputs, start = [], 0
    for t in tensors:
        outputs.append(np.frombuffer(packed, t.dtype, t.elements, start).reshape(t.shape))
        start += t.nbytes
    return outputs
