"""Two interpreters that must agree bit for bit: TensorFlow Lite's reference kernels (the oracle) and TFLM.

TensorFlow Lite's default kernels are here to be compared only: they differ from the reference by several output steps
on networks like ours, and no device runs them.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinytracker.capture import captured_output
from tinytracker.errors import ModelError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import TfliteModel
from tinytracker.quant.contract import Codes, IoContract
from tinytracker.requirements import require, require_tensorflow

Step = Callable[[int], None]


class Runtime(Protocol):
    """Something that runs a quantized model."""

    name: str
    contract: IoContract

    def run(self, codes: Codes, advance: Step = ...) -> NDArray[Any]:
        """Raw values of the first output for each frame, (N, outputs), in the model's output dtype."""


def _ignore(n: int) -> None:
    """The progress of somebody who does not look."""


class ReferenceRuntime:
    """TensorFlow Lite with the `BUILTIN_REF` kernels: the oracle that every other runtime is compared with.

    Args:
        model: the .tflite file's content.
        inner: index of a tensor within the graph that `run_with_inner` gives besides the output; keeping all tensors
            costs memory, so that nobody else asks for it.
    """

    name = "BUILTIN_REF"
    _kernels = "BUILTIN_REF"

    def __init__(self, model: bytes, inner: int | None = None) -> None:
        require_tensorflow("running a model with TensorFlow Lite")
        self._model = model
        self._inner = inner
        self.contract = IoContract.of(read_tflite(model))
        self._local = threading.local()

    def _interpreter(self) -> Any:
        if not hasattr(self._local, "interpreter"):
            import tensorflow as tf

            self._local.interpreter = tf.lite.Interpreter(
                model_content=self._model,
                experimental_op_resolver_type=tf.lite.experimental.OpResolverType[self._kernels],
                experimental_preserve_all_tensors=self._inner is not None,
                num_threads=1,
            )
            self._local.interpreter.allocate_tensors()
        return self._local.interpreter

    def _one(self, codes: Codes, frame: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """The first output and the inner tensor, raw and flat; without an inner tensor the output twice."""
        interpreter = self._interpreter()
        for detail, tensor in zip(
            interpreter.get_input_details(), self.contract.encode(codes, frame), strict=True
        ):
            interpreter.set_tensor(detail["index"], tensor)
        interpreter.invoke()
        output = interpreter.get_output_details()[0]["index"]
        inner = output if self._inner is None else self._inner
        return np.ravel(interpreter.get_tensor(output)), np.ravel(interpreter.get_tensor(inner))

    def run(self, codes: Codes, advance: Step = _ignore) -> NDArray[Any]:
        """See `Runtime.run`; frames are shared out over the cores."""
        return self.run_with_inner(codes, advance)[0]

    def run_with_inner(self, codes: Codes, advance: Step = _ignore) -> tuple[NDArray[Any], NDArray[Any]]:
        """Raw values of the first output (N, outputs) and of the inner tensor (N, elements)."""
        frames = len(next(iter(codes.values())))
        results = []
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for result in pool.map(lambda i: self._one(codes, i), range(frames)):
                results.append(result)
                advance(1)
        return np.stack([output for output, _ in results]), np.stack([inner for _, inner in results])


class DefaultRuntime(ReferenceRuntime):
    """TensorFlow Lite as it comes, with optimised kernels."""

    name = "TFLite default kernels"
    _kernels = "AUTO"

    def __init__(self, model: bytes) -> None:
        super().__init__(model)
        with captured_output():  # it announces its optimised kernels once in a process
            self._interpreter()


class MicroRuntime:
    """TensorFlow Lite for Microcontrollers on this computer, the same C++ as on a board.

    Args:
        model: the .tflite file's content.
        arena_bytes: memory for tensors; TFLM's Python default when None.
    """

    name = "TFLM"

    def __init__(self, model: bytes, arena_bytes: int | None = None) -> None:
        require("tflite_micro", "tflite-micro", "running a model as a microcontroller does", "train")
        parsed: TfliteModel = read_tflite(model)
        self.contract = IoContract.of(parsed)
        self._operators = sorted({o.name for o in parsed.operators})
        self._interpreter = self._create(model, arena_bytes)

    def _create(self, model: bytes, arena_bytes: int | None) -> Any:
        from tflite_micro import runtime

        sizes = {} if arena_bytes is None else {"arena_size": arena_bytes}
        with captured_output() as printed:
            try:
                return runtime.Interpreter.from_bytes(model, **sizes)
            except RuntimeError as error:
                reason = " ".join(printed().split()) or str(error)
        raise ModelError(
            f"TFLM cannot load this model (operators {', '.join(self._operators)}): {reason}",
            "Use operators, versions and dtypes that TensorFlow Lite for Microcontrollers knows.",
        )

    def run(self, codes: Codes, advance: Step = _ignore) -> NDArray[Any]:
        """See `Runtime.run`."""
        results = []
        for frame in range(len(next(iter(codes.values())))):
            for i, tensor in enumerate(self.contract.encode(codes, frame)):
                self._interpreter.set_input(tensor, i)
            self._interpreter.invoke()
            results.append(np.ravel(self._interpreter.get_output(0)).copy())
            advance(1)
        return np.stack(results)

    def allocations(self) -> str:
        """TFLM's own report of its memory, as it prints it."""
        with captured_output() as printed:
            self._interpreter.print_allocations()
        return printed()


@dataclass(frozen=True)
class Arena:
    """Memory that TFLM needs for one model on this 64-bit computer.

    A 32-bit target needs the same head and a smaller tail, so that the total is an upper bound there.

    Attributes:
        total_bytes: smallest arena that works, a multiple of 16.
        head_bytes: tensors whose memory is shared over time; the same on every computer.
        tail_bytes: what lives as long as the interpreter.
    """

    total_bytes: int
    head_bytes: int
    tail_bytes: int


_ALLOCATION = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")


def measure_arena(model: bytes) -> Arena:
    """Run TFLM on a model and find the smallest arena that it works with.

    TFLM reports what it used, but planning can need some room more than that. The search starts at the reported
    size and loads the model with exactly the size that is tried.

    Raises:
        ModelError: TFLM cannot load the model.
    """
    reported = MicroRuntime(model, _GENEROUS_ARENA).allocations()
    found = {kind: int(n) for kind, n in _ALLOCATION.findall(reported)}
    if set(found) != {"total", "head", "tail"}:
        raise ModelError("TFLM did not report its arena.", "Use the tflite-micro version of the lock file.")

    def works(blocks: int) -> bool:
        try:
            MicroRuntime(model, blocks * _ALIGNMENT)
        except ModelError:
            return False
        return True

    enough = -(-found["total"] // _ALIGNMENT)
    too_small = 0
    while not works(enough):
        too_small, enough = enough, enough + max(1, enough // 16)
    step = 1
    while too_small == 0 and works(enough - step):
        enough, step = enough - step, 2 * step
    too_small = too_small or enough - step
    while enough - too_small > 1:
        middle = (enough + too_small) // 2
        enough, too_small = (middle, too_small) if works(middle) else (enough, middle)
    return Arena(enough * _ALIGNMENT, found["head"], found["tail"])


_ALIGNMENT = 16
_GENEROUS_ARENA = 64 << 20
