"""The view behind the page, and its server: what pages are told, what they may ask for, and who may."""

import http.client
import json
import socket
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from support.fake_line import FakeLine, record
from support.sessions import write_gaze_session

from tinytracker.errors import CalibrationError, InputFileError, OutputError, UsageError
from tinytracker.evaluate.calibration import Calibration, Terms, read_calibration
from tinytracker.live.frames import LiveFrame, frames_of_board, frames_of_session
from tinytracker.live.hub import Hub
from tinytracker.live.screen import own_screen
from tinytracker.live.server import serving
from tinytracker.live.view import LiveView, Origin
from tinytracker.measure.images import TestImages
from tinytracker.measure.link import open_link
from tinytracker.measure.session_reader import read_session

ORIGIN = Origin("board", "hardware", False, ("capture", "inference"), "ab" * 32)


class Time:
    """A clock that a test moves."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def view(tmp_path):
    return LiveView(ORIGIN, own_screen(30, 20), tmp_path / "calibration.json", Time())


def told(view):
    """The last message of each kind that a page gets when it opens."""
    with view.hub.listen() as page:
        blocks = page.take(0).strip().split("\n\n")
    pairs = (block.split("\n") for block in blocks)
    return {kind.removeprefix("event: "): json.loads(data.removeprefix("data: ")) for kind, data in pairs}


def frame(sequence=0, gaze=(1.0, -2.0), **changes):
    return LiveFrame(sequence, gaze, (10.0, 30.0), **changes)


def test_a_page_that_opens_is_told_everything(view):
    view.take(frame())
    found = told(view)
    assert set(found) == {"origin", "screen", "calibration", "routine", "frame"}
    assert found["origin"]["phases"] == ["capture", "inference"]
    assert not found["origin"]["emulated"]
    assert found["calibration"] == {"kind": None, "remarks": [], "mirrored": False}
    assert found["frame"]["gaze"] == [1.0, -2.0]
    assert found["frame"]["phases_ms"] == [10.0, 30.0]


def test_rate_and_losses_are_those_of_the_last_frames(view):
    for k in range(100):
        view._clock.now = 100 + k * (0.5 if k < 40 else 0.05)
        view.take(frame(k, lost=2 if k == 10 else 0))
    found = told(view)["frame"]
    assert found["fps"] == pytest.approx(20)
    assert (found["frames"], found["lost"]) == (100, 2)


def test_frames_without_an_answer_are_shown_as_such(view):
    view.take(frame(gaze=None, true_cm=(3.0, 4.0)))
    found = told(view)["frame"]
    assert (found["gaze"], found["raw"], found["true"]) == (None, None, [3.0, 4.0])


def calibrate(view, shift=(2.0, 1.0), dots=5):
    """Somebody looks at the dots, and the network is off by `shift`."""
    view.start_calibration(dots)
    for k in range(3000):
        view._clock.now += 0.05
        if view._routine is None:
            return
        x, y = view._routine.dot_cm
        view.take(frame(k, (x + shift[0], y + shift[1])))
    raise AssertionError("the calibration does not end")


def test_a_calibration_is_stored_and_applied_at_once(view, tmp_path):
    calibrate(view)
    stored = read_calibration(tmp_path / "calibration.json")
    assert stored == view.calibration
    assert stored.evidence.dots == 5
    view.take(frame(gaze=(2.0, -9.0)))
    found = told(view)
    assert found["frame"]["raw"] == [2.0, -9.0]
    assert found["frame"]["gaze"] == pytest.approx([0.0, -10.0], abs=0.2)
    assert found["routine"] == {"state": "done"}
    assert found["calibration"]["kind"] == stored.kind
    again = LiveView(ORIGIN, own_screen(30, 20), tmp_path / "calibration.json")
    assert again.calibration == stored
    view.remove_calibration()
    view.take(frame(gaze=(2.0, -9.0)))
    assert told(view)["frame"]["gaze"] == [2.0, -9.0]
    assert (tmp_path / "calibration.json").exists()


def test_the_second_calibration_sees_the_networks_own_answers_and_overwrites_nothing(view, tmp_path):
    calibrate(view)
    first = view.calibration
    calibrate(view)
    assert view.calibration.offset == first.offset
    assert view.calibration.matrix == first.matrix
    assert read_calibration(tmp_path / "calibration.json") == first
    assert read_calibration(tmp_path / "calibration-2.json") == view.calibration
    assert told(view)["calibration"]["file"].endswith("calibration-2.json")
    forced = LiveView(ORIGIN, own_screen(30, 20), tmp_path / "calibration.json", Time(), force=True)
    calibrate(forced, (1.0, 1.0))
    assert read_calibration(tmp_path / "calibration.json") == forced.calibration != first


def test_a_calibration_of_another_network_is_refused_and_of_another_screen_is_said(tmp_path):
    known = replace(ORIGIN, model_sha256="a" * 64)
    path = tmp_path / "calibration.json"
    view = LiveView(known, own_screen(30, 20), path, Time(), person="A")
    calibrate(view)
    identity = read_calibration(path).identity
    assert (identity.model_sha256, identity.target, identity.person) == ("a" * 64, known.board, "A")
    assert identity.screen_cm == (-15, -20, 15, 0)
    with pytest.raises(
        CalibrationError, match="made for the network aaaaaaaaaaaa, and bbbbbbbbbbbb runs here"
    ):
        LiveView(replace(ORIGIN, model_sha256="b" * 64), own_screen(30, 20), path)
    same = LiveView(known, own_screen(30, 20), path)
    assert told(same)["calibration"]["remarks"] == []
    same.choose_own(52, 29, 0)
    assert told(same)["calibration"]["remarks"] == ["This calibration was made on another screen."]
    path.write_text(Calibration().model_copy().model_dump_json())
    old = LiveView(known, own_screen(30, 20), path)
    assert "not known for which network" in told(old)["calibration"]["remarks"][0]


def test_a_calibration_that_is_stopped_changes_nothing(view, tmp_path):
    view.start_calibration(5)
    for _ in range(60):
        view._clock.now += 0.05
        view.take(frame())
    with pytest.raises(UsageError, match="while a calibration is running"):
        view.choose_device("iPhone 6", 1)
    view.stop_calibration()
    view.choose_device("iPhone 6", 1)
    assert view.calibration is None
    assert not (tmp_path / "calibration.json").exists()
    assert told(view)["routine"] == {"state": "idle"}


def test_a_result_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    view = LiveView(ORIGIN, own_screen(30, 20), tmp_path / "file" / "calibration.json", Time())
    calibrate(view)
    found = told(view)["routine"]
    assert found["state"] == "failed"
    assert "a file is in the way" in found["text"]
    assert view.calibration is None


def test_calibrations_that_cannot_be_used_are_refused(tmp_path):
    path = tmp_path / "calibration.json"
    path.write_text("{}]")
    with pytest.raises(InputFileError):
        LiveView(ORIGIN, own_screen(30, 20), path)
    terms = Terms(source="features", centre=(0.0,), scale=1.0, weights=((1.0, 1.0),))
    Calibration(kind="ridge", terms=terms).write(path)
    with pytest.raises(CalibrationError, match="does not send"):
        LiveView(ORIGIN, own_screen(30, 20), path)


def test_a_slow_page_gets_the_newest_of_each_kind():
    hub = Hub()
    with hub.listen() as page:
        for k in range(1000):
            hub.send("frame", {"k": k})
        hub.send("routine", {"state": "done"})
        assert page.take(0) == 'event: frame\ndata: {"k": 999}\n\nevent: routine\ndata: {"state": "done"}\n\n'
        assert page.take(0) == ""
        hub.close()
        assert page.take(10) is None
    assert hub.pages == 0
    with hub.listen() as late:
        assert "999" in late.take(0)
        assert late.take(0) is None


# Frames of sessions and boards.


def test_a_replay_keeps_the_pace_and_shortens_pauses(tmp_path):
    gaze = np.array([[1, 2], [3, 4], [np.nan, 0]])
    session = read_session(write_gaze_session(tmp_path / "s.jsonl", gaze, fps=20))
    session.host_ns[2:] += 60_000_000_000
    waited = []
    frames = list(frames_of_session(session, speed=2.0, sleep=waited.append, repeat=False))
    assert [f.gaze_cm for f in frames] == [(1.0, 2.0), (3.0, 4.0), None]
    assert waited == pytest.approx([0.025, 0.5, 0.5])
    assert frames[0].phases_ms == pytest.approx((12.0, 3.0, 26.0))
    again = frames_of_session(session, sleep=waited.append)
    assert [next(again).sequence for _ in range(7)] == [0, 1, 2, 0, 1, 2, 0]


def test_an_empty_session_is_refused(tmp_path):
    session = read_session(write_gaze_session(tmp_path / "s.jsonl", np.zeros((0, 2))))
    with pytest.raises(UsageError, match="no frame"):
        next(frames_of_session(session))


def test_a_board_with_a_camera_runs_until_the_caller_stops():
    def losing(board, sequence):
        if sequence != 2:
            board.say(record(sequence, board.ticks()))

    with FakeLine(losing) as board, open_link(board.port, silence_s=60) as link:
        with closing(frames_of_board(link)) as frames:
            found = [next(frames) for _ in range(5)]
        assert [f.sequence for f in found] == [0, 1, 3, 4, 5]
        assert [f.lost for f in found] == [0, 0, 1, 0, 0]
        assert found[0].phases_ms == pytest.approx((0.1, 0.02, 0.3))
        assert found[0].gaze_cm == pytest.approx((1.0, 2.0))
        assert any("stop" in command for command in board.commands)


def test_a_board_without_a_camera_is_shown_one_image_after_the_other():
    class Source:
        """What a link is to the view."""

        def __init__(self, link):
            self.board, self._link, self.loaded = link.board, link, []

        def load(self, image):
            self.loaded.append(image)

        def frames(self, count):
            assert count == 1
            return self._link.frames(count)

    with FakeLine() as board, open_link(board.port, silence_s=60) as link:
        object.__setattr__(link.board, "source", "loaded")
        source = Source(link)
        with pytest.raises(UsageError, match="--images"):
            next(frames_of_board(source))
        images = TestImages((b"a", b"b"), {})
        with closing(frames_of_board(source, images, [(1.0, 1.0), (2.0, 2.0)])) as frames:
            found = [next(frames) for _ in range(3)]
    assert [f.true_cm for f in found] == [(1.0, 1.0), (2.0, 2.0), (1.0, 1.0)]
    assert source.loaded == [b"a", b"b", b"a"]


# The server.


class Client:
    """Requests as a page makes them."""

    def __init__(self, address):
        self.host = address.removeprefix("http://").rstrip("/")

    def ask(self, method, path, content=None, **headers):
        with closing(http.client.HTTPConnection(self.host, timeout=60)) as connection:
            body = None if content is None else content if isinstance(content, bytes) else json.dumps(content)
            sent = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()


def test_a_tunnel_that_ends_at_another_port_is_let_in_by_name(view):
    with serving(view, 0, ["localhost:9000"]) as address:
        client = Client(address)
        assert client.ask("GET", "/", Host="localhost:9000")[0] == 200
        status, text = client.ask("GET", "/", Host="localhost:9001")
        assert (status, "--allow-host localhost:9001" in text) == (403, True)
        stop = ("POST", "/calibration/stop", {})
        assert client.ask(*stop, Host="localhost:9000", Origin="http://localhost:9000")[0] == 200
        assert client.ask(*stop, Host="localhost:9000", Origin="http://evil.example")[0] == 403


@pytest.fixture
def client(view):
    with serving(view, 0) as address:
        yield Client(address)


def test_the_page_comes_whole_and_loads_nothing_else(client):
    status, text = client.ask("GET", "/")
    assert status == 200
    assert "tinytracker live" in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text
    assert client.ask("GET", "/other")[0] == 404


def test_what_the_page_asks_for_is_done(view, client):
    assert client.ask("POST", "/screen/device", {"name": "iPad Air", "orientation": 3})[0] == 200
    assert (view.screen.name, view.screen.orientation) == ("iPad Air", 3)
    assert client.ask("POST", "/screen/own", {"width_cm": 50, "height_cm": 30, "gap_cm": 1})[0] == 200
    assert view.screen.x_max == 25
    assert client.ask("POST", "/calibration/start", {"dots": 9})[0] == 200
    assert told(view)["routine"]["dots"] == 9
    assert client.ask("POST", "/calibration/stop", {})[0] == 200
    assert client.ask("POST", "/calibration/remove", {})[0] == 200


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/screen/device", {"name": "Nokia", "orientation": 1}),
        ("/screen/device", {"name": 5, "orientation": 1}),
        ("/screen/device", {"name": "iPad Air", "orientation": "1"}),
        ("/screen/own", {"width_cm": 1e400, "height_cm": 1, "gap_cm": 0}),
        ("/screen/own", {"width_cm": True, "height_cm": 1, "gap_cm": 0}),
        ("/calibration/start", {"dots": 7}),
        ("/calibration/start", [5]),
        ("/calibration/start", b"{"),
        ("/calibration/start", b"\xff\xfe"),
        ("/other", {}),
    ],
)
def test_what_cannot_be_is_a_sentence(client, path, content):
    status, text = client.ask("POST", path, content)
    assert status == 400
    assert json.loads(text)["error"]


def test_only_pages_from_here_are_answered(view, client):
    start = ("POST", "/calibration/start", {"dots": 5})
    assert client.ask(*start, Host="evil.example")[0] == 403
    assert client.ask(*start, Origin="http://evil.example")[0] == 403
    assert client.ask(*start, Origin="null")[0] == 403
    assert client.ask(*start, Content_Type="text/plain")[0] == 403
    assert client.ask("GET", "/events", Host="evil.example")[0] == 403
    assert told(view)["routine"] == {"state": "idle"}
    assert client.ask(*start, Origin=f"http://{client.host}")[0] == 200


def test_requests_of_any_size_are_not_read(client):
    assert client.ask("POST", "/calibration/start", b" " * 20_000)[0] == 400


def test_events_come_as_they_are_sent_and_end_with_the_view(view):
    with serving(view, 0) as address:
        connection = http.client.HTTPConnection(Client(address).host, timeout=60)
        connection.request("GET", "/events")
        answer = connection.getresponse()
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.readline() == b"event: origin\n"
        view.take(frame(77))
        while b'"sequence": 77' not in answer.readline():
            pass
    with closing(connection):
        answer.read()  # ends


def test_a_port_that_is_taken_is_said(view):
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as taken,
        pytest.raises(OutputError, match="--http"),
        serving(view, taken.getsockname()[1]),
    ):
        pass
