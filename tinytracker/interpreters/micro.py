"""TensorFlow Lite for Microcontrollers on this computer, with the same C++ code as on a board."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np

from tinytracker.errors import ModelError
from tinytracker.interpreters.base import Array, frame_count, has_state, stacked
from tinytracker.interpreters.micro_process import MicroCrashError, MicroProcess, MicroRefusalError
from tinytracker.interpreters.refusals import REQUANTIZE, fatal_scale
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import TfliteModel
from tinytracker.requirements import require

ARENAS = (64 << 20, 256 << 20, 1 << 30)
"""Arena sizes in bytes to try in order when no size is given."""

_CHUNK_BYTES = 4 << 20  # size of inputs sent at once
_OUT_OF_MEMORY = ("Failed to allocate", "Failed to resize", "too small", "bytes required")
_WAY_OUT = "Package generated C instead (`--runtime c`), or change the model."
_WIDE_SOFTMAX = 512
_LONG_STRIDE = 1 << 15

_T = TypeVar("_T")
_P = ParamSpec("_P")


class MicroInterpreter:
    """TFLM, in a separate process.

    Args:
        model: content of the .tflite file.
        arena_bytes: memory for tensors; None for as much as the model needs, up to the last of `ARENAS`.

    Raises:
        MissingDependencyError: tflite_micro is not installed.
        InputFileError: the file is damaged.
        ModelError: TFLM refuses the model, or crashes on it.
    """

    name = "TFLM"

    def __init__(self, model: bytes, arena_bytes: int | None = None) -> None:
        require("tflite_micro", "tflite-micro", "running a model as a microcontroller does", "train")
        self._content = model
        self._model = read_tflite(model)
        self._process = MicroProcess()
        self._arena_bytes = 0
        self._crashed = False  # crashed with the model loaded; the new process must load it again
        if arena_bytes is None:
            self._load_generously()
        else:
            self.load(arena_bytes)

    def load(self, arena_bytes: int) -> None:
        """Load the model again with an arena of this size.

        Raises:
            ModelError: the arena is too small, or TFLM refuses the model.
        """
        try:
            self._try(arena_bytes)
        except MicroRefusalError as refusal:
            raise self._refused(refusal, f" with an arena of {arena_bytes:,} bytes") from None

    def _load_generously(self) -> None:
        for arena_bytes in ARENAS:
            try:
                return self._try(arena_bytes)
            except MicroRefusalError as refusal:
                last = refusal
                if not _out_of_memory(refusal):
                    raise self._refused(refusal) from None
        raise self._refused(last, f" with an arena of up to {ARENAS[-1]:,} bytes") from None

    def _try(self, arena_bytes: int) -> None:
        self._guarded("loading", MicroProcess.load, self._content, arena_bytes)
        self._arena_bytes, self._crashed = arena_bytes, False

    def run(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """See `base.Interpreter.run`."""
        count = frame_count(inputs)
        at_once = max(1, _CHUNK_BYTES // max(1, sum(array[0].nbytes for array in inputs)))
        outputs = len(self._model.outputs)
        frames: list[list[Array]] = []
        try:
            if self._crashed:
                self.load(self._arena_bytes)
            if has_state(self._model):
                self._guarded("resetting", MicroProcess.reset)
            for k in range(0, count, at_once):
                chunk = [np.ascontiguousarray(array[k : k + at_once]) for array in inputs]
                frames += self._guarded("running", MicroProcess.run, chunk, outputs)
        except MicroRefusalError as refusal:
            raise ModelError(
                f"TFLM cannot run this model (operators {_operators(self._model)}): {refusal.message}",
                _WAY_OUT,
            ) from None
        return stacked(frames)

    def allocations(self) -> str:
        """Return TFLM's memory report, as it prints it."""
        return self._guarded("describing", MicroProcess.allocations)

    def close(self) -> None:
        """End the process; it also ends when this object is deleted."""
        self._process.close()

    def _guarded(
        self,
        doing: str,
        request: Callable[Concatenate[MicroProcess, _P], _T],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _T:
        """Make a request; turn a crash into a ModelError, and start a new process for the next request."""
        try:
            return request(self._process, *args, **kwargs)
        except MicroCrashError as crash:
            self._process.close()
            self._process, self._crashed = MicroProcess(), True
            fatal = fatal_scale(self._model)
            cause = fatal or likely_cause(self._model)
            raise ModelError(
                f"TFLM crashes ({crash.signal}) on {doing} this model (operators {_operators(self._model)})."
                f"{f' Likely cause: {cause}' if cause else ''}",
                REQUANTIZE if fatal else _WAY_OUT,
            ) from None

    def _refused(self, refusal: MicroRefusalError, arena: str = "") -> ModelError:
        return ModelError(
            f"TFLM cannot load this model{arena} (operators {_operators(self._model)}): {refusal.message}",
            "Give it more memory, or use a smaller network."
            if _out_of_memory(refusal)
            else "Use operators, versions and dtypes that TensorFlow Lite for Microcontrollers supports.",
        )


def likely_cause(model: TfliteModel) -> str:
    """Return a sentence on a feature of this model that is known to crash some TFLM versions; "" if there is none."""
    for operator in model.operators:
        values = [model.tensors[i] for i in operator.inputs if i >= 0]
        if operator.name == "SOFTMAX" and values and values[0].shape and values[0].shape[-1] >= _WIDE_SOFTMAX:
            return (
                f"{operator.label} over {values[0].shape[-1]:,} classes; {_WIDE_SOFTMAX} or more equal values overflow "
                "the sum of exponentials."
            )
        if operator.name == "FULLY_CONNECTED" and len(values) > 1 and len(values[1].scales) > 1:
            return f"{operator.label} has a scale per channel, which TFLM supports only since September 2024."
        strides = [operator.options.get(key) for key in ("stride_h", "stride_w")]
        if any(isinstance(stride, int) and stride >= _LONG_STRIDE for stride in strides):
            return f"{operator.label} has strides of {strides[0]} and {strides[1]}, which TFLM stores in 16 bits."
    return ""


def _out_of_memory(refusal: MicroRefusalError) -> bool:
    return any(words in refusal.message for words in _OUT_OF_MEMORY)


def _operators(model: TfliteModel) -> str:
    return ", ".join(sorted({operator.name for operator in model.operators}))
