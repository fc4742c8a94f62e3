import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.traces import PHASES, VOLTAGE, lose, replace, true_trace

from tinytracker.energy.analysis import analyse
from tinytracker.energy.integrate import energy_at
from tinytracker.energy.result import Energy, Idle, Refusal
from tinytracker.energy.segments import Segments, gray, segments_from_lines, segments_from_times
from tinytracker.energy.trace import CHUNK, Trace, find_gaps
from tinytracker.errors import RefusedError, UsageError

LONG = {1e3: 4000, 1e4: 1500, 1e5: 100, 2e6: 10}
"""Frames per rate: at 1 kS/s an edge is off by up to half a millisecond, which many frames average out."""


@pytest.mark.parametrize("rate", LONG)
def test_energies_per_phase_and_frame_are_right_to_a_thousandth(rate):
    frames = LONG[rate]
    trace, truth = true_trace(
        rate, frames, lengths=(0.03, 0.025, 0.06), noise_a=0.005, drift_a_per_s=1e-5, idle_s=1.5
    )
    report = analyse(trace, segments_from_lines(trace, PHASES))
    expected = [*truth.energy_j.mean(0), truth.energy_j.sum(1).mean()]
    for row, energy in zip(report.phases, expected, strict=True):
        assert row.frames == frames
        assert isinstance(row.total, Energy)
        assert row.total.mean_j == pytest.approx(energy, rel=1e-3)
    assert isinstance(report.idle, Idle)
    lasting = np.diff(truth.edges_s, axis=1).mean(0)
    drifted = report.idle.power_w
    for row, energy, seconds in zip(report.phases[:3], expected[:3], lasting, strict=True):
        assert isinstance(row.dynamic, Energy)
        assert row.dynamic.mean_j == pytest.approx(energy - drifted * seconds, rel=1e-3)
    assert drifted == pytest.approx(truth.idle_w + VOLTAGE * 1e-5 * trace.duration_s / 2, rel=2e-2)


def test_time_stamps_give_the_same_energies_as_lines():
    trace, truth = true_trace(1e5, 50, start_s=1000.0, noise_a=0.001)
    from_times = analyse(trace, segments_from_times(trace, PHASES, truth.edges_s, 1e-6))
    from_lines = analyse(trace, segments_from_lines(trace, PHASES))
    for a, b, energy in zip(from_times.phases, from_lines.phases, truth.energy_j.mean(0), strict=False):
        assert isinstance(a.total, Energy)
        assert isinstance(b.total, Energy)
        assert a.total.mean_j == pytest.approx(energy, rel=1e-4)
        assert a.total.mean_j == pytest.approx(b.total.mean_j, rel=1e-3)


@given(st.lists(st.floats(0, 50), min_size=1, max_size=20), st.integers(1, 50))
def test_energy_between_positions_is_the_sum_over_parts_of_samples(positions, count):
    current = np.linspace(0.1, 1, count).astype(np.float32)
    trace = Trace(current, 2.0, 10.0)
    expected = [
        sum(float(c) * 2.0 / 10 * min(max(p - k, 0), 1) for k, c in enumerate(current)) for p in positions
    ]
    got = energy_at(trace, positions)
    np.testing.assert_allclose(got - got.min(), np.asarray(expected) - min(expected), atol=1e-6)


def test_energy_is_exact_across_the_borders_of_chunks():
    rng = np.random.default_rng(0)
    trace = Trace(rng.random(3 * CHUNK + 17, np.float32), 1.0, 1.0)
    borders = np.array([0, CHUNK - 1, CHUNK, CHUNK + 0.25, 2 * CHUNK, 3 * CHUNK + 17, 10 * CHUNK])
    until = np.concatenate([[0.0], np.cumsum(trace.current_a, dtype=np.float64)])
    expected = until[np.minimum(borders.astype(int), len(trace))]
    expected[3] += 0.25 * trace.current_a[CHUNK]
    np.testing.assert_allclose(energy_at(trace, borders), expected, rtol=1e-12)


def test_a_voltage_that_varies_is_multiplied_sample_by_sample():
    trace = Trace(np.array([1, 2, 3], np.float32), np.array([3, 2, 1], np.float32), 1.0)
    assert energy_at(trace, [0.0, 3.0])[1] == pytest.approx(10.0)


