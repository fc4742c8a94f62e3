"""Modelled cycles of one inference: what ran, from the emulator's log, times what it costs on a Cortex-M4."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinytracker.emulate.calibration import HIGH, LOW, MEDIAN
from tinytracker.emulate.contention import ParallelCycles, parallel_cycles
from tinytracker.emulate.disassembly import Instruction, disassemble
from tinytracker.emulate.timing import REFILL, always_jumps, class_of, cycles_of, data_words
from tinytracker.emulate.tools import ToolError
from tinytracker.emulate.trace import Block, Lap, run_traced
from tinytracker.emulate.work import Work, summed

HOOK = "tt_step_done"
"""Function that the generated code calls before the first step and after each one."""

_COUNTERS = (HOOK, "board_ticks")
"""Functions that belong to the measuring, not to the network."""


@dataclass(frozen=True)
class ModelledCycles:
    """Modelled cycles of one inference.

    Attributes:
        parts: the work of each step of the network in order; on several cores, of each core in each step.
        cores: number of cores.
        regions: for several cores: steps [first, end) between two barriers.
    """

    parts: tuple[Work, ...]
    cores: int = 1
    regions: tuple[tuple[int, int], ...] = ()

    @property
    def steps(self) -> tuple[Work, ...]:
        """Return the work of each step, all cores together."""
        starts = range(0, len(self.parts), self.cores)
        return tuple(summed(self.parts[at : at + self.cores]) for at in starts)

    @property
    def parallel(self) -> ParallelCycles | None:
        """Return what several cores need together; None for one."""
        if self.cores == 1:
            return None
        rows = [self.parts[at : at + self.cores] for at in range(0, len(self.parts), self.cores)]
        return parallel_cycles(
            [[summed(core) for core in zip(*rows[first:end], strict=True)] for first, end in self.regions]
        )

    @property
    def total(self) -> Work:
        """Return the sum over all steps."""
        return summed(self.parts)

    @property
    def interval(self) -> tuple[float, float, float]:
        """Return cycles with the smallest, the median and the largest ratio of the calibration.

        On several cores they are those of the critical path, and the largest has all waiting for each other in it.
        """
        parallel = self.parallel
        cycles = self.total.cycles if parallel is None else parallel.alone
        most = cycles if parallel is None else parallel.at_most
        return cycles * LOW, cycles * MEDIAN, most * HIGH


def model_cycles(
    elf: Path,
    command: list[str],
    parts: int,
    timeout_s: float,
    cores: int = 1,
    regions: tuple[tuple[int, int], ...] = (),
) -> ModelledCycles:
    """Run a batch program on one image and model the cycles of its last inference.

    Args:
        elf: program built from `deploy/qemu/batch_main.c` with TT_STEP_HOOK.
        command: emulator that runs it.
        parts: how often the hook is called in an inference: steps of the network times cores.
        timeout_s: time limit of the emulator.
        cores: see `ModelledCycles`.
        regions: see `ModelledCycles`.

    Raises:
        MissingDependencyError: objdump is not installed.
        ToolError: the program did not run, or the emulator's log is not understood.
    """
    code = disassemble(elf)
    hook = next((address for address, i in sorted(code.items()) if i.function == HOOK), None)
    if hook is None:
        raise ToolError(f"{elf.name} has no function {HOOK}; its steps cannot be told apart.")
    laps = run_traced(command, hook, timeout_s)
    if len(laps) <= parts + 1:
        raise ToolError(f"The traced program ended {len(laps) - 2} steps instead of {parts}.")
    blocks = _Blocks(code)
    return ModelledCycles(tuple(blocks.work(lap) for lap in laps[-parts - 1 : -1]), cores, regions)


class _Blocks:
    """The instructions of the blocks of a program, and their cost."""

    def __init__(self, code: Mapping[int, Instruction]) -> None:
        self._code = code
        self._known: dict[Block, tuple[Instruction, ...]] = {}

    def work(self, lap: Lap) -> Work:
        """Return the work of everything that ran in a lap."""
        instructions: Counter[str] = Counter()
        cycles: Counter[str] = Counter()
        data = code_bytes = 0
        for (previous, block), times in lap.items():
            inside = self._instructions(block)
            if inside[0].function in _COUNTERS:
                continue
            code_bytes += times * block.size
            before = self._before(previous, block)
            for instruction in inside:
                kind = class_of(instruction)
                instructions[kind] += times
                cycles[kind] += times * cycles_of(instruction, before)
                data += times * data_words(instruction)
                before = instruction
            if self._refills(previous, block):
                cycles["jump"] += times * REFILL
        return Work(
            cycles=cycles.total(), instructions=instructions.total(), data_words=data,
            fetched_words=code_bytes // 4, classes={k: (instructions[k], cycles[k]) for k in sorted(cycles)},
        )  # fmt: skip

    def _instructions(self, block: Block) -> tuple[Instruction, ...]:
        if block not in self._known:
            found = []
            address = block.address
            while address < block.end:
                if address not in self._code:
                    raise ToolError(f"The program ran at {address:#x}, where no instruction was compiled.")
                found.append(self._code[address])
                address = found[-1].end
            self._known[block] = tuple(found)
        return self._known[block]

    def _before(self, previous: Block, block: Block) -> Instruction | None:
        """Return the last instruction of the previous block when it stands directly in front."""
        return self._instructions(previous)[-1] if previous.end == block.address and previous.size else None

    def _refills(self, previous: Block, block: Block) -> bool:
        """Return whether a jump led to this block; the refill is counted where the jump arrives."""
        if not previous.size:
            return False
        return previous.end != block.address or always_jumps(self._instructions(previous)[-1])
