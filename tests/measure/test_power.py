import json

import numpy as np
import pytest
from support.cli import run
from support.sessions import UNIX_NS, write_session
from support.traces import PHASES, replace, true_trace

from tinytracker.energy.result import Energy, Refusal
from tinytracker.errors import RefusedError, UsageError
from tinytracker.measure.power import measure_energy

RATE = 1e5


@pytest.fixture(scope="module")
def recorded():
    return true_trace(RATE, 60, noise_a=0.001)


def means(measured):
    return [
        row.total.mean_j if isinstance(row.total, Energy) else row.total.reason
        for row in measured.report.phases
    ]


def test_lines_and_records_that_agree(recorded, tmp_path):
    trace, truth = recorded
    session = write_session(tmp_path / "s.jsonl", truth.edges_s, drift=50e-6, skip=(7,), warmup=0)
    measured = measure_energy(trace, session)
    assert measured.segments.origin == "lines"
    np.testing.assert_allclose(means(measured)[:3], np.delete(truth.energy_j, 7, 0).mean(0), rtol=1e-3)
    assert measured.unrecorded == 1


def test_three_lines_show_retrieval_and_the_sending_that_no_record_holds(tmp_path):
    lengths, currents = (0.03, 0.01, 0.06, 0.02, 0.01), (0.05, 0.08, 0.2, 0.06, 0.03)
    trace, truth = true_trace(1e4, 60, lengths=lengths, currents=currents)
    names = (*PHASES, "retrieve")
    session = write_session(tmp_path / "s.jsonl", truth.edges_s[:, :5], phases=names, warmup=0)
    measured = measure_energy(trace, session)
    assert measured.segments.phases == (*names, "transmit")
    np.testing.assert_allclose(means(measured)[:5], truth.energy_j.mean(0), rtol=2e-3)
    with pytest.raises(UsageError, match="2 lines cannot show 5 phases"):
        measure_energy(trace, session, lines=(0, 1))
    with pytest.raises(UsageError, match="They can show 1 to 5"):
        measure_energy(trace, phases=("a", "b", "c", "d", "e", "f"), lines=(0, 1, 2))


def test_the_time_stamps_of_the_session_serve_when_there_are_no_lines(recorded, tmp_path):
    trace, truth = recorded
    session = write_session(tmp_path / "s.jsonl", truth.edges_s, drift=50e-6, warmup=0)
    blind = replace(trace, digital=None, lines=0, start_s=100.0)
    measured = measure_energy(blind, session, offset_s=100.0 + truth.edges_s[0, 0], offset_bound_s=1e-4)
    assert measured.segments.origin == "session"
    np.testing.assert_allclose(means(measured)[:3], truth.energy_j.mean(0), rtol=1e-3)


def test_wall_clocks_are_good_enough_for_long_phases_only(tmp_path):
    trace, truth = true_trace(1e4, 30, lengths=(1.0, 0.03, 1.0), currents=(0.05, 0.08, 0.2))
    session = write_session(tmp_path / "s.jsonl", truth.edges_s, warmup=0)
    blind = replace(trace, digital=None, lines=0, start_unix_s=UNIX_NS / 1e9)
    found = means(measure_energy(blind, session))
    assert found[1] == "alignment-too-coarse"
    np.testing.assert_allclose([found[0], found[2]], truth.energy_j.mean(0)[[0, 2]], rtol=1e-3)
    with pytest.raises(RefusedError, match="does not give its start time"):
        measure_energy(replace(blind, start_unix_s=None), session)
    quiet = write_session(tmp_path / "q.jsonl", truth.edges_s, exchanges=0)
    with pytest.raises(RefusedError, match="no usable clock exchanges"):
        measure_energy(blind, quiet)


def test_records_that_do_not_match_the_lines_are_refused(recorded, tmp_path):
    trace, truth = recorded
    shorter = write_session(tmp_path / "a.jsonl", truth.edges_s[:-4])
    with pytest.raises(RefusedError, match="show 60 frames, but the session has 56 records") as caught:
        measure_energy(trace, shorter)
    assert caught.value.reason == "markers-mismatch"
    other = truth.edges_s.copy()
    other[30, 1] += 0.002
    with pytest.raises(RefusedError, match="in frame 30 capture lasts"):
        measure_energy(trace, write_session(tmp_path / "b.jsonl", other))
    # One frame late: as many, but not the same ones.
    _, another = true_trace(RATE, 60, seed=5)
    with pytest.raises(RefusedError, match="in frame 0 capture lasts"):
        measure_energy(trace, write_session(tmp_path / "c.jsonl", another.edges_s))
    with pytest.raises(UsageError, match="the session has expose, read, send"):
        measure_energy(
            trace,
            write_session(tmp_path / "d.jsonl", truth.edges_s, phases=("expose", "read", "send")),
            phases=PHASES,
        )


