"""Samples that a meter delivers without having measured them."""

import numpy as np
import pytest
from support.traces import PHASES, replace, true_trace

from tinytracker.energy.analysis import analyse
from tinytracker.energy.faults import dropouts_between, find_faults
from tinytracker.energy.segments import segments_from_lines
from tinytracker.energy.trace import CHUNK, Trace, true_runs
from tinytracker.errors import RefusedError

RATE = 1e4


@pytest.fixture(scope="module")
def recorded():
    return true_trace(RATE, 40, noise_a=0.0005)


def changed(trace, change):
    current = trace.current_a.copy()
    change(current)
    return replace(trace, current_a=current)


def energies(trace, **options):
    report = analyse(trace, segments_from_lines(trace, PHASES), **options)
    return report.phases[-1].total.mean_j, report.damaged


def test_a_good_trace_has_no_faults(recorded):
    trace, _ = recorded
    faults = find_faults(trace)
    assert len(faults.negative) == len(faults.stuck) == 0
    assert dropouts_between(trace, 0, len(trace)) == 0
    quiet, _ = true_trace(RATE, 10)  # constant within each phase: a trace without noise is not stuck
    assert len(find_faults(quiet).stuck) == 0


def test_a_dead_meter_is_refused_or_left_out(recorded):
    trace, truth = recorded
    half = len(trace) // 2

    def dead(current):
        current[half : half + 200] = -0.4

    bad = changed(trace, dead)
    with pytest.raises(RefusedError, match=r"200 samples \(0.4%\) .* are far below zero") as caught:
        energies(bad)
    assert caught.value.reason == "implausible-samples"
    mean, damaged = energies(bad, skip_damaged=True)
    assert damaged == 1
    assert mean == pytest.approx(truth.energy_j.sum(1).mean(), rel=0.02)


def test_a_stuck_value_is_refused_in_a_noisy_trace(recorded):
    trace, _ = recorded
    half = len(trace) // 2

    def stuck(current):
        current[half : half + 300] = current[half]

    with pytest.raises(RefusedError, match=r"300 samples .* have exactly the same value"):
        energies(changed(trace, stuck))
    short = changed(trace, lambda current: current.__setitem__(slice(half, half + 40), current[half]))
    energies(short)


def test_zeros_between_good_samples_are_refused(recorded):
    trace, _ = recorded
    places = np.arange(0, len(trace), 2)
    inserted = replace(
        trace,
        current_a=np.insert(trace.current_a, places, np.float32(-1.26e-6)),
        digital=np.insert(trace.digital, places, trace.digital[::2]),
    )
    with pytest.raises(RefusedError, match="lie near zero between two good ones"):
        energies(inserted)
    few = changed(trace, lambda current: current.__setitem__([30_000, 31_000], 0))
    assert dropouts_between(few, 0, len(few)) == 2
    energies(few)


def test_faults_across_the_border_of_a_chunk():
    current = np.random.default_rng(0).normal(0.1, 0.001, CHUNK + 1000).astype(np.float32)
    current[CHUNK - 300 : CHUNK + 300] = current[CHUNK - 300]
    current[CHUNK + 500 : CHUNK + 510] = -0.5
    faults = find_faults(Trace(current, 3.3, RATE))
    assert faults.stuck.tolist() == [[CHUNK - 300, CHUNK + 300]]
    assert faults.negative.tolist() == [[CHUNK + 500, CHUNK + 510]]
    assert true_runs(current, lambda part: part < -9).tolist() == []