def test_lost_samples_in_the_window_are_refused_and_named():
    trace, _ = true_trace(1e4, 20)
    segments = segments_from_lines(trace, PHASES)
    inside = int(segments.edges[5, 1])
    for count in (1, 30):
        damaged = lose(trace, inside, count)
        with pytest.raises(RefusedError, match=rf"lost {count} samples") as caught:
            analyse(damaged, segments_from_lines(damaged, PHASES))
        assert caught.value.reason == "samples-lost"


def test_frames_with_lost_samples_can_be_left_out():
    trace, _ = true_trace(1e4, 200, noise_a=0.001)
    segments = segments_from_lines(trace, PHASES)
    hurt = lose(lose(trace, int(segments.edges[5, 1]), 5), int(segments.edges[30, 2]) + 2, 3)
    report = analyse(hurt, segments_from_lines(hurt, PHASES), skip_damaged=True)
    assert (report.phases[-1].frames, report.damaged) == (198, 2)
    # With the edges of the session only the analysis can notice.
    again = analyse(hurt, Segments(PHASES, segments.edges), skip_damaged=True)
    assert (again.phases[-1].frames, again.damaged) == (198, 2)
    assert isinstance(report.phases[-1].total, Energy)
    assert isinstance(report.window_per_frame_j, Refusal)
    expected = np.delete(np.diff(energy_at(trace, segments.edges[:, [0, -1]]), axis=1), [5, 30])
    assert report.phases[-1].total.mean_j == pytest.approx(expected.mean(), rel=1e-6)


def test_lost_samples_beside_the_window_only_shorten_the_idle():
    trace, truth = true_trace(1e4, 20, idle_s=3.0)
    hurt = lose(lose(trace, 100, 5000), len(trace) - 400, 10)
    report = analyse(hurt, segments_from_lines(hurt, PHASES))
    assert isinstance(report.idle, Idle)
    assert 4.9 < report.idle.seconds < 6.0
    assert report.idle.power_w == pytest.approx(truth.idle_w, rel=1e-6)


def test_clipped_samples_are_refused():
    trace, _ = true_trace(1e4, 20)
    clipped = replace(trace, full_scale_a=0.15, current_a=np.minimum(trace.current_a, np.float32(0.15)))
    with pytest.raises(RefusedError, match=r"at full scale, 0\.15 A") as caught:
        analyse(clipped, segments_from_lines(clipped, PHASES))
    assert caught.value.reason == "clipped"
    assert "not known" not in " ".join(
        analyse(replace(trace, full_scale_a=1.0), segments_from_lines(trace, PHASES)).warnings
    )


def test_a_phase_with_too_few_samples_is_refused_alone():
    trace, _ = true_trace(1e3, 100, lengths=(0.03, 0.008, 0.06))
    report = analyse(trace, segments_from_lines(trace, PHASES))
    by_name = {row.phase: row for row in report.phases}
    refusal = by_name["preprocess"].total
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "sample-rate-too-low"
    assert "at least 20 are needed" in refusal.detail
    assert isinstance(by_name["inference"].total, Energy)
    assert isinstance(by_name["frame"].total, Energy)


def test_clocks_that_are_not_known_well_enough_refuse_short_phases():
    trace, truth = true_trace(1e5, 20)
    report = analyse(trace, segments_from_times(trace, PHASES, truth.edges_s, 1e-3))
    reasons = [r.total.reason if isinstance(r.total, Refusal) else None for r in report.phases]
    assert reasons == [None, "alignment-too-coarse", None, None]


def test_without_idle_the_total_is_still_given():
    trace, _ = true_trace(1e4, 20, idle_s=0.2)
    report = analyse(trace, segments_from_lines(trace, PHASES))
    assert isinstance(report.phases[0].total, Energy)
    assert isinstance(report.phases[0].dynamic, Refusal)
    assert report.phases[0].dynamic.reason == "no-idle"


def test_idle_can_be_named():
    trace, truth = true_trace(1e4, 20, idle_s=3.0, start_s=50.0)
    report = analyse(trace, segments_from_lines(trace, PHASES), idle=(50.5, 52.5))
    assert isinstance(report.idle, Idle)
    assert (report.idle.seconds, report.idle.power_w) == (pytest.approx(2.0), pytest.approx(truth.idle_w))
    with pytest.raises(UsageError, match="not a stretch of the trace"):
        analyse(trace, segments_from_lines(trace, PHASES), idle=(0.5, 2.5))


