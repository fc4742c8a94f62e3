"""The PPK2 recorder against a stand-in on a pty: currents in each range, lost bytes, a meter that goes."""

import os
import pty
import signal
import subprocess
import sys
import threading
import time
import tty
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import stand_in_ppk2
from support.stand_in_ppk2 import RATE_HZ, StandInPpk2, current_of, metadata_text, words

from tinytracker.energy.formats import read_trace
from tinytracker.errors import DeviceError, OutputError, RefusedError, UnpluggedError, UsageError
from tinytracker.measure.ppk2.calibration import MetadataError, SpikeFilter, amperes, parse_metadata
from tinytracker.measure.ppk2.device import Ppk2
from tinytracker.measure.ppk2.record import main, record
from tinytracker.measure.ppk2.timeline import Jump, timeline
from tinytracker.measure.ppk2.words import WordStream, lines_of

LEVELS_A = (5e-6, 200e-6, 2e-3, 20e-3, 300e-3)
# Half a step of the converter in each range.
STEPS_A = [abs(current_of(1, k) - current_of(0, k)) / 2 + 1e-9 for k in range(5)]
BLOCK = 6400


def staircase():
    """Each range for 64 ms, its number on the lines."""
    current = np.repeat(LEVELS_A, BLOCK)
    return words(current, np.repeat(np.arange(5, dtype=np.uint8), BLOCK))


class MeterClock:
    """The recorder's clock in tests: the meter's time of the last sample that has been read.

    The recorder counts lost samples by the host's clock. By that of a busy computer it counts wrong; what it makes of
    readings that come late is shown by simulation.
    """

    def __init__(self, meter, patch):
        self._meter, self._received = meter, 0
        read, start = Ppk2.read, Ppk2.start

        def counted(device, timeout_s):
            data = read(device, timeout_s)
            self._received += len(data)
            return data

        def started(device):
            self._received = 0
            start(device)

        patch.setattr(Ppk2, "read", counted)
        patch.setattr(Ppk2, "start", started)
        patch.setattr("tinytracker.measure.ppk2.device._ANSWER_S", 60.0)
        patch.setattr("tinytracker.measure.ppk2.record.time", SimpleNamespace(monotonic=self, time=time.time))

    def __call__(self):
        return self._meter.time_at(self._received)


def run_for(seconds, meter, path, **more):
    """Record until so much has been read."""
    with pytest.MonkeyPatch.context() as patch:
        clock = MeterClock(meter, patch)
        return record(meter.port, path, lambda: clock() >= seconds, **more)


def settled(trace):
    """Sample indices that are five and more behind a change of lines, and good."""
    changed = np.flatnonzero(np.diff(trace.digital.astype(int), prepend=-1))
    since = np.arange(len(trace)) - changed[np.searchsorted(changed, np.arange(len(trace)), "right") - 1]
    return np.flatnonzero((since >= 5) & np.isfinite(trace.current_a))


def test_known_currents_in_each_range_come_back_within_a_step(tmp_path):
    path = tmp_path / "t.ppk2"
    with StandInPpk2(staircase()) as meter:
        summary = run_for(1.2, meter, path, voltage_v=3.3)
        assert meter.commands[0] == 0x07
        assert meter.commands[1:3] == b"\x19\x06"
    assert summary.lost == 0
    assert summary.timeline.agrees
    trace = read_trace(path)
    assert (trace.voltage_v, trace.rate_hz, trace.lost) == (3.3, RATE_HZ, 0)
    assert len(trace) > 0.9 * RATE_HZ
    good = settled(trace)
    truth, step = np.array(LEVELS_A)[trace.digital], np.array(STEPS_A)[trace.digital]
    assert set(trace.digital[good]) == set(range(5))
    assert (np.abs(trace.current_a - truth)[good] <= step[good]).all()
    assert "too short for its time base" in " ".join(trace.notes)


def test_lost_samples_are_gaps_as_long_as_the_clock_says(tmp_path):
    path = tmp_path / "t.ppk2"
    with StandInPpk2(staircase(), lose=(0.4, 0.45)) as meter:
        summary = run_for(1.2, meter, path, voltage_v=3.3)
    assert summary.lost == 5005  # five beside a jump are given up
    trace = read_trace(path)
    assert (len(trace.gaps), trace.lost) == (1, summary.lost)
    # Behind the gap the lines are where they belong.
    changes = np.flatnonzero(np.diff(trace.digital.astype(int)))
    late = changes[changes > trace.gaps[0, 1] + BLOCK]
    assert np.abs((late + 1 - changes[0] - 1 + BLOCK / 2) % BLOCK - BLOCK / 2).max() <= 64


