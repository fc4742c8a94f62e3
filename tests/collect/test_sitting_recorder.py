"""A sitting without a browser: which frames are kept, what is said, and that nothing is lost."""

import io
import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.cli import run
from support.collect_desk import POINTS, SCREEN, SEED, black, drawn, sitting_head
from support.webcam_person import i420

from tinytracker.adapt.division import CHOOSING, TRAINED
from tinytracker.cli.collect import _output
from tinytracker.collect.device import device_of
from tinytracker.collect.eyes import Watcher
from tinytracker.collect.film import ShownDot, film_frames, read_dots, record_film, require_new
from tinytracker.collect.journal import journals
from tinytracker.collect.judging import ATTENTION_DOTS, Attention, LeftOut
from tinytracker.collect.plan import LIGHT, POSTURES, planned_dot, posture
from tinytracker.collect.recorder import SPARE_BYTES, Sitting
from tinytracker.collect.remarks import AWAY_LETTERS, SENTENCES
from tinytracker.collect.removal import remove_all, remove_person, remove_sitting
from tinytracker.collect.subject import write_report
from tinytracker.collect.told import as_plan
from tinytracker.data.crops import eye_band, eye_in_frame
from tinytracker.data.devices import add_device, find_device
from tinytracker.data.labels import check_labels
from tinytracker.data.reader import read_recording
from tinytracker.data.sitting import adopt_devices, read_sitting
from tinytracker.errors import InputFileError, OutputError, SubjectError, UsageError
from tinytracker.live.screen import own_screen
from tinytracker.live.webcam_source import open_finder, open_network
from tinytracker.locks import locked

DOTS, PER_DOT = 4, 3


@pytest.fixture(scope="module")
def pictures():
    """Frames of a person at each dot."""
    return drawn(4, SEED, DOTS, PER_DOT)


@pytest.fixture(scope="module")
def shut():
    """A frame of the same person with shut eyes."""
    return drawn(4, SEED, 1, 1, blinks=1.0)[0][0]


@pytest.fixture(scope="module")
def networks():
    return open_network(), open_finder()


@pytest.fixture
def watcher(networks):
    """One that has seen nobody yet: what it follows must not depend on the test before."""
    return Watcher(*networks)


