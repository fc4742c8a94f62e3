"""Gaze on the device: the C arithmetic against integers in numpy, and the commands that set and ask it."""

import ctypes
import subprocess
import zlib

import numpy as np
import pytest
from firmware.test_common import IMAGE, build, load
from hypothesis import example, given
from hypothesis import strategies as st
from support.host_c import STRICT

from tinytracker.emulate import deploy_dir
from tinytracker.errors import CalibrationError
from tinytracker.evaluate.calibration import Calibration, fit
from tinytracker.evaluate.calibration_device import DeviceGaze, device_gaze, sums_at_reference
from tinytracker.quant.contract import GazeDecoding

PAIR = GazeDecoding(1, 0.0, 0.25, 4)  # the fake network's output
INT32 = st.integers(-(2**31), 2**31 - 1)


class Gaze(ctypes.Structure):
    _fields_ = (("factor", (ctypes.c_int32 * 2) * 2), ("offset", ctypes.c_int32 * 2))


Pair = ctypes.c_int32 * 2


@pytest.fixture(scope="module")
def c_gaze(tmp_path_factory):
    path = tmp_path_factory.mktemp("gaze") / "gaze.so"
    source = deploy_dir() / "common" / "tt_gaze.c"
    flags = [*STRICT, "-O2", "-shared", "-fPIC", "-fsanitize=undefined", "-fno-sanitize-recover"]
    subprocess.run(["gcc", *flags, str(source), "-o", str(path)], check=True)
    library = ctypes.CDLL(str(path))

    def run(gaze: DeviceGaze, codes) -> list[int]:
        (a, b), (c, d) = gaze.factor
        um = Pair()
        library.tt_gaze(ctypes.byref(Gaze((Pair(a, b), Pair(c, d)), Pair(*gaze.offset))), Pair(*codes), um)
        return list(um)

    def scale(sums, segments: int, zero_point: int, reference: int, width: int) -> list[int]:
        pair = Pair(*sums)
        library.tt_gaze_scale(pair, library.tt_gaze_middle(segments, zero_point), reference, width)
        return list(pair)

    run.scale = scale
    return run


@given(
    st.lists(st.tuples(*[st.integers(-40_000, 40_000)] * 2), min_size=1, max_size=8), st.sampled_from([2, 8, 20]),
    st.integers(-128, 127), st.integers(1, 200_000), st.integers(1, 200_000),
)  # fmt: skip
@example([(0, -32118), (0, 32767)], 20, 127, 65537, 1)  # beyond 32 bits
def test_sums_come_to_the_reference_width_as_in_numpy(c_gaze, sums, segments, zero_point, reference, width):
    decoding = GazeDecoding(segments, -28.0, 0.01, zero_point)
    expected = sums_at_reference(np.array(sums), decoding, reference, width)
    assert [c_gaze.scale(pair, segments, zero_point, reference, width) for pair in sums] == expected.tolist()


def test_a_gaze_twice_as_far_away_is_twice_the_angle(c_gaze):
    # 8 segments of 7 cm: a sum of 1020 above 8 times the zero point is 0 cm, and 36.4 steps are 1 cm.
    assert c_gaze.scale((-4 + 36, -4), 8, -128, 80 * 16, 40 * 16) == [-4 + 72, -4]


@given(st.lists(INT32, min_size=6, max_size=6), st.lists(st.tuples(INT32, INT32), min_size=1, max_size=8))
def test_any_numbers_give_what_numpy_gives(c_gaze, words, codes):
    gaze = DeviceGaze(((words[0], words[1]), (words[2], words[3])), (words[4], words[5]))
    expected = gaze.gaze_um(np.array(codes))
    assert [c_gaze(gaze, pair) for pair in codes] == expected.tolist()


@given(st.integers(0, 2**32 - 1), st.floats(0.005, 0.4), st.integers(-128, 127), st.sampled_from([1, 4, 8]))
def test_all_codes_are_within_a_micrometre_of_the_real_correction(c_gaze, seed, scale, zero_point, segments):
    rng = np.random.default_rng(seed)
    true = rng.uniform([-3, -9], [3, -1], (13, 2))
    calibration = fit(
        0.7 * true + rng.normal(size=2) + 0.2 * rng.normal(size=true.shape), true, method="affine"
    )
    decoding = GazeDecoding(segments, 0.0 if segments == 1 else -30.0, scale / segments, zero_point)
    gaze = device_gaze(calibration, decoding)
    codes = rng.integers(-128, 128, (50, 2 * segments))
    real = calibration.apply(decoding.decode(codes)) * 1e4
    found = np.array([c_gaze(gaze, sums) for sums in codes.reshape(50, 2, segments).sum(-1).tolist()])
    assert np.abs(found - real).max() < 1.01
    assert (found == gaze.gaze_um(codes)).all()


