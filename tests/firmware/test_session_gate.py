"""A session behind a gate, on the host under sanitizers: what it says of itself, of each frame, of wrong commands."""

import re
import subprocess
import zlib

import numpy as np
import pytest
from firmware.test_common import RGB_FRAME, build, load
from support.host_c import STRICT, Box

from tinytracker.aim.region import Region
from tinytracker.cascade import flow
from tinytracker.cascade.thresholds import NAMES
from tinytracker.emulate import deploy_dir

THRESHOLDS = (4, 40, 30, 1, 40, 6, 1048576, 2, 3, 55)
"""Of the fake board (tests/firmware/c/fake.c)."""

BLIND = bytes(144)
"""A frame in which the fake network sees no eyes."""


@pytest.fixture(scope="module")
def dialogue(tmp_path_factory):
    program = build(tmp_path_factory.mktemp("dialogue"), "dialogue_main.c")

    def talk(text: bytes, *options: str) -> list[str]:
        done = subprocess.run([program, *options], input=text, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().split("\r\n")[2:-1]

    return talk


def records(said: list[str]) -> list[tuple[str, list[int]]]:
    """Outputs, and path, width and times of each record; checksums verified."""
    found = []
    for line in said:
        if line.startswith("m-tt-frame-["):
            body, crc = re.fullmatch(r"m-tt-frame-\[(.*),([0-9a-f]{8})\]", line).groups()
            assert zlib.crc32(body.encode()) == int(crc, 16)
            *_, outputs, aim, gated = body.split(",")
            assert aim.count(":") == 3
            found.append((outputs, [int(n) for n in gated.split(":")]))
    return found


def test_a_board_with_a_gate_says_so(dialogue):
    said = dialogue(b"tt hello%tt cascade%", "gated")
    line = f"m-tt-cascade-[flow,{','.join(map(str, THRESHOLDS))}]"
    assert said[0] == "m-tt-protocol-[3]"
    assert said[-4:] == [line, "m-ready", line, "m-ready"]
    assert dialogue(b"tt hello%", "little")[-2] == f"m-tt-little-[{4 * '0123456789abcdef'}]"
    assert not [s for s in dialogue(b"tt hello%", "frames") if "cascade" in s]


def test_thresholds_are_set_by_name(dialogue):
    commands = b"".join(b"tt cascade %s %d%%" % (name.encode(), 7 + k) for k, name in enumerate(NAMES))
    said = [line for line in dialogue(commands, "gated") if line != "m-ready"]
    assert len(said) == len(NAMES)
    assert said[-1] == f"m-tt-cascade-[flow,{','.join(str(7 + k) for k in range(len(NAMES)))}]"


@pytest.mark.parametrize(
    ("board", "sent", "error"),
    [
        ("frames", b"tt cascade%", "This firmware has no cascade"),
        ("loaded", b"tt cascade longest 3%", "This firmware has no cascade"),
        ("gated", b"tt cascade width 3%", "Unknown threshold: width"),
        *(
            (
                "gated",
                b"tt cascade " + rest + b"%",
                "A threshold must be 0 to 1048576; longest, patience and every at least 1",
            )
            for rest in (
                b"longest",
                b"longest 0",
                b"every 0",
                b"patience 0",
                b"floor -1",
                b"moved 1048577",
                b"drift x",
            )
        ),
    ],
)
def test_wrong_commands_are_answered(dialogue, board, sent, error):
    assert dialogue(sent, board)[-2:] == [f"e-[{error}]", "m-ready"]


def test_records_say_what_happened_to_a_frame(dialogue):
    frames = records(dialogue(load(RGB_FRAME) + b"tt frame 12%", "gated"))
    paths = [numbers[0] for _, numbers in frames]
    assert 0 < paths.count(0) < 12
    assert paths[0] == 2
    for (outputs, (path, width, gate, little, big)), before in zip(frames, [None, *frames], strict=False):
        assert (gate > 0) == (path != 3)
        assert little == 0
        assert (big > 0) == (path == 2)
        if path in (0, 3):  # the last answer stands, with the width that it is to
            assert (outputs, width) == (before[0], before[1][1])


def test_after_a_while_without_eyes_few_frames_are_looked_at(dialogue):
    frames = records(dialogue(load(BLIND) + b"tt frame 9%", "gated"))
    assert [numbers[0] for _, numbers in frames] == [2, 2, 3, 3, 2, 3, 3, 2, 3]
    assert all(numbers[2:] == [0, 0, 0] for _, numbers in frames if numbers[0] == 3)
    # The same after a new search, and every frame once the host wishes it.
    said = dialogue(load(BLIND) + b"tt frame 9%tt search%tt frame 3%tt cascade every 1%tt frame 4%", "gated")
    assert [n[0] for _, n in records(said)][9:] == [2, 2, 3, 2, 2, 2, 2]


def test_little_looks_first_and_its_run_is_timed(dialogue):
    frames = records(
        dialogue(load(RGB_FRAME) + b"tt cascade longest 1%tt cascade every 1%tt frame 6%", "little")
    )
    paths = [numbers[0] for _, numbers in frames]
    assert paths[0] == 2
    assert paths.count(1) >= 4  # the picture stays, so Little's answer does
    for outputs, (path, _, _, little, big) in frames:
        assert little > 0
        assert (big > 0) == (path == 2)
        assert outputs == frames[0][0]


def test_what_the_gate_has_not_seen_makes_the_network_look_again(dialogue):
    follow = load(RGB_FRAME) + b"tt cascade longest 1000%tt frame 8%"
    paths = [n[0] for _, n in records(dialogue(follow, "gated"))]
    assert paths[-3:] == [0, 0, 0]
    again = [n[0] for _, n in records(dialogue(follow + b"infer 1 0%tt frame 2%", "gated"))]
    assert again[8:] == [2, 0]
    said = dialogue(follow + load() + b"tt frame 1%" + load(RGB_FRAME) + b"tt frame 2%", "gated")
    plain = [line for line in said if line.startswith("m-tt-frame-[") and ":" not in line]
    assert len(plain) == 1
    assert [n[0] for _, n in records([s for s in said if s not in plain])][8:] == [2, 0]


def test_the_gaze_of_a_kept_answer_is_in_the_units_of_its_own_region(dialogue):
    factors = "000100000000000000000000000000000001000000000000"
    calibrate = b"tt calibrate %s %08x%%" % (factors.encode(), zlib.crc32(factors.encode()))
    follow = calibrate + load(RGB_FRAME) + b"tt cascade longest 1000%tt frame 7%"
    kept = dialogue(follow + b"tt gaze%tt frame 1%tt gaze%", "gated")
    gaze = [line for line in kept if line.startswith("m-tt-gaze-[")]
    assert records(kept)[-1][1][0] == 0
    assert gaze[0] == gaze[1] != "m-tt-gaze-[none]"


def test_a_strip_or_a_network_that_fails_is_the_boards_failure(dialogue):
    assert "e-[The camera failed]" in dialogue(load(RGB_FRAME) + b"tt frame 1%", "gated", "cut-fails")
    for board in ("gated", "little"):
        assert "e-[Inference failed]" in dialogue(load(RGB_FRAME) + b"tt frame 1%", board, "run-fails")


def test_the_strip_of_a_camera_that_sends_yuv(tmp_path):
    """Y is the grey: the same strip as that of a grey picture."""
    import ctypes

    common = deploy_dir() / "common"
    sources = [common / f"tt_{name}.c" for name in ("strip", "resize")]
    kernels = deploy_dir().parent / "tinytracker" / "codegen" / "c"
    command = [
        "gcc",
        *STRICT,
        "-O1",
        "-shared",
        "-fPIC",
        "-I",
        kernels,
        *sources,
        "-o",
        tmp_path / "strip.so",
    ]
    subprocess.run(command, check=True)
    library = ctypes.CDLL(str(tmp_path / "strip.so"))

    class Image(ctypes.Structure):
        _fields_ = (("pixels", ctypes.c_char_p), ("width", ctypes.c_int32), ("height", ctypes.c_int32))

    library.tt_strip_cut_uyvy.argtypes = [ctypes.c_void_p, Box, ctypes.c_void_p]
    rng = np.random.default_rng(3)
    grey = rng.integers(0, 256, (48, 64)).astype(np.uint8)
    uyvy = rng.integers(0, 256, (48, 64, 2)).astype(np.uint8)
    uyvy[..., 1] = grey
    frame, said = Image(uyvy.tobytes(), 64, 48), ctypes.create_string_buffer(96 * 32)
    for x, y, width in ((32, 24, 20), (5, 40, 30), (60, 3, 64)):
        region = Region(16 * x, 16 * y, 16 * width).snapped
        assert library.tt_strip_cut_uyvy(ctypes.byref(frame), Box(*region.box), said) == 0
        expected = flow.grey_strip(np.repeat(grey[..., None], 3, axis=2), region)
        np.testing.assert_array_equal(np.frombuffer(said.raw, np.uint8).reshape(32, 96), expected)
