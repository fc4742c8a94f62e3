"""The interface of all interpreters of a .tflite file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import UsageError
from tinytracker.model.tflite_model import TfliteModel

Array = NDArray[Any]
Step = Callable[[int], None]
"""Callback that receives the number of newly finished frames."""

FRAMES_AT_ONCE = 32
"""Frames between two progress reports."""

_STATE_OPERATORS = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")


class Interpreter(Protocol):
    """Runs a model."""

    @property
    def name(self) -> str:
        """Name of the interpreter, for the record of a comparison."""

    def run(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """Run the model on N frames.

        A model with state (a recurrent one) gets them in order, and starts each call from its initial state.

        Args:
            inputs: one array per input of the model, in its order: (N, *shape of the tensor), in the tensor's dtype.

        Returns:
            One array per output, in the model's order: (N, *shape of the tensor).

        Raises:
            ModelError: the interpreter fails on this model.
            UsageError: the arrays do not match each other.
        """


def ignore(n: int) -> None:
    """Ignore progress."""


def run_in_parts(
    interpreter: Interpreter, inputs: Sequence[Array], advance: Step = ignore
) -> tuple[Array, ...]:
    """Call `Interpreter.run` on a few frames at a time, so that progress can be shown.

    A model with state starts each part from its initial state.

    Args:
        interpreter: the interpreter.
        inputs: as for `Interpreter.run`.
        advance: receives the number of newly finished frames.
    """
    parts = []
    for k in range(0, frame_count(inputs), FRAMES_AT_ONCE):
        parts.append(interpreter.run([array[k : k + FRAMES_AT_ONCE] for array in inputs]))
        advance(len(parts[-1][0]))
    return tuple(np.concatenate(output) for output in zip(*parts, strict=True))


def frame_count(inputs: Sequence[Array]) -> int:
    """Return the number of frames in the arrays.

    Raises:
        UsageError: no frames, or different numbers of frames.
    """
    counts = {len(array) for array in inputs}
    if len(counts) != 1 or 0 in counts:
        raise UsageError(
            f"The inputs have {' and '.join(map(str, sorted(counts))) or 'no'} frames.",
            "All inputs need the same number of frames, at least 1.",
        )
    return counts.pop()


def stacked(frames: Sequence[Sequence[Array]]) -> tuple[Array, ...]:
    """Stack one list of outputs per frame to one array per output, frames first."""
    return tuple(np.stack(output) for output in zip(*frames, strict=True))


def has_state(model: TfliteModel) -> bool:
    """Return True when a frame may depend on earlier frames; custom operators are assumed to have state."""
    return any(t.is_variable for t in model.tensors) or any(
        o.name in _STATE_OPERATORS or o.name.startswith("CUSTOM:") for o in model.operators
    )
