"""Rules of the devices: the engine, and the documentation made from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinytracker.errors import ModelError, UnknownNameError
from tinytracker.model.network import Network
from tinytracker.model.presets import PRESETS, find_preset
from tinytracker.package.constraints import (
    constraints_markdown,
    judge_preset,
    require_suitable,
    rules_of,
    suitable_presets,
)
from tinytracker.package.rules import judge, markdown_table, rule
from tinytracker.targets import with_part

DOCS = Path(__file__).parents[2] / "docs" / "constraints.md"


@rule("toy")
def few_nodes(network: Network) -> str | None:
    """At most one
    node.

    Fix: Take some
        away.
    Source: this | test.
    """
    return f"it has {len(network.nodes)}" if len(network.nodes) > 1 else None


@rule("toy", level="warns")
def short_names(network: Network):
    """Names have five letters.

    Fix: Shorten them.
    Source: this test.
    """
    for name in network.nodes:
        if len(name) > 5:
            yield f"{name} has {len(name)}"


def networks() -> tuple[Network, Network]:
    kept, broken = Network(), Network()
    kept.input("image", (4, 4, 3))
    broken.conv(broken.conv(broken.input("picture", (4, 4, 3)), "first", 2), "second", 2)
    return kept, broken


def test_a_rule_speaks_its_docstring() -> None:
    kept, broken = networks()
    assert (few_nodes.name, few_nodes.statement) == ("few-nodes", "At most one node.")
    assert few_nodes.apply(kept, "the network") is None
    found = few_nodes.apply(broken, "the network")
    assert found is not None
    assert str(found) == "the network: it has 3. At most one node. Take some away."
    assert (found.rule, found.level) == ("few-nodes", "fails")
    assert markdown_table([few_nodes, short_names]).splitlines()[2:] == [
        "| `few-nodes` | At most one node. | Take some away. | this \\| test. |",
        "| `short-names` (warning) | Names have five letters. | Shorten them. | this test. |",
    ]


def test_a_rule_may_be_broken_in_several_places() -> None:
    kept, broken = networks()
    rules = (few_nodes, short_names)
    assert [v.as_json()["ok"] for v in judge(rules, kept)] == [True, True]
    first, second = judge(rules, broken)
    assert first.as_json() == {
        "rule": "few-nodes", "statement": "At most one node.", "ok": False, "details": ["it has 3"],
    }  # fmt: skip
    assert second.details == ("picture has 7", "second has 6")
    assert [v.accepted for v in (first, second)] == [False, True]
    finding = second.finding("the network")
    assert finding is not None
    assert finding.found == "picture has 7; second has 6"


@pytest.mark.parametrize("text", ["", "Only a statement.", "A statement.\n\nFix: Something."])
def test_a_rule_without_its_parts_is_refused(text: str) -> None:
    def nameless(network: Network) -> None:
        return None

    nameless.__doc__ = text
    with pytest.raises(TypeError, match="rule nameless needs"):
        rule("toy")(nameless)


def test_the_documentation_is_generated() -> None:
    assert DOCS.read_text() == constraints_markdown(), (
        "python -m tinytracker.package.constraints > docs/constraints.md"
    )


@pytest.mark.parametrize("target", with_part("rules"))
def test_every_target_can_run_some_preset(target: str) -> None:
    assert suitable_presets(target)
    rules = rules_of(target)
    assert len({r.name for r in rules}) == len(rules)
    for r in rules:
        assert r.target == target
        assert r.statement.endswith(".")
        assert r.fix.endswith(".")


def test_an_unsuitable_preset_is_refused_with_one_that_can() -> None:
    with pytest.raises(ModelError) as caught:
        require_suitable(find_preset("tinytracker"), "imx500")
    assert str(caught.value) == (
        "The preset tinytracker cannot run on imx500. The input is an RGB image of three channels; register "
        "settings of other kinds are unknown. image is 112 x 112 x 5. Train one that can: tinytracker-rgb, "
        "tinytracker-v2, tinytracker-v2-aim."
    )
    assert all(v.ok for v in require_suitable(find_preset("tinytracker-rgb"), "imx500"))


def test_unknown_target() -> None:
    with pytest.raises(UnknownNameError):
        judge_preset(PRESETS["tinytracker"], "toaster")
