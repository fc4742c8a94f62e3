"""The gate's C against its specification in Python: every bit of smoothing, registration, eye flow and rule."""

import ctypes
import subprocess

import numpy as np
import pytest
from support.host_c import STRICT, Box

from tinytracker.aim.region import Region
from tinytracker.cascade import flow
from tinytracker.cascade.counterturn import Counterturn
from tinytracker.cascade.judge import Judge
from tinytracker.cascade.presence import Presence, PresenceSettings
from tinytracker.cascade.rule import NEVER, Gate, GateSettings
from tinytracker.emulate import deploy_dir

COMMON = deploy_dir() / "common"
SOURCES = [
    COMMON / f"tt_{name}.c"
    for name in ("flow", "normal", "counterturn", "gate", "presence", "judge", "strip", "resize", "fixed")
]
PIXELS = flow.WIDTH * flow.HEIGHT


class State(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_int16 * PIXELS) for name in ("before", "after", "bright"))


class Motion(ctypes.Structure):
    _fields_ = (
        ("eyes", ctypes.c_int32 * 2), ("face", ctypes.c_int32 * 4), ("misfit", ctypes.c_int32),
        ("lost", ctypes.c_int32),
    )  # fmt: skip


class CRegion(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_int32) for name in ("x", "y", "width"))


class Settings(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_int32) for name in vars(GateSettings()))


class GateState(ctypes.Structure):
    _fields_ = (
        ("settings", Settings), ("medians", ctypes.c_int32 * 4), ("counts", ctypes.c_int32 * 3),
        ("sums", ctypes.c_int64 * 2),
    )  # fmt: skip


class Change(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_int32) for name in ("x", "y", "misfit", "known"))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("cascade") / "cascade.so"
    checks = ["-fsanitize=undefined", "-fno-sanitize-recover=all"]
    subprocess.run(["gcc", *STRICT, *checks, "-O1", "-shared", "-fPIC", *SOURCES, "-o", path], check=True)
    loaded = ctypes.CDLL(str(path))
    loaded.tt_gate_step.argtypes = [ctypes.c_void_p, Change, ctypes.c_int32]
    loaded.tt_strip_cut.argtypes = [ctypes.c_void_p, Box, ctypes.c_void_p]
    loaded.tt_flow_guess.argtypes = [CRegion, CRegion, ctypes.c_void_p]
    loaded.tt_rounded_shift.restype = ctypes.c_int64
    loaded.tt_rounded_shift.argtypes = [ctypes.c_int64, ctypes.c_int32]
    return loaded


def picture(rng: np.random.Generator) -> np.ndarray:
    """A smooth random picture with detail, larger than a strip."""
    coarse = rng.integers(0, 256, (10, 26)).astype(float)
    fine = np.kron(coarse, np.ones((8, 8)))
    for axis in (0, 1):
        fine = sum(np.roll(fine, k, axis) for k in range(-4, 5)) / 9
    return fine


def strips(seed: int, count: int) -> np.ndarray:
    """Strips of a face that moves and of eyes that jump, and some nonsense: (count, 32, 96)."""
    rng = np.random.default_rng(seed)
    face, eye = picture(rng), rng.integers(0, 256, (14, 26))
    x, y, made = 40, 20, []
    for _ in range(count):
        x, y = (int(v) for v in np.clip([x, y] + rng.integers(-4, 5, 2), 0, [100, 40]))
        strip = face[y : y + flow.HEIGHT, x : x + flow.WIDTH].copy()
        rows, columns = rng.integers(-2, 3, 2)
        for left, right in flow.EYE_COLUMNS:
            strip[9:23, left:right] = np.roll(eye, (rows, columns), (0, 1))
        gain, offset = rng.uniform(0.4, 1.6), rng.uniform(-40, 40)
        strip = strip * gain + offset + rng.normal(0, 3, strip.shape)
        if rng.random() < 0.1:
            strip = rng.integers(0, 256, strip.shape)
        if rng.random() < 0.1:
            strip = np.full(strip.shape, rng.choice([0, 255]))
        made.append(np.clip(strip, 0, 255).astype(np.uint8))
    return np.stack(made)


