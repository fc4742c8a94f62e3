"""A preset: a network that can be trained by name. It is data: the network's inputs and its graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinytracker.data.inputs import InputSpec
from tinytracker.errors import ModelError
from tinytracker.model.finder_output import FinderOutput
from tinytracker.model.network import Network
from tinytracker.model.output import GazeOutput

SEGMENTED = GazeOutput(segments=8)
"""Steps of 0.027 cm: rounding costs 0.011 cm RMS. With 128 hidden units this adds 1,806 parameters, 1,792 MACs."""


@dataclass(frozen=True)
class Preset:
    """A network that can be trained by name.

    Attributes:
        name: its name on the command line.
        summary: one line for a list.
        source: paper and section, or file, from which the architecture was taken.
        input: the network's inputs.
        build: input spec -> network; the last node is the gaze, or the concatenation of gaze and aim.
        output: form of the last node in the INT8 network for a device.
        levels: for a network that becomes a spiking one: levels above zero to which its ReLUs are rounded in training
            (QCFS, `tinytracker.model.qcfs`); None for ordinary ReLUs.
    """

    name: str
    summary: str
    source: str
    input: InputSpec
    build: Callable[[InputSpec], Network]
    output: GazeOutput | FinderOutput = SEGMENTED
    levels: int | None = None

    @property
    def aim(self) -> bool:
        """Whether the network also says where the eyes are."""
        return self.output.aim

    @property
    def finder(self) -> bool:
        """Whether the network sees the whole frame and says where the eyes are, instead of the gaze."""
        return isinstance(self.output, FinderOutput)

    @property
    def gaze_output(self) -> GazeOutput:
        """The output of a network that answers a gaze.

        Raises:
            ModelError: it is a finder.
        """
        if isinstance(self.output, FinderOutput):
            raise ModelError(
                f"{self.name} is a finder: it cannot be trained with rounding, which only gaze networks can.",
                "Omit --method qat.",
            )
        return self.output

    def require_int8(self) -> None:
        """Check that the trained network can be quantized to an INT8 .tflite file.

        Raises:
            ModelError: it sees edges.
        """
        if any(node.op == "edges" for node in self.network().nodes.values()):
            raise ModelError(
                f"{self.name} computes edges of the image, and some of the operators for that have no INT8 kernel.",
                "Convert it to spikes with `tinytracker spike RUN`, or train spikes-s, which can also be quantized.",
            )

    def network(self) -> Network:
        """Return the network to train, for this preset's input."""
        return self.build(self.input)

    def device_network(self) -> Network:
        """Return the network to quantize: the same except for the last node.

        Activations with levels become clipped ReLUs, see `tinytracker.quant.clipping`.
        """
        network = self.output.on_device(self.network())
        return network if self.levels is None else network.with_clipped_relus()
