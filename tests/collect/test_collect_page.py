"""The collector's page in Chromium: consent, a sitting of a drawn person, and what is said when something is wrong."""

import json
import time

import pytest
from support.chromium import CONTRASTS, PROGRAM
from support.collect_desk import POINTS, SCREEN, drawn, room

from tinytracker.collect.desk import Desk
from tinytracker.collect.journal import journals
from tinytracker.collect.plan import planned_dot
from tinytracker.data.reader import read_recording
from tinytracker.data.sitting import read_sitting
from tinytracker.live.webcam_source import open_finder, open_network

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")

DOTS = 3
LIMIT_S = 600


def until(found, expression):
    end = time.monotonic() + LIMIT_S
    while not found.page.run(expression):
        assert time.monotonic() < end, f"still not: {expression}; {found.page.run('document.body.innerText')}"
        time.sleep(0.05)


@pytest.fixture
def at_desk(tmp_path, monkeypatch):
    """The page, open, with the person's eyes found."""
    monkeypatch.setenv("TINYTRACKER_DEVICES", str(tmp_path / "devices.toml"))
    desk = Desk(tmp_path / "session", SCREEN, open_network(), open_finder(), dots=DOTS)
    pictures = drawn(2, desk._seed("ann"), DOTS, 2)
    with room(tmp_path, desk, pictures) as found:
        found.open(shown=900, letter=40, rest=10, pose=10, every=100, answer=20_000)
        until(found, "state === 'following'")
        yield found


def begin(found):
    found.page.run("el('person').value = 'ann'; el('consent').click(); ready()")
    found.page.run("el('begin').click()", by_user=True)
    until(found, "sitting !== null")


def test_a_person_is_recorded_after_consent_and_everything_can_be_deleted(at_desk):
    page, desk = at_desk.page, at_desk.desk
    page.run("el('person').value = 'ann'; ready()")
    assert page.run("el('begin').disabled"), "without consent nothing can be recorded"
    at_desk.answer_once_wrongly()
    begin(at_desk)
    until(at_desk, "!el('pause').hidden && el('pause-text').textContent.startsWith('All dots')")
    page.run("el('finish').click()")
    until(at_desk, "sitting === null && el('sittings').tBodies[0].rows.length === 1")
    subject = desk.session / "00000"
    recording, sitting = read_recording(subject), read_sitting(subject)
    assert set(recording.dot_num.tolist()) <= set(range(1, DOTS + 3))
    assert sum(dot.is_kept for dot in sitting.dots) == DOTS
    assert sitting.left_out["wrong letter"] > 0
    assert (recording.dot_time >= 0.6).all()
    assert sitting.points == POINTS
    seed = desk._seed("ann") - 1  # the subject has come
    kept = [dot for dot in sitting.dots if dot.is_kept]
    assert [(d.across, d.down) for d in kept] == [
        (p.across, p.down) for p in (planned_dot(seed, k, k) for k in range(DOTS))
    ]
    assert page.run("el('next').textContent").startswith(
        f"{DOTS} dots so far; a network of your own needs 20"
    )
    page.run("least = 1; onSession({ sittings: [{ person: 'ann', began: '2026-11-29', dots: 1, frames: 3, "
             "finished: true, left_out: {}, events: [] }], frames: 3 })")  # fmt: skip
    assert "Next, when this program has ended (Ctrl-C): tinytracker adapt" in page.run(
        "el('next').textContent"
    )
    assert page.errors == []
    assert all(url.startswith(("http://127.0.0.1", "data:")) for url in page.requests)
    page.run("window.confirm = () => true; el('delete-all').click()")
    until(at_desk, "el('sittings').hidden")
    assert [path.name for path in desk.session.iterdir() if not path.name.startswith(".")] == []


@pytest.mark.exhaustive
def test_after_the_last_dot_one_may_continue(at_desk):
    at_desk.answer_rightly()
    begin(at_desk)
    until(at_desk, "!el('pause').hidden && el('pause-text').textContent.startsWith('All dots')")
    at_desk.page.run("el('go-on').click()", by_user=True)
    until(at_desk, f"plan.kept > {DOTS}")
    assert at_desk.page.errors == []


@pytest.mark.exhaustive
def test_leaving_the_full_screen_is_a_pause_and_no_event(at_desk):
    page, desk = at_desk.page, at_desk.desk
    page.run("TIMES.answer = 3_600_000")  # the first dot waits for its answer
    # This window fills the screen already. The events are those of Esc, in the order of HTML's "update the rendering".
    begin(at_desk)
    until(at_desk, "answered !== null")
    page.run("pageSize = [innerWidth - 9, innerHeight]; dispatchEvent(new Event('resize'));"
             "document.dispatchEvent(new Event('fullscreenchange')); 0")  # fmt: skip
    assert page.run("el('pause-text').textContent") == "The dot that was shown comes again."
    page.run("new Promise(done => setTimeout(done, 200))")
    (journal,) = journals(desk.session)
    assert journal.events() == []
    assert journal.dots() == []


def test_a_changed_screen_pauses_and_a_killed_program_loses_no_dot(at_desk):
    page, desk = at_desk.page, at_desk.desk
    page.run("TIMES.answer = 3_600_000")  # the second dot waits for its answer until the screen changes
    at_desk.answer_first()
    begin(at_desk)
    until(at_desk, "plan.kept >= 1")
    page.call("Emulation.setDeviceMetricsOverride", width=900, height=600, deviceScaleFactor=1, mobile=False)
    until(at_desk, "!el('pause').hidden")
    assert "size" in page.run("el('pause-text').textContent")
    (journal,) = journals(desk.session)
    kept = sum(stored.dot.is_kept for _, stored in journal.dots())
    assert kept >= 1
    assert any(event.kind == "screen" for event in journal.events())
    # Another program takes over the folder, as after a crash.
    again = Desk(desk.session, SCREEN, open_network(), open_finder(), dots=DOTS)
    answer = again.act(
        "/sitting/continue",
        {"subject": journal.name, "tab": "x", "width_pt": POINTS[0], "height_pt": POINTS[1]},
    )
    assert answer["kept"] == kept


def dots_in_the_dark(desk):
    """Stored dots that were too dark."""
    stored = [dot for journal in journals(desk.session) for _, dot in journal.dots()]
    return [dot for dot in stored if "too dark" in dot.dot.left_out]


def test_darkness_is_said_while_the_dot_is_there(at_desk):
    at_desk.page.run("TIMES.answer = 3_600_000")  # the first dot waits until the lens is covered
    begin(at_desk)
    at_desk.covered = True
    end = time.monotonic() + LIMIT_S
    while not at_desk.shows_black():
        assert time.monotonic() < end
        time.sleep(0.02)
    at_desk.answer_rightly()
    until(at_desk, "el('said').textContent.includes('too dark')")
    while not dots_in_the_dark(at_desk.desk):
        assert time.monotonic() < end
        time.sleep(0.05)
    at_desk.covered = False
    until(at_desk, "!el('pause').hidden")
    at_desk.desk.close()
    report = json.loads((at_desk.desk.session / "report.json").read_text())
    assert report["left_out"]["too dark"] > 0
    assert "dark" in [event["kind"] for event in report["sittings"][0]["events"]]


@pytest.mark.exhaustive
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_is_readable(at_desk, dark):
    at_desk.page.open(at_desk._address, 1280, 800, dark)
    until(at_desk, "state === 'following'")
    found = at_desk.page.run(CONTRASTS)
    assert len(found) > 15
    assert [words for words, contrast in found if contrast < 4.5] == []
    assert at_desk.page.run("document.documentElement.scrollWidth <= innerWidth")
