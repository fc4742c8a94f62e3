"""The processors that QEMU emulates, the boards that they stand for, and how many cycles they need."""

from __future__ import annotations

from dataclasses import dataclass

from tinytracker.errors import UnknownNameError


@dataclass(frozen=True)
class Cpu:
    """One processor on one machine of QEMU.

    Attributes:
        name: on the command line. machine: of QEMU. flags: of the compiler.
        defines: preprocessor definitions for `deploy/qemu`.
        vectors, ram: addresses of the vector table and of the program's memory in `deploy/qemu/board.ld`.
        images: address of the images, in memory outside the program's.
        board, hz: the board that has this processor, and its clock there.
        relative_low, relative_high: cycles relative to those of a Cortex-M4 for the same work.
        relative_source: where these two come from; "" for the Cortex-M4 itself.
    """

    name: str
    machine: str
    flags: tuple[str, ...]
    defines: tuple[str, ...]
    vectors: int
    ram: int
    images: int
    board: str
    hz: int
    relative_low: float = 1.0
    relative_high: float = 1.0
    relative_source: str = ""

    def cycles(self, interval: tuple[float, float, float]) -> tuple[float, float, float]:
        """Return the interval of a Cortex-M4 in cycles of this processor; the middle takes the middle of the ratio."""
        low, middle, high = interval
        between = (self.relative_low + self.relative_high) / 2
        return low * self.relative_low, middle * between, high * self.relative_high

    def milliseconds(self, interval: tuple[float, float, float]) -> tuple[float, float, float]:
        """Return the interval of a Cortex-M4 in ms on this processor's board."""
        low, middle, high = (cycles / self.hz * 1e3 for cycles in self.cycles(interval))
        return low, middle, high


CORTEX_M4 = Cpu(
    "cortex-m4", "mps2-an386", ("-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16"), (),
    vectors=0x00000000, ram=0x20000000, images=0x21000000, board="Spresense", hz=156_000_000,
)  # fmt: skip
CORTEX_M7 = Cpu(
    "cortex-m7", "mps2-an500", ("-mcpu=cortex-m7", "-mfpu=fpv5-d16"), (),
    vectors=0x00000000, ram=0x20000000, images=0x60000000, board="Coral Dev Board Micro", hz=800_000_000,
    relative_low=0.48, relative_high=0.67,
    relative_source="published MLPerf Tiny results of the same software on both processors",
)  # fmt: skip
CORTEX_M33 = Cpu(
    "cortex-m33", "mps2-an505", ("-mcpu=cortex-m33", "-mfpu=fpv5-sp-d16"), ("BOARD_AN505",),
    vectors=0x10000000, ram=0x38000000, images=0x80000000, board="Raspberry Pi Pico 2", hz=150_000_000,
    relative_low=0.78, relative_high=0.87,
    relative_source="OctoML's MLPerf Tiny v1.0 results on both processors",
)  # fmt: skip

CPUS = {cpu.name: cpu for cpu in (CORTEX_M4, CORTEX_M7, CORTEX_M33)}


def find_cpu(name: str) -> Cpu:
    """Return a processor by its name.

    Raises:
        UnknownNameError: it is not emulated.
    """
    if name not in CPUS:
        raise UnknownNameError("processor", name, CPUS)
    return CPUS[name]
