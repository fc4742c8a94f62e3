"""The webcam behind the page: which part is asked for, who has the camera, what is refused."""

import http.client
import json
import threading
from contextlib import closing, contextmanager

import numpy as np
import pytest
from support.cli import run
from support.tflite_builder import T
from support.tflite_nets import NetBuilder

from tinytracker.aim.controller import Controller
from tinytracker.errors import ModelError, UnknownNameError, UsageError
from tinytracker.evaluate.calibration import fit
from tinytracker.live.screen import own_screen
from tinytracker.live.server import serving
from tinytracker.live.view import LiveView, Origin
from tinytracker.live.webcam import OWNED_S, PHASES, Webcam, clipped, read_part
from tinytracker.live.webcam_network import AimedNetwork
from tinytracker.live.webcam_source import FINDER_PRESET
from tinytracker.model.network_file import packaged_network, packaged_networks
from tinytracker.model.presets import find_preset

FRAME = (640, 480)


def network_file(codes, seed=1):
    """A strip network with random weights and a segmented output."""
    net = NetBuilder((1, 64, 192, 1), seed=seed)
    net.conv(4, 3, 4)
    net.mean()
    weights = net.constant(net.rng.integers(-127, 128, (codes, 4)).astype(np.int8), (0.02,))
    bias = net.constant(
        net.rng.integers(0, 30_000, codes).astype(np.int32), (0.02 * net.tensors[net.last].scales[0],)
    )
    out = T((1, codes), scales=(6 / 255,), zero_points=(-128,))
    net.emit("FULLY_CONNECTED", [net.last, weights, bias], out, FusedActivationFunction="RELU6")
    return net.build()


