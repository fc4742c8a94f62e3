"""The webcam's page in Chromium: every state is a sentence, and a synthetic person calibrates and is followed."""

import re
import time

import numpy as np
import pytest
from support.chromium import CONTRASTS, PROGRAM
from support.webcam_page import ALLOWED, SIZE, blind_network, desk, grey_picture, person

from tinytracker.live import routine
from tinytracker.live.screen import calibration_dots, own_screen
from tinytracker.live.webcam_network import AimedNetwork
from tinytracker.live.webcam_source import open_finder, open_network

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")

GREY, BLACK = 120, 18


@pytest.fixture(scope="module")
def blind():
    return AimedNetwork(blind_network(), "blind")


@pytest.fixture(scope="module")
def empty_room(blind, tmp_path_factory):
    """A page whose camera shows an empty wall, or nothing."""
    pictures = {"wall": [grey_picture(GREY)], "cover": [grey_picture(BLACK)]}
    with desk(tmp_path_factory.mktemp("desk"), blind, pictures, ALLOWED) as found:
        yield found


@pytest.fixture
def room(empty_room):
    empty_room.gaze_at = "wall"
    empty_room.open()
    empty_room.until("state === 'searching' && answers > 2")
    return empty_room


def text(desk):
    return desk.page.run("el('state-text').innerText")


def says(state, words):
    """Expression: the page is in a state without a gaze, and says so; a busy computer may leave it the moment after."""
    text = f"el('state-text').innerText.includes('{words}')"
    return f"state === '{state}' && {text} && getComputedStyle(el('dot')).display === 'none'"


def no_dot(desk):
    return desk.page.run("getComputedStyle(el('dot')).display") == "none"


def test_a_browser_without_a_camera_says_so(blind, tmp_path):
    with desk(tmp_path, blind, None) as found:
        found.open()
        found.until("state === 'none'")
        assert "finds no camera" in text(found)
        assert found.page.errors == []


def test_a_refused_camera_is_explained(blind, tmp_path):
    with desk(tmp_path, blind, {"wall": [grey_picture(GREY)]}) as found:
        found.open()
        found.until("state === 'refused'")
        assert "Allow it" in text(found)
        assert found.page.errors == []
        assert found.view.frames == 0


def test_nobody_and_darkness_are_said_and_nothing_is_complained_about(room):
    room.until(says("searching", "Nobody is found"))
    room.gaze_at = "cover"
    room.until(says("dark", "too dark"))
    assert room.page.errors == []
    assert {re.match(r"\w+://[^/:]+", a)[0] for a in room.page.requests if not a.startswith("data:")} == {
        "http://127.0.0.1"
    }


def test_another_tab_takes_the_camera_and_gives_it_back(room, monkeypatch):
    now = time.monotonic()
    monkeypatch.setattr(room.webcam, "_clock", lambda: now)  # a tab that is silent loses the camera after 3 s
    room.webcam.claim({"tab": "another", "take": "1"}, b"")
    room.until("state === 'other'")
    assert room.page.run("stream") is None
    room.page.run("el('state-button').click()")
    room.until("state === 'searching'")


