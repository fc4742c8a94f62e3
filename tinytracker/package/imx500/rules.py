"""Rules of the IMX500. Sources: Sony's converter 3.19.2, the Raspberry Pi kernel driver and libcamera."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from tinytracker.model.network import Network
from tinytracker.model.output import last_layers
from tinytracker.package.rules import Rule, rule

TARGET = "imx500"
REMARK = "Judged from the layers of the network; `--memory-report` also runs Sony's converter."

MEMORY_BYTES = 8_388_480
"""Memory of the sensor for weights, activations and a reserved kilobyte."""
RESERVED_BYTES = 1024
LINE_BYTES, MAX_LINES = 2560, 2045
MAX_WIDTH, MAX_HEIGHT = 1280, 960

# Operators of our networks as Keras layers that the converter knows. The other two are our own layers.
_KNOWN = ("input", "conv", "depthwise", "dense", "add", "concat", "flatten", "global_average", "max_pool")


def facts(network: Network) -> dict[str, int]:
    """Return the bytes that the network needs at least, and those that are available."""
    inputs = sum(prod(shape) for shape in network.inputs.values())
    needed = network.params + network.peak_activation_bytes() + inputs + RESERVED_BYTES
    return {"estimated_bytes": needed, "sensor_bytes": MEMORY_BYTES}


@rule(TARGET)
def one_input(network: Network) -> str | None:
    """The network has one input, because the sensor fills only one.

    Fix: Choose a preset that sees one image.
    Source: the DNN parameters of a package and its registers describe one input tensor.
    """
    if len(network.inputs) == 1:
        return None
    return f"it has {len(network.inputs)} inputs: {', '.join(network.inputs)}"


@rule(TARGET)
def rgb_image(network: Network) -> Iterator[str]:
    """The input is an RGB image of three channels; register settings of other kinds are unknown.

    Fix: Choose a preset for colour images without position planes, such as `tinytracker-rgb`.
    Source: the public packages for the Raspberry Pi; none of them has a grey or a Bayer input.
    """
    for name, shape in network.inputs.items():
        if len(shape) != 3 or shape[-1] != 3:
            yield f"{name} is {' x '.join(map(str, shape))}"


@rule(TARGET)
def image_size(network: Network) -> Iterator[str]:
    """The input is at most 1280 x 960 and takes at most 2045 lines of 2560 bytes, rows padded to 32 bytes.

    Fix: Choose a smaller input.
    Source: libcamera (1280 x 960), and the Raspberry Pi kernel driver (lines).
    """
    for name, shape in network.inputs.items():
        if len(shape) != 3:
            continue
        height, width, channels = shape
        lines = -(-(-(-width // 32) * 32 * (-(-height // 2) * 2) * channels) // LINE_BYTES) + 1
        if width > MAX_WIDTH or height > MAX_HEIGHT or lines > MAX_LINES:
            yield f"{name} is {width} x {height} and takes {lines} lines"


@rule(TARGET)
def known_operators(network: Network) -> Iterator[str]:
    """Sony's converter knows every operator; it does not know grouped convolutions and baked-in positions.

    Fix: Use ordinary and depthwise convolutions, and no position planes inside the network.
    Source: Sony's converter 3.19.2.
    """
    for node in network.nodes.values():
        if node.op not in _KNOWN:
            yield f"{node.name} is {node.op}"
        elif node.groups > 1:
            yield f"{node.name} is a convolution in {node.groups} groups"


@rule(TARGET)
def vector_output(network: Network) -> str | None:
    """The output is one vector from a dense layer, which can have 16 bits.

    Fix: End the network with a dense layer.
    Source: MCT with edge-mdt-tpc 1.3, which supports 16-bit outputs of dense layers.
    """
    # The last layers of gaze and aim are merged into one for the sensor (`quantize.one_last_layer`).
    if len(network.output.shape) == 1 and all(network.nodes[n].op == "dense" for n in last_layers(network)):
        return None
    return f"{network.output.name} is {network.output.op} of shape {network.output.shape}"


@rule(TARGET)
def memory(network: Network) -> str | None:
    """Weights, largest activations and input fit in 8,388,480 bytes (estimated; the converter decides).

    Fix: Choose a smaller network; `tinytracker info PRESET` shows where the bytes are.
    Source: the memory report of Sony's converter 3.19.2.
    """
    needed = facts(network)["estimated_bytes"]
    return f"it needs at least {needed:,} bytes" if needed > MEMORY_BYTES else None


RULES: tuple[Rule[Network], ...] = (one_input, rgb_image, image_size, known_operators, vector_output, memory)
