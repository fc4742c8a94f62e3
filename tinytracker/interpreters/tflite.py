"""TensorFlow Lite on this computer: its reference kernels, and its default kernels for comparison."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any

from tinytracker.capture import captured_output
from tinytracker.errors import ModelError
from tinytracker.interpreters.base import Array, frame_count, has_state, stacked
from tinytracker.interpreters.refusals import explain_refusal, refuse_fatal
from tinytracker.model.tflite_file import read_tflite
from tinytracker.requirements import require_tensorflow

# A kernel that refuses raises RuntimeError; a model, operator or array that does not fit, ValueError or TypeError.
_REFUSALS = (RuntimeError, ValueError, TypeError)


class ReferenceInterpreter:
    """TensorFlow Lite with the `BUILTIN_REF` kernels, with which every other runtime is compared.

    Args:
        model: content of the .tflite file.
        inner: indices of inner tensors whose values `run` returns after the outputs. Then all tensors are kept,
            which costs memory.

    Raises:
        MissingDependencyError: TensorFlow is not installed.
        InputFileError: the file is damaged.
        ModelError: TensorFlow Lite refuses the model.
    """

    name = "BUILTIN_REF"
    _kernels = "BUILTIN_REF"

    def __init__(self, model: bytes, inner: Sequence[int] = ()) -> None:
        require_tensorflow("running a model with TensorFlow Lite")
        self._content = model
        self._model = read_tflite(model)
        self._inner = tuple(inner)
        self._ordered = has_state(self._model)
        refuse_fatal(self._model)
        self._idle: SimpleQueue[Any] = SimpleQueue()
        self._idle.put(self._create())

    def run(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """See `base.Interpreter.run`; frames are distributed over the cores unless the model has state."""
        count = frame_count(inputs)
        if self._ordered:
            self._reset()
        with ThreadPoolExecutor(1 if self._ordered else os.cpu_count() or 1) as pool:
            return stacked(list(pool.map(lambda k: self._one([array[k] for array in inputs]), range(count))))

    def _create(self) -> Any:
        import tensorflow as tf

        try:
            interpreter = tf.lite.Interpreter(
                model_content=self._content,
                experimental_op_resolver_type=tf.lite.experimental.OpResolverType[self._kernels],
                experimental_preserve_all_tensors=bool(self._inner),
                num_threads=1,
            )
            interpreter.allocate_tensors()
        except _REFUSALS as error:
            raise self._refusal(error) from error
        return interpreter

    def _one(self, values: Sequence[Array]) -> list[Array]:
        """Return outputs and inner tensors of one frame; an interpreter serves one thread at a time."""
        try:
            interpreter = self._idle.get_nowait()
        except Empty:
            interpreter = self._create()
        try:
            for detail, value in zip(interpreter.get_input_details(), values, strict=True):
                interpreter.set_tensor(detail["index"], value)
            interpreter.invoke()
            indices = [detail["index"] for detail in interpreter.get_output_details()]
            outputs = [interpreter.get_tensor(index) for index in (*indices, *self._inner)]
        except _REFUSALS as error:
            raise self._refusal(error) from error
        self._idle.put(interpreter)
        return outputs

    def _reset(self) -> None:
        interpreter = self._idle.get()
        interpreter.reset_all_variables()
        self._idle.put(interpreter)

    def _refusal(self, error: Exception) -> ModelError:
        reason, hint = explain_refusal(self._model, str(error))
        return ModelError(f"TensorFlow Lite ({self.name}) refuses this model: {reason}", hint)


class DefaultInterpreter(ReferenceInterpreter):
    """TensorFlow Lite with its default, optimized kernels, which no device runs; see `ReferenceInterpreter`."""

    name = "TFLite default kernels"
    _kernels = "AUTO"

    def __init__(self, model: bytes) -> None:
        with captured_output():  # it announces its optimized kernels once per process
            super().__init__(model)
