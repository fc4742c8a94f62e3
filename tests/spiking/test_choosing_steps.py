"""How many steps `spike` takes when nobody says it."""

import pytest

from tinytracker.spiking.choosing import BOUNDS, TOLERANCE, choose_steps


def curve(error_of):
    """A simulation with this error after each step, and the numbers of steps that were asked for."""
    asked = []

    def simulated(steps):
        asked.append(steps)
        return [error_of(t) for t in range(1, steps + 1)], f"{steps} steps"

    return simulated, asked


@pytest.mark.parametrize("steps", [1, 7, 8, 9, 16, 33, 64])
def test_the_fewest_steps_within_the_tolerance(steps):
    simulated, asked = curve(lambda t: 3.0 * (1 + TOLERANCE) + (0.1 if t < steps else 0.0))
    found, chosen, belongs = choose_steps(3.0, simulated)
    assert found == steps
    assert chosen.is_within
    assert (chosen.tolerance, chosen.limit) == (0.03, 64)
    first = next(bound for bound in BOUNDS if bound >= steps)
    assert asked == [bound for bound in BOUNDS if bound <= first]
    assert belongs == f"{first} steps"


def test_the_lowest_error_when_none_is_within():
    simulated, asked = curve(lambda t: 4.0 + abs(t - 40))
    found, chosen, belongs = choose_steps(3.0, simulated)
    assert (found, chosen.is_within, belongs) == (40, False, "64 steps")
    assert asked == list(BOUNDS)
