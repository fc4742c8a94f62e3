"""Traces of MLPerf Tiny's meters: energies per sample, time stamps in pairs, samples that are missing."""

import numpy as np
import pytest
from support.mlperf_traces import lpm01a_log, lpm01a_number, write_energyrunner

from tinytracker.energy.formats import read_trace
from tinytracker.energy.formats.windows import window_levels
from tinytracker.energy.integrate import energy_at
from tinytracker.errors import InputFileError, RefusedError, UsageError
from tinytracker.measure.power import measure_energy

# Idle of 45 µJ a ms, five runs of 110 inferences of 2 s at 52 µJ a ms, after one edge that tries the line.
STAMPS = [0.014] + [t for k in range(5) for t in (3.0 + 4 * k, 5.0 + 4 * k)]


def energies():
    rng = np.random.default_rng(0)
    uj = 45 + rng.normal(0, 0.5, 25_000)
    for begin, end in zip(STAMPS[1::2], STAMPS[2::2], strict=True):
        uj[round(begin * 1000) : round(end * 1000)] += 7
    return uj


def windows(uj):
    pairs = zip(STAMPS[1::2], STAMPS[2::2], strict=True)
    return np.array([uj[round(a * 1000) : round(b * 1000)].sum() * 1e-6 for a, b in pairs])


def per_inference(path, **more):
    return measure_energy(path, lines=(0,), phases=("inference",), burst=110, **more).report.per_inference


def test_energy_per_inference_is_that_between_the_edges_over_the_inferences(tmp_path):
    uj = energies()
    path = write_energyrunner(tmp_path, uj, STAMPS)
    each = per_inference(path)
    assert each.median_j == pytest.approx(np.median(windows(uj)) / 110, rel=1e-6)
    assert each.mean_j == pytest.approx(windows(uj).mean() / 110, rel=1e-6)
    # A voltage changes how the power is split, not what was drawn.
    assert per_inference(path, voltage_v=1.8).mean_j == pytest.approx(each.mean_j, rel=1e-6)
    assert read_trace(path, voltage_v=1.8).current_a.mean() == pytest.approx(uj.mean() * 1e-3 / 1.8, rel=1e-5)


def test_the_log_of_an_lpm01a_says_the_same(tmp_path):
    uj = energies()
    events = [round(t * 1000) for t in STAMPS]
    for number, per_line in enumerate((1, 7)):
        path = tmp_path / f"{number}.log"
        path.write_text(lpm01a_log(uj * 1e-6, events=events, per_line=per_line))
        trace = read_trace(path)
        assert (trace.meter, trace.rate_hz, trace.voltage_v, trace.lost) == (
            "ST X-NUCLEO-LPM01A",
            1000,
            1.8,
            0,
        )
        assert per_inference(path).mean_j == pytest.approx(windows(uj).mean() / 110, rel=1e-3)


def test_currents_of_an_lpm01a_need_a_voltage(tmp_path):
    path = tmp_path / "a.log"
    path.write_text(lpm01a_log([0.0006409] * 2000, settings=("freq 1k",)))
    with pytest.raises(UsageError, match="--voltage"):
        read_trace(path)
    trace = read_trace(path, voltage_v=3.0)
    np.testing.assert_allclose(trace.current_a, 0.0006409, rtol=1e-6)
    assert float(energy_at(trace, [0, 2000])[1]) == pytest.approx(2 * 3.0 * 0.0006409, rel=1e-6)


