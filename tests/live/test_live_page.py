"""The page in a browser: it shows the gaze, follows choices, leads through a calibration, and stays readable."""

import json
import re
import threading
import time

import pytest
from support import picamera2_stub
from support.chromium import CONTRASTS, PROGRAM, Page
from support.ports import unused_port

from tinytracker.live import routine
from tinytracker.live.frames import LiveFrame, frames_of_board
from tinytracker.live.screen import calibration_dots, own_screen
from tinytracker.live.server import serving
from tinytracker.live.view import LiveView, Origin
from tinytracker.measure import imx500

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")

SHIFT = (3.0, -2.0)


class FrameTime:
    """The view's clock: it goes on with the frames."""

    now = 100.0

    def __call__(self):
        return self.now


class Person:
    """Looks at the calibration's dot, or at (5, -8) cm; the network is off by `SHIFT`.

    Attributes:
        seen: number of dots of a calibration that the person has seen; time stands still until it is one more.
    """

    def __init__(self, view):
        self.view, self.running, self.sequence, self.seen = view, True, 0, 1000
        self.thread = threading.Thread(target=self.live, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.running = False
        self.thread.join()

    def live(self):
        while self.running:
            running = self.view._routine
            x, y = (5.0, -8.0) if running is None else running.dot_cm
            if running is None or running.index < self.seen:
                self.view._clock.now += 0.01
            frame = LiveFrame(self.sequence, (x + SHIFT[0], y + SHIFT[1]), (4.0, 1.0, 20.0), (5.0, -8.0))
            self.view.take(frame)
            self.sequence += 1
            time.sleep(0.01)


class Tab(Page):
    """A tab in which a person waits, reads and clicks."""

    def until(self, expression, timeout_s=90):
        """Wait until an expression is true."""
        end = time.monotonic() + timeout_s
        while not self.run(expression):
            assert time.monotonic() < end, f"still not: {expression}"
            time.sleep(0.05)

    def text(self, selector):
        """What is to be read in an element."""
        return self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    def click(self, selector):
        """Click an element."""
        self.run(f"document.querySelector({json.dumps(selector)}).click()")


@pytest.fixture(scope="module")
def tab():
    with Tab() as tab:
        yield tab


@pytest.fixture
def view(tmp_path):
    origin = Origin("spresense", "replay", True, ("capture", "preprocess", "inference"), "ab" * 32)
    return LiveView(origin, own_screen(34, 19), tmp_path / "calibration.json", FrameTime())


@pytest.fixture
def person(view):
    with Person(view) as person:
        yield person


@pytest.fixture
def page(tab, view, person):
    """The page with a person in front of the board."""
    with serving(view, 0) as address:
        tab.open(address)
        tab.until("document.body.dataset.state === 'open'")
        tab.until("document.querySelector('#g-gaze')?.hasAttribute('transform')")
        yield tab
        tab.call("Page.navigate", url="about:blank")


def place_of_gaze(page):
    """Where the point is drawn, cm."""
    text = page.run("document.querySelector('#g-gaze').getAttribute('transform')")
    x, y = (float(number) for number in re.findall(r"-?[\d.]+", text))
    return x, -y


def test_the_gaze_is_shown_where_it_is(page):
    page.until("document.querySelector('#gaze').innerText.includes('8.0, −10.0')")
    page.until("Math.abs(place.x - 8) < 0.05 && Math.abs(place.y + 10) < 0.05")
    assert place_of_gaze(page) == pytest.approx((8, -10), abs=0.1)
    glass = page.run("['x', 'y', 'width'].map(a => +document.querySelector('.glass').getAttribute(a))")
    assert glass == [-17, 0, 34]
    assert page.text("#gaze-more").endswith("3.6 cm off")
    assert page.text("#latency").startswith("25.0")
    assert page.text("#phase-2") == "20.0 ms"
    assert page.run("document.querySelector('#chip-emulated').hidden") is False
    assert page.run("document.querySelector('#chip-replay').hidden") is False
    assert "not real time" in page.text("#latency-title")


def test_nothing_is_complained_about_and_nothing_comes_from_elsewhere(page):
    page.until("document.querySelector('#fps').innerText !== '–'")
    assert page.errors == []
    assert {re.match(r"\w+://[^/:]+", a)[0] for a in page.requests if not a.startswith("data:")} == {
        "http://127.0.0.1"
    }


def test_another_screen_is_drawn(page, view):
    page.run("el('device').value = 'iPad Air'; el('device').dispatchEvent(new Event('change'))")
    page.until("screenNow.name === 'iPad Air'")
    assert view.screen.name == "iPad Air"
    page.click("#orientation button[data-value='3']")
    page.until("screenNow.orientation === 3")
    assert page.run("document.querySelector('#own').hidden") is True
    page.run("el('device').value = ''; el('device').dispatchEvent(new Event('change'))")
    page.until("screenNow.orientation === null")
    page.run("el('width').value = 50; el('width').dispatchEvent(new Event('change'))")
    page.until("screenNow.edges[2] === 25")
    page.run("el('width').value = 9999; el('width').dispatchEvent(new Event('change'))")
    page.until("!el('problem').hidden")
    assert "9999" in page.text("#problem")


def test_a_gaze_beside_the_picture_waits_at_its_edge(page):
    page.run("ask('/screen/own', {width_cm: 4, height_cm: 4, gap_cm: 0})")
    page.until("document.querySelector('#g-gaze').getAttribute('class') === 'outside'")
    page.until("place.x < view.right && place.y > view.low")


def test_a_calibration_from_the_first_dot_to_the_corrected_gaze(page, person, monkeypatch):
    monkeypatch.setattr(routine, "SETTLE_S", 0.5)
    monkeypatch.setattr(routine, "LOOK_S", 0.2)
    page.click("#dots button[data-value='5']")
    person.seen = 0
    page.click("#start")
    page.until("!document.querySelector('#routine').hidden")
    dots = calibration_dots(5)
    assert {(0.5, 0.5), (0.1, 0.1), (0.9, 0.9)} <= set(dots)
    for across, down in dots:
        place = "[el('dot').style.left, el('dot').style.top].map(parseFloat)"
        page.until(f"{place}.every((at, k) => Math.abs(at - [{100 * across}, {100 * down}][k]) < 0.01)")
        person.seen += 1
    page.until("document.querySelector('#routine').dataset.state === 'done'")
    page.until("Math.abs(place.x - 5) < 0.4 && Math.abs(place.y + 8) < 0.4")
    assert "without calibration 8.0, −10.0" in page.text("#gaze-more")
    assert "5 dots" in page.text("#calibration-more")
    assert "calibration.json" in page.text("#calibration-more")
    page.click("#remove")
    page.until("Math.abs(place.x - 8) < 0.05")


def test_escape_ends_a_calibration(page, view):
    page.click("#start")
    page.until("!document.querySelector('#routine').hidden")
    page.run("dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }))")
    page.until("document.querySelector('#routine').hidden")
    assert view.calibration is None


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desk", "phone"])
def test_text_is_readable_and_fits(page, dark, size):
    page.open(page.run("location.href"), *size, dark)
    page.until("document.querySelector('#fps').innerText !== '–'")
    page.until(f"document.documentElement.dataset.theme === '{'dark' if dark else 'light'}'")
    found = page.run(CONTRASTS)
    assert len(found) > 15
    assert [text for text, contrast in found if contrast < 4.5] == []
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    page.click("#theme")
    page.until(f"document.documentElement.dataset.theme === '{'light' if dark else 'dark'}'")


def test_the_end_of_the_program_is_said_and_the_page_goes_on_when_it_is_back(tab, view):
    port = unused_port()
    with serving(view, port) as address:
        tab.open(address)
        tab.until("document.body.dataset.state === 'open'")
    tab.until("document.body.dataset.state === 'closed'")
    assert "ended" in tab.text("#problem")
    again = LiveView(view.origin, own_screen(50, 30), view._path)
    with serving(again, port):
        tab.until("document.body.dataset.state === 'open'")
        tab.until("screenNow.edges[2] === 25")
        assert tab.run("document.querySelector('#problem').hidden") is True


@pytest.fixture
def watched(tab, tmp_path, monkeypatch):
    """The page of the AI camera's stand-in, which shows a made-up face."""
    picamera2_stub.install(monkeypatch)
    monkeypatch.setattr(picamera2_stub.IMX500, "input_size", (192, 64))
    monkeypatch.setattr(picamera2_stub.IMX500, "roi", None)
    network = tmp_path / "network.rpk"
    network.write_bytes(b"any")
    with imx500.open_imx500(network, pictures=True) as source:
        view = LiveView(
            Origin("imx500", "hardware", False, source.board.phases),
            own_screen(34, 19),
            tmp_path / "calibration.json",
        )
        ended = threading.Event()
        thread = threading.Thread(target=view.run, args=(frames_of_board(source), ended.is_set))
        thread.start()
        try:
            with serving(view, 0) as address:
                tab.open(address)
                yield tab
                tab.call("Page.navigate", url="about:blank")
        finally:
            ended.set()
            thread.join()


def test_the_camera_shows_what_the_network_sees(watched):
    watched.until("!document.querySelector('#seen').hidden")
    size = "[el('crop').width, el('crop').height, el('picture').width, el('picture').height]"
    # The strip is 816 x 272 of the sensor's 4056 x 3040 pixels; the picture stands for all of them.
    crop_width, crop_height, width, height = watched.run(size)
    assert (width, height) == (640, 480)
    assert crop_width / crop_height == pytest.approx(3, rel=0.03)
    pixel = "[...el('{}').getContext('2d').getImageData({}, {}, 1, 1).data].slice(0, 3)"
    # The middle of the region is skin, its upper corner in the picture is the frame's colour.
    assert watched.run(pixel.format("crop", 320, 20)) == pytest.approx([222, 184, 150], abs=25)
    left, top = watched.run("pictured.region.slice(0, 2).map(Math.round)")
    accent = watched.run("getComputedStyle(document.documentElement).getPropertyValue('--accent')").strip()
    wanted = [int(accent[k : k + 2], 16) for k in (1, 3, 5)]
    assert watched.run(pixel.format("picture", left, top)) == pytest.approx(wanted, abs=30)
    assert "full resolution" in watched.text("#seen-more")
    assert watched.errors == []
    assert {re.match(r"\w+://[^/:]+", a)[0] for a in watched.requests if not a.startswith("data:")} == {
        "http://127.0.0.1"
    }