def test_bytes_that_were_lost_cost_the_samples_that_they_belong_to(tmp_path):
    path = tmp_path / "t.ppk2"
    with StandInPpk2(staircase(), cut=(0.3, 21)) as meter:
        summary = run_for(0.8, meter, path, voltage_v=3.3)
    assert summary.lost == 11  # five whole samples, the rest of the sixth, and five beside it
    trace = read_trace(path)
    good = settled(trace)
    step = np.array(STEPS_A)[trace.digital]
    assert (np.abs(trace.current_a - np.array(LEVELS_A)[trace.digital])[good] <= step[good]).all()


def test_a_meter_that_goes_leaves_what_it_had_sent(tmp_path):
    path = tmp_path / "t.ppk2"
    with (
        StandInPpk2(staircase(), vanish=0.3) as meter,
        pytest.raises(UnpluggedError, match="the meter was disconnected"),
    ):
        run_for(5, meter, path, voltage_v=3.3)
    assert len(read_trace(path)) > 0.2 * RATE_HZ


def test_the_program_stops_on_an_interrupt_and_says_what_it_has(tmp_path):
    path = tmp_path / "t.ppk2"
    with StandInPpk2(staircase(), answer=metadata_text(mode=2), real_time=True) as meter:
        command = [sys.executable, "-m", "tinytracker.measure.ppk2.record", path, "--port", meter.port]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            while b"\x06" not in meter.commands or meter.sent < 0.3 * RATE_HZ:
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "0 samples lost" in out
    assert read_trace(path).voltage_v == 3.3  # a source meter knows its voltage


def test_what_cannot_be_recorded_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tinytracker.measure.ppk2.device._ANSWER_S", 1.0)
    with (
        StandInPpk2(staircase(), answer="hello\n") as meter,
        pytest.raises(DeviceError, match="no PPK2 answers"),
    ):
        record(meter.port, tmp_path / "a.ppk2", lambda: True)
    broken = metadata_text(GI=("nan", 1, 1, 1, 1))
    with StandInPpk2(staircase(), answer=broken) as meter, pytest.raises(MetadataError, match="nan for GI0"):
        run_for(1, meter, tmp_path / "b.ppk2")
    source = metadata_text(mode=2, vdd_mv=1800)
    with (
        StandInPpk2(staircase(), answer=source) as meter,
        pytest.raises(DeviceError, match=r"supplies 1\.8 V"),
    ):
        run_for(1, meter, tmp_path / "c.ppk2", voltage_v=3.3)
    with pytest.raises(DeviceError, match="cannot be opened"):
        record(str(tmp_path / "none"), tmp_path / "d.ppk2", lambda: True)
    assert main([str(tmp_path / "e.ppk2"), "--port", str(tmp_path / "none")]) == 1
    assert "cannot be opened" in capsys.readouterr().err
    (tmp_path / "f.ppk2").write_text("something")
    with StandInPpk2(staircase()) as meter, pytest.raises(OutputError, match="the file exists already"):
        run_for(0.2, meter, tmp_path / "f.ppk2")
    with pytest.raises(UsageError, match="No PPK2 is plugged in"):
        record(None, tmp_path / "g.ppk2", lambda: True)


def test_a_meter_that_falls_silent_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("tinytracker.measure.ppk2.record._SILENCE_S", 0.3)
    monkeypatch.setattr("tinytracker.measure.ppk2.device._ANSWER_S", 60.0)
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    answering = threading.Thread(target=_answer_once, args=(ours,), daemon=True)
    answering.start()
    with pytest.raises(DeviceError, match="has sent nothing"):
        record(os.ttyname(theirs), tmp_path / "t.ppk2", lambda: False)
    answering.join()
    for fd in (ours, theirs):
        os.close(fd)


def _answer_once(fd):
    while b"\x19" not in os.read(fd, 16):
        pass
    os.write(fd, metadata_text().encode())


