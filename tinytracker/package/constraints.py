"""Rules of the devices: presets judged by them, and docs/constraints.md.

A preset is judged as plain data: without TensorFlow, training, or a vendor's tool.
"""

from __future__ import annotations

from typing import Any

from tinytracker.errors import ModelError
from tinytracker.model.network import Network
from tinytracker.model.presets import PRESETS, Preset
from tinytracker.package.rules import Rule, Verdict, judge, markdown_table
from tinytracker.targets import find_target, with_part


def rules_of(target: str) -> tuple[Rule[Network], ...]:
    """Return a target's rules over networks, in the order in which they are judged and documented.

    Raises:
        UnknownNameError: the target has no such rules.
    """
    rules: tuple[Rule[Network], ...] = find_target(target, "rules").part("rules").RULES
    return rules


def judge_preset(preset: Preset, target: str) -> tuple[Verdict, ...]:
    """Return all verdicts of a target on a preset."""
    return judge(rules_of(target), preset.network())


def suitable_presets(target: str) -> list[str]:
    """Return the names of the presets that a target can run."""
    return [name for name, preset in PRESETS.items() if all(v.accepted for v in judge_preset(preset, target))]


def require_suitable(preset: Preset, target: str) -> tuple[Verdict, ...]:
    """Refuse a preset that the target cannot run.

    Returns:
        The verdicts.

    Raises:
        ModelError: names the first broken rule and the presets that keep all rules.
    """
    verdicts = judge_preset(preset, target)
    broken = [v for v in verdicts if not v.accepted]
    if broken:
        others = suitable_presets(target)
        hint = f"Train one that can: {', '.join(others)}." if others else "No preset can run there."
        first = broken[0]
        sentence = f"{first.rule.statement} {'; '.join(first.details)}."
        raise ModelError(f"The preset {preset.name} cannot run on {target}. {sentence}", hint)
    return verdicts


def constraints_markdown() -> str:
    """Return the text of docs/constraints.md."""
    parts = [
        "# Constraints of each device\n\n"
        "Written by `python -m tinytracker.package.constraints`; do not edit. "
        "`tinytracker check` judges a network by these rules.\n"
    ]
    for name, target in with_part("rules", "section").items():
        parts.append(
            target.part("section").section() if target.section else f"\n## {name}\n\n{preset_part(name)}"
        )
    return "".join(parts)


def preset_part(target: str) -> str:
    """Return Markdown: how far a target's rules over presets can be trusted, and the rules."""
    remark = find_target(target, "rules").part("rules").REMARK
    table = markdown_table(rules_of(target), "presets that break it", _breaking)
    return f"### Presets and runs\n\n{remark}\n\n{table}"


def _breaking(rule: Rule[Any]) -> str:
    return ", ".join(name for name, preset in PRESETS.items() if not rule.judge(preset.network()).ok)


if __name__ == "__main__":
    print(constraints_markdown(), end="")