def test_a_ridge_and_absurd_corrections_are_refused():
    rng = np.random.default_rng(0)
    true = rng.uniform([-3, -9], [3, -1], (40, 2))
    ridge = fit(true + 0.3 * true**2, true, method="ridge")
    assert not ridge.is_affine
    with pytest.raises(CalibrationError, match="--method affine"):
        device_gaze(ridge, PAIR)
    with pytest.raises(CalibrationError, match="does not fit in 32 bits"):
        device_gaze(Calibration(kind="affine", matrix=((100.0, 0.0), (0.0, 1.0))), PAIR)


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    program = build(tmp_path_factory.mktemp("dialogue"), "dialogue_main.c")

    def send(text: bytes) -> list[str]:
        done = subprocess.run([program, "loaded"], input=text, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return [line for line in done.stdout.decode().split("\r\n")[2:-1] if line != "m-ready"]

    return send


def test_the_device_answers_the_calibrated_gaze(talk):
    calibration = Calibration(kind="affine", matrix=((1.1, -0.2), (0.05, 0.9)), offset=(-1.5, 0.7))
    gaze = device_gaze(calibration, PAIR)
    assert len(gaze.command()) <= 81
    said = talk(load() + gaze.command().encode() + b"infer 1 0%tt gaze%")
    codes = np.array([[IMAGE[0], sum(IMAGE)]]).astype(np.int8)
    x, y = gaze.gaze_um(codes)[0]
    assert said[-1] == f"m-tt-gaze-[{x},{y}]"
    np.testing.assert_allclose([x, y], calibration.apply(0.25 * (codes - 4.0))[0] * 1e4, atol=1.01)


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"tt gaze%", "No calibration is set"),
        (b"tt calibrate%", "tt calibrate needs none, or 48 hexadecimal digits and a CRC-32 of 8"),
        (b"tt calibrate 00%", "tt calibrate needs none, or 48 hexadecimal digits and a CRC-32 of 8"),
        (b"tt calibrate " + b"0" * 48 + b" 00000000%", "Checksum of the calibration is wrong"),
        (
            b"tt calibrate " + b"0" * 48 + b" %08x%%tt gaze%%" % zlib.crc32(b"0" * 48),
            "No inference has been run",
        ),
        (
            b"tt calibrate " + b"0" * 48 + b" %08x%%tt calibrate none%%tt gaze%%" % zlib.crc32(b"0" * 48),
            "No calibration is set",
        ),
    ],
)
def test_bad_commands_are_answered(talk, sent, error):
    assert talk(sent)[-1] == f"e-[{error}]"


def test_a_damaged_calibration_leaves_the_one_before(talk):
    good = device_gaze(Calibration(kind="offset", offset=(1.0, 2.0)), PAIR)
    bad = good.command()[:-2] + "0%" if good.command()[-2] != "0" else good.command()[:-2] + "1%"
    said = talk(load() + good.command().encode() + b"infer 1 0%tt gaze%" + bad.encode() + b"tt gaze%")
    assert said[-2] == "e-[Checksum of the calibration is wrong]"
    assert said[-1] == said[-3]


def test_the_constant_compiles(tmp_path):
    gaze = device_gaze(Calibration(kind="offset", offset=(-1.0, 2.0)), GazeDecoding(1, 0.0, 0.25, -128))
    (tmp_path / "main.c").write_text(
        f'#include "tt_gaze.h"\n{gaze.c_source()}\n'
        "int main(void) { const int32_t codes[2] = {-128, -128}; int32_t um[2]; "
        "tt_gaze(&calibrated_gaze, codes, um); return ((um[0] == -10000) && (um[1] == 20000)) ? 0 : 1; }\n"
    )
    common = deploy_dir() / "common"
    program = tmp_path / "main"
    command = ["gcc", *STRICT, "-I", common, tmp_path / "main.c", common / "tt_gaze.c", "-o", program]
    subprocess.run(list(map(str, command)), check=True)
    assert subprocess.run([program]).returncode == 0