def test_a_named_idle_without_all_its_samples_is_refused():
    trace, truth = true_trace(1e4, 20, idle_s=3.0)
    hurt = lose(trace, 8_000, 5_000)  # energy would count them as nothing: half of the power
    report = analyse(hurt, segments_from_lines(hurt, PHASES), idle=(0.5, 2.5))
    assert isinstance(report.idle, Refusal)
    assert report.idle.detail == "5,000 samples between 0.5 and 2.5 s are lost, clipped or far below zero"
    assert isinstance(report.phases[0].dynamic, Refusal)
    good = analyse(hurt, segments_from_lines(hurt, PHASES), idle=(1.4, 2.5))
    assert isinstance(good.idle, Idle)
    assert good.idle.power_w == pytest.approx(truth.idle_w, rel=1e-6)


@pytest.mark.parametrize("wrong_a", [-0.4, 0.6])
def test_a_meter_that_is_dead_or_clipped_beside_the_window_only_shortens_the_idle(wrong_a):
    trace, truth = true_trace(1e4, 20, idle_s=3.0)
    current = trace.current_a.copy()
    current[4_000:8_000] = wrong_a
    hurt = replace(trace, current_a=current, full_scale_a=0.6)
    report = analyse(hurt, segments_from_lines(hurt, PHASES))
    assert isinstance(report.idle, Idle)
    assert report.idle.power_w == pytest.approx(truth.idle_w, rel=1e-6)


def test_idle_that_changes_during_the_run_is_pointed_out():
    trace, _ = true_trace(1e4, 50, drift_a_per_s=2e-4)
    assert "Idle power changed from" in " ".join(analyse(trace, segments_from_lines(trace, PHASES)).warnings)


def test_warm_up_frames_do_not_count():
    trace, truth = true_trace(1e5, 60)
    report = analyse(trace, segments_from_lines(trace, PHASES), warmup=10)
    row = report.phases[-1]
    assert isinstance(row.total, Energy)
    assert row.frames == 50
    assert row.total.mean_j == pytest.approx(truth.energy_j[10:].sum(1).mean(), rel=1e-3)
    with pytest.raises(UsageError, match="All 60 frames are warm-up"):
        analyse(trace, segments_from_lines(trace, PHASES), warmup=60)


def test_frames_cut_off_by_the_ends_are_neither_frames_nor_idle():
    trace, truth = true_trace(1e4, 20)
    begin, end = int((truth.edges_s[0, 1] + 0.001) * 1e4), int((truth.edges_s[-1, 2] + 0.005) * 1e4)
    cut = replace(trace, current_a=trace.current_a[begin:end], digital=trace.digital[begin:end])
    segments = segments_from_lines(cut, PHASES)
    assert (len(segments), segments.partial) == (18, 2)
    assert isinstance(analyse(cut, segments).idle, Refusal)


@pytest.mark.parametrize(
    ("change", "text", "at"),
    [
        (
            lambda d, e: d[e[7, 1] : e[7, 2]].__setitem__(slice(None), gray(1)),
            "show idle > capture > inference",
            0,
        ),
        (
            lambda d, e: d[e[7, 0] : e[7, 3]].__setitem__(slice(None), gray(1)),
            "show idle > capture > idle",
            0,
        ),
        (lambda d, e: d.__setitem__(e[7, 2] + 9, 0), "show idle > inference > idle", 2),
        (lambda d, e: d[e[7, 0] : e[7, 3]].__iand__(1), "show idle > capture > idle", 0),
    ],
)
def test_lines_that_break_the_code_are_refused_with_time_and_what_was_seen(change, text, at):
    trace, truth = true_trace(1e4, 20)
    edges = segments_from_lines(trace, PHASES).edges.astype(int)
    broken = trace.digital.copy()
    change(broken, edges)
    with pytest.raises(RefusedError) as caught:
        segments_from_lines(replace(trace, digital=broken), PHASES)
    assert caught.value.reason == "markers-mismatch"
    assert text in caught.value.message
    shown = float(caught.value.message.split("at ")[1].split(" s ")[0])
    assert shown == pytest.approx(truth.edges_s[7, at], abs=2e-3)


