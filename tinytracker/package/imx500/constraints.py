"""What the IMX500 takes. Sources: Sony's converter 3.19.2, the Raspberry Pi kernel driver and libcamera."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from tinytracker.model.network import Network
from tinytracker.package.constraints import Rules

RULES = Rules("imx500")

MEMORY_BYTES = 8_388_480
"""On the sensor, for weights, activations and a reserved kilobyte."""
RESERVED_BYTES = 1024
LINE_BYTES, MAX_LINES = 2560, 2045
MAX_WIDTH, MAX_HEIGHT = 1280, 960

# Operators of our networks as Keras layers that the converter knows. The two others are layers of our own.
_KNOWN = ("input", "conv", "depthwise", "dense", "add", "concat", "flatten", "global_average", "max_pool")


@RULES.rule
def one_input(network: Network) -> Iterator[str]:
    """The network has one input, because the sensor fills one and nothing else."""
    if len(network.inputs) != 1:
        yield f"it has {len(network.inputs)}: {', '.join(network.inputs)}"


@RULES.rule
def rgb_image(network: Network) -> Iterator[str]:
    """The input is an RGB image of three channels, the only kind whose register settings are known."""
    for name, shape in network.inputs.items():
        if len(shape) != 3 or shape[-1] != 3:
            yield f"{name} is {' x '.join(map(str, shape))}"


@RULES.rule
def image_size(network: Network) -> Iterator[str]:
    """The input is at most 1280 x 960 and takes at most 2045 lines of 2560 bytes, rows padded to 32 bytes."""
    for name, shape in network.inputs.items():
        if len(shape) != 3:
            continue
        height, width, channels = shape
        lines = -(-(-(-width // 32) * 32 * (-(-height // 2) * 2) * channels) // LINE_BYTES) + 1
        if width > MAX_WIDTH or height > MAX_HEIGHT or lines > MAX_LINES:
            yield f"{name} is {width} x {height} and takes {lines} lines"


@RULES.rule
def known_operators(network: Network) -> Iterator[str]:
    """Every operator is one that Sony's converter knows; grouped convolutions and baked-in positions are not."""
    for node in network.nodes.values():
        if node.op not in _KNOWN:
            yield f"{node.name} is {node.op}"
        elif node.groups > 1:
            yield f"{node.name} is a convolution in {node.groups} groups"


@RULES.rule
def vector_output(network: Network) -> Iterator[str]:
    """The output is one vector that ends in a dense layer, which can have 16 bits."""
    if network.output.op != "dense" or len(network.output.shape) != 1:
        yield f"{network.output.name} is {network.output.op} of shape {network.output.shape}"


@RULES.rule
def memory(network: Network) -> Iterator[str]:
    """Weights, largest activations and input fit in 8,388,480 bytes (estimated; the converter decides)."""
    inputs = sum(prod(shape) for shape in network.inputs.values())
    needed = network.params + network.peak_activation_bytes() + inputs + RESERVED_BYTES
    if needed > MEMORY_BYTES:
        yield f"it needs at least {needed:,} bytes"