@pytest.mark.parametrize("cut", [slice(0, -1), slice(1, None), slice(2, -1)])
def test_records_missing_at_an_end_are_found_by_their_durations(recorded, tmp_path, cut):
    trace, truth = recorded
    session = write_session(tmp_path / "s.jsonl", truth.edges_s[cut], warmup=0)
    measured = measure_energy(trace, session)
    np.testing.assert_allclose(means(measured)[:3], truth.energy_j[cut].mean(0), rtol=1e-3)
    assert measured.unrecorded == 60 - len(truth.edges_s[cut])
    # A frame without a record is not idle either.
    assert measured.report.idle.power_w == pytest.approx(truth.idle_w, rel=1e-2)
    assert f"without a record, skipped: {measured.unrecorded}" in " ".join(measured.remarks)


def test_an_offset_that_the_lines_contradict_is_refused(recorded, tmp_path):
    trace, truth = recorded
    session = write_session(tmp_path / "s.jsonl", truth.edges_s, warmup=0)
    begin = truth.edges_s[0, 0]
    with pytest.raises(RefusedError, match=r"--offset is 2.010000 s\. Omit --offset: the lines are exact"):
        measure_energy(trace, session, offset_s=begin + 0.010)
    with pytest.raises(RefusedError, match=r"to within 0\.005 s"):
        measure_energy(trace, session, offset_s=begin + 0.010, offset_bound_s=0.005)
    for bound in (0.02, None):
        offset = begin + (0.010 if bound else 0)
        measured = measure_energy(trace, session, offset_s=offset, offset_bound_s=bound)
        assert measured.segments.origin == "lines"
    ignored = measure_energy(trace, session, lines=(), offset_s=begin, offset_bound_s=1e-4)
    assert ignored.segments.origin == "session"
    blind = replace(trace, digital=None, lines=0)
    with pytest.raises(UsageError, match="--offset needs a bound"):
        measure_energy(blind, session, offset_s=begin)
    with pytest.raises(UsageError, match="no meaning without --offset"):
        measure_energy(trace, session, offset_bound_s=0.1)


def test_time_is_verified_by_records_on_another_clock_and_by_nothing_else(recorded, tmp_path):
    trace, truth = recorded
    session = write_session(tmp_path / "s.jsonl", truth.edges_s, warmup=0)
    assert measure_energy(trace, session).time_verified
    alone = measure_energy(trace)
    assert not alone.time_verified
    assert alone.as_json()["time_verified"] is False
    assert "Time not verified" in alone.remarks[0]
    by_offset = measure_energy(trace, session, lines=(), offset_s=truth.edges_s[0, 0], offset_bound_s=1e-4)
    assert not by_offset.time_verified
    # Two thirds of the samples never arrived and nothing marks it: only the records tell.
    third = replace(trace, current_a=trace.current_a[::3], digital=trace.digital[::3])
    assert not measure_energy(third).time_verified
    with pytest.raises(RefusedError, match="in frame 0 capture lasts"):
        measure_energy(third, session)


def test_nothing_that_says_where_frames_are_and_emulated_sessions(recorded, tmp_path):
    trace, truth = recorded
    with pytest.raises(UsageError, match="the times of the frames are unknown"):
        measure_energy(replace(trace, digital=None, lines=0))
    emulated = write_session(tmp_path / "e.jsonl", truth.edges_s, source="emulated", clock="emulated")
    with pytest.raises(UsageError, match="draws no current"):
        measure_energy(trace, emulated)


@pytest.fixture(scope="module")
def csv_file(tmp_path_factory):
    trace, truth = true_trace(1e4, 40, lengths=(0.03, 0.001, 0.06), noise_a=0.001)
    time_us, voltage = np.arange(len(trace)) * 100, np.full(len(trace), 3.3)
    lines = [trace.digital & 1, trace.digital >> 1 & 1]
    rows = np.stack([time_us, trace.current_a * 1e3, voltage, *lines], 1)
    path = tmp_path_factory.mktemp("trace") / "trace.csv"
    np.savetxt(path, rows, "%d,%.4f,%.1f,%d,%d", header="time_us,current_mA,voltage_V,D0,D1", comments="")
    return path, truth


