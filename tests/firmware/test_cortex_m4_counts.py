"""What the Cortex-M4 kernels cost on the emulated board: pinned, so that no slow-down lands unseen, and the goals."""

from functools import cache

import pytest
from support.tflite_nets import tinytracker, tinytracker_s

from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.emulate import EmulationReport, emulate
from tinytracker.emulate.yardstick import CMSIS_NN

NETS = {"TinyTrackerS": lambda: tinytracker_s(ramps=True), "TinyTracker": tinytracker}
SMALL, LARGE = 1.15, 2.1
INSTRUCTIONS = {
    ("TinyTrackerS", SMALL): 5_973_571,
    ("TinyTrackerS", LARGE): 5_752_385,
    ("TinyTracker", SMALL): 18_146_260,
    ("TinyTracker", LARGE): 17_040_341,
}
CYCLES = {"TinyTrackerS": 9_609_118, "TinyTracker": 29_228_971}
"""Modelled, without wait states, with the small budget."""
GOALS = {
    ("TinyTrackerS", SMALL): 1.9,
    ("TinyTrackerS", LARGE): 1.5,
    ("TinyTracker", SMALL): 1.6,
    ("TinyTracker", LARGE): 1.25,
}


@cache
def model(name: str) -> bytes:
    return NETS[name]()


@cache
def report(name: str, budget: float) -> EmulationReport:
    return emulate(model(name), 2, kernels=CortexM4(budget), cycles=budget == SMALL)


@pytest.mark.parametrize(("name", "budget"), sorted(INSTRUCTIONS))
def test_counts_are_pinned(name, budget):
    counted = report(name, budget)
    assert counted.equal is True
    assert counted.macs == CMSIS_NN[name].macs
    assert counted.instructions == pytest.approx(INSTRUCTIONS[name, budget], rel=0.02)


@pytest.mark.parametrize("name", sorted(CYCLES))
def test_modelled_cycles_are_pinned(name):
    modelled = report(name, SMALL).modelled.total
    assert modelled.cycles == pytest.approx(CYCLES[name], rel=0.02)
    assert 1.55 < modelled.cycles / modelled.instructions < 1.70


@pytest.mark.parametrize(("name", "budget"), sorted(GOALS))
def test_goals_are_reached(name, budget):
    counted, yardstick = report(name, budget), CMSIS_NN[name]
    assert counted.instructions_per_mac <= GOALS[name, budget]
    assert counted.instructions < yardstick.instructions
    assert counted.code_bytes <= budget * len(model(name))  # the measuring program is in it
    assert counted.arena_bytes <= yardstick.arena_bytes
    assert counted.stack_used_bytes < 1024


@pytest.mark.parametrize("name", sorted(NETS))
def test_the_program_is_smaller_than_the_yardstick(name):
    counted = report(name, SMALL)
    assert counted.code_bytes < CMSIS_NN[name].image_bytes


@pytest.mark.parametrize("name", sorted(NETS))
def test_only_small_steps_are_left_to_portable_kernels(name):
    counted = report(name, SMALL)
    portable = sum(step.instructions for step in counted.steps if not step.kernel.startswith("m4 "))
    assert portable < 0.001 * counted.instructions


def test_a_larger_budget_never_costs_instructions():
    counts = [report("TinyTrackerS", budget).instructions for budget in (0.01, SMALL, LARGE)]
    assert counts == sorted(counts, reverse=True)
