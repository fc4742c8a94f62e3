"""Constraints of a device as functions: each is the check, its message and its row in docs/constraints.md.

    @rule("coralmicro")
    def no_fused_activation(node: Node) -> str | None:
        \"\"\"Pooling and concatenation have no fused activation.

        Fix: Put the activation behind it, as its own layer.
        Source: Coral, "TensorFlow models on the Edge TPU".
        \"\"\"
        return f"fused {node.activation}" if ... else None

The function checks one subject (a preset's network, an operator, a graph, a file) and returns what it found, with the
value: a string, several strings when the rule is broken in several places, or None when the rule is kept. Its
docstring holds the requirement, the fix, and the source.
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


class NotJudged(str):
    """Result of a rule that cannot be judged, because something that it needs is not known: why."""


Found = str | Iterable[str] | NotJudged | None
"""Result of a rule: what it found, in one place or several; None or nothing when the rule is kept."""


@dataclass(frozen=True)
class Finding:
    """A rule that is broken.

    Attributes:
        rule: name of the rule. level: "fails" or "warns".
        where: the subject, for example "operator 3 CONV_2D".
        found: what was found, with the value.
        statement: the requirement. fix: the fix.
    """

    rule: str
    level: Level
    where: str
    found: str
    statement: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found}. Required: {self.statement} {self.fix}".strip()


@dataclass(frozen=True)
class Rule(Generic[Subject]):
    """A requirement.

    Attributes:
        name: name of the function, with dashes. target: device.
        level: "fails" when the package would not work, "warns" when it works at a cost.
        check: function from a subject to what it found.
        statement, fix, source: from the docstring.
    """

    name: str
    target: str
    level: Level
    check: Callable[[Subject], Found]
    statement: str
    fix: str
    source: str

    def judge(self, subject: Subject) -> Verdict:
        """Return whether a subject keeps the rule, and if not, where it is broken."""
        found = self.check(subject)
        if isinstance(found, NotJudged):
            return Verdict(self, (), not_judged=str(found))
        return Verdict(self, () if found is None else (found,) if isinstance(found, str) else tuple(found))

    def apply(self, subject: Subject, where: str) -> Finding | None:
        """Return the finding on a subject, or None when the rule is kept."""
        return self.judge(subject).finding(where)


@dataclass(frozen=True)
class Verdict:
    """Result of a rule on a subject.

    Attributes:
        rule: the rule.
        details: where and how it is broken; empty when it is kept.
        not_judged: why it could not be judged; "" when it was.
    """

    rule: Rule[Any]
    details: tuple[str, ...]
    not_judged: str = ""

    @property
    def ok(self) -> bool:
        """Return True when the rule is kept."""
        return not self.details and not self.not_judged

    @property
    def accepted(self) -> bool:
        """Return True when the rule is kept or only warns."""
        return self.ok or self.rule.level == "warns"

    def finding(self, where: str) -> Finding | None:
        """Return the verdict as a finding, or None when the rule is kept."""
        if not self.details:
            return None
        r = self.rule
        return Finding(r.name, r.level, where, "; ".join(self.details), r.statement, r.fix)

    def as_json(self) -> dict[str, Any]:
        """Return the fields for manifests and `--json`."""
        return {
            "rule": self.rule.name, "statement": self.rule.statement,
            "ok": None if self.not_judged else self.ok, "details": list(self.details),
            **({"not_judged": self.not_judged} if self.not_judged else {}),
        }  # fmt: skip


def rule(target: str, level: Level = "fails") -> Callable[[Callable[[Subject], Found]], Rule[Subject]]:
    """Turn a function into a `Rule`; its docstring needs a statement, a `Fix:` and a `Source:`."""

    def decorate(check: Callable[[Subject], Found]) -> Rule[Subject]:
        statement, fix, source = _parts(inspect.getdoc(check) or "", check.__name__)
        name = check.__name__.strip("_").replace("_", "-")
        return Rule(name, target, level, check, statement, fix, source)

    return decorate


_PARTS = re.compile(r"(?P<statement>.+?)\s+Fix:\s+(?P<fix>.+?)\s+Source:\s+(?P<source>.+)", re.DOTALL)


def _parts(text: str, name: str) -> tuple[str, str, str]:
    match = _PARTS.fullmatch(text.strip())
    if match is None:
        raise TypeError(f"the docstring of rule {name} needs a statement, 'Fix:' and 'Source:'")
    statement, fix, source = (" ".join(part.split()) for part in match.groups())
    return statement, fix, source


def judge(rules: Iterable[Rule[Subject]], subject: Subject) -> tuple[Verdict, ...]:
    """Return the verdicts of rules on one subject, kept or broken, in their order."""
    return tuple(r.judge(subject) for r in rules)


def markdown_table(
    rules: Iterable[Rule[Any]], more: str = "", cells: Callable[[Rule[Any]], str] | None = None
) -> str:
    """Return a table for docs/constraints.md, with rows in the order given.

    Args:
        rules: rules to document.
        more: head of an additional column at the end, "" for none.
        cells: content of that column.
    """
    heads = ["rule", "requirement", "fix", "source", *([more] if more else [])]
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |"]
    for r in rules:
        mark = "" if r.level == "fails" else " (warning)"
        row = (f"`{r.name}`{mark}", r.statement, r.fix, r.source, *((cells(r),) if cells else ()))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class OperatorReport:
    """The verdict on one operator.

    Attributes:
        index, name, version: those of the operator. macs: its multiply-accumulates.
        maps: True when the device would run it where it should.
        findings: reasons why not, and warnings.
    """

    index: int
    name: str
    version: int
    maps: bool
    macs: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Report:
    """The verdict of a device on a network.

    Attributes:
        target: device. source: the network's name.
        operators: in execution order; empty for a preset, which is judged as a whole.
        graph: findings on the whole network.
        facts: numbers that the target adds, JSON-able.
        remark: how far the verdict can be trusted.
        verdicts: verdicts of the rules over the whole network, kept ones included, when the target lists them.
        suitable: for a preset: the presets that keep every rule.
        memory: report of the vendor's converter, when it was run.
        words: words for an operator that maps and for one that does not.
    """

    target: str
    source: str
    operators: tuple[OperatorReport, ...]
    graph: tuple[Finding, ...]
    facts: dict[str, Any]
    remark: str
    verdicts: tuple[Verdict, ...] = ()
    suitable: tuple[str, ...] = ()
    memory: dict[str, Any] | None = None
    words: tuple[str, str] = ("maps", "does not map")

    @property
    def ok(self) -> bool:
        """Return True when every operator maps, no rule over the whole network fails, and the converter accepts it."""
        fits = self.memory is None or bool(self.memory["fits"])
        return fits and all(o.maps for o in self.operators) and all(v.level != "fails" for v in self.graph)

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
            **({"verdicts": [v.as_json() for v in self.verdicts]} if self.verdicts else {}),
            **({"preset": self.source, "suitable_presets": list(self.suitable)} if self.suitable else {}),
            **({"memory": self.memory} if self.memory else {}),
        }  # fmt: skip


def as_json(finding: Finding) -> Mapping[str, str]:
    """Return the fields for manifests and `--json`."""
    return {
        "rule": finding.rule, "level": finding.level, "where": finding.where, "found": finding.found,
        "statement": finding.statement, "fix": finding.fix,
    }  # fmt: skip
