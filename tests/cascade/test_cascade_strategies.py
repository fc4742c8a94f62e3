"""Strategies on viewings that are made up: what runs when, what is shown, how late, and what it costs."""

from dataclasses import replace

import numpy as np
import pytest

from tinytracker.cascade.costs import Costs
from tinytracker.cascade.difference import blocks, difference
from tinytracker.cascade.fitting import Tabulated, choose, fit
from tinytracker.cascade.numbers import PersonNumbers, measure, person_numbers
from tinytracker.cascade.presence import Presence, PresenceSettings
from tinytracker.cascade.rule import NEVER, Changes, Gate, GateSettings
from tinytracker.cascade.saccades import landings, noticed_after
from tinytracker.cascade.simulation import BY_BIG, BY_LITTLE, Latency, Prepared, simulate
from tinytracker.cascade.strategies import ALWAYS, EVERY, FLOW, FLOW_LITTLE, LITTLE, STILL, SUMMED, grid
from tinytracker.cascade.viewing import Viewing
from tinytracker.errors import InputFileError, UnknownNameError, UsageError

COSTS = Costs(big_macs=11_000_000, little_macs=5_000_000)
LATENCY = Latency(big=6, little=3)


def viewing(seed: int = 0, count: int = 240, every: int = 24) -> Viewing:
    """Eyes that jump every `every` frames; a gate that sees it, with noise; networks with errors of their own."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(-6, 6, (count // every + 1, 2))
    places[1::2] += 5
    gaze = np.repeat(places, every, axis=0)[:count]
    eyes = np.rint(rng.normal(0, 8, (count, 2))).astype(np.int64)
    eyes[1:] -= np.rint(50 * np.diff(gaze, axis=0)).astype(np.int64)
    grey = rng.integers(60, 70, (count, 32, 96)).astype(np.uint8)
    for k in range(count):
        left = 14 + 2 * ((k // every) % 4)
        grey[k, 12:20, left : left + 8] = grey[k, 12:20, left + 54 : left + 62] = 10
    offset = rng.normal(0, 0.6, 2)
    zeros = np.zeros(count, np.int64)
    return Viewing(
        gaze=gaze, flying=np.zeros(count, bool), closed=np.zeros(count), visible=np.ones(count, bool),
        strips=np.tile([320.0, 240.0, 150.0], (count, 1)), regions=np.tile([5120, 3840, 2400], (count, 1)),
        big=gaze + offset + rng.normal(0, 0.3, (count, 2)), little=gaze + offset + rng.normal(0, 0.5, (count, 2)),
        big_presence=zeros, little_presence=zeros, grey=grey, eyes=eyes, face=np.zeros((count, 4), np.int64),
        head=np.zeros((count, 4), np.int64), misfit=zeros + 20, lost=zeros, searching=zeros.astype(bool),
        rate=np.array([30]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def person() -> Prepared:
    return Prepared(viewing())


def test_always_runs_whenever_it_is_free(person):
    shown = simulate(person, ALWAYS.of("little"), LATENCY)
    assert np.flatnonzero(shown.path == BY_BIG).tolist() == list(range(0, 240, 3))
    assert shown.busy.all()
    assert (shown.source[:3] == -1).all()
    assert shown.source[3:].tolist() == [3 * ((i - 3) // 3) for i in range(3, 240)]
    np.testing.assert_array_equal(shown.shown[10], person.viewing.little[6])


def test_an_answer_without_latency_is_of_the_same_frame(person):
    shown = simulate(person, ALWAYS, Latency(0, 0))
    np.testing.assert_array_equal(shown.source, np.arange(240))
    np.testing.assert_array_equal(shown.shown, person.viewing.big)


def test_every_kth(person):
    shown = simulate(person, EVERY.with_gate(longest=8).of("little"), LATENCY)
    assert np.flatnonzero(shown.path).tolist() == list(range(0, 240, 8))
    assert shown.busy.mean() == pytest.approx(3 / 8)


def test_the_flow_runs_when_the_eyes_have_jumped(person):
    strategy = FLOW.with_gate(longest=200, factor=48, floor=40, settle=1)
    shown = simulate(person, strategy.of("little"), LATENCY)
    started = np.flatnonzero(shown.path == BY_BIG)
    jumps = np.arange(24, 240, 24)
    assert {*(jumps + 1)} <= {*started.tolist()}
    assert len(started) < 20
    numbers = person_numbers(person, shown)
    always = person_numbers(person, simulate(person, ALWAYS.of("little"), LATENCY))
    assert numbers.busy < 0.3
    assert numbers.error_cm < 1.15 * always.error_cm
    assert max(numbers.delays) <= 4


def test_the_difference_sees_the_irises_move(person):
    shown = simulate(person, STILL.with_gate(longest=200, floor=40).of("little"), LATENCY)
    started = np.flatnonzero(shown.path == BY_BIG)
    assert {*range(24, 240, 24)} <= {*started.tolist()}
    assert len(started) < 14


def test_little_decides_on_big(person):
    shown = simulate(person, LITTLE, LATENCY)
    big, little = np.flatnonzero(shown.path == BY_BIG), np.flatnonzero(shown.path == BY_LITTLE)
    assert len(little) > 3 * len(big) > 0
    # Every jump is followed by Big within two looks of Little.
    for jump in range(24, 216, 24):
        assert any(jump <= b <= jump + 12 for b in big)
    gated = simulate(person, FLOW_LITTLE, LATENCY)
    assert gated.busy.mean() < shown.busy.mean()


def test_at_most_so_many_frames_pass_without_big(person):
    for strategy in (LITTLE, FLOW_LITTLE, FLOW):
        for limited in grid(strategy, 20)[::9]:
            started = np.flatnonzero(simulate(person, limited, LATENCY).path == BY_BIG)
            assert np.diff(started).max() <= 20
    loose = np.flatnonzero(simulate(person, FLOW.with_gate(longest=60), LATENCY).path == BY_BIG)
    assert np.diff(loose).max() > 20
    made = fit([person, Prepared(viewing(1))], EVERY, LATENCY, COSTS, at_most=6)
    assert made.strategy.gate.longest <= 6
    assert [s.gate.longest for s in grid(EVERY, 6)] == [4, 5, 6]
    assert len(made.tried) == 3


def test_frames_without_a_face_are_looked_at():
    made = viewing()
    made.searching[100:140] = True
    shown = simulate(Prepared(made), FLOW.with_gate(longest=NEVER).of("little"), LATENCY)
    assert shown.busy[100:140].all()


def test_the_gate_waits_for_the_eyes_and_the_lids():
    gate = Gate(GateSettings(longest=100, factor=32, floor=20, settle=2, shut=40, hold=5))
    quiet = [gate.step(3, 2, 20) for _ in range(20)]
    assert quiet == [True] + [False] * 19
    assert [gate.step(80, 0, 20), gate.step(60, 0, 20), gate.step(2, 0, 20)] == [False, False, True]
    assert [gate.step(80, 0, 20) for _ in range(3)] == [False, False, True]  # not longer than `settle`
    gate.step(0, 0, 20)
    assert [gate.step(5, 0, 400) for _ in range(4)] == [False] * 4  # lids
    assert gate.step(5, 0, 20)


def test_all_frames_at_once_are_judged_as_one_by_one():
    rng = np.random.default_rng(3)
    for factor, floor, shut, drift in ((40, 30, 40, NEVER), (16, 0, 24, 300), (0, NEVER, NEVER, 90)):
        settings = GateSettings(
            longest=40, factor=factor, floor=floor, settle=1, shut=shut, hold=4, drift=drift
        )
        x, y = (np.rint(rng.standard_t(2, 600) * 20).astype(int).tolist() for _ in "xy")
        misfit = rng.integers(0, 90, 600).tolist()
        known, ready = (rng.random(600) > 0.1).tolist(), (rng.random(600) > 0.4).tolist()
        one = Gate(settings)
        expected = [
            one.step(*row[:3], known=row[3], ready=row[4])
            for row in zip(x, y, misfit, known, ready, strict=True)
        ]
        jumps, closing = Changes(x, y, misfit, known).judged(settings)
        other = Gate(settings)
        found = [
            other.decide(x[k], y[k], jump=jumps[k], closing=closing[k], known=known[k], ready=ready[k])
            for k in range(600)
        ]
        assert found == expected
        assert 30 < sum(expected) < 400


def test_a_busy_processor_does_not_forget_a_jump():
    gate = Gate(GateSettings(longest=100, factor=32, floor=20))
    gate.step(0, 0, 0)
    for _ in range(20):
        gate.step(3, 2, 0)
    assert not gate.step(80, 0, 0, ready=False)
    assert not gate.step(3, 0, 0, ready=False)
    assert gate.step(3, 0, 0)


def test_sums_of_small_shifts_count():
    gate = Gate(GateSettings(longest=1000, drift=100))
    gate.step(0, 0, 0)
    assert [gate.step(11, 0, 0) for _ in range(10)].index(True) == 9


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="longest is 0"):
        GateSettings(longest=0)
    with pytest.raises(ValueError, match="every is 0"):
        PresenceSettings(every=0)
    with pytest.raises(UnknownNameError, match="network"):
        ALWAYS.of("huge")


def test_landings_and_delays():
    gaze = np.array([[0, 0]] * 3 + [[1, 0], [2, 0]] + [[4, 0]] * 4 + [[4, 3]] * 3, float)
    flying = np.zeros(12, bool)
    flying[3:5] = True
    frames, cm = landings(gaze, flying)
    assert frames.tolist() == [5, 9]
    assert cm.tolist() == [4.0, 3.0]
    source = np.array([-1, 0, 0, 0, 3, 3, 3, 6, 6, 6, 6, 6])
    assert noticed_after(source, frames).tolist() == [2, -1]


def test_nobody_there_is_looked_for_once_per_second():
    presence = Presence()
    looks = [presence.looks(following=False) for _ in range(60 * 30)]
    assert np.mean(looks[60:]) == pytest.approx(1 / 30, abs=0.001)
    assert presence.looks(following=True)
    assert presence.looks(following=False)


def test_differences_ignore_brightness():
    rng = np.random.default_rng(0)
    strip = rng.integers(50, 100, (32, 96)).astype(np.uint8)
    rows = blocks(np.stack([strip, (strip * 1.5).astype(np.uint8), np.roll(strip, 4, 1)]))
    assert difference(rows[0], rows[1]) < 20
    assert difference(rows[0], rows[2]) > 50


def test_thresholds_come_from_other_people():
    people = [Prepared(viewing(seed)) for seed in range(4)]
    made = fit(people, EVERY.of("little"), LATENCY, COSTS)
    assert made.strategy.gate.longest in (10, 12)  # shorter ones are busy in more than a third of the frames
    assert len(made.chosen) == 4
    assert made.numbers.busy <= 0.33
    cheap = fit(people, EVERY.of("little"), LATENCY, COSTS, budget="error")
    assert cheap.numbers.error_cm > made.numbers.error_cm or cheap.numbers.busy <= made.numbers.busy
    with pytest.raises(UsageError, match="The limit of the budget is -1"):
        fit(people, EVERY, LATENCY, COSTS, most=-1.0)
    with pytest.raises(UnknownNameError, match="budget"):
        fit(people, EVERY, LATENCY, COSTS, budget="time")
    with pytest.raises(UsageError, match="1 person"):
        fit(people[:1], EVERY, LATENCY, COSTS)


@pytest.mark.parametrize(
    ("budget", "most", "chosen"),
    [
        ("energy", None, 2), ("energy", 0.5, 1), ("energy", 0.9, 0), ("error", None, 1), ("error", 1.5, 2),
        ("error", 1.01, 0),
    ],
)  # fmt: skip
def test_a_limit_moves_the_choice(budget, most, chosen):
    def two(error, busy):
        return (PersonNumbers(100, error, error, busy, busy / 3, 0.0, (3,), 0),) * 2

    settings = tuple(grid(EVERY.of("little"))[:3])
    rows = (two(1.0, 0.8), two(1.03, 0.4), two(1.2, 0.2))
    made = choose(Tabulated(settings, rows, ALWAYS.of("little"), two(1.0, 1.0)), COSTS, budget, most)
    assert made.strategy == settings[chosen]
    assert [n.busy for n in made.tried] == pytest.approx([0.8, 0.4, 0.2])


def test_both_networks_count_on_a_frame_on_which_both_start(person):
    """With answers that take no frame, Little looks at every frame, and at some of them Big does so too."""
    for latency in (Latency(big=0, little=0), Latency(big=0, little=1)):
        outcome = simulate(person, LITTLE.of("big"), latency)
        numbers = person_numbers(person, outcome)
        assert numbers.little == 1.0
        assert 0 < numbers.big < 1
        assert (outcome.big_starts & outcome.little_starts).any()


def test_costs_add_up(person):
    always = measure([person], ALWAYS.of("little"), LATENCY, COSTS)
    assert always.macs == pytest.approx(COSTS.little_macs / 3)
    summed = measure([person], SUMMED.of("big"), LATENCY, COSTS)
    assert summed.macs == pytest.approx(150_000 + summed.big * COSTS.big_macs)


def test_viewings_are_kept(tmp_path):
    made = viewing(count=48)
    made.save(tmp_path / "one.npz")
    again = Viewing.load(tmp_path / "one.npz")
    np.testing.assert_array_equal(again.grey, made.grey)
    assert len(again) == 48
    with pytest.raises(
        Exception, match="pickle"
    ):  # stopped in the middle: the next start finds it whole or absent
        replace(made, rate=np.array([lambda: None], object)).save(tmp_path / "two.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["one.npz"]
    (tmp_path / "one.npz").write_bytes(b"nothing")
    with pytest.raises(InputFileError, match="not a viewing"):
        Viewing.load(tmp_path / "one.npz")