class Time:
    """A clock that a test moves."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def network():
    return AimedNetwork(network_file(40), "test")


@pytest.fixture
def webcam(network, tmp_path):
    view = LiveView(
        Origin("webcam", "camera", False, PHASES), own_screen(30, 20), tmp_path / "calibration.json"
    )
    return Webcam(view, network, clock=Time())


def asked(box, size=FRAME, tab="a"):
    names = ("x", "y", "width", "height")
    numbers = {"frame_width": size[0], "frame_height": size[1], **dict(zip(names, box, strict=True))}
    return {"tab": tab, **{name: str(value) for name, value in numbers.items()}}


def sent(box, value=120, shrink=1):
    return bytes([value]) * (4 * -(-box[2] // shrink) * -(-box[3] // shrink))


def frame(webcam, box, size=FRAME, tab="a", value=120, shrink=1):
    return webcam.frame(asked(box, size, tab) | {"shrink": str(shrink)}, sent(box, value, shrink))


def test_the_first_frame_is_whole_and_the_next_is_what_was_asked_for(webcam):
    first = frame(webcam, (0, 0, *FRAME))
    start = Controller(*FRAME).region
    assert first["owner"]
    assert tuple(first["region"]) == start.box
    assert first["state"] == "searching"
    box = tuple(first["cut"])
    assert clipped(box, *FRAME) == box
    second = frame(webcam, box)
    assert clipped(tuple(second["region"]), *FRAME) == box
    assert len(second["times_ms"]) == len(PHASES)


def test_a_part_that_is_not_the_one_needed_is_not_answered_but_asked_for_again(webcam):
    wanted = tuple(frame(webcam, (0, 0, *FRAME))["cut"])
    answer = frame(webcam, (0, 0, 16, 16))
    assert "region" not in answer
    assert tuple(answer["cut"]) == wanted


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (480, 640), (1920, 1080)])
def test_every_shape_of_frame_is_searched_from_its_own_middle(webcam, size):
    frame(webcam, (0, 0, 320, 240), (320, 240))
    answer = frame(webcam, (0, 0, *size), size)
    assert tuple(answer["region"]) == Controller(*size).region.box


def test_wide_crops_are_sent_smaller_and_mean_the_same(webcam):
    size = (1920, 1080)
    first = frame(webcam, (0, 0, *size), size, shrink=3)
    assert tuple(first["region"]) == Controller(*size).region.box
    assert first["shrink"] == webcam._controller.region.box[2] // 384 > 1
    assert "region" in frame(webcam, tuple(first["cut"]), size, shrink=first["shrink"])


def test_one_page_has_the_camera_until_it_is_silent_or_another_takes_it(webcam):
    assert webcam.claim({"tab": "a"}, b"") == {"owner": True}
    assert webcam.claim({"tab": "b"}, b"") == {"owner": False}
    assert frame(webcam, (0, 0, *FRAME), tab="b") == {"owner": False}
    assert frame(webcam, (0, 0, *FRAME), tab="a")["owner"]
    assert webcam.claim({"tab": "b", "take": "1"}, b"") == {"owner": True}
    assert frame(webcam, (0, 0, *FRAME), tab="a") == {"owner": False}
    webcam._clock.now += OWNED_S + 0.1
    assert webcam.claim({"tab": "a"}, b"") == {"owner": True}
    webcam.claim({"tab": "b", "leave": "1"}, b"")
    assert webcam.claim({"tab": "b"}, b"") == {"owner": False}
    webcam.claim({"tab": "a", "leave": "1"}, b"")
    assert webcam.claim({"tab": "b"}, b"") == {"owner": True}


def test_a_dark_picture_is_called_dark(webcam):
    assert frame(webcam, (0, 0, *FRAME), value=8)["dark"]
    assert not frame(webcam, tuple(frame(webcam, (0, 0, *FRAME))["cut"]))["dark"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frame_width": "10"}, "from 16 to 4096"),
        ({"frame_width": "99999999999999999999"}, "from 16 to 4096"),
        ({"frame_width": "00000064099999"}, "from 16 to 4096"),
        ({"x": "-1"}, "from 0 to"),
        ({"x": "zero"}, "from 0 to"),
        ({"width": "641"}, "from 1 to 640"),
        ({"height": ""}, "from 1 to 480"),
        ({"width": "639"}, "1,226,880 bytes, not 1,228,800"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        read_part(asked((0, 0, *FRAME)) | changes, sent((0, 0, *FRAME)))


def test_gaze_is_in_cm_for_the_width_of_its_strip(webcam, network):
    """The same picture twice as near to the camera is the same angle at half the distance."""
    look = network.look(np.full((64, 192, 1), 120, np.uint8))
    for width in (160, 320):
        unit = (FRAME[0] / 4) / width
        webcam._controller = following(width)
        webcam._size = FRAME
        answer = frame(webcam, (0, 0, *FRAME))
        if answer["raw"] is not None:
            assert answer["raw"] == pytest.approx([unit * v for v in look.gaze], abs=0.01)


def test_eyes_that_are_too_far_away_have_no_gaze(webcam):
    for width, far in ((40, True), (160, False)):
        webcam._controller, webcam._size = following(width), FRAME
        answer = frame(webcam, (0, 0, *FRAME))
        assert answer["far"] is (far and answer["state"] == "following")
        assert not (far and answer["eyes"])


def following(width):
    """A controller that follows eyes in the middle of the frame."""
    from tinytracker.aim.answer import AimAnswer
    from tinytracker.aim.region import Region

    controller = Controller(*FRAME)
    there = AimAnswer(0, 0, 0, 0, 6 << 12)
    for _ in range(6):
        controller.update(there, Region(16 * 320, 16 * 240, 16 * width))
    return controller


def test_a_mirrored_camera_is_recognized_by_its_calibration():
    dots = np.array([[x, y] for x in (-8.0, 0.0, 8.0) for y in (-15.0, -8.0, -1.0)])
    assert not fit(dots + [1, 2], dots).is_mirrored
    assert fit(dots * [-1, 1], dots).is_mirrored


# Over HTTP.


@contextmanager
def served(webcam):
    uploads = {"/claim": webcam.claim, "/frame": webcam.frame}
    with serving(webcam._view, 0, (), "webcam.html", uploads) as address:
        yield int(address.rstrip("/").rsplit(":", 1)[1])


def post(port, path, body=b"", kind="application/octet-stream", **headers):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as line:
        line.request("POST", path, body, {"Content-Type": kind, **headers})
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())


def test_frames_come_only_from_the_page(webcam):
    with served(webcam) as port:
        assert post(port, "/claim?tab=a") == (200, {"owner": True})
        assert post(port, "/claim?tab=a", Origin="http://evil.example")[0] == 403
        assert post(port, "/claim?tab=a", Host="evil.example")[0] == 403
        # A type that other sites may send without asking is not taken.
        assert post(port, "/frame?tab=a", kind="text/plain")[0] == 403
        assert post(port, "/frame?tab=a", kind="application/json")[0] == 403
        status, said = post(port, "/frame?tab=a", b"abc")
        assert (status, "frame_width" in said["error"]) == (400, True)
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as line:
            line.request("GET", "/")
            page = line.getresponse()
            assert b"camera" in page.read()
            assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_a_frame_that_is_too_long_is_not_read(webcam):
    with served(webcam) as port:
        status, said = post(port, "/frame?tab=a", **{"Content-Length": str(1 << 30)})
        assert (status, said["error"]) == (400, "The request is too long.")


def test_frames_of_two_threads_are_answered_one_after_the_other(webcam):
    whole = (0, 0, *FRAME)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(frame(webcam, whole))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert webcam._view.frames == sum("region" in a for a in answers) >= 1


# Networks, and the command.


@pytest.mark.parametrize("name", [n for n in packaged_networks() if n != FINDER_PRESET])
def test_the_networks_of_the_package_are_those_of_their_presets(name):
    found = AimedNetwork(packaged_network(name).read_bytes(), name)
    shape = find_preset(name).input.shapes["image"]
    assert (found.height, found.width, 1 if found.grey else 3) == shape
    assert packaged_network(name).stat().st_size < 600_000


def test_an_unknown_network_is_refused_by_name():
    with pytest.raises(UnknownNameError, match="Known: "):
        packaged_network("tinytracker-s3")


def test_a_network_without_an_aim_is_refused_with_the_presets_that_have_one(tmp_path):
    with pytest.raises(ModelError, match=r"has no aim.*tinytracker-v2-aim, tinytracker-s2-aim"):
        AimedNetwork(network_file(16), "plain")
    (tmp_path / "plain.tflite").write_bytes(network_file(16))
    answer = run(
        "live", "--target", "webcam", "--model", tmp_path / "plain.tflite", "--http", 0, "--seconds", 1
    )
    assert answer.code == 1
    assert "tinytracker-v2-aim" in answer.err


def test_the_command_serves_the_page_for_a_time(tmp_path):
    (tmp_path / "aim.tflite").write_bytes(network_file(40))
    answer = run(
        "live", "--target", "webcam", "--model", tmp_path / "aim.tflite", "--http", 0, "--seconds", 0.3, "--json",
        "--calibration", tmp_path / "calibration.json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert "asks for the camera" in answer.err
    assert answer.document["origin"]["board"] == "webcam"
    assert answer.document["runtime"] == "generated C"
    assert answer.document["frames"] == answer.document["followed"] == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--port", "/dev/ttyUSB0"), "--port is for boards"),
        (("--fps", "10"), "--fps is for boards"),
        (("--run", "a", "--model", "b"), "Give one of them"),
        (("--run", "no-such-run"), "no-such-run"),
    ],
)
def test_wrong_usage_is_a_sentence(arguments, sentence):
    answer = run("live", "--target", "webcam", "--http", 0, "--seconds", 1, *arguments)
    assert answer.code in (1, 2)
    assert sentence in answer.err