def test_lines_may_be_any_of_the_meter_and_must_be_there():
    trace, _ = true_trace(1e4, 20)
    moved = replace(trace, digital=(trace.digital & 1) << 6 | (trace.digital >> 1 & 1) << 3, lines=0b1001000)
    np.testing.assert_array_equal(
        segments_from_lines(moved, PHASES, (6, 3)).edges, segments_from_lines(trace, PHASES).edges
    )
    with pytest.raises(UsageError, match=r"no line 0.* D3, D6"):
        segments_from_lines(moved, PHASES)
    with pytest.raises(UsageError, match="named twice"):
        segments_from_lines(moved, PHASES, (6, 6))
    with pytest.raises(UsageError, match="2 lines cannot show 4 phases"):
        segments_from_lines(moved, ("a", "b", "c", "d"), (6, 3))
    with pytest.raises(UsageError, match="no digital lines"):
        segments_from_lines(replace(trace, digital=None, lines=0), PHASES)
    with pytest.raises(RefusedError, match="show no whole frame"):
        segments_from_lines(replace(trace, digital=np.zeros(len(trace), np.uint8)), PHASES)


def test_frames_outside_the_trace_are_refused():
    trace, truth = true_trace(1e4, 20)
    with pytest.raises(RefusedError, match="the trace covers"):
        segments_from_times(trace, PHASES, truth.edges_s + 3.0, 0.0)


def test_lines_across_chunks():
    period = 1000
    digital = np.zeros(CHUNK + 10 * period, np.uint8)
    for at in range(period, len(digital) - period, period):
        digital[at : at + 300], digital[at + 300 : at + 600], digital[at + 600 : at + 900] = 1, 3, 2
    trace = Trace(np.ones(len(digital), np.float32), 1.0, 1e6, digital=digital, lines=3)
    edges = segments_from_lines(trace, PHASES).edges
    np.testing.assert_array_equal(edges[:, 0], np.arange(period, len(digital) - period, period))
    np.testing.assert_array_equal(edges[:, 3] - edges[:, 0], 900)


@given(st.lists(st.booleans(), max_size=60))
def test_gaps_are_the_runs_of_lost_samples(lost):
    current = np.where(lost, np.nan, 1.0).astype(np.float32) if lost else np.zeros(0, np.float32)
    marked = np.zeros(len(lost), bool)
    gaps = find_gaps(current)
    for first, stop in gaps:
        assert first < stop
        marked[first:stop] = True
    assert marked.tolist() == lost
    assert np.all(gaps[1:, 0] > gaps[:-1, 1])


def test_the_report_is_json():
    import json

    trace, _ = true_trace(1e4, 20, lengths=(0.03, 0.001, 0.06))
    document = analyse(trace, segments_from_lines(trace, PHASES)).as_json()
    again = json.loads(json.dumps(document, allow_nan=False))
    assert again["phases"][1]["total"]["refused"]["reason"] == "sample-rate-too-low"
    assert again["frames"] == 20


def test_energy_per_inference_is_that_of_the_inference_phase_and_nothing_else():
    trace, truth = true_trace(1e5, 100, gap_s=0.05)
    report = analyse(trace, segments_from_lines(trace, PHASES), burst=25)
    expected = truth.energy_j[:, 2].mean() / 25
    assert report.per_inference.mean_j == pytest.approx(expected, rel=1e-3)
    assert report.per_inference.ci95_j[0] < expected < report.per_inference.ci95_j[1]
    # Capture, sending and pauses are in the window, and not in MLPerf's energy per inference.
    assert report.window_per_frame_j > 1.2 * 25 * report.per_inference.mean_j
    assert report.as_json()["per_inference"]["burst"] == 25
    coarse, _ = true_trace(1e3, 40, lengths=(0.03, 0.03, 0.008))
    refused = analyse(coarse, segments_from_lines(coarse, PHASES)).as_json()["per_inference"]
    assert refused["refused"]["reason"] == "sample-rate-too-low"
    named = analyse(trace, segments_from_lines(trace, ("a", "b", "c")))
    assert named.per_inference is None
