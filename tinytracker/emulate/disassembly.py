"""The instructions of a linked program, as objdump lists them, with what their timing depends on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tinytracker.emulate.tools import OBJDUMP, ToolError, find_tool, run_tool

PC = 15
_NAMES = {f"r{i}": i for i in range(16)} | {
    "sb": 9, "sl": 10, "fp": 11, "ip": 12, "sp": 13, "lr": 14, "pc": PC,
}  # fmt: skip
_REGISTER = re.compile(r"\b(" + "|".join(sorted(_NAMES, key=len, reverse=True)) + r")\b")
_FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
_LINE = re.compile(r"^\s*([0-9a-f]+):\t([0-9a-f ]+)\t([a-z]\S*)\s*(.*)$")
_LISTS = ("ldm", "stm", "push", "pop", "vldm", "vstm", "vpush", "vpop")
_WITHOUT_RESULT = ("cmp", "cmn", "tst", "teq", "b", "bl", "bx", "blx", "cbz", "cbnz", "tbb", "tbh", "it")


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
        address: of its first byte. size: 2 or 4 bytes. function: symbol that it belongs to.
        name: mnemonic without width and condition, such as "ldr".
        words: registers that a load or store of several registers moves; 1 otherwise.
        writes: core registers that it writes. addresses: core registers from which it computes an address.
        moves_base: whether it also changes the register of its address.
    """

    address: int
    size: int
    function: str
    name: str
    words: int = 1
    writes: frozenset[int] = frozenset()
    addresses: frozenset[int] = frozenset()
    moves_base: bool = False

    @property
    def end(self) -> int:
        """Return the address after it."""
        return self.address + self.size

    @property
    def loads_pc(self) -> bool:
        """Return whether a load writes the program counter, which is a jump."""
        return PC in self.writes and self.name in ("ldr", "ldm", "pop")


def disassemble(elf: Path) -> dict[int, Instruction]:
    """Return all instructions of a program by address.

    Raises:
        MissingDependencyError: objdump is not installed.
        ToolError: it cannot read the file.
    """
    done = run_tool([find_tool(OBJDUMP, "modelling cycles"), "-d", elf], OBJDUMP)
    code: dict[int, Instruction] = {}
    function = ""
    for line in done.stdout.splitlines():
        if found := _FUNCTION.match(line):
            function = found[1]
        elif found := _LINE.match(line):
            size = len(found[2].replace(" ", "")) // 2
            operands = re.split(r"\s*[;@<]", found[4])[0].strip()
            address = int(found[1], 16)
            code[address] = parse(address, size, function, found[3], operands)
    if done.returncode != 0 or not code:
        raise ToolError(f"{OBJDUMP} cannot read {elf}.")
    return code


def parse(address: int, size: int, function: str, mnemonic: str, operands: str) -> Instruction:
    """Return an instruction from objdump's words, such as ("ldr.w", "r3, [r2, #4]!")."""
    name = _plain(mnemonic.split(".")[0])
    where = (address, size, function, name)
    if name in _LISTS:
        base, _, listed = operands.partition("{")
        inside = listed.partition("}")[0]
        floats = name.startswith("v")
        moved = frozenset() if floats else _listed(inside)
        return Instruction(
            *where, words=_float_words(inside) if floats else len(moved),
            writes=moved if name in ("ldm", "pop") else frozenset(),
            addresses=_registers(base) or frozenset({_NAMES["sp"]}),
            moves_base="!" in operands or name in ("pop", "push"),
        )  # fmt: skip
    if "[" in operands:
        moved_text, _, rest = operands.partition("[")
        moved = _registers(moved_text)
        double = name in ("ldrd", "strd")
        return Instruction(
            *where, words=2 if double else 1, writes=moved if name.startswith("ld") else frozenset(),
            addresses=_registers(rest), moves_base="!" in rest or bool(re.search(r"\],", rest)),
        )  # fmt: skip
    results = 2 if re.match(r"[su]ml?[au]l|[su]mull|[su]mlal", name) else 1
    written = "" if name in _WITHOUT_RESULT else ",".join(operands.split(",")[:results])
    return Instruction(*where, writes=_registers(written))


_CONDITIONS = "eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|hs|lo"
_CONDITIONAL = re.compile(rf"^(b|bl|bx|blx|ldr[bhd]?|ldrs[bh]|str[bhd]?|pop|ldm|stm)({_CONDITIONS})$")


def _plain(mnemonic: str) -> str:
    """Return a mnemonic without condition or addressing mode, as far as timing needs it."""
    name = re.sub(r"^(v?ldm|v?stm)(ia|db|fd|ea)", r"\1", mnemonic)
    if found := _CONDITIONAL.match(name):
        name = found[1]
    return "it" if re.match(r"^it[te]*$", name) else name


def _registers(text: str) -> frozenset[int]:
    return frozenset(_NAMES[name] for name in _REGISTER.findall(text))


def _listed(text: str) -> frozenset[int]:
    """Return the registers of a list such as "r0, r4-r7, lr"."""
    found: set[int] = set()
    for part in text.split(","):
        ends = [_NAMES[name] for name in _REGISTER.findall(part)]
        found.update(range(ends[0], ends[-1] + 1) if ends else ())
    return frozenset(found)


def _float_words(text: str) -> int:
    """Return the words in a list such as "s16-s19" or "d8-d9"."""
    words = 0
    for part in text.split(","):
        numbers = [int(number) for number in re.findall(r"\d+", part)]
        if numbers:
            words += (numbers[-1] - numbers[0] + 1) * (2 if "d" in part else 1)
    return max(words, 1)
