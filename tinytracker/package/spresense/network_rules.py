"""Rules of Spresense over the layers of a preset: an estimate, before anything is trained or quantized."""

from __future__ import annotations

from math import prod

from tinytracker.model.network import Network
from tinytracker.package.rules import Rule, rule
from tinytracker.package.spresense.build import TARGET
from tinytracker.package.spresense.cores import RAM_BYTES

REMARK = (
    "An estimate from the layers, for the default runtime; it does not include code, stacks and frame buffers, "
    "which share the RAM. A quantized run or a .tflite file is measured."
)

_BYTES_PER_CHANNEL = 28
"""Bytes of an output channel in a .tflite file: bias (4), scale and zero point of weights and bias (4 + 8 each)."""
_BYTES_PER_OPERATOR = 340
"""Bytes of the tables of an operator and its tensors in a .tflite file; fitted to our presets."""
_TAIL_BYTES_PER_OPERATOR = 1200
"""Bytes that TFLM keeps per operator in the arena's tail; fitted to our presets on a 64-bit computer."""


def facts(network: Network) -> dict[str, int]:
    """Return estimated bytes of the .tflite file with TFLM's arena, and the available RAM."""
    nodes = network.nodes.values()
    weights = sum(n.weights for n in nodes)
    channels = sum(n.biases for n in nodes)
    planes = sum(prod(n.shape[:-1]) * 2 for n in nodes if n.op == "position_planes")
    file_bytes = weights + planes + _BYTES_PER_CHANNEL * channels + _BYTES_PER_OPERATOR * len(nodes)
    arena = network.peak_activation_bytes() + _TAIL_BYTES_PER_OPERATOR * len(nodes)
    return {"estimated_model_bytes": file_bytes, "estimated_arena_bytes": arena, "ram_bytes": RAM_BYTES}


@rule(TARGET)
def memory(network: Network) -> str | None:
    """Model and arena take less than the 1,572,864 bytes of RAM (estimated).

    Fix: Choose a smaller network; `tinytracker info PRESET` shows where the bytes are.
    Source: ramconfig.ld of the Spresense SDK; code, constants and data share the main RAM.
    """
    known = facts(network)
    used = known["estimated_model_bytes"] + known["estimated_arena_bytes"]
    return f"about {used:,} bytes" if used >= RAM_BYTES else None


RULES: tuple[Rule[Network], ...] = (memory,)
