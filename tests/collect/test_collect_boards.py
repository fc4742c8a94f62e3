"""Frames of boards: what the line carries, where it lies in the frame, when it was, and what is refused.

The serial boards are a pty that speaks the protocol, the AI Camera is a stand-in for picamera2.
"""

import base64
import io
import json
import zlib

import numpy as np
import pytest
from PIL import Image
from support import picamera2_stub
from support.cli import run
from support.collect_desk import POINTS, SCREEN, drawn
from support.fake_line import FakeLine, with_crc

from tinytracker.aim.cutting import cut
from tinytracker.collect import shots
from tinytracker.collect.desk import Desk
from tinytracker.collect.eyes import Watcher
from tinytracker.collect.journal import journals
from tinytracker.collect.recorder import decode
from tinytracker.collect.shots import LEAST_RATE, SensorShots, SerialShots, Shot, placed
from tinytracker.data.sitting import read_sitting
from tinytracker.errors import DeviceError, UsageError
from tinytracker.live.webcam_source import open_finder, open_network
from tinytracker.measure.host_clock import now_ns
from tinytracker.measure.imx500 import WHOLE_PX, open_imx500
from tinytracker.measure.inputs import join_inputs
from tinytracker.measure.link import open_link

PX, STRIP = (640, 480), (192, 64)
HELLO = (
    "m-tt-protocol-[2]", "m-tt-board-[fake]", "m-tt-build-[test]", f"m-tt-model-[{'5' * 64}]",
    "m-tt-time-[1000000,device]", "m-tt-source-[camera]", "m-tt-phases-[capture,preprocess,inference]",
    "m-tt-input-[0,image,int8,1x64x192x3,3c000000,0,36864]", "m-tt-output-[0,gaze,int8,1x2,3dcccccd,3,2]",
    f"m-tt-aim-[{PX[0]},{PX[1]},inputs]",
)  # fmt: skip


def lines_of(inputs: bytes) -> list[str]:
    """The answer to `tt inputs`."""
    parts = [(at, inputs[at : at + 156]) for at in range(0, len(inputs), 156)]
    return [with_crc("inputs", f"{at},{base64.b64encode(part).decode()}") for at, part in parts]


class AimingLine(FakeLine):
    """A board with a camera that aims: it sends the strip of a picture. `strip` is its centre and width, px."""

    def __init__(self, picture, strip, hello=HELLO, eyes=True, **more):
        self.region = tuple(round(16 * v) for v in strip)
        x, y, width = strip
        box = (round(x - width / 2), round(y - width / 6), round(width), round(width / 3))
        self.sent = (cut(picture, box, *STRIP, 3) ^ 0x80).tobytes()
        state = 5 if eyes else 0

        def frame(board, sequence):
            now = board.ticks()
            aim = ":".join(map(str, (*self.region, state)))
            board.say(with_crc("frame", f"{sequence},{now - 2000},{now - 1000},{now - 500},{now},0d17,{aim}"))

        super().__init__(frame, hello, **more)

    def _answer(self, words):
        if words == ["tt", "inputs"]:
            self.say(*lines_of(self.sent), "m-ready")
        else:
            super()._answer(words)


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """No line is called slow because this computer is busy."""
    monkeypatch.setattr(shots, "LEAST_RATE", 1e-6)


@pytest.fixture(scope="module")
def picture():
    """A drawn person, uint8 RGB, and where the strip is."""
    jpeg = drawn(4, 5, 1, 1)[0][0]
    pixels = decode(jpeg)
    return pixels, Watcher(open_network(), open_finder()).look(pixels).strip


def test_inputs_are_joined_only_when_every_line_is_right():
    inputs = bytes(np.random.default_rng(0).integers(0, 256, 500, np.uint8))
    values = [line.removeprefix("m-tt-inputs-[")[:-1] for line in lines_of(inputs)]
    assert join_inputs(values, 500) == inputs
    assert join_inputs(values[:-1], 500) is None
    assert join_inputs([values[0], *values[2:]], 500) is None
    assert join_inputs([values[0][:-1] + "0", *values[1:]], 500) is None
    body = "0,!!!!"
    assert join_inputs([f"{body},{zlib.crc32(body.encode()):08x}"], 3) is None


def test_a_part_lies_where_the_board_has_cut_it(picture):
    pixels, (x, y, width) = picture
    with AimingLine(pixels, (x, y, width)) as line, open_link(line.port) as link:
        source = SerialShots(link)
        before = now_ns()
        shot = source.take()
        # The board says that its capture began 2 ms before it answers.
        assert before - 2_000_000 - shot.bound_ns <= shot.captured_ns <= now_ns()
        # A capture of a millisecond, and the way there and back.
        assert 500_000 <= shot.bound_ns < now_ns() - before
        frame = decode(shot.jpeg)
        scale = STRIP[0] / line.region[2] * 16
        assert frame.shape[:2] == pytest.approx((PX[1] * scale, PX[0] * scale), abs=1)
        assert shot.strip[2] == pytest.approx(STRIP[0])
        left, top, w, h = (round(v) for v in shot.region)
        sent = (np.frombuffer(line.sent, np.uint8) ^ 0x80).reshape(STRIP[1], STRIP[0], 3)
        assert np.abs(frame[top : top + h, left : left + w].astype(int) - sent).mean() < 3
        # The eyes are found again where they were.
        sight = Watcher(open_network()).look(frame, shot.strip)
        assert sight.strip[:2] == pytest.approx((x * scale, y * scale), abs=0.05 * STRIP[0])
        assert sight.state == "following"


