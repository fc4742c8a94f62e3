"""Constraints of a device as functions: each is the check, its message and its row in docs/constraints.md.

    @rule("coralmicro")
    def no_fused_activation(node: Node) -> str | None:
        \"\"\"Pooling and concatenation carry no fused activation.

        Fix: Put the activation behind as a layer of its own.
        Source: Coral, "TensorFlow models on the Edge TPU".
        \"\"\"
        return f"fused {node.activation}" if ... else None

The function looks at one subject (an operator, a graph, a file) and returns what it found, with the value, or
None when all is well. Its docstring holds the constraint, the way out, and where it is known from.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

Subject = TypeVar("Subject")
Level = Literal["fails", "warns"]


@dataclass(frozen=True)
class Finding:
    """A constraint that does not hold.

    Attributes:
        rule: its name. level: "fails" or "warns".
        where: what it was looked at on, for example "operator 3 CONV_2D".
        found: what is there, with the value.
        statement: the constraint. fix: the way out.
    """

    rule: str
    level: Level
    where: str
    found: str
    statement: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found}. {self.statement} {self.fix}".strip()


@dataclass(frozen=True)
class GraphRule(Generic[Subject]):
    """A constraint.

    Attributes:
        name: of the function, with dashes. target: device.
        level: "fails" when the package would not work, "warns" when it works with a price.
        check: subject -> what was found, or None.
        statement, fix, source: from the docstring.
    """

    name: str
    target: str
    level: Level
    check: Callable[[Subject], str | None]
    statement: str
    fix: str
    source: str

    def apply(self, subject: Subject, where: str) -> Finding | None:
        """The finding on a subject, or None when the constraint holds."""
        found = self.check(subject)
        return (
            None if found is None else Finding(self.name, self.level, where, found, self.statement, self.fix)
        )


def rule(
    target: str, level: Level = "fails"
) -> Callable[[Callable[[Subject], str | None]], GraphRule[Subject]]:
    """Make a `GraphRule` of a function; its docstring needs a statement, a `Fix:` and a `Source:`."""

    def decorate(check: Callable[[Subject], str | None]) -> GraphRule[Subject]:
        statement, fix, source = _parts(inspect.getdoc(check) or "", check.__name__)
        name = check.__name__.strip("_").replace("_", "-")
        return GraphRule(name, target, level, check, statement, fix, source)

    return decorate


_PARTS = re.compile(r"(?P<statement>.+?)\s+Fix:\s+(?P<fix>.+?)\s+Source:\s+(?P<source>.+)", re.DOTALL)


def _parts(text: str, name: str) -> tuple[str, str, str]:
    match = _PARTS.fullmatch(text.strip())
    if match is None:
        raise TypeError(f"the docstring of rule {name} needs a statement, 'Fix:' and 'Source:'")
    statement, fix, source = (" ".join(part.split()) for part in match.groups())
    return statement, fix, source


def markdown_table(rules: Iterable[GraphRule[Any]]) -> str:
    """Rows for docs/constraints.md, in the order given."""
    lines = ["| rule | constraint | way out | source |", "| --- | --- | --- | --- |"]
    for r in rules:
        mark = "" if r.level == "fails" else " (warning)"
        cells = (f"`{r.name}`{mark}", r.statement, r.fix, r.source)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class OperatorReport:
    """Where one operator would run.

    Attributes:
        index, name, version: of the operator. macs: its work.
        maps: True when the accelerator would run it.
        findings: why not, and warnings.
    """

    index: int
    name: str
    version: int
    maps: bool
    macs: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class GraphReport:
    """What a device would make of a model.

    Attributes:
        target: device. source: the model's name.
        operators: in execution order. graph: verdicts on the whole.
        facts: numbers that the target adds, JSON-able.
        remark: how far the answer can be trusted.
    """

    target: str
    source: str
    operators: tuple[OperatorReport, ...]
    graph: tuple[Finding, ...]
    facts: dict[str, Any]
    remark: str

    @property
    def ok(self) -> bool:
        """True when every operator maps and no rule of the graph fails."""
        return all(o.maps for o in self.operators) and all(v.level != "fails" for v in self.graph)

    def as_json(self) -> dict[str, Any]:
        """For `--json` and manifests."""
        return {
            "target": self.target,
            "source": Path(self.source).name,
            "ok": self.ok,
            "remark": self.remark,
            "facts": self.facts,
            "graph": [as_json(v) for v in self.graph],
            "operators": [
                {
                    "index": o.index, "name": o.name, "version": o.version, "maps": o.maps, "macs": o.macs,
                    "findings": [as_json(v) for v in o.findings],
                }
                for o in self.operators
            ],
        }  # fmt: skip


def as_json(finding: Finding) -> Mapping[str, str]:
    """For manifests and `--json`."""
    return {
        "rule": finding.rule, "level": finding.level, "where": finding.where, "found": finding.found,
        "statement": finding.statement, "fix": finding.fix,
    }  # fmt: skip
