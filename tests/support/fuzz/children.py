"""Runtimes that may crash, each in a process of its own that is started again when it dies."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

Inputs = list[list[np.ndarray]]
Outputs = list[list[np.ndarray]]
"""Per set of inputs, per output."""

Runner = Callable[[bytes, Inputs], Outputs]

TIMEOUT_S = 120.0
_ARENA_BYTES = 16 << 20


class Child:
    """Runs models in another process."""

    def __init__(self) -> None:
        self._process: Any = None
        self._connection: Any = None

    def run(self, function: Runner, model: bytes, inputs: Inputs) -> Outputs | str:
        """The outputs, or why there are none: an error's message, or "crashed (signal 11)".

        Args:
            function: of this module. model: content of the .tflite file. inputs: for it.
        """
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._connection, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        try:
            self._connection.send((function, model, inputs))
            if not self._connection.poll(TIMEOUT_S):
                self.close()
                return f"did not answer within {TIMEOUT_S:g} s"
            answer: Outputs | str = self._connection.recv()
            return answer
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode
            self.close()
            return f"crashed (signal {-code})" if code < 0 else f"ended with code {code}"

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None


def _serve(connection: Connection) -> None:
    from tinytracker.capture import captured_output

    while True:
        try:
            function, model, inputs = connection.recv()
        except EOFError:
            return
        try:
            with captured_output():
                answer: Outputs | str = function(model, inputs)
        except (RuntimeError, ValueError) as error:
            answer = " ".join(str(error).split())[:300]
        connection.send(answer)


def builtin_ref(model: bytes, inputs: Inputs) -> Outputs:
    """TFLite's reference kernels."""
    return _tflite(model, inputs, "BUILTIN_REF")


def builtin(model: bytes, inputs: Inputs) -> Outputs:
    """TFLite's optimised kernels, without delegates."""
    return _tflite(model, inputs, "BUILTIN_WITHOUT_DEFAULT_DELEGATES")


def _tflite(model: bytes, inputs: Inputs, kernels: str) -> Outputs:
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(
        model_content=model,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType[kernels],
        num_threads=1,
    )
    interpreter.allocate_tensors()
    results = []
    for values in inputs:
        for detail, value in zip(interpreter.get_input_details(), values, strict=True):
            interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()
        results.append([interpreter.get_tensor(d["index"]).copy() for d in interpreter.get_output_details()])
    return results


def tflm(model: bytes, inputs: Inputs) -> Outputs:
    """TensorFlow Lite for Microcontrollers."""
    from tflite_micro import runtime

    from tinytracker.model.tflite_file import read_tflite

    count = len(read_tflite(model).outputs)
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=_ARENA_BYTES)
    results = []
    for values in inputs:
        for i, value in enumerate(values):
            interpreter.set_input(value, i)
        interpreter.invoke()
        results.append([np.array(interpreter.get_output(i)) for i in range(count)])
    return results