def test_samples_that_the_time_stamps_miss_are_gaps(tmp_path):
    lines = lpm01a_log([1e-3] * 4000, settings=("volt 3300m",), events=[500, 3500]).split("\r\n")
    samples = [k for k, line in enumerate(lines) if line == lpm01a_number(1e-3)]
    for k in samples[1200:1230]:
        lines[k] = ""
    lines[samples[2500]] = "10x0-06"
    lines[samples[2501]] = "1000-0691"
    path = tmp_path / "a.log"
    path.write_text("\r\n".join(lines))
    trace = read_trace(path)
    assert (len(trace), trace.lost, trace.rate_hz) == (4000, 32, 1000)
    assert trace.gaps.tolist()[0] == [1970, 2000]
    assert np.flatnonzero(np.diff(trace.digital.astype(int))).tolist() == [499, 3499]
    with pytest.raises(RefusedError, match="show no whole frame"):
        measure_energy(trace, lines=(0,), phases=("inference",))


def test_a_voltage_may_be_a_whole_number(tmp_path):
    path = write_energyrunner(tmp_path, energies(), STAMPS)
    whole, fraction = (read_trace(path, voltage_v=volts) for volts in (3, 3.0))
    ends = [0, len(whole)]
    assert energy_at(whole, ends).tolist() == energy_at(fraction, ends).tolist()
    assert energy_at(whole, ends)[1] > 0


def test_an_odd_time_stamp_is_the_first():
    np.testing.assert_array_equal(window_levels([1, 3, 5], 8), [0, 0, 0, 1, 1, 0, 0, 0])
    assert window_levels([4], 8) is None


@pytest.mark.parametrize(
    ("stamps", "sentence"),
    [
        ("[1, 2", "not JSON"),
        ("{}", "not a list of times"),
        ("[true]", "not a list of times"),
        ("[NaN, 1]", "not a list of times"),
        ("[2, 1]", "do not ascend"),
        ("[1, 26]", "lie outside the trace of 25.000 s"),
    ],
)
def test_time_stamps_that_cannot_be_are_refused(tmp_path, stamps, sentence):
    path = write_energyrunner(tmp_path, energies())
    (tmp_path / "trace1-timestamps.json").write_text(stamps)
    with pytest.raises(InputFileError, match=sentence):
        read_trace(path)


def test_a_trace_without_time_stamps_is_read_and_said(tmp_path):
    trace = read_trace(write_energyrunner(tmp_path, energies()))
    assert trace.digital is None
    assert "There are no time stamps beside it" in " ".join(trace.notes)
    cut = tmp_path / "cut-energy.bin"
    cut.write_bytes((tmp_path / "trace1-energy.bin").read_bytes()[:-3])
    assert "The last sample was cut off and is skipped." in read_trace(cut).notes
    assert len(read_trace(cut)) == 24_999


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        (lpm01a_log([], settings=("freq 1k",)), "no sample"),
        (lpm01a_log([1.0], settings=("format bin_hexa",)), "the meter sent bin_hexa"),
        ("1000-06\n1000-06\n", "neither `freq` nor time stamps"),
        ("TimeStamp: 000s 000ms, buff 00%\n1000-06\nTimeStamp: 009s 000ms, buff 00%\nPowerShield > ack freq 1k\n",
         "8,999 of 9,000 samples are missing"),
        ("TimeStamp: 009s 000ms, buff 00%\n1000-06\nTimeStamp: 001s 000ms, buff 00%\nPowerShield > ack freq 1k\n",
         "time runs backwards at 9 s"),
        (lpm01a_log([1e-6] * 9, events=[2, 4]).replace("event 1", "event 2"), r"an event is missing: \[0, 2\]"),
    ],
)  # fmt: skip
def test_logs_that_cannot_be_used_are_refused_with_the_reason(tmp_path, log, sentence):
    path = tmp_path / "a.log"
    path.write_text(log)
    with pytest.raises(InputFileError, match=sentence):
        read_trace(path, voltage_v=3.3)


def test_numbers_that_are_no_energies_are_refused(tmp_path):
    with pytest.raises(InputFileError, match="power of sample 1 is inf"):
        read_trace(write_energyrunner(tmp_path, [1.0, np.inf]))
    with pytest.raises(InputFileError, match="it holds no samples"):
        read_trace(write_energyrunner(tmp_path, []), "energyrunner")
