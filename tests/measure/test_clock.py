import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import clock_sessions
from support.clock_sessions import Conditions

from tinytracker.errors import RefusedError
from tinytracker.measure import host_clock
from tinytracker.measure.clock import estimate_clock

HZ = 1_000_000


def simulate(seed, drift_ppm=100.0, seconds=60.0, exchanges=120, wander_ppm=0.0, hz=HZ):
    """A device behind a bad line: each way has its own delay, and now and then a burst holds up one of them.

    Returns exchanges (N, 4), and functions from ticks to the true host time in ns.
    """
    rng = np.random.default_rng(seed)
    drift = drift_ppm * rng.uniform(-1, 1) * 1e-6
    bend = wander_ppm * 1e-6 / seconds / 2
    base_out, base_back = rng.uniform(50e-6, 2e-3, 2)
    start_host, start_ticks = int(rng.integers(10**15, 10**17)), int(rng.integers(0, 2**40))

    def ticks_at(t):
        """Counted ticks at a true time since the start, s."""
        return start_ticks + np.floor((t * (1 + drift) + bend * t**2) * hz).astype(np.int64)

    def host_at(ticks):
        """True host time in ns since `start_host` of a tick, by inverting the device's clock."""
        local = (np.asarray(ticks) - start_ticks) / hz
        t = local / (1 + drift)
        for _ in range(5):
            t = (local - bend * t**2) / (1 + drift)
        return t * 1e9

    sent = np.sort(rng.uniform(0, seconds, exchanges))
    busy = np.floor(sent / 3) % 2 == 0  # bursts of three seconds

    def delay(base):
        usual = base + rng.gamma(2.0, 150e-6, exchanges)
        return usual + busy * (rng.random(exchanges) < 0.7) * rng.exponential(20e-3, exchanges)

    received = sent + delay(base_out)
    answered = received + rng.uniform(5e-6, 50e-6, exchanges)
    back = answered + delay(base_back)

    def stamp(t):
        return start_host + np.round(t * 1e9).astype(np.int64)

    table = np.stack([stamp(sent), ticks_at(received), ticks_at(answered), stamp(back)], 1)
    return table, start_host, host_at


def worst_error(table, start_host, host_at, clock):
    ticks = np.linspace(table[0, 1], table[-1, 2], 500).astype(np.int64)
    return np.abs(clock.host_ns(ticks) + (clock.origin_ns - start_host) - host_at(ticks)).max()


def test_the_bound_holds_in_a_thousand_bad_sessions_and_is_tight():
    held, narrow, ratios = 0, 0, []
    for seed in range(1000):
        table, start_host, host_at = simulate(seed)
        clock = estimate_clock(table, HZ)
        error = worst_error(table, start_host, host_at, clock)
        held += error <= clock.bound_ns
        narrow += error <= clock.bound_ns / 4
        ratios.append(clock.bound_ns / clock.round_trip_ns[0])
    assert held >= 990
    # The test can fail: a quarter of the bound does not hold, and the bound is of the size of the best round trip.
    assert narrow < 800
    assert np.median(ratios) < 1.0


def test_the_bound_holds_when_the_crystal_warms_up():
    held = 0
    for seed in range(200):
        table, start_host, host_at = simulate(seed, wander_ppm=4.0)
        clock = estimate_clock(table, HZ)
        held += worst_error(table, start_host, host_at, clock) <= clock.bound_ns
    assert held >= 198


@pytest.mark.parametrize("hz", [1_000, 32_768, 600_000_000])
def test_slow_and_fast_counters(hz):
    for seed in range(50):
        table, start_host, host_at = simulate(seed, hz=hz)
        clock = estimate_clock(table, hz)
        assert worst_error(table, start_host, host_at, clock) <= clock.bound_ns
        assert clock.bound_ns < 20e6


def test_drift_is_found():
    errors = []
    for seed in range(50):
        table, _, host_at = simulate(seed)
        ticks = table[[0, -1], 1]
        true = np.diff(host_at(ticks))[0] / (np.diff(ticks)[0] * 1e9 / HZ)
        errors.append(abs(estimate_clock(table, HZ).rate - true) * 1e6)
    assert np.percentile(errors, 90) < 10


