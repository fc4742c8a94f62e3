"""All operators that the specification covers."""

from __future__ import annotations

from tinytracker.quant.specification import (
    elementwise,
    moves,
    plain,
    recurrent,
    reduce,
    resize,
    select,
    softmax,
    weighted,
)
from tinytracker.quant.specification.call import Rule

_FAMILIES = (
    elementwise.RULES,
    moves.RULES,
    plain.RULES,
    recurrent.RULES,
    reduce.RULES,
    resize.RULES,
    select.RULES,
    softmax.RULES,
    weighted.RULES,
)

RULES: dict[str, Rule] = {name: rule for family in _FAMILIES for name, rule in family.items()}
"""The rule of each operator by its builtin name."""

SPECIFIED_OPERATORS = tuple(sorted(RULES))
"""Names of the operators that the specification covers."""
