"""What every interpreter of a .tflite file offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import UsageError
from tinytracker.model.tflite_model import TfliteModel

Array = NDArray[Any]
Step = Callable[[int], None]
"""Is told how many more frames are done."""

FRAMES_AT_ONCE = 32
"""Frames between two reports of progress."""

_STATE_OPERATORS = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")


class Interpreter(Protocol):
    """Something that computes what a model computes."""

    @property
    def name(self) -> str:
        """For the record of a comparison."""

    def run(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """Run the model on N frames.

        A model with state (a recurrent one) sees them in order, and begins each call with its initial state.

        Args:
            inputs: one array per input of the model, in its order: (N, *shape of the tensor), in the tensor's dtype.

        Returns:
            One array per output, in the model's order: (N, *shape of the tensor).

        Raises:
            ModelError: the interpreter fails on this model.
            UsageError: the arrays do not fit together.
        """


def ignore(n: int) -> None:
    """The progress of somebody who does not look."""


def run_in_parts(
    interpreter: Interpreter, inputs: Sequence[Array], advance: Step = ignore
) -> tuple[Array, ...]:
    """`Interpreter.run` on a few frames at a time, so that progress can be shown.

    A model with state begins each part with its initial state.

    Args:
        interpreter: that runs.
        inputs: as it takes them.
        advance: is told how many more frames are done.
    """
    parts = []
    for k in range(0, frame_count(inputs), FRAMES_AT_ONCE):
        parts.append(interpreter.run([array[k : k + FRAMES_AT_ONCE] for array in inputs]))
        advance(len(parts[-1][0]))
    return tuple(np.concatenate(output) for output in zip(*parts, strict=True))


def frame_count(inputs: Sequence[Array]) -> int:
    """How many frames the arrays hold.

    Raises:
        UsageError: none, or not all the same number.
    """
    counts = {len(array) for array in inputs}
    if len(counts) != 1 or 0 in counts:
        raise UsageError(
            f"Inputs of {' and '.join(map(str, sorted(counts))) or 'no'} frames were given.",
            "Each input needs the same number of frames, at least 1.",
        )
    return counts.pop()


def stacked(frames: Sequence[Sequence[Array]]) -> tuple[Array, ...]:
    """One array per output, frames first, from one list of outputs per frame."""
    return tuple(np.stack(output) for output in zip(*frames, strict=True))


def has_state(model: TfliteModel) -> bool:
    """True when a frame may depend on the frames before it; custom operators are taken to do so."""
    return any(t.is_variable for t in model.tensors) or any(
        o.name in _STATE_OPERATORS or o.name.startswith("CUSTOM:") for o in model.operators
    )