def test_a_camera_that_is_unplugged_is_noticed_when_it_comes_back(room):
    room.page.run("stream.getVideoTracks()[0].dispatchEvent(new Event('ended'))")
    room.until("state === 'unplugged'")
    assert no_dot(room)
    room.page.run("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    room.until("state === 'searching'")


def test_a_camera_that_stops_sending_is_not_a_frozen_picture(room):
    room.page.run("video.pause()")
    room.until("state === 'stalled'")
    room.page.run("el('state-button').click()")
    room.until("state === 'searching'")


def test_a_camera_that_another_program_has_is_said_and_opened_when_it_is_free(room):
    # A stand-in for the device: what a browser answers while another program holds the camera.
    room.page.run("""
        given = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("in use", "NotReadableError"));
        open_(); 0
    """)
    room.until("state === 'busy'")
    assert "another program" in text(room)
    assert no_dot(room)
    room.page.run("navigator.mediaDevices.getUserMedia = given; el('state-button').click(); 0")
    room.until("state === 'searching'")


def silent_camera(room, patience_ms):
    """Open a camera, a stand-in, that never sends a picture; the page waits for so long, or for ever (None)."""
    wait = "0" if patience_ms is None else f"timer(f, {patience_ms})"
    room.page.run(f"timer = setTimeout; setTimeout = (f, ms) => ms === START_MS ? {wait} : timer(f, ms); 0")
    room.page.run("""
        given = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        silent = new MediaStreamTrackGenerator({ kind: "video" });
        navigator.mediaDevices.getUserMedia = async () => new MediaStream([silent]);
        open_(); 0
    """)


def test_a_camera_that_never_sends_a_picture_does_not_start_for_ever(room):
    silent_camera(room, 50)
    room.until("state === 'stalled' && !opening")
    room.page.run(
        "setTimeout = timer; navigator.mediaDevices.getUserMedia = given; el('state-button').click(); 0"
    )
    room.until("state === 'searching'")


def test_a_camera_that_is_unplugged_while_it_starts_is_not_called_busy(room):
    silent_camera(room, None)
    room.until("state === 'starting'")
    room.page.run("stream.getVideoTracks()[0].dispatchEvent(new Event('ended'))")
    room.until("!opening")
    assert room.page.run("state") == "unplugged"


def test_a_mirrored_video_is_turned_round_before_it_is_cut(room):
    halves = bytearray(grey_picture(GREY))
    for row in range(SIZE[1]):
        halves[row * SIZE[0] : row * SIZE[0] + SIZE[0] // 2] = bytes([200]) * (SIZE[0] // 2)
    room.actor._pictures["halves"] = [bytes(halves)]
    room.gaze_at = "halves"
    left = "pixels([0, 0, 64, 64])[0] > pixels([video.videoWidth - 64, 0, 64, 64])[0] + 40"
    room.until(left)
    room.page.run("el('mirrored').click()")
    assert room.page.run(f"!({left}) && video.style.transform") == "none"
    room.page.run("el('mirrored').click(); localStorage.clear()")
    room.until(left)


def mouse(desk, kind, x, y):
    desk.page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)


def drag(desk, selector, dx, dy=0):
    x, y = desk.page.run(
        f"(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector('{selector}').getBoundingClientRect())"
    )
    for kind, share in (("mousePressed", 0), ("mouseMoved", 0.5), ("mouseMoved", 1), ("mouseReleased", 1)):
        mouse(desk, kind, x + share * dx, y + share * dy)


def test_a_bank_card_measures_the_screen_and_the_browser_remembers_it(room):
    room.page.run("el('measure-open').click()")
    before = room.page.run("cardPx")
    assert before == pytest.approx(SIZE[0] / 34 * 8.56, abs=1)
    drag(room, "#handle", 40)
    assert room.page.run("cardPx") == pytest.approx(before + 40, abs=1)
    height = room.page.run("el('id1').getBoundingClientRect().height")
    assert height == pytest.approx((before + 40) * 53.98 / 85.60, abs=1)
    room.page.run("el('measure-done').click()")
    width = SIZE[0] * 8.56 / (before + 40)
    room.until(f"Math.abs(own().width_cm - {width}) < 0.02")
    drag(room, "#map .lens", 0, 30)
    room.until("own().gap_cm < -1")
    edges = room.view.screen.edges
    room.view.choose_own(34, 19, 0)
    room.open()
    room.until(
        "sentScreen && remembered.screen && Math.abs(own().width_cm - remembered.screen.width_cm) < 0.01"
    )
    assert room.view.screen.edges == pytest.approx(edges, abs=0.02)
    room.page.run("localStorage.clear()")


def test_a_page_that_goes_before_the_answer_remembers_the_screen(room):
    room.view.choose_own(34, 19, 0)
    room.page.run(
        "answered = ask; ask = async (...all) => { await answered(...all); await new Promise(() => {}) }; 0"
    )
    room.until("screenNow && Math.abs(own().gap_cm) < 0.01")
    room.page.run("choose({ gap_cm: 3 }); 0")
    room.until("Math.abs(own().gap_cm - 3) < 0.01")
    room.view.choose_own(34, 19, 0)
    room.open()
    room.until("sentScreen && Math.abs(own().gap_cm - 3) < 0.01")
    room.page.run("localStorage.clear()")


def test_a_screen_that_is_refused_is_not_remembered(room):
    room.until("sentScreen")
    before = room.page.run("JSON.stringify(remembered.screen ?? null)")
    room.page.run("choose({ width_cm: 9000 }).then(() => { window.refused = true }); 0")
    room.until("window.refused")
    assert room.page.run("JSON.stringify(remembered.screen ?? null)") == before
    room.page.run("localStorage.clear()")


def test_a_point_in_cm_is_drawn_where_it_is_on_the_screen(room):
    room.page.run(
        "pageAt = [0, 0]; ask('/screen/own', {width_cm: 32, height_cm: 18, gap_cm: 2, across_cm: 4})"
    )
    room.until("Math.abs(own().across_cm - 4) < 0.01")
    # The camera is 20 cm from the left edge and 2 cm above the upper one.
    assert room.page.run("onPage([0, -2])") == pytest.approx([20 / 32 * SIZE[0], 0])
    assert room.page.run("onPage([-20, -20])") == pytest.approx([0, SIZE[1]])


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desk", "phone"])
def test_text_is_readable_and_fits(room, dark, size):
    room.open(*size, dark)
    room.until("state === 'searching' && recent.length > 0")
    found = room.page.run(CONTRASTS)
    assert len(found) > 15
    assert [words for words, contrast in found if contrast < 4.5] == []
    assert room.page.run("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("size", [(480, 640), (640, 480)], ids=["portrait", "4:3"])
def test_the_picture_has_the_shape_of_the_cameras(blind, tmp_path, size):
    with desk(tmp_path, blind, {"wall": [grey_picture(GREY, *size)]}, ALLOWED, size=size) as found:
        found.open()
        found.until(f"state === 'searching' && el('view-more').innerText.includes('{size[0]} × {size[1]}')")
        width, height = found.page.run("[el('view').clientWidth, el('view').clientHeight]")
        assert (width < height) == (size[0] < size[1])
        assert found.page.errors == []


def test_the_end_of_the_program_is_said(blind, tmp_path):
    with desk(tmp_path, blind, {"wall": [grey_picture(GREY)]}, ALLOWED) as found:
        found.open()
        found.until("state === 'searching'")
        found.stop()
        found.until("state === 'gone'")
        assert "ended" in text(found)
        assert no_dot(found)


SCREEN = own_screen(34, 34 * SIZE[1] / SIZE[0], 1.0)
PLACES = {
    name: SCREEN.at(*place) for name, place in {"a": (0.25, 0.3), "b": (0.8, 0.35), "c": (0.6, 0.8)}.items()
}


def test_a_person_calibrates_and_the_dot_follows_the_eyes(tmp_path, monkeypatch):
    monkeypatch.setattr(routine, "SETTLE_S", 0.7)
    monkeypatch.setattr(routine, "LOOK_S", 0.5)
    pictures = person(3, SCREEN, calibration_dots(5), PLACES, views=2)
    pictures |= {"gone": [grey_picture(GREY)], "night": [grey_picture(BLACK)]}
    with desk(tmp_path, open_network(), pictures, ALLOWED, screen=SCREEN, finder=open_finder()) as found:
        found.open()
        found.until("state === 'following'")
        found.calibrate(5)
        assert found.view.calibration is not None
        assert found.view.calibration.evidence.follows_eyes
        errors, seen = [], 0
        for name, place in PLACES.items():
            found.look(name)
            found.until("heard.length >= 6")
            answers = found.heard()
            gaze = [a["dot"] for a in answers if a["dot"]]
            seen += len(gaze) / len(answers) / len(PLACES)
            errors.append(float(np.linalg.norm(np.mean(gaze, 0) - place)))
        assert seen > 0.8
        assert np.mean(errors) < 4.0, errors
        # Whoever leaves takes the dot along, and so does the light; who comes back has it again.
        found.gaze_at = "gone"
        found.until(says("searching", "Nobody is found"))
        found.gaze_at = "a"
        found.until("state === 'following' && getComputedStyle(el('dot')).display !== 'none'")
        found.gaze_at = "night"
        found.until(says("dark", "too dark"))
        assert found.page.errors == []
