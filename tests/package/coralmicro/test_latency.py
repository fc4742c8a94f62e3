"""The latency model gives the numbers that docs/coral-latency.md quotes."""

import pytest

from tinytracker.package.coralmicro.latency import expected_latency


def test_the_documented_example():
    latency = expected_latency(170_032 + 49_152 + 1_008, 13_600_000)
    assert latency.transfer_ms == (5.79, 6.88)
    assert latency.compute_ms == (0.06, 0.19)
    assert (latency.low_ms, latency.high_ms) == (6.15, 7.37)
    assert latency.kind == "model"


def test_nothing_to_do_costs_the_fixed_time():
    assert expected_latency(0, 0).low_ms == expected_latency(0, 0).high_ms == pytest.approx(0.3)