def test_the_verb_prints_numbers_and_refusals(csv_file, tmp_path):
    path, truth = csv_file
    session = write_session(tmp_path / "s.jsonl", truth.edges_s, warmup=0)
    answer = run("energy", path, "--session", session)
    assert answer.code == 0, answer.err
    assert "sample-rate-too-low" in answer.out
    assert "preprocess lasts" in answer.out
    document = run("energy", path, "--session", session, "--json").document
    assert document["schema_version"] == 1
    inference = document["phases"][2]
    assert inference["total"]["mean_j"] == pytest.approx(truth.energy_j[:, 2].mean(), rel=2e-3)
    assert inference["total"]["ci95_j"] is None
    assert "No intervals: 40 frames; 80 or more are needed." in document["warnings"]
    assert document["idle"]["ci95_w"][0] < document["idle"]["power_w"] < document["idle"]["ci95_w"][1]
    assert document["phases"][1]["total"]["refused"]["reason"] == "sample-rate-too-low"
    assert document["idle"]["power_w"] == pytest.approx(truth.idle_w, rel=1e-2)
    assert run("energy", path, "--json", "--phases", "a,b,c").document["phases"][0]["phase"] == "a"


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--lines", "0,9"], 2, "'0,9' is not a list of lines"),
        (["--lines", "3,4"], 2, "The trace has no line 3"),
        (["--idle", "5"], 2, "is not a time range"),
        (["--idle", "100:200"], 2, "100 to 200 s is not a stretch of the trace"),
        (["--format", "csvv"], 2, "Unknown format 'csvv'. Did you mean 'csv'?"),
        (["--session", "none.jsonl"], 1, "there is no such file"),
        (["--phases", "a,b"], 1, "markers-mismatch"),
        (["--warmup", "40"], 2, "All 40 frames are warm-up"),
        (["--full-scale", "0.1"], 1, "No answer (clipped)"),
    ],
)
def test_mistakes_end_in_one_sentence(options, code, sentence, csv_file):
    answer = run("energy", csv_file[0], *options)
    assert (answer.code, answer.out) == (code, "")
    assert sentence in answer.err
    assert "Traceback" not in answer.err


def test_compare_prints_the_difference(tmp_path):
    _, truth = true_trace(1e3, 60)
    slower = truth.edges_s.copy()
    slower[:, -1] += 0.012
    a, b = [], []
    for k in range(2):
        a.append(write_session(tmp_path / f"a{k}.jsonl", truth.edges_s))
        b.append(write_session(tmp_path / f"b{k}.jsonl", slower))
    c = write_session(tmp_path / "c.jsonl", slower, source="emulated", clock="emulated")
    answer = run("compare", *a, "--", *b)
    assert answer.code == 0
    assert "yes" in answer.out
    document = run("compare", *a, "--", *b, "--json").document
    assert document["phases"]["inference"]["differ"] is True
    assert document["phases"]["capture"]["differ"] is False
    mixed = run("compare", *a, "--", b[0], c)
    assert "2 sessions (emulated)" in mixed.out.replace("\n", " ")
    rows = run("compare", *a, "--", b[0], c, "--json").document["phases"].values()
    assert {row["differ"] for row in rows} == {None}
    assert run("compare", *a, "--", *b, "--fail-above", "3").code == 2
    assert "One session on each side" in run("compare", a[0], b[0]).out
    assert run("compare", a[0], tmp_path / "none").code == 1
    assert json.dumps(document, allow_nan=False)


def test_refusals_of_single_phases_are_values(recorded):
    trace, _ = recorded
    rows = measure_energy(replace(trace, rate_hz=RATE / 1e4)).report.phases
    assert not any(isinstance(row.total, Refusal) for row in rows)


def test_a_session_of_bursts_says_how_many_inferences_share_the_energy(recorded, tmp_path):
    trace, truth = recorded
    session = write_session(tmp_path / "s.jsonl", truth.edges_s, warmup=0, burst=20)
    each = measure_energy(trace, session).report.per_inference
    assert each.mean_j == pytest.approx(truth.energy_j[:, 2].mean() / 20, rel=1e-3)
    assert measure_energy(trace, burst=20).report.per_inference == each
    with pytest.raises(UsageError, match="hold 20 inferences each, but --burst is 10"):
        measure_energy(trace, session, burst=10)