class Image(ctypes.Structure):
    _fields_ = (("pixels", ctypes.c_char_p), ("width", ctypes.c_int32), ("height", ctypes.c_int32))


def test_strips_of_a_frame(library):
    rng = np.random.default_rng(7)
    for shape in ((48, 64), (240, 320), (5, 7)):
        frame = rng.integers(0, 256, (*shape, 3)).astype(np.uint8)
        for _ in range(25):
            width = int(rng.choice([1, 2, 30, 80, 96, 97, 320]))
            x, y = (int(v) for v in rng.integers(-60, 330, 2))
            region = Region(16 * x, 16 * y, 16 * width).snapped
            said = ctypes.create_string_buffer(PIXELS)
            image = Image(frame.tobytes(), shape[1], shape[0])
            assert library.tt_strip_cut(ctypes.byref(image), Box(*region.box), said) == 0
            expected = flow.grey_strip(frame, region)
            np.testing.assert_array_equal(np.frombuffer(said.raw, np.uint8).reshape(32, 96), expected)
    assert library.tt_strip_cut(ctypes.byref(image), Box(0, 0, 0, 5), said) == -1
    assert library.tt_strip_cut(ctypes.byref(image), Box(0, 0, 1 << 15, 1 << 14), said) == -1


def test_a_large_box_does_not_overflow(library):
    frame = np.full((1200, 3600, 3), 255, np.uint8)
    region = Region(16 * 1800, 16 * 600, 16 * 3600).snapped
    said, image = ctypes.create_string_buffer(PIXELS), Image(frame.tobytes(), 3600, 1200)
    assert library.tt_strip_cut(ctypes.byref(image), Box(*region.box), said) == 0
    assert set(said.raw) == {255}


def test_eye_flow(library):
    frames = strips(seed=1, count=150)
    rng = np.random.default_rng(2)
    starts = rng.integers(-1500, 1500, (len(frames), 4)) * rng.integers(0, 2, (len(frames), 1))
    starts[::20] = rng.integers(-(2**31), 2**31, (len(starts[::20]), 4))
    prepared = flow.prepare(frames)
    expected = flow.motion(prepared[:-1], prepared[1:], starts[1:])
    state, said = State(), Motion()
    for i, frame in enumerate(frames):
        library.tt_flow_take(ctypes.byref(state), frame.tobytes())
        np.testing.assert_array_equal(np.array(state.after).reshape(flow.HEIGHT, flow.WIDTH), prepared[i])
        if i:
            library.tt_flow_motion(ctypes.byref(state), starts[i].astype("<i4").tobytes(), ctypes.byref(said))
            assert list(said.eyes) == expected.eyes[i - 1].tolist()
            assert list(said.face) == expected.face[i - 1].tolist()
            assert (said.misfit, said.lost) == (expected.misfit[i - 1], expected.lost[i - 1])
    assert 0.02 < expected.lost.mean() < 0.9
    assert (np.abs(expected.eyes) > 64).mean() > 0.1


def test_what_the_head_makes_the_eyes_turn(library):
    rng = np.random.default_rng(3)
    turn, state = Counterturn(), (ctypes.c_int32 * 8)()
    library.tt_counterturn_start(state)
    for size in (0, 40, 900, 9000):
        head = rng.integers(-size, size + 1, (100, 4))
        eyes = np.rint(0.04 * head[:, :2] + rng.normal(0, 8, (100, 2))).astype(int)
        eyes[::9] = rng.integers(-1024, 1025, eyes[::9].shape)
        for pair, moved in zip(eyes.tolist(), head, strict=True):
            said = (ctypes.c_int32 * 2)(*pair)
            library.tt_counterturn_take(state, moved.astype("<i4").tobytes(), said)
            assert tuple(said) == turn.without(pair, moved.tolist())


def test_a_head_that_moves_is_learned():
    rng = np.random.default_rng(6)
    turn, raw, left = Counterturn(), [], []
    for k in range(300):
        head = [round(600 * np.sin(k / 9)), round(400 * np.cos(k / 7)), 0, 0]
        eyes = [round(0.05 * head[0] + rng.normal(0, 5)), round(-0.03 * head[1] + rng.normal(0, 5))]
        raw.append(eyes)
        left.append(turn.without(eyes, head))
    assert np.std(raw[200:], axis=0).max() > 15
    assert np.std(left[200:], axis=0).max() < 7