@pytest.fixture
def session(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYTRACKER_DEVICES", str(tmp_path / "devices.toml"))
    return tmp_path / "session"


def begin(session, watcher, person="ann", **more):
    return Sitting.begin(session, sitting_head(person), watcher, **more)


def show(sitting, frames, at_s=0.0, first_s=0.7, step_s=0.2, typed=None, **more):
    """One dot, with frames from `first_s` on."""
    letter = sitting.next_dot().letter
    sitting.show(at_s)
    for k, frame in enumerate(frames):
        sitting.take(frame, at_s + first_s + k * step_s)
    return sitting.end_dot(letter if typed is None else typed, **more)


def test_each_frame_is_kept_or_left_out_with_a_reason(session, watcher, pictures, shut):
    sitting = begin(session, watcher)
    one = pictures[0]
    outcome = show(sitting, [*one, shut, black(), one[0]], first_s=0.3, step_s=0.2)
    # 0.3 and 0.5 s: the eyes are not there yet.
    assert outcome.is_kept
    assert outcome.left_out == {"before the eyes arrived": 2, "eyes shut": 1, "too dark": 1}
    assert outcome.frames == 2


def test_a_wrong_letter_or_none_shows_the_same_place_again(session, watcher, pictures):
    sitting = begin(session, watcher)
    before = sitting.next_dot()
    wrong = "R" if before.letter == "L" else "L"
    outcomes = [show(sitting, pictures[0], typed=typed) for typed in (wrong, "", "")]
    assert [o.is_kept for o in outcomes] == [False] * 3
    assert outcomes[0].left_out == {LeftOut.WRONG_LETTER.value: PER_DOT}
    assert outcomes[1].left_out == {LeftOut.NO_LETTER.value: PER_DOT}
    assert outcomes[2].said == (SENTENCES["letters"],)
    again = sitting.next_dot()
    assert (again.across, again.down) == (before.across, before.down)
    assert {planned_dot(SEED, 0, k).letter for k in range(20)} == {"L", "R"}


def test_a_person_who_has_gone_is_waited_for(session, watcher, pictures):
    sitting = begin(session, watcher)
    # Without a frame nobody knows whether a camera or a board is slow.
    outcomes = [show(sitting, [], at_s=3.0 * k, typed="", rate=4.0) for k in range(2 * AWAY_LETTERS)]
    away = [k for k, outcome in enumerate(outcomes, 1) if outcome.waits]
    assert away == [AWAY_LETTERS, 2 * AWAY_LETTERS]
    assert [outcomes[k - 1].said for k in away] == [(SENTENCES["away"],)] * 2
    told = [k for k, outcome in enumerate(outcomes, 1) if outcome.said == (SENTENCES["letters"],)]
    assert told == [3, 6, 12, 15]
    assert not show(sitting, pictures[0], at_s=100.0).waits
    assert sitting.kept == 1


def test_a_crash_loses_nothing_and_the_subject_is_valid(session, watcher, pictures):
    sitting = begin(session, watcher)
    for k in range(2):
        assert show(sitting, pictures[k], at_s=3.0 * k).is_kept
    # Killed while the third dot was being written.
    (journal,) = journals(session)
    (journal.path / ".0002.partial").mkdir()
    (journal.path / "events.jsonl").write_bytes(b'{"at_s": 1.0, "kind": "dark", "text": "x"}\n{"at_s"')
    again = Sitting.resume(journals(session)[0], watcher)
    assert (again.kept, again.frames, again.attempts) == (2, 2 * PER_DOT, 2)
    for k in range(2, DOTS):
        assert show(again, pictures[k], at_s=again.last_s + 1).is_kept
    subject = again.finish()
    assert journals(session) == []
    recording, document = read_recording(subject), read_sitting(subject)
    assert len(recording) == DOTS * PER_DOT == len(document.frames)
    assert check_labels(recording).error_cm.max() < 0.01
    assert np.diff([f.captured_s for f in document.frames]).min() > 0
    assert [e.kind for e in document.events] == ["dark"]
    assert (subject / "frames" / "00000.jpg").read_bytes() == pictures[0][0]
    face = recording.face.corners()
    left, right = (eye_in_frame(face, e.corners()) for e in (recording.left_eye, recording.right_eye))
    band = eye_band(left, right, face, 0.75, 3.0)
    sight = Watcher(open_network(), open_finder()).look(
        np.asarray(Image.open(io.BytesIO(pictures[0][0])).convert("RGB"))
    )
    x, y, width = sight.strip
    assert band[0] == pytest.approx([x - width / 2, y - width / 6, width, width / 3], abs=0.05 * width)


def test_a_finished_sitting_whose_journal_is_still_there_is_not_there_twice(session, watcher, pictures):
    sitting = begin(session, watcher)
    show(sitting, pictures[0])
    folder = sitting.journal.path
    kept = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    sitting.finish()
    for path, content in kept.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    assert journals(session) == []
    assert len(write_report(session)["sittings"]) == 1


def test_a_full_disk_is_said_and_what_was_recorded_stays(session, watcher, pictures):
    room = {"bytes": SPARE_BYTES * 2}
    with pytest.raises(OutputError, match="nearly full"):
        begin(session, watcher, free=lambda _: SPARE_BYTES - 1)
    sitting = begin(session, watcher, free=lambda _: room["bytes"])
    assert show(sitting, pictures[0]).is_kept
    room["bytes"] = 3_000_000
    with pytest.raises(OutputError, match="3 MB are free"):
        show(sitting, pictures[1], at_s=3.0)
    assert (sitting.kept, sitting.attempts) == (1, 1)
    room["bytes"] = SPARE_BYTES * 2
    assert show(sitting, pictures[1], at_s=6.0).is_kept
    sitting.finish()
    (row,) = json.loads((session / "report.json").read_text())["sittings"]
    assert [event["kind"] for event in row["events"]] == ["disk"]


def test_a_slow_camera_darkness_and_an_empty_chair_are_said_and_reported(session, watcher, pictures):
    sitting = begin(session, watcher)
    assert "5 pictures per second" in show(sitting, pictures[0], rate=5.0).said[0]
    assert show(sitting, pictures[0], at_s=3, rate=5.0).said == ()  # said once
    assert show(sitting, [black()] * 3, at_s=6).said == (SENTENCES["dark"],)
    grey = io.BytesIO()
    Image.new("RGB", (640, 480), (120, 120, 120)).save(grey, "JPEG")
    assert show(sitting, [grey.getvalue()] * 3, at_s=9).said == (SENTENCES["no-eyes"],)
    changed = show(sitting, pictures[0], at_s=12, typed="", changed=True)
    assert changed.left_out[LeftOut.SCREEN.value] > 0
    sitting.finish()
    (row,) = json.loads((session / "report.json").read_text())["sittings"]
    assert [event["kind"] for event in row["events"]] == ["camera-slow", "dark", "no-eyes", "screen"]
    assert row["rate"] == 5.0


def test_who_does_not_look_at_the_dots_is_told(session, watcher, pictures):
    sitting = begin(session, watcher)
    said = [show(sitting, pictures[0][:2], at_s=3.0 * k).said for k in range(ATTENTION_DOTS)]
    assert said[-1] == (SENTENCES["not-looking"],)
    assert not any(said[:-1])


@pytest.mark.parametrize(("per_cm", "follows"), [(0.6, True), (0.02, False), (0.0, False)])
def test_a_gaze_that_goes_a_little_way_with_the_dots_does_not_follow_them(per_cm, follows):
    attention = Attention()
    for k in range(ATTENTION_DOTS):
        assert attention.follows() is None
        across = 20.0 * (k % 3) - 20
        attention.add((across, -10.0), (per_cm * across + 0.1 * (k % 2), -12.0))
    assert attention.follows() is follows


def test_deleting_takes_what_was_recorded_and_nothing_else(session, watcher, pictures):
    for person in ("ann", "ben", "ann"):
        sitting = begin(session, watcher, person)
        show(sitting, pictures[0])
        sitting.finish()
    show(begin(session, watcher, "cas"), pictures[0])
    (session / "notes.txt").write_text("mine")
    assert remove_sitting(session, "00001") == 1
    assert json.loads((session / "report.json").read_text())["people"] == ["ann", "cas"]
    assert remove_person(session, "ann") == 2
    assert [p.name for p in session.iterdir() if p.is_dir()] == [".00003.dots.partial"]
    with pytest.raises(UsageError, match="no sitting '00000'"):
        remove_sitting(session, "00000")
    assert remove_all(session) == 1
    assert [p.name for p in session.iterdir()] == ["notes.txt"]


def test_a_picture_that_is_none_is_refused(session, watcher):
    sitting = begin(session, watcher)
    with pytest.raises(UsageError, match="not a picture"):
        sitting.take(b"\xff\xd8 nothing", 0.0)


def test_a_screen_is_a_device_from_its_measures(session):
    device = device_of(SCREEN, POINTS)
    assert find_device(device.name) == device == device_of(SCREEN, POINTS)
    x, y = device.to_camera_cm(POINTS[0] / 2, 0, *POINTS, 1)
    assert (x, y) == pytest.approx(SCREEN.at(0.5, 0.0), abs=0.01)
    device_of(SCREEN, POINTS, "Desk")
    with pytest.raises(UsageError, match="'Desk' is described as a screen of 360 x"):
        device_of(own_screen(30, 30 * POINTS[1] / POINTS[0]), POINTS, "desk")


def test_a_session_brings_its_screen_to_another_computer(session, watcher, pictures, tmp_path, monkeypatch):
    sitting = begin(session, watcher)
    assert show(sitting, pictures[0]).is_kept
    subject = sitting.finish()
    name = read_sitting(subject).device["name"]
    monkeypatch.setenv("TINYTRACKER_DEVICES", str(tmp_path / "other.toml"))
    with pytest.raises(SubjectError, match="Unknown device"):
        read_recording(subject)
    assert adopt_devices(session) == [name]
    assert len(read_recording(subject)) == PER_DOT
    assert find_device(name).width_mm == pytest.approx(360)
    assert adopt_devices(session) == []
    # What this computer knows already stays as it is.
    add_device(replace(find_device(name), camera_dy_mm=77.0), replace=True)
    assert adopt_devices(session) == []
    assert find_device(name).camera_dy_mm == 77.0


def test_all_postures_come_in_two_rounds_and_again_after_the_last_dot():
    last = len(POSTURES) - 1
    assert [posture(k, 230) for k in (0, 14, 15, 115, 229, 230)] == [0, 0, 1, 0, last, 0]
    assert [posture(k, 3) for k in range(3)] == [0] * 3  # too short for a second sentence


@pytest.mark.parametrize(
    ("wanted", "share"), [(60, 1.0), (96, 1.0), (96, 0.6), (230, 1.0), (230, 0.6), (460, 1.0), (460, 0.6)]
)
def test_every_part_of_a_recording_has_several_postures(wanted, share):
    # A share of 0.6: the person finished early.
    dots = round(share * wanted)
    ends = [0, *(round(end * dots) for end in (TRAINED, TRAINED + CHOOSING, 1))]
    train, val, test = (
        {posture(k, wanted) for k in range(start, end)} for start, end in itertools.pairwise(ends)
    )
    assert len(train) > len(POSTURES) // 2
    assert POSTURES.index(LIGHT) in train
    assert len(val) > 1
    assert len(test) > 1
    assert val != test
    if share == 1.0 and wanted >= 96:  # then both rounds are complete
        assert len(train) == len(POSTURES)


def test_a_change_of_light_gets_more_time(session, watcher):
    sitting = begin(session, watcher)
    assert as_plan(sitting, 230)["patience"] == 1
    sitting.kept = 20
    plan = as_plan(sitting, 230)
    assert (plan["posture"], plan["patience"]) == (LIGHT, 3)


def filmed(pictures):
    places = [SCREEN.at(p.across, p.down) for p in (planned_dot(SEED, k, k) for k in range(DOTS))]
    dots = [ShownDot(2.0 * k, 2.0 * k + 1.7, *place) for k, place in enumerate(places)]
    return dots, [(2.0 * k + 0.7 + 0.3 * j, pictures[k][j]) for k in range(DOTS) for j in range(PER_DOT)]


def test_a_film_that_is_recorded_again_after_a_crash_gives_the_same_subject(session, watcher, pictures):
    dots, frames = filmed(pictures)
    sitting = begin(session, watcher)
    record_film(sitting, dots[:2], frames)
    again = Sitting.resume(journals(session)[0], watcher)
    record_film(again, dots, frames)
    recording = read_recording(again.finish())
    assert len(recording) == DOTS * PER_DOT
    assert recording.x_cam == pytest.approx(np.repeat([d.x_cm for d in dots], PER_DOT), abs=1e-6)


def test_the_command_records_a_folder_of_frames(session, pictures, tmp_path):
    dots, frames = filmed(pictures)
    film, shown = tmp_path / "film", tmp_path / "shown.csv"
    film.mkdir()
    for k, (_, jpeg) in enumerate(frames):
        (film / f"{k}.jpg").write_bytes(jpeg)
    times = "".join(f"{k}.jpg,{t}\n" for k, (t, _) in enumerate(frames))
    (film / "times.csv").write_text("file,time_s\n" + times)
    rows = "".join(f"{d.start_s},{d.end_s},{d.x_cm},{d.y_cm}\n" for d in dots)
    shown.write_text("start_s,end_s,x_cm,y_cm\n" + rows)
    more = (
        "--film",
        film,
        "--shown",
        shown,
        "--person",
        "ann",
        "--screen",
        "36x20.25",
        "--gap",
        1.2,
        "--across",
        1,
    )
    refused = run("collect", "--source", "video", "--out", session, *more)
    assert refused.code == 2
    assert "consent" in refused.err
    answer = run("collect", "--source", "video", "--out", session, *more, "--consent", "--json")
    assert answer.code == 0, answer.err
    assert answer.document["frames"] == DOTS * PER_DOT
    assert len(read_recording(session / "00000")) == DOTS * PER_DOT


def test_the_last_sentence_is_the_next_command_or_that_more_dots_are_needed():
    def last(*dots, finished=True):
        rows = [{"dots": n, "finished": finished, "events": []} for n in dots]
        report = {"frames": 3 * sum(dots), "people": ["ann"], "sittings": rows, "left_out": {}}
        return _output(Path("my desk"), report).text[-1]

    assert last(1) == "1 dot so far; `adapt` needs 20. Record more into the same folder."
    assert last(10, 9).startswith("19 dots so far")
    assert last(10, 10) == "Next: tinytracker adapt 'my desk' --from tinytracker-v2-aim --out my-run"
    assert last(30, finished=False) == "my desk: 90 frames of ann in 1 sitting."


def test_a_y4m_film_is_read(tmp_path, pictures):
    path = tmp_path / "film.y4m"
    body = b"".join(b"FRAME\n" + i420(frame) for frame in pictures[0][:2])
    path.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n" + body + b"FRAME\ncut off")
    (first, jpeg), (second, _) = film_frames(path)
    assert (first, second) == (0.0, 0.1)
    there, here = (np.asarray(Image.open(io.BytesIO(b)), float) for b in (pictures[0][0], jpeg))
    assert np.abs(there - here).mean() < 4


def test_tables_that_cannot_be_used_are_refused(tmp_path):
    path = tmp_path / "dots.csv"
    path.write_text("start_s,end_s,x_cm,y_cm\n0,2,1,1\n1,3,1,1\n")
    with pytest.raises(InputFileError, match="begins before"):
        read_dots(path)
    path.write_text("start_s,end_s,x_cm\n0,2,1\n")
    with pytest.raises(InputFileError, match="y_cm is missing"):
        read_dots(path)
    path.write_text("start_s,end_s,x_cm,y_cm\n0,2,one,1\n")
    with pytest.raises(InputFileError, match="line 2: x_cm is 'one'"):
        read_dots(path)
    path.write_text("start_s,end_s,x_cm,y_cm\n2,1,1,1\n")
    with pytest.raises(InputFileError, match="line 2: the dot ends at 1 s, not after"):
        read_dots(path)
    assert "--film" in run("collect", "--source", "video", "--out", tmp_path / "s").err


def test_a_film_that_cannot_be_used_leaves_nothing_behind(tmp_path, session):
    shown, film = tmp_path / "dots.csv", tmp_path / "film"
    shown.write_text("start_s,end_s,x_cm,y_cm\n0,2,1,-1\n")
    film.mkdir()

    def refusal(*more: object, path=film) -> str:
        words = ("--source", "video", "--film", path, "--shown", shown, "--out", session, *more)
        answer = run("collect", *words)
        assert answer.code != 0
        assert [path.name for path in session.glob("*") if path.is_dir()] == []
        return " ".join(answer.err.split())

    ann = ("--person", "ann", "--consent")
    assert "Nothing is recorded without consent" in refusal("--person", "ann")
    assert "label of the person is empty" in refusal("--person", " ", "--consent")
    assert "0.84 times as wide as high" in refusal(*ann, "--screen", "30x20", "--points", "1280x720")
    assert "there is no such film" in refusal(*ann, path=tmp_path / "none.mp4")
    assert "times.csv: there is no such file" in refusal(*ann)


def test_a_second_program_does_not_record_into_the_same_folder(tmp_path, session):
    shown, film = tmp_path / "dots.csv", tmp_path / "film"
    shown.write_text("start_s,end_s,x_cm,y_cm\n0,2,1,-1\n")
    film.mkdir()
    words = ("--source", "video", "--film", film, "--shown", shown, "--person", "ann", "--consent")
    with locked(session, "collect"):
        answer = run("collect", *words, "--out", session)
        assert answer.code == 1
        said = " ".join(answer.err.split())
        assert "another command is writing here (tinytracker collect, process" in said
        assert "choose another folder" in said
        assert [path.name for path in session.iterdir()] == [".lock"]


def test_a_damaged_frame_of_a_film_is_named_by_its_time(session, watcher):
    sitting = begin(session, watcher)
    with pytest.raises(UsageError, match=r"frame at 0\.7 s is damaged"):
        record_film(sitting, [ShownDot(0, 2, 1, -1)], [(0.7, b"cut off")])


def test_a_film_is_not_recorded_twice(session, watcher, pictures):
    dots, frames = filmed(pictures)
    sitting = begin(session, watcher)
    record_film(sitting, dots, frames)
    source, person = sitting.head.source, sitting.head.person
    require_new(session, source, person, dots)
    folder = sitting.finish()
    with pytest.raises(UsageError, match=f"{folder.name} is a recording of this film already"):
        require_new(session, source, person, dots)
    require_new(session, source, "ben", dots)
    later = [ShownDot(dot.start_s + 100, dot.end_s + 100, dot.x_cm, dot.y_cm) for dot in dots]
    require_new(session, source, person, later)
