"""Result of an emulated run: exact counts, and modelled cycles."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.emulate import calibration, contention
from tinytracker.emulate.cpu import Cpu
from tinytracker.emulate.cycles import ModelledCycles
from tinytracker.emulate.team import TeamCost


@dataclass(frozen=True)
class StepCost:
    """One step of the network.

    Attributes:
        operator: index in the .tflite file. name: name of the operator. kernel: kernel that computes it.
        macs: multiply-accumulates. instructions: mean per inference.
        cycles: modelled for the first image, without wait states; None when they were not modelled.
    """

    operator: int
    name: str
    kernel: str
    macs: int
    instructions: float
    cycles: int | None = None


@dataclass(frozen=True, eq=False)
class EmulationReport:
    """Result of `emulate`. Everything is emulated; only counts of instructions and bytes are exact.

    Attributes:
        model_sha256: SHA-256 of the .tflite file. images: number of inferences.
        cpu: processor that was emulated. kernels: name of the kernel set.
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
        modelled: modelled cycles of the first image; None when they were not modelled.
        not_modelled: why not; "" otherwise.
    """

    model_sha256: str
    cpu: Cpu
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
    modelled: ModelledCycles | None = None
    not_modelled: str = ""

    @property
    def equal(self) -> bool | None:
        """Return True when every output equals the oracle bit for bit; None without an oracle."""
        return None if self.differing_images is None else self.differing_images == 0

    @property
    def instructions_per_mac(self) -> float:
        """Return the instructions per multiply-accumulate; NaN for a network without any."""
        return self.instructions / self.macs if self.macs else float("nan")

    @property
    def modelled_cycles(self) -> tuple[float, float, float] | None:
        """Return low, middle and high cycles of the processor, modelled; None when cycles were not modelled."""
        return None if self.modelled is None else self.cpu.cycles(self.modelled.interval)

    @property
    def modelled_ms(self) -> tuple[float, float, float] | None:
        """Return low, middle and high milliseconds on the processor's board, modelled; None likewise."""
        return None if self.modelled is None else self.cpu.milliseconds(self.modelled.interval)

    @property
    def assumption(self) -> str:
        """Return what the modelled numbers rest on."""
        cpu, said = self.cpu, [calibration.ASSUMPTION]
        if cpu.relative_source:
            ratio = f"{cpu.relative_low} to {cpu.relative_high} cycles of a {cpu.name} for one of a Cortex-M4"
            said.append(f"{ratio}, from {cpu.relative_source}")
        if self.modelled is not None and self.modelled.parallel is not None:
            said.append(contention.ASSUMPTION)
        return "; ".join(said)

    def as_json(self) -> dict[str, Any]:
        """Return everything except the outputs as plain values, for JSON."""
        values: dict[str, Any] = {
            name: getattr(self, name)
            for name in self.__dataclass_fields__
            if name not in ("cpu", "outputs", "steps", "modelled", "team")
        }
        return {
            "emulated": True,
            "cpu": self.cpu.name,
            **values,
            "equal": self.equal,
            "instructions_per_mac": self.instructions_per_mac if self.macs else None,
            "modelled": self._modelled_json(),
            "steps": [asdict(step) for step in self.steps],
            **({"team": self.team.as_json()} if self.team is not None else {}),
        }

    def _modelled_json(self) -> dict[str, Any] | None:
        if self.modelled is None:
            return None
        total = self.modelled.total
        return {
            "cycles_without_wait_states": total.cycles,
            "cycles": list(self.modelled_cycles or ()),
            "ms": list(self.modelled_ms or ()),
            "board": self.cpu.board,
            "hz": self.cpu.hz,
            "parallel": None if self.modelled.parallel is None else asdict(self.modelled.parallel),
            "data_words": total.data_words,
            "fetched_words": total.fetched_words,
            "classes": {
                kind: {"instructions": count, "cycles": cycles}
                for kind, (count, cycles) in total.classes.items()
            },
            "assumption": self.assumption,
        }
