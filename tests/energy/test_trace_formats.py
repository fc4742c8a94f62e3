import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.damage import OTHER_COMPRESSION, recompressed
from support.mlperf_traces import energyrunner_bytes, lpm01a_log
from support.ppk2 import ppk2_bits, ppk2_frames

from tinytracker.energy.formats import FORMATS, read_trace
from tinytracker.energy.formats.table import even_grid, settle_uncertain
from tinytracker.errors import InputFileError, TinyTrackerError, UnknownNameError, UsageError

CURRENT_UA = np.array([1000.0, 2000.5, 3000.25, 4000.125, 5000.0, 6000.0])
LEVELS = np.array([0, 1, 3, 2, 0, 0], np.uint8)


def ppk2_bytes(current=CURRENT_UA, bits=None, rate=100_000, version=2, **members):
    content = {
        "session.raw": ppk2_frames(current, LEVELS[: len(current)], bits),
        "metadata.json": json.dumps(
            {
                "metadata": {"samplesPerSecond": rate, "startSystemTime": 1_700_000_000_500},
                "formatVersion": version,
            }
        ),
        "minimap.raw": "{}",
    } | members
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            if data is not None:
                archive.writestr(name, data)
    return buffer.getvalue()


def put(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


PPK2_CSV = (
    "Timestamp(ms),Current(uA),D0-D7\n"
    "100,1000.000,00000000\n100.01,2000.500,10000000\n100.02,3000.250,11000000\n"
    "100.03,4000.125,01000000\n100.04,5000.000,00000000\n100.05,6000.000,00000000\n"
)
PPK2_CSV_SINGLE = PPK2_CSV.replace("D0-D7", "D0,D1,D2,D3,D4,D5,D6,D7")
for _text in ("00000000", "10000000", "11000000", "01000000"):
    PPK2_CSV_SINGLE = PPK2_CSV_SINGLE.replace(f",{_text}\n", "," + ",".join(_text) + "\n")
PLAIN = (
    "time_us,current (mA),voltage [V],D0,D1\n"
    "0,1.0,3.3,0,0\n10,2.0005,3.3,1,0\n20,3.00025,3.3,1,1\n30,4.000125,3.3,0,1\n40,5,3.3,0,0\n50,6,3.3,0,0\n"
)
OTII = (
    "Timestamp,Value\n"
    "0,0.001\n0.00001,0.0020005\n0.00002,0.00300025\n0.00003,0.004000125\n0.00004,0.005\n0.00005,0.006\n"
)


@pytest.mark.parametrize(
    ("name", "content", "meter"),
    [
        ("a.ppk2", ppk2_bytes(), "Nordic PPK2"),
        ("a.csv", PPK2_CSV, "Nordic PPK2"),
        ("b.csv", PPK2_CSV_SINGLE, "Nordic PPK2"),
        ("c.csv", PLAIN, "CSV"),
        ("d.csv", PLAIN.replace(",", ";"), "CSV"),
        ("e.csv", PLAIN.replace("\n", "\r\n"), "CSV"),
        ("Main current - Arc.csv", OTII, "Qoitech Otii"),
    ],
)
def test_every_format_gives_the_same_trace(name, content, meter, tmp_path):
    trace = read_trace(put(tmp_path, name, content), voltage_v=3.3)
    np.testing.assert_allclose(trace.current_a, CURRENT_UA * 1e-6, rtol=1e-6)
    assert trace.rate_hz == pytest.approx(100_000)
    assert (trace.voltage_v, trace.lost, trace.meter, trace.notes) == (3.3, 0, meter, ())
    if meter != "Qoitech Otii":
        np.testing.assert_array_equal(trace.digital, LEVELS)
        assert trace.lines in (0b11, 0xFF)


@pytest.mark.parametrize("method", OTHER_COMPRESSION)
def test_a_byte_that_names_another_compression_is_damage(method, tmp_path):
    with pytest.raises(InputFileError, match=r"a\.ppk2"):
        read_trace(put(tmp_path, "a.ppk2", recompressed(ppk2_bytes(), method)), voltage_v=3.3)


def test_what_a_file_says_about_time_and_voltage_is_used(tmp_path):
    assert read_trace(put(tmp_path, "a.ppk2", ppk2_bytes()), voltage_v=3.3).start_unix_s == 1_700_000_000.5
    assert read_trace(put(tmp_path, "a.csv", PPK2_CSV), voltage_v=3.3).start_s == pytest.approx(0.1)
    np.testing.assert_allclose(read_trace(put(tmp_path, "c.csv", PLAIN)).voltage_v, 3.3)


def test_otii_takes_voltage_and_inputs_from_the_files_beside(tmp_path):
    path = put(tmp_path, "Main current - Arc.csv", OTII)
    with pytest.raises(UsageError, match="not the voltage"):
        read_trace(path)
    put(tmp_path, "Main voltage - Arc.csv", "Timestamp,Value\n0,3.0\n0.00004,3.4\n")
    put(tmp_path, "GPI1 - Arc.csv", "Timestamp,Value\n0,0\n0.00001,1\n0.00003,0\n")
    put(tmp_path, "GPI2 - Arc.csv", "Timestamp,Value\n0,0\n0.00002,1\n0.00004,0\n")
    trace = read_trace(path)
    np.testing.assert_allclose(trace.voltage_v, [3.0, 3.1, 3.2, 3.3, 3.4, 3.4], rtol=1e-6)
    np.testing.assert_array_equal(trace.digital, LEVELS)
    assert trace.lines == 3


def test_a_voltage_that_ends_early_leaves_the_rest_unknown(tmp_path):
    path = put(tmp_path, "Main current - Arc.csv", OTII)
    put(tmp_path, "Main voltage - Arc.csv", "Timestamp,Value\n0,3.0\n0.00001,3.1\n0.00002,3.2\n")
    trace = read_trace(path)
    np.testing.assert_allclose(trace.voltage_v, [3.0, 3.1, 3.2, 3.2, np.nan, np.nan], rtol=1e-6)
    assert trace.gaps.tolist() == [[4, 6]]
    assert np.isnan(trace.current_a[4:]).all()


def test_otii_with_all_channels_in_one_file(tmp_path):
    text = (
        "Timestamp,Arc Main current (A),Arc Main voltage (V),Arc GPI1\n"
        "0,0.1,3.3,0\n0.001,0.2,3.3,1\n0.002,0.3,3.3,1\n"
    )
    trace = read_trace(put(tmp_path, "export.csv", text))
    assert (trace.meter, trace.lines, trace.rate_hz) == ("Qoitech Otii", 1, pytest.approx(1000))
    np.testing.assert_array_equal(trace.digital, [0, 1, 1])


def test_missing_rows_and_numbers_are_lost_samples(tmp_path):
    rows = PPK2_CSV.splitlines(keepends=True)
    trace = read_trace(put(tmp_path, "a.csv", "".join(rows[:2] + rows[4:])), voltage_v=3.3)
    assert trace.gaps.tolist() == [[1, 3]]
    np.testing.assert_array_equal(np.isnan(trace.current_a), [False, True, True, False, False, False])
    trace = read_trace(put(tmp_path, "c.csv", PLAIN.replace("3.00025,", "nan,")))
    assert trace.gaps.tolist() == [[2, 3]]
    current = CURRENT_UA.copy()
    current[3:5] = np.nan
    assert read_trace(put(tmp_path, "a.ppk2", ppk2_bytes(current)), voltage_v=3.3).gaps.tolist() == [[3, 5]]


def test_rounded_time_stamps_do_not_bend_the_grid(tmp_path):
    # 7 kS/s to the microsecond: the median interval alone would be off by a sample after a thousand.
    times = np.round(np.arange(20_000) / 7000 * 1e6)
    keep = np.ones(20_000, bool)
    keep[5000:5100] = False
    text = "time_us,current_A,voltage_V\n" + "".join(f"{t:.0f},0.1,3\n" for t in times[keep])
    trace = read_trace(put(tmp_path, "a.csv", text))
    assert (len(trace), trace.gaps.tolist()) == (20_000, [[5000, 5100]])
    assert trace.rate_hz == pytest.approx(7000, rel=1e-6)


def test_a_line_that_was_cut_off_is_left_out_and_said(tmp_path):
    trace = read_trace(put(tmp_path, "c.csv", PLAIN[:-4]))
    assert len(trace) == 5
    assert "cut off" in trace.notes[0]
    trace = read_trace(
        put(tmp_path, "a.ppk2", ppk2_bytes(**{"session.raw": b"\0\0\0\0\x55\x55" * 3 + b"12"})), voltage_v=3
    )
    assert (len(trace), "cut off" in trace.notes[0]) == (3, True)


def test_levels_that_changed_within_a_sample_keep_the_one_before():
    levels = np.array([0, 1, 0, 0, 1, 1], np.uint8)
    uncertain = np.array([False, False, True, True, False, True])
    np.testing.assert_array_equal(settle_uncertain(levels, uncertain), [0, 1, 1, 1, 1, 1])
    np.testing.assert_array_equal(settle_uncertain(levels, np.array([True] + [False] * 5)), levels)


def test_both_and_unrecorded_levels_of_nordic_files(tmp_path):
    bits = [ppk2_bits(x) for x in LEVELS]
    bits[2] |= 3  # line 0 saw both
    bits[3] &= ~(3 << 14)  # line 7 was not recorded here
    trace = read_trace(put(tmp_path, "a.ppk2", ppk2_bytes(bits=bits)), voltage_v=3.3)
    np.testing.assert_array_equal(trace.digital, LEVELS)
    assert trace.lines == 0x7F
    text = PPK2_CSV.replace("11000000", "X100000-")
    trace = read_trace(put(tmp_path, "a.csv", text), voltage_v=3.3)
    np.testing.assert_array_equal(trace.digital, LEVELS)
    assert trace.lines == 0x7F


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", "", "the file is empty"),
        ("a.txt", "hello\n", "not a known power meter"),
        ("a.csv", "time_s,current_mA,voltage_V\n", "it holds no samples"),
        ("a.csv", "time_s,current_mA,voltage_V\n0,1,3", "it holds no samples"),
        ("a.csv", "time_s,current_mA,voltage_V\n0,1,3\n", "1 sample is not enough"),
        ("a.csv", "time,current_mA,voltage_V\n0,1,3\n1,1,3\n", "has no unit"),
        ("a.csv", "time_s,current(mW),voltage_V\n0,1,3\n1,1,3\n", "has the unit 'mw'"),
        ("a.csv", "time_s,current_mA,voltage_V\n0,1,3\n1,1\n", "a row does not fit"),
        ("a.csv", "time_s,current_mA,voltage_V\n0,1,3\n1,one,3\n", "a row does not fit"),
        ("a.csv", "time_s,current_mA,voltage_V\n0,1,3\n1,inf,3\n", "current of sample 1 is inf"),
        ("a.csv", "time_s,current_mA,voltage_V\n0,1,3\n1,1,3\n1,1,3\n", "time does not advance at sample 2"),
        ("a.csv", "time_s,current_mA,voltage_V\nnan,1,3\n1,1,3\n", "time of sample 0 is not a number"),
        ("a.csv", "time_s,current_mA,voltage_V\n0,1,3\n1,1,3\n2,1,3\n3.5,1,3\n", "not evenly spaced"),
        ("a.csv", "time_s,current_mA,voltage_V\n0,1,3\n1,1,3\n100,1,3\n", "97.0 % of the samples are missing"),
        ("a.csv", "time_s,current_mA,voltage_V,D0\n0,1,3,0\n1,1,3,2\n", "line D0 of sample 1 is 2"),
        ("a.csv", "Timestamp(ms),Current(uA),D0-D7\n0,1,0000000\n1,1,00000000\n", "levels of sample 0"),
        ("a.csv", "Timestamp(ms),Current(uA),D0-D7\n0,1,000000000\n1,1,00000000\n", "levels of sample 0"),
        ("a.csv", "Timestamp(ms),Current(uA),D0-D7\n0,1,0000000?\n1,1,00000000\n", "line D7 of sample 0 is '?'"),
        ("a.ppk2", b"PK\x03\x04" + bytes(100), "the archive is damaged"),
        ("a.ppk2", ppk2_bytes(**{"session.raw": None}), "has no session.raw"),
        ("a.ppk2", ppk2_bytes(**{"session.raw": b"123"}), "it holds no samples"),
        ("a.ppk2", ppk2_bytes(**{"metadata.json": "[]"}), "not in the Power Profiler"),
        ("a.ppk2", ppk2_bytes(**{"metadata.json": "{"}), "the archive is damaged"),
        ("a.ppk2", ppk2_bytes(rate=0), "samplesPerSecond is 0"),
        ("a.ppk2", ppk2_bytes(rate=True), "samplesPerSecond is True"),
        ("a.ppk2", ppk2_bytes(version=9), "format version 9 is not known"),
        ("a.ppk2", ppk2_bytes(CURRENT_UA * np.inf), "current of sample 0 is inf"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_used_are_refused_with_the_reason(name, content, sentence, tmp_path):
    with pytest.raises(InputFileError) as caught:
        read_trace(
            put(tmp_path, name, content), voltage_v=3.3 if name == "a.ppk2" or "uA" in str(content) else None
        )
    assert sentence in str(caught.value)


def test_missing_voltage_wrong_format_and_no_file(tmp_path):
    path = put(tmp_path, "a.ppk2", ppk2_bytes())
    with pytest.raises(UsageError, match="--voltage"):
        read_trace(path)
    with pytest.raises(UsageError, match="-1 is not a valid voltage"):
        read_trace(path, voltage_v=-1)
    with pytest.raises(UnknownNameError, match="Did you mean 'ppk2'"):
        read_trace(path, "pkk2", voltage_v=3.3)
    with pytest.raises(InputFileError, match="no such file"):
        read_trace(tmp_path / "none.csv")
    for name in FORMATS:
        with pytest.raises(TinyTrackerError):
            read_trace(put(tmp_path, "x", "hello\nworld\n"), name, voltage_v=3.3)


SAMPLES = {
    "a.ppk2": ppk2_bytes(),
    "a.csv": PPK2_CSV.encode(),
    "c.csv": PLAIN.encode(),
    "Main current - A.csv": OTII.encode(),
    "trace1-energy.bin": energyrunner_bytes(CURRENT_UA),
    "a.log": lpm01a_log(CURRENT_UA * 1e-6, rate=2, settings=("freq 2", "volt 3300m"), events=[1, 3]).encode(),
}


@pytest.mark.parametrize(
    ("name", "number", "damaged", "sentence"),
    [
        ("a.csv", b"\n100,", b"\n-1e308,", r"the time of sample 0 is -1e\+305 s"),
        ("Main current - A.csv", b"0.00005,", b"1e308,", r"the time of sample 5 is 1e\+308 s"),
    ],
)
def test_times_with_a_damaged_exponent_are_refused(name, number, damaged, sentence, tmp_path):
    assert number in SAMPLES[name]
    with pytest.raises(InputFileError, match=sentence):
        read_trace(put(tmp_path, name, SAMPLES[name].replace(number, damaged)), voltage_v=3.3)


def test_samples_closer_than_any_meter_s_are_refused(tmp_path):
    with pytest.raises(InputFileError, match=r"its samples are 1e-300 s apart; no meter is that fast"):
        even_grid(tmp_path / "a.csv", 1e-300 * np.arange(6))


def test_a_signalling_nan_is_a_lost_sample(tmp_path):
    content = bytearray(SAMPLES["trace1-energy.bin"])
    content[-8:-4] = bytes.fromhex("0100807f")  # the last sample but one
    trace = read_trace(put(tmp_path, "trace1-energy.bin", bytes(content)), voltage_v=3.3)
    assert trace.gaps.tolist() == [[len(trace) - 2, len(trace) - 1]]


@pytest.mark.parametrize("name", SAMPLES)
@given(data=st.data())
@settings(max_examples=150)
def test_damaged_files_end_in_our_own_errors_or_in_a_sound_trace(name, data, tmp_path_factory):
    content = bytearray(SAMPLES[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        kind = data.draw(st.sampled_from(["flip", "set", "cut", "drop", "insert"]))
        if kind == "flip":
            content[at] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "set":
            content[at] = data.draw(st.sampled_from(list(b"\x00\xff\n,;-.eE9 \"'#")))
        elif kind == "cut":
            del content[max(at, 1) :]
        elif kind == "drop":
            del content[at : at + data.draw(st.integers(1, 20))]
        else:
            content[at:at] = data.draw(st.binary(min_size=1, max_size=8))
        content = content or bytearray(b"x")
    path = put(tmp_path_factory.mktemp("damaged"), name, bytes(content))
    trace, sentence = None, ""
    try:
        trace = read_trace(path, voltage_v=3.3)
    except TinyTrackerError as error:
        sentence = str(error)
    if trace is None:
        assert path.name in sentence
        return
    assert len(trace) >= 1
    assert trace.rate_hz > 0
    assert np.array_equal(np.isnan(trace.current_a), _inside(trace.gaps, len(trace)))
    assert trace.digital is None or len(trace.digital) == len(trace)


def _inside(gaps, length):
    inside = np.zeros(length, bool)
    for first, stop in gaps:
        inside[first:stop] = True
    return inside
