"""Each rule of the sensor, kept and broken."""

from __future__ import annotations

import pytest

from tinytracker.model.network import Network
from tinytracker.package.imx500.rules import RULES
from tinytracker.package.rules import judge


def good(height: int = 112, width: int = 112, channels: int = 3) -> Network:
    network = Network()
    x = network.input("image", (height, width, channels))
    x = network.conv(x, "stem", 8, 3, 2)
    x = network.depthwise(x, "depthwise")
    x = network.global_average(x, "pool")
    network.dense(x, "gaze", 2)
    return network


def two_inputs() -> Network:
    network = Network()
    a, b = network.input("a", (8, 8, 3)), network.input("b", (8, 8, 3))
    network.dense(network.flatten(network.concat((a, b), "both"), "flat"), "gaze", 2)
    return network


def baked() -> Network:
    network = Network()
    x = network.position_planes(network.input("image", (8, 8, 3)), "position")
    network.dense(network.flatten(x, "flat"), "gaze", 2)
    return network


def grouped() -> Network:
    network = Network()
    x = network.conv(network.input("image", (8, 8, 3)), "wide", 6)
    x = network.conv(x, "grouped", 6, groups=2)
    network.dense(network.flatten(x, "flat"), "gaze", 2)
    return network


def map_output() -> Network:
    network = Network()
    network.conv(network.input("image", (8, 8, 3)), "gaze", 2)
    return network


def heavy() -> Network:
    network = Network()
    x = network.flatten(network.input("image", (112, 112, 3)), "flat")
    network.dense(network.dense(x, "hidden", 300), "gaze", 2)
    return network


BROKEN = {
    "one-input": (two_inputs(), "it has 2 inputs: a, b"),
    "rgb-image": (good(channels=1), "image is 112 x 112 x 1"),
    "image-size": (good(4, 1300), "image is 1300 x 4 and takes 8 lines"),
    "known-operators": (baked(), "position is position_planes"),
    "vector-output": (map_output(), "gaze is conv of shape (8, 8, 2)"),
    "memory": (heavy(), "it needs at least 11,367,090 bytes"),
}


def test_every_rule_has_a_case() -> None:
    assert [rule.name for rule in RULES] == list(BROKEN)


def test_a_good_network_keeps_all_rules() -> None:
    assert all(verdict.ok for verdict in judge(RULES, good()))


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_says_where(name: str) -> None:
    network, detail = BROKEN[name]
    broken = {v.rule.name: v.details for v in judge(RULES, network) if not v.ok}
    assert name in broken
    assert broken[name][0].startswith(detail)
    assert set(broken) == {name}, "only this rule is broken"


def test_grouped_convolutions_are_not_known() -> None:
    broken = {v.rule.name: v.details for v in judge(RULES, grouped()) if not v.ok}
    assert broken == {"known-operators": ("grouped is a convolution in 2 groups",)}


def test_the_line_limit_comes_before_the_size_limit() -> None:
    (verdict,) = [v for v in judge(RULES, good(960, 1280, 3)) if v.rule.name == "image-size"]
    assert verdict.ok  # 1441 lines