def test_a_part_that_leaves_the_frame_is_cut_off(picture):
    with AimingLine(picture[0], picture[1]) as line, open_link(line.port) as link:
        part = np.full((64, 192, 3), 200, np.uint8)
        frame, region = placed(part, link.board, (0, 0, 16 * 192))
        assert frame.shape == (PX[1], PX[0], 3)
        assert region == (-96.0, -32.0, 192.0, 64.0)
        assert (frame[:32, :96] == 200).all()
        assert not frame[32:].any()
        far, _ = placed(part, link.board, (16 * 320, 16 * 240, 16 * 24))
        assert far.shape[1] == 2048


def test_boards_that_cannot_record_are_refused(picture, monkeypatch):
    def refusal(kind, hello=HELLO):
        with AimingLine(*picture, hello) as line, open_link(line.port) as link, pytest.raises(kind) as found:
            SerialShots(link).take()
        return str(found.value)

    loaded = tuple(h.replace("[camera]", "[loaded]") for h in HELLO)
    assert "has no camera that could see you" in refusal(UsageError, loaded)
    assert "has no aim" in refusal(UsageError, HELLO[:-1])
    assert 0 < LEAST_RATE < 1
    monkeypatch.setattr(shots, "LEAST_RATE", 1e9)  # a line that is slower than what is asked
    assert "s for a frame of 36,864 bytes, and a dot needs two" in refusal(DeviceError)


def begin(desk):
    answer = desk.act(
        "/sitting/begin",
        {"person": "ann", "consent": True, "tab": "t", "width_pt": POINTS[0], "height_pt": POINTS[1]},
    )
    return answer["dot"]["letter"]


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYTRACKER_DEVICES", str(tmp_path / "devices.toml"))
    return Desk(tmp_path / "session", SCREEN, open_network(), open_finder(), dots=3, board="fake")


def test_times_of_dot_and_frame_are_on_one_clock(desk, picture):
    pixels, (x, y, width) = picture
    with AimingLine(pixels, (x, y, width)) as line, open_link(line.port) as link:
        shot = SerialShots(link).take()
    page = desk.act("/clock", {})["host_s"]
    assert page == pytest.approx(now_ns() / 1e9, abs=60)
    letter = begin(desk)
    zero = shot.captured_ns / 1e9 - 100.0  # the page says that its zero was 100 s before the frame
    desk.act("/sitting/show", {"tab": "t", "shown_s": 99.0, "zero_s": zero, "bound_ms": 2.0})
    for later_ns in (-500_000_000, 0, 200_000_000):
        desk.shot(
            Shot(shot.jpeg, shot.captured_ns + later_ns, shot.bound_ns, shot.region, shot.strip, (1.0, -2.0))
        )
    outcome = desk.act("/sitting/dot", {"tab": "t", "typed": letter, "rate": None})
    assert outcome["outcome"] == {"kept": True, "frames": 2, "left_out": {"before the eyes arrived": 1}}
    assert "sends only" in outcome["said"][0]
    desk.act("/sitting/finish", {"tab": "t"})
    sitting = read_sitting(desk.session / "00000")
    assert sitting.source == "fake"
    assert [f.captured_s for f in sitting.frames] == pytest.approx([100.0, 100.2], abs=1e-3)
    assert [f.clock_ms for f in sitting.frames] == pytest.approx([2.0 + shot.bound_ns / 1e6] * 2, abs=2e-3)
    assert sitting.frames[0].region == pytest.approx(shot.region)
    assert sitting.frames[0].board_gaze_cm == (1.0, -2.0)
    report = json.loads((desk.session / "report.json").read_text())
    assert [e["kind"] for e in report["sittings"][0]["events"]] == ["link-slow"]


def test_pictures_of_the_ai_camera_come_with_its_region_and_time(tmp_path, monkeypatch):
    picamera2_stub.install(monkeypatch)
    package = tmp_path / "network.rpk"
    package.write_bytes(b"stand-in")
    monkeypatch.setattr(picamera2_stub.IMX500, "roi", None)
    opened = now_ns()
    with open_imx500(package, whole=True) as camera:
        shot = SensorShots(camera).take()
        assert opened - 1_000_000_000 < shot.captured_ns < now_ns()
        assert shot.bound_ns == pytest.approx(4_000_000, abs=1000)  # half of the stand-in's exposure
        assert shot.region[2:] == pytest.approx((3040 * 640 / 4056,) * 2, abs=1)
        assert Image.open(io.BytesIO(shot.jpeg)).size == (640, 480)  # the stand-in's
        assert shot.gaze_cm is not None
    assert WHOLE_PX[0] / WHOLE_PX[1] == pytest.approx(4056 / 3040, abs=1e-3)


def test_options_of_boards_are_checked(tmp_path):
    sensor = run("collect", "--source", "imx500", "--out", tmp_path / "s")
    assert sensor.code == 2
    assert "Give --network network.rpk" in sensor.err
    serial = run("collect", "--source", "spresense", "--network", "x.rpk", "--out", tmp_path / "s")
    assert "has its network in its firmware" in serial.err
    none = run("collect", "--source", "spresense", "--port", tmp_path / "none", "--out", tmp_path / "s")
    assert "there is no such port" in none.err
    assert run("collect", "--source", "emulated", "--out", tmp_path / "s").code == 2
    assert journals(tmp_path / "s") == []
