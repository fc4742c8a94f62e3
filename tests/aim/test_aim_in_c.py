"""The aim's C against its specification in Python: every bit of answers, finds and streams of them."""

import ctypes
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from support.host_c import SANITIZE, STRICT, Box

from tinytracker.aim.answer import AimAnswer, read_aim
from tinytracker.aim.controller import LARGEST_SIDE, AimSettings, Controller, State
from tinytracker.aim.finding import Find, read_finder, view_box
from tinytracker.aim.fixed import divided, exp_q16, length
from tinytracker.aim.layout import AIM, FINDER, encode
from tinytracker.aim.region import Region
from tinytracker.emulate import deploy_dir

COMMON = deploy_dir() / "common"
SOURCES = [COMMON / f"tt_{n}.c" for n in ("aim", "aim_answer", "find", "fixed", "region", "search", "track")]
INT32 = (-(2**31), 2**31 - 1)


class Answer(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_int32) for name in ("dx", "dy", "ln_scale", "roll", "presence"))


class Found(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_int32) for name in ("x", "y", "width", "score"))


class CRegion(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_int32) for name in ("x", "y", "width"))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("aim") / "aim.so"
    flags = [*STRICT, "-fsanitize=undefined", "-fno-sanitize-recover=all", "-O1", "-shared", "-fPIC"]
    subprocess.run(["gcc", *flags, *SOURCES, "-o", path], check=True)
    loaded = ctypes.CDLL(str(path))
    for name, arguments in (("tt_divided", 2), ("tt_exp_q16", 1), ("tt_length", 2)):
        function = getattr(loaded, name)
        function.restype, function.argtypes = ctypes.c_int64, [ctypes.c_int64] * arguments
    loaded.tt_region_box.restype, loaded.tt_region_box.argtypes = Box, [CRegion]
    loaded.tt_region_snapped.restype, loaded.tt_region_snapped.argtypes = CRegion, [CRegion]
    loaded.tt_find_view.restype = Box
    return loaded


def fields(structure) -> tuple[int, ...]:
    return tuple(getattr(structure, name) for name, _ in structure._fields_)


def test_arithmetic(library):
    for exponent in range(-9000, 9000, 7):
        assert library.tt_exp_q16(exponent) == exp_q16(exponent)
        if abs(exponent) <= 8192:
            assert abs(exp_q16(exponent) / 65536 / np.exp(exponent / 4096) - 1) < 2.5e-4
    rng = np.random.default_rng(1)
    for a, b in rng.integers(*INT32, (2000, 2)).tolist():
        assert library.tt_divided(a, abs(b) + 1) == divided(a, abs(b) + 1)
        assert library.tt_length(a, b) == length(a, b)
        assert 0.97 < (length(a, b) + 1) / (np.hypot(a, b) + 1) < 1.07


def test_answers(library):
    rng = np.random.default_rng(2)
    low, high = (np.array([getattr(part, end) for part in AIM]) for end in ("low", "high"))
    values = rng.uniform(low, high, (500, len(AIM)))
    ordered = encode(AIM, values)
    for codes, real in zip(ordered, values, strict=True):
        said, answer = Answer(), read_aim(codes)
        library.tt_aim_read(codes.tobytes(), ctypes.byref(said))
        assert AimAnswer(*fields(said)) == answer
        steps = np.array([part.step for part in AIM])
        assert (np.abs(np.array(fields(said)) / 4096 - real) <= steps / 2 + 1 / 4096).all()
    for codes in rng.integers(0, 256, (500, 24)).astype(np.uint8):
        said = Answer()
        library.tt_aim_read(codes.tobytes(), ctypes.byref(said))
        assert AimAnswer(*fields(said)) == read_aim(codes)


def test_finds(library):
    rng = np.random.default_rng(3)
    for _ in range(400):
        codes = rng.integers(0, rng.choice([4, 256]), (9, 12, len(FINDER))).astype(np.uint8)
        width, height = (int(v) for v in rng.integers(1, LARGEST_SIDE + 1, 2))
        said = Found()
        library.tt_find_read(codes.tobytes(), width, height, ctypes.byref(said))
        assert Find(*fields(said)) == read_finder(codes, width, height)
        assert fields(library.tt_find_view(width, height)) == view_box(width, height)


def test_the_finder_prefers_the_larger_face_to_a_slightly_surer_one():
    codes = np.zeros((9, 12, 4), int)
    codes[2, 2], codes[6, 8] = (240, 128, 128, 90), (225, 128, 128, 140)
    assert read_finder(codes, 640, 480).x > 16 * 320
    codes[6, 8, 0] = 180  # much less sure
    assert read_finder(codes, 640, 480).x < 16 * 320


