import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytracker.errors import CalibrationError
from tinytracker.evaluate.calibration_table import calibration_table, spread_dots
from tinytracker.evaluate.metrics import Frames


def people(count, dots, bias, noise=0.5, seed=0):
    """Predictions and truth of some people, two frames a dot; each has an own offset of `bias` cm per axis (sd)."""
    rng = np.random.default_rng(seed)
    places = rng.uniform([-3, -9], [3, -1], (count, dots, 2)).repeat(2, 1).reshape(-1, 2)
    offsets = rng.normal(0, bias, (count, 2)).repeat(2 * dots, 0)
    n = len(places)
    frames = Frames(
        places, np.arange(count).astype(str).repeat(2 * dots), np.full(n, "iPhone 6"), np.full(n, "phone"),
        np.ones(n, int), np.tile(np.arange(dots).repeat(2), count),
    )  # fmt: skip
    return places + offsets + noise * rng.normal(size=places.shape), frames


def cell(table, method, dots):
    return next(r for r in table["rows"] if r["method"] == method and r["dots"] == dots)


def test_a_bias_per_person_is_taken_away():
    predicted, frames = people(20, 30, bias=2.0)
    table = calibration_table(predicted, frames, None, (5, 9), repeats=2)
    # What is left when the offsets are known is the noise: 0.5 cm per axis, mean length 0.5 sqrt(pi / 2).
    left = 0.5 * np.sqrt(np.pi / 2)
    found = cell(table, "offset", 9)
    assert left < found["error_cm"] < 1.2 * left
    assert found["error_cm"] < cell(table, "offset", 5)["error_cm"]
    assert found["change"] == pytest.approx(found["error_cm"] / table["before_cm"] - 1)
    assert found["change_ci95"][0] < found["change"] < found["change_ci95"][1] < -0.5
    assert found["worse"] < 0.15
    assert sum(found["kinds"].values()) == 40
    assert table["subjects"] == 20
    assert table["test_frames"] == 2 * (30 - 9)


def test_without_a_bias_nothing_is_lost():
    predicted, frames = people(30, 30, bias=0.0)
    table = calibration_table(predicted, frames, None, (5, 9), repeats=3)
    assert all(abs(row["change"]) < 0.01 for row in table["rows"])


def test_calibration_dots_are_never_tested_on():
    """Dots of calibration whose predictions are absurd would wreck the mean if they were."""
    predicted, frames = people(4, 20, bias=1.0, noise=0.1)
    seen = []
    original = spread_dots

    def remember(gaze, dot, count, rng):
        seen.append(original(gaze, dot, count, rng))
        return seen[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tinytracker.evaluate.calibration_table.spread_dots", remember)
        table = calibration_table(predicted, frames, None, (9,), repeats=1)
    errors = []
    for person, order in enumerate(seen):
        mine = (frames.subject == str(person)) & ~np.isin(frames.dot, order)
        errors.append(np.linalg.norm(predicted[mine] - frames.gaze[mine], axis=1).mean())
    assert table["before_cm"] == pytest.approx(np.mean(errors))


def test_people_with_too_few_dots_are_counted():
    few, few_frames = people(2, 10, bias=1.0)
    many, many_frames = people(3, 20, bias=1.0)
    both = Frames(
        np.concatenate([few_frames.gaze, many_frames.gaze]),
        np.concatenate([np.char.add("few", few_frames.subject), many_frames.subject]),
        *(
            np.concatenate([getattr(f, name) for f in (few_frames, many_frames)])
            for name in ("device", "family", "orientation", "dot")
        ),
    )
    table = calibration_table(np.concatenate([few, many]), both, None, (9,), repeats=1)
    assert (table["subjects"], table["left_out"]) == (3, 2)
    with pytest.raises(CalibrationError, match="None of the 2 people in this split has 14 dots"):
        calibration_table(few, few_frames, None, (9,), repeats=1)


@given(st.integers(0, 2**32 - 1), st.integers(3, 20))
def test_spread_dots_are_different_and_spread(seed, count):
    rng = np.random.default_rng(seed)
    dot = np.arange(30).repeat(2)
    gaze = rng.uniform(-5, 5, (30, 2)).repeat(2, 0)
    chosen = spread_dots(gaze, dot, count, rng)
    assert len(set(chosen.tolist())) == count
    places = gaze[::2]

    def nearest(numbers):
        distance = np.linalg.norm(places[numbers][:, None] - places[numbers], axis=-1)
        return distance[~np.eye(len(numbers), dtype=bool)].min()

    random = [nearest(rng.choice(30, count, replace=False)) for _ in range(20)]
    assert nearest(chosen) >= np.median(random)
