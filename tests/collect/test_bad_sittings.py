"""What can go wrong in a sitting, in Chromium and with a program that is killed: said at once, and in the report."""

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from support.chromium import PROGRAM, Page
from support.cli import run
from support.collect_desk import SCREEN, drawn, room

from tinytracker.collect import judging
from tinytracker.collect.desk import Desk
from tinytracker.collect.journal import journals
from tinytracker.collect.plan import planned_dot
from tinytracker.collect.recorder import SPARE_BYTES
from tinytracker.data.reader import read_recording
from tinytracker.data.sitting import read_sitting
from tinytracker.live.webcam_source import open_finder, open_network

LIMIT_S = 600
TIMES = {"shown": 900, "letter": 40, "rest": 10, "pose": 10, "every": 100, "answer": 20_000}

in_browser = pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")


@pytest.fixture(autouse=True)
def devices(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYTRACKER_DEVICES", str(tmp_path / "devices.toml"))


def until(page, expression):
    end = time.monotonic() + LIMIT_S
    while not page.run(expression):
        assert time.monotonic() < end, f"still not: {expression}; {page.run('document.body.innerText')}"
        time.sleep(0.05)


@contextmanager
def sitting(folder, dots=3, fps=10, still=False, **more):
    """A sitting that has begun, with a person who presses the right letters; `still`: and looks at one place."""
    desk = Desk(folder / "session", SCREEN, open_network(), open_finder(), dots=dots, **more)
    pictures = drawn(2, desk._seed("ann"), 1 if still else dots, 1)
    with room(folder, desk, pictures * (dots if still else 1), fps) as found:
        found.open(**TIMES)
        until(found.page, "state === 'following'")
        found.answer_rightly()
        begin(found.page)
        until(found.page, "sitting !== null")
        yield found


def begin(page, person="ann"):
    page.run(f"el('person').value = '{person}'; el('consent').click(); ready()")
    page.run("el('begin').click()", by_user=True)


def reported(desk):
    """Kinds of events in the session's report after its end."""
    desk.close()
    report = json.loads((desk.session / "report.json").read_text())
    return [event["kind"] for row in report["sittings"] for event in row["events"]]


@in_browser
def test_a_full_disk_pauses_and_what_was_recorded_is_kept(tmp_path):
    room_on_disk = {"bytes": 2 * SPARE_BYTES}
    with sitting(tmp_path, dots=2, free=lambda _: room_on_disk["bytes"]) as found:
        until(found.page, "plan.kept >= 1")
        room_on_disk["bytes"] = 4_000_000
        until(found.page, "!el('pause').hidden")
        assert "4 MB are free" in found.page.run("el('pause-text').textContent")
        (journal,) = journals(found.desk.session)
        assert sum(stored.dot.is_kept for _, stored in journal.dots()) == 1
        room_on_disk["bytes"] = 2 * SPARE_BYTES
        found.page.run("el('go-on').click()", by_user=True)
        until(found.page, "plan.done || el('pause-text').textContent.startsWith('All dots')")
    assert "disk" in reported(found.desk)


@in_browser
@pytest.mark.exhaustive
def test_a_slow_camera_is_said(tmp_path):
    with sitting(tmp_path, dots=4, fps=4) as found:
        until(found.page, "el('said').textContent.includes('pictures per second')")
    assert "camera-slow" in reported(found.desk)


@in_browser
@pytest.mark.exhaustive
def test_a_person_who_looks_at_one_place_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(judging, "ATTENTION_DOTS", 4)  # the rule is the same; it needs twelve dots
    with sitting(tmp_path, dots=6, still=True) as found:
        until(found.page, "el('said').textContent.includes('do not follow the dots')")
    assert "not-looking" in reported(found.desk)


@in_browser
@pytest.mark.exhaustive
def test_an_empty_chair_is_waited_for(tmp_path):
    with sitting(tmp_path, dots=50, still=True) as found:
        found.page.run("clearInterval(window.typist); Object.assign(TIMES, {answer: 30, shown: 100}); 0")
        until(found.page, "!el('pause').hidden")
        assert "the recording waits for you" in found.page.run("el('pause-text').textContent")
        found.page.run("el('go-on').click()", by_user=True)
        until(found.page, "el('pause').hidden")
        (journal,) = journals(found.desk.session)
        kinds = [event.kind for event in journal.events() if event.kind in ("letters", "away")]
        assert kinds[:3] == ["letters", "letters", "away"]


@in_browser
@pytest.mark.exhaustive
def test_a_second_tab_does_not_record(tmp_path):
    # A clock that stands: the first tab never falls silent, however busy this computer is.
    with sitting(tmp_path, clock=lambda: 0.0) as found, Page(*found.options) as other:
        found.page.run("pause('waits'); 0")
        found.open_in(other, **TIMES)
        until(other, "state === 'following'")
        begin(other, "ben")
        until(other, "!el('problem').hidden")
        assert "Another tab of this page is recording" in other.run("el('problem').textContent")
        assert other.run("sitting") is None
        (journal,) = journals(found.desk.session)
        assert journal.head().person == "ann"


def test_a_tab_that_fell_silent_gives_way_and_is_told(tmp_path):
    now = {"s": 0.0}
    desk = Desk(tmp_path / "session", SCREEN, open_network(), None, clock=lambda: now["s"])

    def ask(path, tab, **more):
        return desk.act(path, {"tab": tab, "width_pt": 1280, "height_pt": 720, "consent": True, **more})

    first = ask("/sitting/begin", "a", person="ann")
    now["s"] = 60.0
    assert ask("/sitting/begin", "b", person="ben")["sitting"] != first["sitting"]
    with pytest.raises(Exception, match="Another tab of this page is recording"):
        ask("/sitting/show", "a", shown_s=1.0)
    now["s"] = 120.0
    assert ask("/sitting/continue", "a", subject=first["sitting"])["person"] == "ann"


def filmed(folder, dots):
    """A film of the dots that are shown, and its options."""
    plan = [planned_dot(5, k, k) for k in range(dots)]
    frames = drawn(4, 5, dots, 2)
    film, shown = folder / "film", folder / "shown.csv"
    film.mkdir()
    times, rows = ["file,time_s"], ["start_s,end_s,x_cm,y_cm"]
    for k, place in enumerate(plan):
        x, y = SCREEN.at(place.across, place.down)
        rows.append(f"{2 * k},{2 * k + 1.7},{x:.4f},{y:.4f}")
        for j, jpeg in enumerate(frames[k]):
            (film / f"{k}-{j}.jpg").write_bytes(jpeg)
            times.append(f"{k}-{j}.jpg,{2 * k + 0.7 + 0.3 * j:.3f}")
    (film / "times.csv").write_text("\n".join(times) + "\n")
    shown.write_text("\n".join(rows) + "\n")
    return ["--source", "video", "--film", str(film), "--shown", str(shown), "--person", "ann", "--consent",
            "--screen", "36x20.25", "--gap", "1.2", "--across", "1"]  # fmt: skip


def test_a_program_that_is_killed_loses_nothing(tmp_path):
    dots = 5
    options = filmed(tmp_path, dots)
    code = "import sys; from tinytracker.cli.main import main; main(sys.argv[1:])"
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "collect", "--out", str(killed), *options],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.monotonic() + LIMIT_S
    second_dot = killed / ".00000.dots.partial" / "0001"
    while process.poll() is None and not second_dot.is_dir():
        assert time.monotonic() < end
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for folder in (killed, whole):
        if not (folder / "00000").is_dir():  # it may have been quicker than the signal
            answer = run("collect", "--out", folder, *options)
            assert answer.code == 0, answer.err
    assert journals(killed) == []
    one, other = (read_sitting(folder / "00000") for folder in (killed, whole))
    assert [d.shown_s for d in one.dots] == [d.shown_s for d in other.dots] == [2.0 * k for k in range(dots)]
    frames = [f.captured_s for f in one.frames]
    assert len(set(frames)) == len(frames) == len(read_recording(killed / "00000"))
    # The eyes are searched anew after the kill; the frames are the film's, each once.
    assert set(frames) >= {f.captured_s for f in other.frames if f.dot < 2}
