"""What a part of a program does: counts, and modelled cycles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """What a part of a program does; everything is modelled except the counts.

    Attributes:
        cycles: of a Cortex-M4 without wait states. instructions: executed.
        data_words: accesses to data of up to a word each. fetched_words: words of code, each time it is executed.
        classes: instructions and cycles of each class of `tinytracker.emulate.timing.CLASSES` that occurs.
    """

    cycles: int
    instructions: int
    data_words: int
    fetched_words: int
    classes: Mapping[str, tuple[int, int]]


def summed(parts: Sequence[Work]) -> Work:
    """Return all parts together."""
    classes: dict[str, tuple[int, int]] = {}
    for part in parts:
        for kind, (instructions, cycles) in part.classes.items():
            before = classes.get(kind, (0, 0))
            classes[kind] = (before[0] + instructions, before[1] + cycles)
    return Work(
        sum(p.cycles for p in parts), sum(p.instructions for p in parts), sum(p.data_words for p in parts),
        sum(p.fetched_words for p in parts), dict(sorted(classes.items())),
    )  # fmt: skip
