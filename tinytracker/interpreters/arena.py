"""The memory that TensorFlow Lite for Microcontrollers needs for a model."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tinytracker.errors import ModelError
from tinytracker.interpreters.micro import MicroInterpreter

_ALLOCATION = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")
_ALIGNMENT = 16


@dataclass(frozen=True)
class Arena:
    """Memory that TFLM needs for one model on this 64-bit computer.

    A 32-bit target needs the same head and a smaller tail, so the total is an upper bound there.

    Attributes:
        total_bytes: smallest arena that works, a multiple of 16.
        head_bytes: tensors whose memory is reused over time; the same on every computer.
        tail_bytes: data that exists as long as the interpreter.
    """

    total_bytes: int
    head_bytes: int
    tail_bytes: int


def measure_arena(model: bytes) -> Arena:
    """Run TFLM on a model and find the smallest arena that it works with.

    TFLM reports what it used, but planning can need slightly more. The search starts at the reported size, never tries
    less (TFLM's kernels write even when their allocation failed), and loads the model with exactly the size under
    test. A size at which TFLM crashes is too small.

    Raises:
        MissingDependencyError: tflite_micro is not installed.
        ModelError: TFLM cannot load the model.
    """
    interpreter = MicroInterpreter(model)
    try:
        found = {kind: int(n) for kind, n in _ALLOCATION.findall(interpreter.allocations())}
        if set(found) != {"total", "head", "tail"}:
            raise ModelError(
                "TFLM did not report its arena.", "Use the tflite-micro version of the lock file."
            )
        blocks = _smallest(interpreter, -(-found["total"] // _ALIGNMENT))
    finally:
        interpreter.close()
    return Arena(blocks * _ALIGNMENT, found["head"], found["tail"])


def _smallest(interpreter: MicroInterpreter, enough: int) -> int:
    """Return the smallest number of blocks from `enough` up that works: by steps of a sixteenth, then by bisection."""

    def works(blocks: int) -> bool:
        try:
            interpreter.load(blocks * _ALIGNMENT)
        except ModelError:
            return False
        return True

    too_small = enough - 1
    while not works(enough):
        too_small, enough = enough, enough + max(1, enough // 16)
    while enough - too_small > 1:
        middle = (enough + too_small) // 2
        enough, too_small = (middle, too_small) if works(middle) else (enough, middle)
    return enough