def test_guesses_of_regions(library):
    rng = np.random.default_rng(4)
    for shift in (0, 8, 16, 20):
        for numbers in (rng.integers(-(2**31), 2**31, (100, 6)) >> shift).tolist():
            said = (ctypes.c_int32 * 4)()
            library.tt_flow_guess(CRegion(*numbers[:3]), CRegion(*numbers[3:]), said)
            assert tuple(said) == flow.guess(Region(*numbers[:3]), Region(*numbers[3:]))


def test_shifts_round_halves_up(library):
    for value in (*range(-40, 40), -(2**40) - 1, 2**40 + 3):
        for bits in (0, 1, 3, 16):
            assert library.tt_rounded_shift(value, bits) == (2 * value + (1 << bits)) // (2 << bits)


def test_little_as_judge(library):
    rng = np.random.default_rng(9)
    for limit in (0, 55, 400):
        judge, state = Judge(limit), (ctypes.c_int32 * 4)(limit, 0, 0, 0)
        codes = rng.integers(0, 256, 16)
        for _ in range(60):
            codes = np.clip(codes + rng.integers(-9, 10, 16), 0, 255)
            said = library.tt_judge_wants_big(state, codes.astype(np.uint8).tobytes())
            assert said == judge.wants_big(codes.tolist())


def test_presence(library):
    rng = np.random.default_rng(8)
    for patience, every in ((1, 1), (2, 3), (60, 15)):
        presence, state = (
            Presence(PresenceSettings(patience, every)),
            (ctypes.c_int32 * 3)(patience, every, 0),
        )
        following = np.repeat(rng.random(12) < 0.3, 25)
        for one in following.tolist():
            assert library.tt_presence_looks(state, int(one)) == presence.looks(following=one)


def random_settings(rng: np.random.Generator) -> GateSettings:
    def some(low: int, high: int) -> int:
        return NEVER if rng.random() < 0.2 else int(rng.integers(low, high))

    return GateSettings(
        longest=some(1, 40), factor=int(rng.integers(0, 80)), floor=some(0, 300),
        settle=int(rng.integers(0, 4)), shut=some(0, 80), hold=int(rng.integers(0, 9)), drift=some(0, 900),
    )  # fmt: skip


def check_gates(library, seeds: range) -> None:
    started = total = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        settings = random_settings(rng)
        gate, state = Gate(settings), GateState()
        library.tt_gate_start(ctypes.byref(state), ctypes.byref(Settings(*vars(settings).values())))
        size = int(rng.choice([20, 200, 4095]))
        for _ in range(60):
            x, y = (int(v) for v in rng.integers(-size, size + 1, 2) * (rng.random() < 0.5))
            misfit, known, ready = int(rng.integers(0, 2 * size)), rng.random() < 0.95, rng.random() < 0.7
            start = gate.step(x, y, misfit, known=known, ready=ready)
            assert library.tt_gate_step(ctypes.byref(state), Change(x, y, misfit, known), ready) == start
            started, total = started + start, total + 1
    assert 0.1 < started / total < 0.6


def test_the_rule(library):
    check_gates(library, range(100))


def test_a_drift_of_never_ignores_the_sum(library):
    """However far the eyes have gone: 300 shifts of the largest size are more than NEVER."""
    settings = GateSettings(longest=NEVER, drift=NEVER)
    gate, state = Gate(settings), GateState()
    library.tt_gate_start(ctypes.byref(state), ctypes.byref(Settings(*vars(settings).values())))
    starts = [
        (gate.step(4095, 0, 0), library.tt_gate_step(ctypes.byref(state), Change(4095, 0, 0, 1), 1) != 0)
        for _ in range(300)
    ]
    assert starts == [(True, True)] + [(False, False)] * 299


@pytest.mark.exhaustive
def test_the_rule_at_length(library):
    check_gates(library, range(1000, 2000))
