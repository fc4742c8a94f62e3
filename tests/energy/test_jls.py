"""Joulescope recordings. Damaged ones are read in another process: the library is C and might crash."""

import subprocess
import sys

import numpy as np
import pytest

from tinytracker.capture import captured_output
from tinytracker.energy.formats import read_trace
from tinytracker.energy.formats.jls import IDENTIFICATION
from tinytracker.errors import InputFileError, MissingDependencyError, UsageError

pyjls = pytest.importorskip("pyjls")
RATE = 1_000_000
COUNT = 40_000
ORIGIN = 1000


def write(path, current, voltage=None, bits=None, voltage_rate=RATE, lost=(), bits_from=ORIGIN):
    with captured_output(), pyjls.Writer(str(path)) as writer:
        writer.source_def(
            1, name="meter", vendor="Jetperch", model="JS220", version="1", serial_number="000000"
        )
        # All signals before the first sample: the writer's thread, which tells Python that samples were skipped, waits
        # for the interpreter with the lock in its hand that `signal_def` waits for with the interpreter in its own.
        writer.signal_def(1, 1, sample_rate=RATE, name="current", units="A", data_type=pyjls.DataType.F32)
        if voltage is not None:
            writer.signal_def(
                2, 1, sample_rate=voltage_rate, name="voltage", units="V", data_type=pyjls.DataType.F32
            )
        lines = list(enumerate(bits if bits is not None else ()))
        for line, _ in lines:
            writer.signal_def(5 + line, 1, sample_rate=RATE, name=f"gpi[{line}]", data_type=pyjls.DataType.U1)
        at = 0
        for first, stop in [*lost, (len(current), len(current))]:
            writer.fsr_f32(1, ORIGIN + at, current[at:first])
            at = stop
        if voltage is not None:
            writer.fsr_f32(2, ORIGIN, voltage)
        for line, levels in lines:
            writer.fsr(5 + line, bits_from, np.packbits(levels, bitorder="little"))
        writer.utc(1, ORIGIN, pyjls.utc_to_jls(1.7e9))
        writer.utc(1, ORIGIN + len(current) - 1, pyjls.utc_to_jls(1.7e9 + (len(current) - 1) / RATE))
    return path


@pytest.fixture
def signals():
    rng = np.random.default_rng(0)
    current = rng.random(COUNT).astype(np.float32)
    voltage = (3 + rng.random(COUNT)).astype(np.float32)
    bits = rng.integers(0, 2, (2, COUNT)).astype(np.uint8)
    return current, voltage, bits


def test_current_voltage_and_lines_are_read_back(tmp_path, signals):
    current, voltage, bits = signals
    trace = read_trace(write(tmp_path / "a.jls", current, voltage, bits))
    np.testing.assert_array_equal(trace.current_a, current)
    np.testing.assert_array_equal(trace.voltage_v, voltage)
    np.testing.assert_array_equal(trace.digital, bits[0] | bits[1] << 1)
    assert (trace.rate_hz, trace.lines, trace.meter, trace.lost) == (RATE, 3, "Joulescope JS220", 0)
    assert trace.start_unix_s == pytest.approx(1.7e9, abs=1e-3)


def test_skipped_samples_are_lost(tmp_path, signals):
    current, voltage, _ = signals
    trace = read_trace(write(tmp_path / "a.jls", current, voltage, lost=[(5000, 5100), (20_000, 20_001)]))
    assert trace.gaps.tolist() == [[5000, 5100], [20_000, 20_001]]
    np.testing.assert_array_equal(trace.current_a[5100:20_000], current[5100:20_000])


def test_signals_that_begin_apart_are_cut_to_what_all_cover(tmp_path, signals):
    current, voltage, bits = signals
    trace = read_trace(write(tmp_path / "a.jls", current, voltage, bits, bits_from=ORIGIN + 800))
    np.testing.assert_array_equal(trace.current_a, current[800:])
    np.testing.assert_array_equal(trace.voltage_v, voltage[800:])
    np.testing.assert_array_equal(trace.digital, (bits[0] | bits[1] << 1)[:-800])
    assert trace.start_unix_s == pytest.approx(1.7e9 + 800e-6, abs=1e-5)


def test_a_line_of_another_time_is_left_out(tmp_path, signals):
    current, voltage, bits = signals
    trace = read_trace(write(tmp_path / "a.jls", current, voltage, bits, bits_from=ORIGIN + COUNT // 2))
    assert (trace.digital, trace.lines, len(trace)) == (None, 0, COUNT)
    assert "gpi[0]" in trace.notes[0]


def test_voltage_that_is_missing_or_slower(tmp_path, signals):
    current, voltage, _ = signals
    path = write(tmp_path / "a.jls", current)
    with pytest.raises(UsageError, match="--voltage"):
        read_trace(path)
    assert read_trace(path, voltage_v=1.8).voltage_v == 1.8
    with pytest.raises(InputFileError, match="500000 samples/s"):
        read_trace(write(tmp_path / "b.jls", current, voltage, voltage_rate=RATE // 2))


def test_a_recording_that_is_cut_is_refused_and_not_touched(tmp_path, signals):
    content = write(tmp_path / "a.jls", *signals).read_bytes()
    path = tmp_path / "cut.jls"
    for length in (20, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(InputFileError):
            read_trace(path)
        assert path.read_bytes() == content[:length]
    path.write_bytes(IDENTIFICATION + bytes(8) + content[24:])
    with pytest.raises(InputFileError, match="was not closed"):
        read_trace(path)
    assert path.read_bytes()[16:24] == bytes(8)


def test_without_the_library_the_extra_is_named(tmp_path, signals, monkeypatch):
    import importlib.util

    path = write(tmp_path / "a.jls", signals[0])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr("tinytracker.requirements.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install .*\[energy\]"):
        read_trace(path)


def test_damaged_recordings_end_in_our_own_errors(tmp_path, signals):
    content = write(tmp_path / "a.jls", *signals).read_bytes()
    rng = np.random.default_rng(1)
    written = {}
    for k in range(60):
        damaged = bytearray(content)
        # Half of the damage goes to the first chunks, where the definitions are.
        for _ in range(rng.integers(1, 6)):
            damaged[rng.integers(24, len(content) if k % 2 else 2000)] ^= 1 << rng.integers(8)
        written[f"{k:02d}.jls"] = bytes(damaged)
        (tmp_path / f"{k:02d}.jls").write_bytes(damaged)
    code = (
        "import sys, pathlib\n"
        "from tinytracker.energy.formats import read_trace\n"
        "from tinytracker.errors import TinyTrackerError\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).glob('[0-9]*.jls')):\n"
        "    try:\n        trace = read_trace(path, voltage_v=3.0)\n"
        "        assert trace.rate_hz > 0 and len(trace)\n"
        "    except TinyTrackerError:\n        pass\n"
        "    print(path.name, flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, (done.stdout.splitlines()[-1:], done.stderr[-2000:])
    assert len(done.stdout.splitlines()) == 60
    for name, before in written.items():
        assert (tmp_path / name).read_bytes() == before, f"{name} was changed by reading it"