def test_regions(library):
    rng = np.random.default_rng(4)
    near, anywhere = rng.integers(-5000, 20000, (300, 3)), rng.integers(*INT32, (300, 3))
    for numbers in np.concatenate([near, anywhere]).tolist():
        region = Region(*numbers)
        assert fields(library.tt_region_box(CRegion(*numbers))) == region.box
        assert Region(*fields(library.tt_region_snapped(CRegion(*numbers)))) == region.snapped
        assert region.snapped.box == region.box
        assert region.snapped.snapped == region.snapped


class Stream:
    """Random answers and finds as a person who comes and goes would cause them, and some nonsense."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        width, height = (int(v) for v in rng.integers(1, rng.choice([64, 700, LARGEST_SIDE + 1]), 2))
        self.settings = AimSettings(
            delay=int(rng.integers(0, 5)),
            enter=int(rng.integers(-2000, 12000)),
            stay=int(rng.integers(-4000, 4000)),
            misses=int(rng.integers(1, 7)),
            find=int(rng.integers(-4000, 4000)),
        )
        self.words: list[int] = [width, height, *vars(self.settings).values()]
        self.results: list[tuple[int, ...]] = []
        self._run(rng, Controller(width, height, self.settings), int(rng.integers(20, 60)))

    def _run(self, rng: np.random.Generator, controller: Controller, events: int) -> None:
        self.words.append(events)
        under_way = [controller.region] * (self.settings.delay + 1)
        modes = rng.choice(4, events, p=[0.6, 0.3, 0.05, 0.05])
        same = rng.random(events) < 0.8
        noise = rng.normal(0, 1, (events, 5)) * [250, 120, 600, 200, 4000] + [0, 0, 0, 0, 8000]
        wild = rng.integers(*INT32, (events, 8))
        mode = 0
        for i in range(events):
            mode = mode if same[i] else int(modes[i])
            region = under_way.pop(0)
            if mode == 3:
                find = Find(*(int(v) >> (i % 32) for v in wild[i, :4]))
                controller.found(find)
                self.words += [1, *vars(find).values(), 0, 0, 0, 0]
            else:
                values = [int(v) for v in (wild[i, :5] if mode == 2 else noise[i])]
                values[4] -= 16000 * (mode == 1)
                answer = AimAnswer(*values)
                if mode == 2 and i % 2:
                    region = Region(*(int(v) for v in wild[i, 5:]))
                controller.update(answer, region)
                self.words += [0, *vars(answer).values(), *vars(region).values()]
            next_region = controller.region
            under_way.append(next_region)
            self.results.append(
                (
                    int(controller.state), *vars(next_region).values(),
                    int(controller.wants_finder), int(controller.has_eyes),
                )
            )  # fmt: skip


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("streams") / "aim"
    main = deploy_dir().parent / "tests" / "firmware" / "c" / "aim_main.c"
    command = ["gcc", *STRICT, *SANITIZE, "-O1", "-I", COMMON, main, *SOURCES, "-o", out]
    subprocess.run(list(map(str, command)), check=True)
    return out


def check_streams(program: Path, seeds: range) -> None:
    streams = [Stream(seed) for seed in seeds]
    words = np.concatenate([np.array(s.words, np.int64) for s in streams]).astype("<i4")
    ran = subprocess.run([program], input=words.tobytes(), capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode()
    expected = np.concatenate([np.array(s.results, np.int64) for s in streams])
    np.testing.assert_array_equal(np.frombuffer(ran.stdout, "<i4").reshape(-1, 6), expected)
    states = expected[:, 0]
    courses = [[row[0] for row in stream.results] for stream in streams]
    changes = {change for course in courses for change in pairwise(course)}
    following, lost, searching = State.FOLLOWING, State.LOST, State.SEARCHING
    assert {(searching, following), (following, lost), (lost, following), (lost, searching)} <= changes
    assert min(np.mean(states == state) for state in State) > 0.05
    assert 0.05 < expected[:, 5].mean() < 0.95


def test_streams_of_answers(program):
    check_streams(program, range(1000))


@pytest.mark.exhaustive
@pytest.mark.parametrize("first", range(1000, 101_000, 5000))
def test_a_hundred_thousand_streams(program, first):
    check_streams(program, range(first, first + 5000))