@given(
    seed=st.integers(0, 1000),
    cuts=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 60)), max_size=3),
    sizes=st.lists(st.integers(3, 700), min_size=1, max_size=8),
)
@settings(max_examples=40, deadline=None)
def test_words_are_found_again_wherever_bytes_are_missing(seed, cuts, sizes):
    rng = np.random.default_rng(seed)
    sent = (
        rng.integers(0, 1 << 14, 1000) | rng.integers(0, 5, 1000) << 14 | (np.arange(1000) % 64) << 18
        | rng.integers(0, 256, 1000) << 24
    ).astype("<u4")  # fmt: skip
    data = sent.tobytes()
    for at, count in sorted(cuts, reverse=True):
        data = data[:at] + data[at + count :]
    stream, at, k = WordStream(), 0, 0
    place, counted = -1, 0
    while at < len(data):
        size = sizes[k % len(sizes)]
        for piece in stream.feed(data[at : at + size]):
            begin = (
                place + 1 + piece.skipped if place >= 0 else int(np.flatnonzero(sent == piece.words[0])[0])
            )
            np.testing.assert_array_equal(piece.words, sent[begin : begin + len(piece.words)])
            place = begin + len(piece.words) - 1
            counted += len(piece.words)
        at, k = at + size, k + 1
    # Each cut costs its own samples and at most a run beside each end of it.
    assert counted >= 1000 - sum(count // 4 + 2 + 13 for _, count in cuts) - 13


def test_the_clock_tells_jumps_of_64_apart():
    rng = np.random.default_rng(0)
    when = np.arange(1, 5001) * 0.001
    lost = {1000: 37, 2000: 37 + 64 * 3, 3000: 64 * 20 + 5}
    total, received, jumps = 0, [], []
    for k in range(5000):
        if k in lost:
            jumps.append(Jump(total, lost[k] % 64))
        total += 100 - lost.get(k, 0) if k in lost and lost[k] < 100 else 100
        received.append(total)
        if k in lost and lost[k] >= 100:
            received[-1] = total = total - lost[k]
    # Readings come late by up to 3 ms, and one in ten at once.
    arrived = when + np.where(rng.random(5000) < 0.1, 0, rng.uniform(0, 0.003, 5000))
    order = np.maximum.accumulate(arrived)
    found = timeline(jumps, received, order.tolist())
    assert found.missing == tuple(lost.values())
    assert found.agrees
    unseen = timeline(jumps[:2], received, order.tolist())
    assert not unseen.agrees
    assert unseen.error_s == pytest.approx(-lost[3000] / RATE_HZ, abs=1e-3)


def test_a_recording_whose_time_is_wrong_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "t.ppk2"
    monkeypatch.setattr("tinytracker.measure.ppk2.timeline._CHECKED_S", 0.0)
    monkeypatch.setattr("tinytracker.measure.ppk2.timeline._AGREES_S", 10.0)
    with StandInPpk2(staircase()) as meter:
        run_for(0.5, meter, path, voltage_v=3.3)
    assert "Time base checked while recording" in " ".join(read_trace(path).notes)
    path.unlink()
    monkeypatch.setattr("tinytracker.measure.ppk2.timeline._AGREES_S", -1.0)
    with StandInPpk2(staircase()) as meter:
        run_for(0.5, meter, path, voltage_v=3.3)
    with pytest.raises(RefusedError, match="nothing shows where") as caught:
        read_trace(path)
    assert caught.value.reason == "samples-lost"


def filtered_one_by_one(current, ranges):
    """The filter, sample by sample."""
    means, before, since, out = [None, None], int(ranges[0]), 3, []
    for value, k in zip(current, ranges, strict=True):
        since = 0 if k != before else min(since + 1, 3)
        before = k
        if not (since < 2 and k == 4):
            for which, weight in enumerate((0.18, 0.06)):
                mean = means[which]
                means[which] = value if mean is None else weight * value + (1 - weight) * mean
        out.append(value if since >= 3 else means[1] if k == 4 else means[0])
    return out


@given(seed=st.integers(0, 1000), cut=st.integers(1, 199))
def test_the_spike_filter_in_pieces_is_the_one_sample_by_sample(seed, cut):
    rng = np.random.default_rng(seed)
    ranges = np.repeat(rng.integers(0, 5, 200), rng.integers(1, 8, 200))[:200].astype(np.uint8)
    ranges[0] = ranges[1]
    current = rng.uniform(0, 1, 200)
    spikes = SpikeFilter()
    found = np.concatenate(
        [spikes.apply(current[:cut], ranges[:cut]), spikes.apply(current[cut:], ranges[cut:])]
    )
    np.testing.assert_allclose(found, filtered_one_by_one(current, ranges), rtol=1e-12)


def test_codes_become_the_currents_of_the_constants():
    calibration = parse_metadata(metadata_text())
    codes = np.arange(0, 1 << 14, 37, dtype=np.uint32)
    for k in range(5):
        made = amperes((codes | k << 14).astype(np.uint32), calibration)
        np.testing.assert_allclose(made, [current_of(int(code), k) for code in codes], rtol=1e-12)
    assert np.isnan(amperes(np.array([5 << 14], np.uint32), calibration)).all()
    assert lines_of(np.array([0xA5 << 24], np.uint32))[0] == 0xA5
    assert calibration.supply_v == stand_in_ppk2.SUPPLY_V
