"""Cycles of a Cortex-M4 without wait states, by its Technical Reference Manual (Arm DDI 0439, section 3.3).

What the manual leaves to the memory system (wait states, caches, contention) and a second cycle of an unaligned access
are not included; the latter occur 215 times in 5.76 million instructions of TinyTrackerS.
"""

from __future__ import annotations

import re

from tinytracker.emulate.disassembly import PC, Instruction

REFILL = 1
"""Cycles to refill the pipeline after a jump, P in the manual, where it is 1 to 3. The calibration assumes 1."""

CLASSES = (
    "load", "load several", "store", "store several", "jump", "divide", "float", "multiply", "other",
)  # fmt: skip

_DIVIDE = 7
"""SDIV and UDIV take 2 to 12 cycles, depending on the numbers."""
_FLOAT_DIVIDE = 14
_FLOAT_MULTIPLY_ADD = 3
_JUMPS = ("b", "bl", "bx", "blx", "cbz", "cbnz", "tbb", "tbh")


def class_of(instruction: Instruction) -> str:
    """Return the class of an instruction, one of `CLASSES`."""
    name = instruction.name
    if name in ("ldm", "pop", "vldm", "vpop", "ldrd"):
        return "load several"
    if name in ("stm", "push", "vstm", "vpush", "strd"):
        return "store several"
    if name.startswith(("ldr", "vldr")):
        return "load"
    if name.startswith(("str", "vstr")):
        return "store"
    if name in _JUMPS or PC in instruction.writes:
        return "jump"
    if name in ("sdiv", "udiv"):
        return "divide"
    if name.startswith("v"):
        return "float"
    return (
        "multiply"
        if re.match(r"(s|u)?m(ul|la|ls|ml|uls?d|lal|lsd|lad|us)|smu|sml|smm|mul|mla", name)
        else "other"
    )


def cycles_of(instruction: Instruction, before: Instruction | None) -> int:
    """Return the cycles of one execution, without those of a jump that is taken (`REFILL`).

    Args:
        instruction: the one that is executed.
        before: the one executed before it, if it stands directly in front of it; None after a jump.
    """
    kind = class_of(instruction)
    if kind in ("load", "load several", "store", "store several"):
        return _memory_cycles(instruction, kind, before) + _address_stall(instruction, before)
    if kind == "divide":
        return _DIVIDE
    if kind == "float":
        return _float_cycles(instruction.name)
    return 2 if instruction.name in ("tbb", "tbh") else 1


def always_jumps(instruction: Instruction) -> bool:
    """Return whether it refills the pipeline whenever it is executed: loads of PC, and jumps through a table."""
    return instruction.loads_pc or instruction.name in ("tbb", "tbh")


def data_words(instruction: Instruction) -> int:
    """Return how many accesses of up to a word it makes to data."""
    return instruction.words if class_of(instruction).startswith(("load", "store")) else 0


def _memory_cycles(instruction: Instruction, kind: str, before: Instruction | None) -> int:
    if kind.endswith("several"):
        return 1 + instruction.words
    if kind == "store":
        return 1  # the store buffer takes it
    pipelined = (
        before is not None
        and class_of(before) == "load"
        and not before.writes & instruction.addresses
        and not before.moves_base
        and not before.loads_pc
    )
    return 1 if pipelined else 2


def _address_stall(instruction: Instruction, before: Instruction | None) -> int:
    """Return 1 when an address depends on the result of the instruction directly before, else 0."""
    if before is None or class_of(before).startswith(("load", "store")):
        return 0
    return 1 if before.writes & instruction.addresses else 0


def _float_cycles(name: str) -> int:
    if name in ("vdiv", "vsqrt"):
        return _FLOAT_DIVIDE
    return _FLOAT_MULTIPLY_ADD if re.match(r"v(n?ml|f[mn])", name) else 1
