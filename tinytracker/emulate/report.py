"""Result of an emulated run, and the estimate of cycles from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.emulate.team import TeamCost

CYCLES_PER_INSTRUCTION = {"portable": 1.7, "cortex-m4": 2.2}
"""Cycles per instruction by kernel set, estimated from one calibration: person_detect of TensorFlow Lite for
Microcontrollers takes 653 ms on a 64 MHz Cortex-M4F (41.8 M cycles; guberti/tvm-arduino-profiling, 2021) and 24.7 M
instructions on this emulator, which is 1.7 cycles per instruction. A count by classes of instructions (loads and
stores 2 cycles, those of n registers 1 + n) gives 31.7 M cycles for it, 1.32 times less than measured. The Cortex-M4
kernels do more of their work in loads of several registers: the same count gives 1.64 to 1.72 cycles per instruction
with 16-bit weights, and 1.32 times that is 2.2."""

CPU_HZ = 156_000_000
"""Clock of a Spresense main core."""


def assumption(kernels: str) -> str:
    """Return what an estimate of cycles is based on, and what it omits."""
    return (
        f"{cycles_per_instruction(kernels)} cycles per instruction, calibrated on another network and a "
        "Cortex-M4F board; wait states and contention of Spresense's memory are not modelled"
    )


def cycles_per_instruction(kernels: str) -> float:
    """Return the estimate for a kernel set; an unknown one counts as portable."""
    return CYCLES_PER_INSTRUCTION.get(kernels, CYCLES_PER_INSTRUCTION["portable"])


@dataclass(frozen=True)
class StepCost:
    """One step of the network.

    Attributes:
        operator: index in the .tflite file. name: name of the operator. kernel: kernel that computes it.
        macs: multiply-accumulates. instructions: mean per inference.
    """

    operator: int
    name: str
    kernel: str
    macs: int
    instructions: float


@dataclass(frozen=True, eq=False)
class EmulationReport:
    """Result of `emulate`. Everything is emulated; only counts of instructions and bytes are exact.

    Attributes:
        model_sha256: SHA-256 of the .tflite file. images: number of inferences.
        kernels: name of the kernel set.
        outputs: one array per output of the network, images first.
        oracle: what the outputs were compared with; None without a comparison.
        differing_images: images whose outputs are not equal bit for bit; None without an oracle.
        instructions: mean per inference. instructions_min, instructions_max: over the images.
        macs: multiply-accumulates per inference.
        steps: cost of every step.
        arena_bytes: static memory for activations. arena_used_bytes: how far it was actually written.
        stack_used_bytes: deepest use of the stack. constant_bytes: weights, tables and parameters.
        code_bytes: instructions and constants of the program. ram_bytes: the whole program.
        team: cost on several cores; None for one. `instructions` is then the work of all cores together.
    """

    model_sha256: str
    kernels: str
    images: int
    outputs: tuple[NDArray[np.generic], ...]
    oracle: str | None
    differing_images: int | None
    instructions: float
    instructions_min: int
    instructions_max: int
    macs: int
    steps: tuple[StepCost, ...]
    arena_bytes: int
    arena_used_bytes: int
    stack_used_bytes: int
    constant_bytes: int
    code_bytes: int
    ram_bytes: int
    team: TeamCost | None = None

    @property
    def equal(self) -> bool | None:
        """Return True when every output equals the oracle bit for bit; None without an oracle."""
        return None if self.differing_images is None else self.differing_images == 0

    @property
    def instructions_per_mac(self) -> float:
        """Return the instructions per multiply-accumulate; NaN for a network without any."""
        return self.instructions / self.macs if self.macs else float("nan")

    @property
    def estimated_cycles(self) -> float:
        """Return instructions, of several cores those of the critical path, times `cycles_per_instruction`.

        See `assumption`.
        """
        return (self.instructions if self.team is None else self.team.critical_path) * cycles_per_instruction(
            self.kernels
        )

    @property
    def estimated_ms(self) -> float:
        """Return the estimated milliseconds at `CPU_HZ`."""
        return self.estimated_cycles / CPU_HZ * 1e3

    def as_json(self) -> dict[str, Any]:
        """Return everything except the outputs as plain values, for JSON."""
        values: dict[str, Any] = {
            name: getattr(self, name)
            for name in self.__dataclass_fields__
            if name not in ("outputs", "steps", "team")
        }
        return {
            "emulated": True,
            **values,
            "equal": self.equal,
            "instructions_per_mac": self.instructions_per_mac if self.macs else None,
            "estimated_cycles": self.estimated_cycles,
            "estimated_ms_at_156_mhz": self.estimated_ms,
            "assumption": assumption(self.kernels),
            "steps": [asdict(step) for step in self.steps],
            **({"team": self.team.as_json()} if self.team is not None else {}),
        }
