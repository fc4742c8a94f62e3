"""Which blocks of a program run, how often, and after which other block: read from QEMU's own log.

`-d exec,nochain` writes a line whenever a block begins, and `-d in_asm` the instructions of each block once, when it is
translated. Both are options of the emulator itself and need no plugin. A block is straight: it ends with its first
jump, or before.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from tinytracker.children import ends_with_parent
from tinytracker.emulate.tools import ToolError

LOG = ("-d", "exec,nochain,in_asm")


class Block(NamedTuple):
    """Instructions that QEMU runs in a row.

    Attributes:
        address: of the first instruction. size: bytes.
    """

    address: int
    size: int

    @property
    def end(self) -> int:
        """Return the address after its last instruction."""
        return self.address + self.size


Lap = Counter[tuple[Block, Block]]
"""How often each block ran after each other block."""

_ENTRY = re.compile(rb"^Trace \d+: (0x[0-9a-f]+) \[[0-9a-f]+/([0-9a-f]+)/")
_STOPPED = b"Stopped execution of TB chain before"
_REWOUND = re.compile(rb"^cpu_io_recompile: rewound execution of TB to ([0-9a-f]+)")
_LISTED = re.compile(rb"^(?:0x[0-9a-f]+:  |OBJD-T: )((?:[0-9a-f]{2,8} ?)+)")


def read_laps(log: Iterable[bytes], hook: int) -> list[Lap]:
    """Return what ran before the first call of a function, between its calls, and after the last.

    Args:
        log: lines of QEMU's log.
        hook: address of the function.

    Raises:
        ToolError: a block runs whose instructions were not listed.
    """
    read = _Log()
    laps: list[Counter[tuple[int, int]]] = [Counter()]
    run = [0]
    for index in read.entered(log):
        called = read.blocks[index].address == hook
        if called or len(run) > _AT_ONCE:
            laps[-1].update(pairwise(run))
            del run[:-1]
        if called:
            laps.append(Counter())
        run.append(index)
    laps[-1].update(pairwise(run))
    return [read.named(lap) for lap in laps]


_AT_ONCE = 100_000
"""Blocks of which the pairs are counted together."""


class _Log:
    """Blocks in the order of their first run; they are known by their index, because that is fast to count."""

    def __init__(self) -> None:
        self.blocks = [Block(0, 0)]

    def entered(self, log: Iterable[bytes]) -> Iterator[int]:
        """Yield the index of each block that ran, one line late, because the next line can take it back."""
        known: dict[bytes, int] = {}  # by the address of the translated code
        size = 0  # bytes of the block being listed
        last: int | None = None
        for line in log:
            if line.startswith(b"Trace"):
                if last is not None:
                    yield last
                name = line[:28]
                if size or name not in known:
                    known[name] = self._add(_entered(line, size))
                    size = 0
                last = known[name]
            elif line.startswith(b"IN:"):
                size = 0
            elif line.startswith(_STOPPED):  # the block was about to run, and comes again
                last = None
            elif found := _LISTED.match(line):
                size += len(found[1].replace(b" ", b"")) // 2
            elif (found := _REWOUND.match(line)) and last is not None:  # only its beginning ran
                start = self.blocks[last].address
                last = self._add(Block(start, int(found[1], 16) - start))
        if last is not None:
            yield last

    def _add(self, block: Block) -> int:
        self.blocks.append(block)
        return len(self.blocks) - 1

    def named(self, lap: Counter[tuple[int, int]]) -> Lap:
        """Return a lap with the blocks themselves."""
        found = Lap()
        for (previous, block), times in lap.items():
            found[self.blocks[previous], self.blocks[block]] += times
        return found


def _entered(line: bytes, size: int) -> Block:
    found = _ENTRY.match(line)
    if found is None or size == 0:
        raise ToolError(f"The emulator's log has a line that was not expected: {line[:80]!r}.")
    return Block(int(found[2], 16), size)


def run_traced(command: list[str], hook: int, timeout_s: float) -> list[Lap]:
    """Run a program in the emulator and return its laps; see `read_laps`.

    Args:
        command: the emulator's, whose standard output is discarded.
        hook: address of the function that ends a lap.
        timeout_s: time limit.

    Raises:
        ToolError: the emulator fails, does not end in time, or its log is not understood.
    """
    with subprocess.Popen(
        [*command, *LOG],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=ends_with_parent(),
    ) as process:
        limit = threading.Timer(timeout_s, process.kill)
        limit.start()
        try:
            assert process.stderr is not None
            laps = read_laps(process.stderr, hook)
        except BaseException:
            process.kill()
            raise
        finally:
            limit.cancel()
        status = process.wait()
    if status != 0:
        raise ToolError(f"The traced program ended with status {status}, or did not end in {timeout_s:g} s.")
    return laps
