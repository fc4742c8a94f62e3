"""The Coral application: it compiles for host and M7, and its whole loop runs with a fake camera and Edge TPU."""

import base64
import shutil
import zlib
from contextlib import contextmanager

import numpy as np
import pytest
from support.aim_nets import finder_net, patch_frame, patch_net
from support.coral_app import (
    APP,
    SANITIZE,
    SIZE,
    Board,
    averaged,
    contract,
    make,
    parse_frame,
    write_header,
)

from tinytracker.aim.answer import read_aim
from tinytracker.aim.controller import Controller, State
from tinytracker.aim.cutting import view
from tinytracker.aim.finding import read_finder, view_box
from tinytracker.codegen import generate
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.model.tflite_file import read_tflite
from tinytracker.package.coralmicro.header import header, image_layout
from tinytracker.quant.contract import IoContract
from tinytracker.quant.oracle import available_oracle

pytestmark = pytest.mark.skipif(
    shutil.which("g++") is None or shutil.which("make") is None, reason="needs g++ and make"
)
SIDE = 16
BOX = SIDE * 20  # a whole factor, so that the expected means are exact


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Builds the application once per kind of model; with the sanitizers, which end it at the first fault."""
    programs = {}

    def build(name):
        if name not in programs:
            folder = tmp_path_factory.mktemp(name)
            io = {"grey": contract(), "planes": contract((1, SIDE, SIDE, 5), "int8")}[name]
            package = write_header(folder / "package", io)
            make(package, folder / "build", "host", SANITIZE)
            programs[name] = folder / "build" / "tinytracker"
        return programs[name]

    return build


@contextmanager
def running(program, tmp_path, frame=None, broken=""):
    board = Board(program, tmp_path, frame, broken)
    try:
        yield board
    finally:
        board.close()


def random_frame(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)


def expected_outputs(codes):
    """What the fake Edge TPU answers: the CRC-32 of its input."""
    return zlib.crc32(codes.astype(np.uint8).tobytes()).to_bytes(4, "little")[:2]


def test_the_host_is_told_everything(built, tmp_path):
    with running(built("grey"), tmp_path) as board:
        assert board.until_ready() == ["m-init-done"]
        lines = board.command("tt hello")
    assert "m-tt-board-[coralmicro]" in lines
    assert f"m-tt-model-[{'5' * 64}]" in lines
    assert "m-tt-source-[camera]" in lines
    assert "m-tt-input-[0,image,uint8,1x16x16x1,3c000000,128,256]" in lines
    assert any(line.startswith("m-tt-output-[0,gaze,uint8,1x2,") for line in lines)


def test_grey_records_hold_what_the_network_saw(built, tmp_path):
    frame = random_frame()
    with running(built("grey"), tmp_path, frame) as board:
        board.until_ready()
        answer = board.call("set_box", x=3, y=2, width=BOX, height=BOX)
        assert answer == {"result": {"x": 3, "y": 2, "width": BOX, "height": BOX}}
        *records, done = board.command("tt frame 3")
    rgb = averaged(frame[2 : 2 + BOX, 3 : 3 + BOX], SIDE)
    grey = (rgb @ np.array([77, 150, 29]) + 128) >> 8
    frames = [parse_frame(line) for line in records]
    assert done == "m-tt-frames-[3]"
    assert [f.sequence for f in frames] == [0, 1, 2]
    assert all(f.outputs == expected_outputs(grey) for f in frames)
    stamps = [t for f in frames for t in f.stamps]
    assert stamps == sorted(stamps)
    assert frames[-1].stamps[1] > frames[-1].stamps[0]  # a frame takes the fake camera 1 ms


def test_signed_input_with_planes_is_written_anew_for_every_run(built, tmp_path):
    frame = random_frame(1)
    with running(built("planes"), tmp_path, frame) as board:
        board.until_ready()
        board.call("set_box", x=0, y=4, width=BOX, height=BOX)
        records = board.command("tt frame 4")[:-1]
    rgb = averaged(frame[4 : 4 + BOX, :BOX], SIDE)
    k = np.arange(SIDE)
    position = [
        (256 * (2 * SIDE * start + (2 * k + 1) * BOX) + SIDE * SIZE) // (2 * SIDE * SIZE) for start in (0, 4)
    ]
    planes = np.stack(np.meshgrid(*position), axis=-1)
    codes = np.concatenate([rgb, planes], axis=-1).astype(np.uint8) ^ 0x80
    assert {parse_frame(line).outputs for line in records} == {expected_outputs(codes)}


def test_a_network_that_aims_follows_with_a_finder_on_the_m7(tmp_path):
    """Regions are those of Python's controller for what the fake Edge TPU has answered."""
    package = write_header(tmp_path / "package", IoContract.of(read_tflite(patch_net())))
    generate(finder_net(), package / "finder", name="finder", kernels=CortexM4())
    make(package, tmp_path / "build", "host", SANITIZE)
    frame = patch_frame(190, 170, 140, (SIZE, SIZE))
    with running(tmp_path / "build" / "tinytracker", tmp_path, frame) as board:
        board.until_ready()
        hello = board.command("tt hello")
        assert {"m-tt-protocol-[2]", "m-tt-aim-[324,324,inputs]"} <= set(hello)
        assert "aims by itself" in board.call("set_box", x=0, y=0, width=9, height=3)["error"]["message"]
        records = [parse_frame(line, 5) for line in board.command("tt frame 12")[:-1]]
    (cells,) = available_oracle(finder_net()).run(
        [(view(frame, view_box(SIZE, SIZE)) ^ 0x80).view(np.int8)[None, None]]
    )
    controller = Controller(SIZE, SIZE)
    controller.found(read_finder(cells.reshape(9, 12, 4).astype(int) + 128, SIZE, SIZE))
    for record in records:
        region = controller.region
        state = controller.update(
            read_aim(np.frombuffer(record.outputs, np.int8)[16:].astype(int) + 128), region
        )
        assert record.aim == (region.x, region.y, region.width, state + 4 * controller.has_eyes)
    assert state == State.FOLLOWING
    assert np.hypot(region.x / 16 - 190, region.y / 16 - 170) < 10


