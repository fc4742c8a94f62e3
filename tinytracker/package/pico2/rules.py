"""Rules of the Raspberry Pi Pico 2 over the layers of a preset: an estimate, before anything is trained."""

from __future__ import annotations

from math import prod

from tinytracker.model.network import Network
from tinytracker.package.pico2 import TARGET
from tinytracker.package.pico2.memory import FLASH_BYTES, RAM_BYTES, flash_needed, ram_needed
from tinytracker.package.rules import Rule, rule

REMARK = (
    "An estimate from the layers; a quantized run or a .tflite file is judged by the C generated from it."
)

_BYTES_PER_CHANNEL = 12
"""Bytes of an output channel in generated C: bias, multiplier and shift."""


def facts(network: Network) -> dict[str, int]:
    """Return estimated bytes of constants and RAM, and what the board has."""
    nodes = network.nodes.values()
    constants = sum(n.weights for n in nodes) + _BYTES_PER_CHANNEL * sum(n.biases for n in nodes)
    pixels = sum(prod(network.nodes[name].shape) for name in network.inputs)
    return {
        "estimated_constant_bytes": constants,
        "estimated_ram_bytes": ram_needed(network.peak_activation_bytes(), pixels, 0),
        "ram_bytes": RAM_BYTES,
        "flash_bytes": FLASH_BYTES,
    }


@rule(TARGET)
def ram(network: Network) -> str | None:
    """Activations, an image and the application fit in 524,288 bytes of RAM (estimated).

    Fix: Choose a smaller network; `tinytracker info PRESET` shows where the bytes are.
    Source: memmap_default.ld of the Pico SDK for the RP2350.
    """
    used = facts(network)["estimated_ram_bytes"]
    return f"about {used:,} bytes" if used > RAM_BYTES else None


@rule(TARGET)
def flash(network: Network) -> str | None:
    """Code and constants fit in 4,194,304 bytes of flash (estimated).

    Fix: Choose a smaller network; `tinytracker info PRESET` shows where the bytes are.
    Source: the Pico 2 datasheet.
    """
    used = flash_needed(facts(network)["estimated_constant_bytes"])
    return f"about {used:,} bytes" if used > FLASH_BYTES else None


RULES: tuple[Rule[Network], ...] = (ram, flash)
