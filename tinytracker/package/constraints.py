"""What a device takes, as rules: each is one function whose docstring is both its message and its row in the docs.

A rule looks at a network as plain data and says what is wrong with it, so that a preset can be judged without
TensorFlow, without training it, and without any vendor's tool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

from tinytracker.errors import ModelError, UnknownNameError
from tinytracker.model.network import Network
from tinytracker.model.presets import PRESETS, Preset

GRAPH_SECTIONS = {"coralmicro": "tinytracker.package.coralmicro.rules.docs"}
"""Targets with rules over the operators of a .tflite file, and the module whose `section()` documents them."""

MODULES = {"imx500": "tinytracker.package.imx500.constraints"}
"""Targets that have rules, and the module whose `RULES` holds them; imported when it is used."""

Check = Callable[[Network], Iterable[str]]
"""Gives a sentence for each place where the network breaks the rule; nothing when it keeps it."""


@dataclass(frozen=True)
class Rule:
    """One rule of a target.

    Attributes:
        name: for machines, such as "rgb-image".
        statement: what must be so, one sentence.
        check: finds where it is not.
    """

    name: str
    statement: str
    check: Check


@dataclass(frozen=True)
class Verdict:
    """What a rule says of a network.

    Attributes:
        rule: its name. statement: what must be so.
        ok: True when it is.
        details: where and how it is not.
    """

    rule: str
    statement: str
    ok: bool
    details: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For manifests and `--json`."""
        return {**asdict(self), "details": list(self.details)}


class Rules:
    """The rules of one target, in the order in which they are judged and documented."""

    def __init__(self, target: str) -> None:
        self.target = target
        self._rules: dict[str, Rule] = {}

    def rule(self, check: Check) -> Check:
        """Register a function; its docstring, one sentence, is the rule's statement."""
        statement = " ".join((check.__doc__ or "").split())
        name = check.__name__.replace("_", "-")
        if not statement or name in self._rules:
            raise ValueError(f"rule {name} of {self.target} has no docstring or comes twice")
        self._rules[name] = Rule(name, statement, check)
        return check

    def __iter__(self) -> Any:
        return iter(self._rules.values())

    def judge(self, network: Network) -> tuple[Verdict, ...]:
        """All verdicts on a network."""
        found = ((rule, tuple(rule.check(network))) for rule in self)
        return tuple(Verdict(rule.name, rule.statement, not details, details) for rule, details in found)


def rules_of(target: str) -> Rules:
    """The rules of a target.

    Raises:
        UnknownNameError: when it has none.
    """
    if target not in MODULES:
        raise UnknownNameError("target with rules", target, MODULES)
    rules: Rules = import_module(MODULES[target]).RULES
    return rules


def judge_preset(preset: Preset, target: str) -> tuple[Verdict, ...]:
    """All verdicts of a target on a preset."""
    return rules_of(target).judge(preset.network())


def suitable_presets(target: str) -> list[str]:
    """Names of the presets that keep every rule of a target."""
    return [name for name, preset in PRESETS.items() if all(v.ok for v in judge_preset(preset, target))]


def require_suitable(preset: Preset, target: str) -> tuple[Verdict, ...]:
    """Refuse a preset that the target cannot run.

    Returns:
        the verdicts, all of them ok.

    Raises:
        ModelError: names the first broken rule and the presets that keep all.
    """
    verdicts = judge_preset(preset, target)
    broken = [v for v in verdicts if not v.ok]
    if broken:
        others = suitable_presets(target)
        hint = f"Train one that can: {', '.join(others)}." if others else "No preset can."
        first = broken[0]
        sentence = f"{first.statement} {'; '.join(first.details)}."
        raise ModelError(f"The preset {preset.name} cannot run on {target}. {sentence}", hint)
    return verdicts


def constraints_markdown() -> str:
    """The text of docs/constraints.md."""
    parts = [
        "# What each device takes\n\n"
        "Written by `python -m tinytracker.package.constraints`; do not edit. "
        "`tinytracker check` judges a network by these rules.\n"
    ]
    for target in MODULES:
        parts.append(
            f"\n## {target}\n\n| rule | what must be so | presets that break it |\n| --- | --- | --- |\n"
        )
        for rule in rules_of(target):
            breaking = [name for name, preset in PRESETS.items() if list(rule.check(preset.network()))]
            parts.append(f"| {rule.name} | {rule.statement} | {', '.join(breaking)} |\n")
    parts.extend(import_module(module).section() for module in GRAPH_SECTIONS.values())
    return "".join(parts)


if __name__ == "__main__":
    print(constraints_markdown(), end="")
