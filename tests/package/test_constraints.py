"""Rules of the devices: the frame, and the documentation made from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinytracker.errors import ModelError, UnknownNameError
from tinytracker.model.network import Network
from tinytracker.model.presets import PRESETS, find_preset
from tinytracker.package import constraints
from tinytracker.package.constraints import (
    Rules,
    constraints_markdown,
    judge_preset,
    require_suitable,
    rules_of,
)

DOCS = Path(__file__).parents[2] / "docs" / "constraints.md"


def test_a_rule_speaks_its_docstring() -> None:
    rules = Rules("toy")

    @rules.rule
    def few_nodes(network: Network):
        """At most one
        node.
        """
        if len(network.nodes) > 1:
            yield f"it has {len(network.nodes)}"

    network = Network()
    network.input("image", (4, 4, 3))
    (verdict,) = rules.judge(network)
    assert (verdict.rule, verdict.statement, verdict.ok) == ("few-nodes", "At most one node.", True)
    network.conv("image", "conv", 2)
    (verdict,) = rules.judge(network)
    assert verdict.as_json()["details"] == ["it has 2"]
    with pytest.raises(ValueError, match="comes twice"):
        rules.rule(few_nodes)


def test_the_documentation_is_generated() -> None:
    assert DOCS.read_text() == constraints_markdown(), (
        "python -m tinytracker.package.constraints > docs/constraints.md"
    )


@pytest.mark.parametrize("target", constraints.MODULES)
def test_every_target_can_run_some_preset(target: str) -> None:
    assert constraints.suitable_presets(target)
    for rule in rules_of(target):
        assert rule.statement.endswith(".")


def test_an_unsuitable_preset_is_refused_with_one_that_can() -> None:
    with pytest.raises(ModelError) as caught:
        require_suitable(find_preset("tinytracker"), "imx500")
    assert str(caught.value) == (
        "The preset tinytracker cannot run on imx500. The input is an RGB image of three channels, the only kind "
        "whose register settings are known. image is 112 x 112 x 5. Train one that can: tinytracker-rgb, "
        "tinytracker-v2."
    )
    assert all(v.ok for v in require_suitable(find_preset("tinytracker-rgb"), "imx500"))


def test_unknown_target() -> None:
    with pytest.raises(UnknownNameError):
        judge_preset(PRESETS["tinytracker"], "toaster")
