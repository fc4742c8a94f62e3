"""docs/one-evening.md, command by command: Chromium films a drawn person, and the network ends on an emulated board."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.chromium import PROGRAM, Page
from support.cli import run
from support.collect_desk import POINTS, SCREEN, SEAT, drawn
from support.webcam_page import ALLOWED, CAMERA
from support.webcam_person import Film, i420

from tinytracker.adapt import AdaptDocument, division
from tinytracker.adapt.document import BUNDLED, CANDIDATES
from tinytracker.data.sitting import read_sitting
from tinytracker.runs import Run

PAGE = Path(__file__).parents[2] / "docs/one-evening.md"
COMMANDS = re.findall(r"^    tinytracker (.+)$", PAGE.read_text(), re.MULTILINE)
PERSON, DOTS = "ann", 10
LIMIT_S = 1200

pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="needs Chromium"),
]


def command(verb, **replaced):
    """The page's command with this verb, as a list of words."""
    (line,) = [c for c in COMMANDS if c.startswith(verb + " ") and "--source" not in c]
    words = shlex.split(line)
    return [replaced.get(word, word) for word in words]


@pytest.fixture(scope="module")
def evening(tmp_path_factory):
    """A folder to work in, with a file of devices of its own."""
    folder = tmp_path_factory.mktemp("evening")
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.fixture(autouse=True)
def devices(monkeypatch, evening):
    monkeypatch.setenv("TINYTRACKER_DEVICES", str(evening / "devices.toml"))
    monkeypatch.setattr(division, "LEAST_DOTS", DOTS)


def served(words, expected="http://127.0.0.1"):
    """Start a command, and return it with the address that it prints."""
    code = "import sys; from tinytracker.cli.main import main; main(sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words, "--http", "0"],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    for line in process.stderr:
        if expected in line:
            return process, re.search(r"http://[\d.]+:\d+/", line)[0]
    raise AssertionError("the command ended without an address")


def test_a_person_is_recorded(evening):
    seed = sum(map(ord, PERSON)) * 1000
    pictures = [[i420(f) for f in frames] for frames in drawn(7, seed, DOTS, 2)]
    film = Film(evening / "film.y4m", SEAT.width, SEAT.height)
    size = f"{SCREEN.x_max - SCREEN.x_min}x{SCREEN.y_max - SCREEN.y_min}"
    screen = ["--screen", size, "--gap", str(-SCREEN.y_max), "--across", "1", "--dots", str(DOTS)]
    process, address = served([*command("collect"), *screen])
    options = (
        ALLOWED, CAMERA, f"--use-file-for-fake-video-capture={film.path}",
        f"--window-size={POINTS[0]},{POINTS[1]}", f"--screen-info={{{POINTS[0]}x{POINTS[1]}}}",
    )  # fmt: skip
    try:
        film.show(pictures[0][0])
        with Page(*options) as page:
            page.open(address, *POINTS)
            page.run(
                "Object.assign(TIMES, {shown: 900, letter: 40, rest: 10, pose: 10, every: 100, answer: 20000}); 0"
            )
            page.run("setInterval(() => { if (answered) answered(plan.dot.letter) }, 20); 0")
            end = time.monotonic() + LIMIT_S
            begun, turn = False, 0
            while not page.run("!el('pause').hidden && el('pause-text').textContent.startsWith('All dots')"):
                assert time.monotonic() < end, page.run("document.body.innerText")
                if not begun and page.run("state === 'following'"):
                    page.run(f"el('person').value = '{PERSON}'; el('consent').click(); ready()")
                    page.run("el('begin').click()", by_user=True)
                    begun = True
                kept = page.run("plan ? Math.min(plan.kept, plan.wanted - 1) : 0")
                turn += 1
                film.show(pictures[kept][turn // 5 % 2])
                time.sleep(0.05)
            page.run("el('finish').click()")
            while page.run("sitting !== null"):
                assert time.monotonic() < end
                time.sleep(0.05)
            assert page.errors == []
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        film.close()
    sitting = read_sitting(evening / "desk" / "00000")
    assert sitting.person == PERSON
    assert sum(dot.is_kept for dot in sitting.dots) == DOTS


def test_prepare_reads_it_as_it_is(evening):
    for more in ((), ("--aim",)):
        answer = run("prepare", "desk", f"prepared{len(more)}", "--jobs", 1, *more, "--json")
        assert answer.code == 0, answer.err
        assert answer.document["splits"]["train"]["frames"] == len(
            read_sitting(evening / "desk/00000").frames
        )


def test_adapt_that_is_stopped_continues_compares_and_is_not_worse(evening, monkeypatch):
    # The small network: the page's is the same with more layers.
    words = command("adapt", **{"tinytracker-v2-aim": "tinytracker-s2-aim"})
    with monkeypatch.context() as stopping:
        stopping.setattr("tinytracker.train.loop.train_epochs", stop)
        assert run(*words, "--epochs", 1).code == 130
    head = (evening / "my-run/candidates/head.keras").read_bytes()
    answer = run(*words, "--epochs", 1, "--json")
    assert answer.code == 0, answer.err
    assert (evening / "my-run/candidates/head.keras").read_bytes() == head
    document = AdaptDocument.read(evening / "my-run/adapt.json")
    assert [c.name for c in document.candidates] == list(CANDIDATES)
    assert document.by == "time"
    assert document.candidate(document.kept).val_cm <= document.candidate(BUNDLED).val_cm
    assert set(document.dots.values()) == {7, 1, 2}
    again = run(*words, "--epochs", 1)
    assert again.code == 0
    assert "(kept)" in again.out
    (evening / "my-run/run.json").write_text("{")
    mended = run(*words, "--epochs", 1)
    assert mended.code == 0, mended.err
    assert "run.json is damaged" in mended.err
    assert Run.open(evening / "my-run").describe().preset == "tinytracker-s2-aim"
    other = run(*words, "--epochs", 2)
    assert other.code == 1
    assert "this folder began with --epochs 1" in " ".join(other.err.split())


def stop(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("verb", ["quantize", "evaluate", "package", "emulate", "measure", "report"])
def test_the_run_is_like_any_other(evening, verb):
    more = ["--calibration-frames", "16"] if verb == "quantize" else []
    answer = run(*command(verb), *more)
    assert answer.code == 0, answer.err + answer.out
    assert ("Next: tinytracker" in answer.out) == (verb != "report")


def test_the_run_may_be_moved(evening):
    (evening / "my-run").rename(evening / "moved")
    try:
        answer = run("evaluate", "moved", "--model", "ptq-int8", "--split", "val")
    finally:
        (evening / "moved").rename(evening / "my-run")
    assert answer.code == 0, answer.err


def test_live_shows_it(evening):
    process, address = served(command("live"))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert address
    assert process.returncode == 0


def test_every_command_of_the_page_has_a_test():
    verbs = {c.split()[0] for c in COMMANDS}
    tested = {"collect", "adapt", "quantize", "evaluate", "live", "package", "emulate", "measure", "report"}
    assert verbs == tested