def test_the_pins_show_each_phase_by_one_change(built, tmp_path):
    with running(built("grey"), tmp_path) as board:
        board.until_ready()
        board.command("tt frame 2")
        changes = board.pins.read_text().split("\n")[:-1]
    start = ["phase0 0", "phase1 0", "phase2 0", "timestamp 1"]
    one_frame = ["phase0 1", "phase1 1", "phase0 0", "phase2 1", "phase1 0", "phase2 0"]
    assert changes == start + 2 * one_frame


def test_an_image_from_the_host_runs_without_the_camera(built, tmp_path):
    image = random_frame(2)[:SIDE, :SIDE, 0].copy()
    with running(built("grey"), tmp_path) as board:
        board.until_ready()
        board.send("command", line=f"tt load 256 {zlib.crc32(image.tobytes()):08x}")
        assert board.take(board.lines) == "m-tt-send-[256]"
        board.take(board.answers)
        text = base64.b64encode(image.tobytes()).decode()
        assert board.call("bytes", base64=text) == {"result": {"bytes": 256}}
        assert board.until_ready()[0].startswith("m-tt-loaded-[256,")
        lines = board.command("infer 3 1")
        timestamps = [line for line in lines if line.startswith("m-lap-us-")]
        assert len(timestamps) == 2
        assert lines[-2].startswith("m-results-[")
        values = [float(v) for v in lines[-2][len("m-results-[") : -1].split(",")]
    zero = contract().outputs[0].zero_point
    codes = expected_outputs(image)
    assert values == pytest.approx([0.02 * (c - zero) for c in codes], abs=1e-4)


def test_frames_can_be_stopped(built, tmp_path):
    with running(built("grey"), tmp_path) as board:
        board.until_ready()
        board.send("command", line="tt frame 1000000")
        while not board.take(board.lines).startswith("m-tt-frame-"):
            pass
        board.send("command", line="tt stop")
        last = board.until_ready()[-1]
        assert last.startswith("m-tt-frames-[")
        assert int(last[len("m-tt-frames-[") : -1]) < 1_000_000
        assert board.until_ready() == []  # the stop itself


@pytest.mark.parametrize(
    ("method", "parameters", "message"),
    [
        ("set_box", {"x": 0, "y": 0, "width": 0, "height": 5}, "overlap the frame"),
        ("set_box", {"x": SIZE, "y": 0, "width": 5, "height": 5}, "overlap the frame"),
        ("set_box", {"x": -2147483648, "y": 0, "width": 5, "height": 5}, "overlap the frame"),
        ("set_box", {"x": 2147483647, "y": 0, "width": 5, "height": 5}, "overlap the frame"),
        ("set_box", {"x": 0, "y": 0, "width": 5}, "height"),
        ("command", {"line": "name%profile"}, "without %"),
        ("command", {}, "line"),
        ("nothing", {}, "not found"),
    ],
)
def test_wrong_calls_are_answered_and_change_nothing(built, tmp_path, method, parameters, message):
    with running(built("grey"), tmp_path) as board:
        board.until_ready()
        assert message in board.call(method, **parameters)["error"]["message"]
        assert board.call("status")["result"] == {
            "model": "5" * 64, "box": [0, 0, SIZE, SIZE], "tpu_millidegrees": 41500, "lost_bytes": 0,
        }  # fmt: skip
        assert board.command("name") == ["m-name-dut-[coralmicro]"]
        assert board.command("nonsense") == ["e-[Unknown command: nonsense]"]


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ("model", "e-[No model at /models/gaze_model_edgetpu.tflite]"),
        ("tpu", "e-[The Edge TPU does not answer]"),
        ("camera", "e-[The camera does not answer]"),
        ("invoke-3", "e-[The Edge TPU fails to run the model]"),
    ],
)
def test_what_fails_at_the_start_is_said_again_and_again(built, tmp_path, broken, line):
    with running(built("grey"), tmp_path, broken=broken) as board:
        assert board.take(board.lines) == line
        assert board.take(board.lines) == line


@pytest.mark.parametrize(
    ("broken", "line"), [("frame", "e-[The camera failed]"), ("invoke-12", "e-[Inference failed]")]
)
def test_what_fails_later_ends_the_command_only(built, tmp_path, broken, line):
    with running(built("grey"), tmp_path, broken=broken) as board:
        board.until_ready()
        lines = board.command("tt frame 5")
        assert lines[-1] == line
        assert len(lines) == (1 if broken == "frame" else 3)  # ten runs warm up, two give records
        assert board.command("name") == ["m-name-dut-[coralmicro]"]


@pytest.mark.skipif(shutil.which("arm-none-eabi-g++") is None, reason="needs arm-none-eabi-g++")
def test_it_compiles_for_the_m7_with_operators_on_the_cpu(tmp_path):
    package = write_header(tmp_path / "package", contract(), methods=("Dequantize", "Tanh"))
    printed = make(package, tmp_path / "build", "arm")
    assert "(TOTALS)" in printed


def test_the_sample_header_is_what_the_generator_writes():
    io = contract((1, 112, 112, 5))
    text = header(io, "0" * 64, image_layout(io, None), 192 * 1024, [])
    assert (APP / "host" / "sample" / "gaze_model.h").read_text() == text
