"""Interpreters whose three phases can be timed one by one: hand the inputs over, infer, fetch the outputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from tinytracker.interpreters.base import Array, frame_count, stacked


class PhasedInterpreter(ABC):
    """Runs a model frame by frame in three steps, and is an `Interpreter` by that.

    Attributes:
        name: of the runtime with its version and what it runs on, such as "ONNX Runtime 1.23.2 (CPU, 1 thread)".
    """

    name: str

    @abstractmethod
    def load(self, inputs: Sequence[Array]) -> None:
        """Hand one frame to the runtime.

        Args:
            inputs: one array per input, in the shape and dtype of the .tflite file.
        """

    @abstractmethod
    def infer(self) -> None:
        """Run the network on the frame that was loaded; may be repeated.

        Raises:
            ModelError: the runtime fails.
        """

    @abstractmethod
    def retrieve(self) -> tuple[Array, ...]:
        """Return the outputs of the last inference, in the shape and dtype of the .tflite file."""

    def reset(self) -> None:  # noqa: B027 - most networks have no state
        """Set the state of a recurrent network to its beginning."""

    def run(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """See `tinytracker.interpreters.base.Interpreter.run`."""
        self.reset()
        frames = []
        for k in range(frame_count(inputs)):
            self.load([array[k] for array in inputs])
            self.infer()
            frames.append(self.retrieve())
        return stacked(frames)