def test_one_exchange_is_enough_near_it_and_says_how_little_it_knows_far_away():
    table = np.array([[1_000_000, 500, 510, 1_400_000]])
    near = estimate_clock(table, HZ)
    assert near.bound_ns == pytest.approx(200_000, rel=0.1)
    far = estimate_clock(table, HZ, span=(500, 500 + 60 * HZ))
    # 500 ppm either way over a minute
    assert far.bound_ns > 30e6


def test_integers_of_any_size_lose_nothing():
    table, _, _ = simulate(3)
    shifted = table + np.array([2**61, 2**60, 2**60, 2**61])
    a, b = estimate_clock(table, HZ), estimate_clock(shifted, HZ)
    assert (a.offset_ns, a.rate, a.bound_ns) == (b.offset_ns, b.rate, b.bound_ns)
    assert b.origin_ns - a.origin_ns == 2**61


def test_a_device_that_was_reset_is_noticed():
    table, _, _ = simulate(1)
    table[60:, 1:3] -= table[60, 1]
    with pytest.raises(RefusedError, match="no steady clock fits") as caught:
        estimate_clock(table, HZ)
    assert caught.value.reason == "clock-unknown"


def test_no_exchange_or_only_impossible_ones():
    with pytest.raises(RefusedError, match="none of 0"):
        estimate_clock(np.zeros((0, 4), np.int64), HZ)
    with pytest.raises(RefusedError, match="none of 2"):
        estimate_clock([[10, 5, 4, 20], [10, 5, 6, 9]], HZ)


@given(st.lists(st.tuples(*[st.integers(0, 2**50)] * 4), max_size=12))
def test_any_exchanges_give_a_clock_or_a_refusal(rows):
    try:
        clock = estimate_clock(np.array(rows, np.int64).reshape(-1, 4), HZ)
    except RefusedError:
        return
    assert np.isfinite([clock.offset_ns, clock.rate, clock.bound_ns]).all()
    assert clock.bound_ns > 0


@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(600),
        Conditions(600, least_s=2e-3),
        Conditions(600, steps=6),
        Conditions(600, mean_s=(1e-3, 16e-3), shape=4),
        Conditions(),
    ],
    ids=["one step", "2 ms more each way", "six steps", "16 ms one way", "a minute"],
)
def test_the_bound_holds_when_ntp_changes_the_hosts_rate(conditions):
    # benchmarks/clock.py does the same with a thousand sessions each.
    rng = np.random.default_rng(0)
    narrow = 0
    for _ in range(60):
        exchanges, ticks, host_ns = clock_sessions.simulate(rng, conditions)
        clock = estimate_clock(exchanges, clock_sessions.HZ)
        error = np.abs(clock.host_ns(ticks) + clock.origin_ns - host_ns).max()
        assert error <= clock.bound_ns
        narrow += error <= clock.bound_ns / 8
    # The test can fail: an eighth of the bound does not hold.
    assert narrow < 55


def test_a_rate_that_changes_bends_the_clock_and_a_steady_one_does_not():
    exchanges, _, _ = clock_sessions.simulate(np.random.default_rng(1), Conditions(600, steps=0))
    assert estimate_clock(exchanges, clock_sessions.HZ).bend is None
    exchanges, _, _ = clock_sessions.simulate(np.random.default_rng(1), Conditions(600))
    assert estimate_clock(exchanges, clock_sessions.HZ).bend is not None


def test_times_of_another_clock_of_this_computer_come_to_the_hosts():
    second = 1_000_000_000
    behind, bound = host_clock.behind_ns(lambda: host_clock.now_ns() - second)
    assert abs(behind - second) <= bound < second
    assert host_clock.NAME in ("CLOCK_MONOTONIC_RAW", "CLOCK_MONOTONIC")


def test_a_hundred_thousand_exchanges_are_no_more_work_than_some_thousand():
    # As many as the frames of an hour that a pin marks: the pairs of all of them would not fit into memory.
    table, start_host, host_at = simulate(5, seconds=3600, exchanges=100_000)
    clock = estimate_clock(table, HZ)
    assert worst_error(table, start_host, host_at, clock) <= clock.bound_ns
    assert clock.exchanges <= 4096
