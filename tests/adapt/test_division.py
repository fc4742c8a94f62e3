"""Which dots train, choose and measure: by time with one person, by people with several."""

import json

import numpy as np
import pytest
from support.gazecapture_folder import make_folder

from tinytracker.adapt.division import (
    DIVISION_FILE,
    LEAST_DOTS,
    Sat,
    claim,
    divide,
    read_sessions,
    write_division,
)
from tinytracker.data.reader import read_recording
from tinytracker.data.sitting import SITTING_FILE, SittingDocument
from tinytracker.data.source import Subject
from tinytracker.errors import InputFileError, OutputError, UsageError

FRAMES = 48


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five subjects; every two frames belong to one dot."""
    root = tmp_path_factory.mktemp("sessions") / "session"
    make_folder(root, subjects=5, frames=FRAMES, seed=8)
    return root


def sats(folder, people):
    """Subjects of the folder as sittings of these people, every two frames one dot."""
    found = []
    for number, person in enumerate(people):
        path = folder / f"{number:05d}"
        recording = read_recording(path, strict=False)
        object.__setattr__(recording, "dot_num", np.arange(len(recording)) // 2)
        found.append(Sat(Subject(path.name, path), recording, person, f"2026-01-0{number + 1}"))
    return found


def frames_of(division, split):
    return {(p.sat.subject.name, int(i)) for p in division.pieces if p.split == split for i in p.indices}


def test_one_person_is_divided_by_time_and_never_inside_a_dot(folder):
    division = divide(sats(folder, ["ann", "ann"]))
    assert (division.by, division.held_out) == ("time", ())
    assert [p.split for p in division.pieces] == ["train", "train", "val", "test"]
    dots = division.count("dots")
    assert dots["train"] == pytest.approx(0.7 * sum(dots.values()), abs=1)
    late = [p for p in division.pieces if p.split == "test"]
    assert {p.sat.subject.name for p in late} == {"00001"}
    assert min(min(p.dots) for p in late) > max(max(p.dots) for p in division.pieces if p.split == "val")
    every = [frames_of(division, split) for split in ("train", "val", "test")]
    assert sum(map(len, every)) == len(set.union(*every))
    assert sum(map(len, every)) == sum(int(s.recording.usable.sum()) for s in sats(folder, ["ann", "ann"]))


def test_a_sitting_that_is_not_finished_is_said(tmp_path, capsys):
    session = tmp_path / "desk"
    (session / ".00000.dots.partial").mkdir(parents=True)
    with pytest.raises(InputFileError, match=r"not finished: tinytracker collect --out .*desk"):
        read_sessions([session])
    make_folder(session, subjects=1, frames=2, seed=8)
    assert (session / "00000").is_dir()
    capsys.readouterr()
    read_sessions([session])
    assert "not finished" not in capsys.readouterr().err, "it was finished; only its remains were left"
    (session / ".00001.dots.partial").mkdir()
    assert [sat.subject.name for sat in read_sessions([session])] == ["00000"]
    assert "1 sitting not finished" in " ".join(capsys.readouterr().err.split())


def test_several_people_are_held_out_whole(folder):
    division = divide(sats(folder, ["ann", "ben", "cas", "dan", "eve"]))
    assert (division.by, division.held_out) == ("people", ("eve",))
    assert {p.sat.person for p in division.pieces if p.split == "train"} == {"ann", "ben", "cas", "dan"}
    # One person held out: the first half of the dots chooses, the second measures.
    assert {p.sat.person for p in division.pieces if p.split != "train"} == {"eve"}
    ten = divide(sats(folder, ["a", "b", "c", "d", "e"]) + [
        Sat(s.subject, s.recording, s.person.upper(), s.began + "x") for s in sats(folder, ["a", "b", "c", "d", "e"])
    ])  # fmt: skip
    assert len(ten.held_out) == 2
    assert {p.split: p.sat.person for p in ten.pieces if p.split != "train"} == {"val": "D", "test": "E"}


def test_too_little_is_refused_with_what_to_do(folder):
    few = sats(folder, ["ann"])
    object.__setattr__(few[0].recording, "dot_num", np.zeros(FRAMES, int))
    with pytest.raises(UsageError, match=f"1 dot is too few.*{LEAST_DOTS} are the least.*collect"):
        divide(few)


@pytest.mark.parametrize(("dots", "kept"), [(1, 0), (5, 2)])
def test_a_person_who_is_held_out_has_dots_that_choose_and_dots_that_measure(folder, dots, kept):
    found = sats(folder, ["ann", "ben", "cas", "dan", "eve"])
    object.__setattr__(found[-1].recording, "dot_num", np.arange(FRAMES) % dots)
    told = rf"eve: held out.*{kept} dots are too few to choose the best weights; 3 are the least.*or leave"
    with pytest.raises(UsageError, match=told):
        divide(found)
    object.__setattr__(found[-1].recording, "dot_num", np.arange(FRAMES) % 6)
    assert divide(found).count("dots")["val"] == 3


def test_the_pieces_are_written_once(folder, tmp_path):
    division = divide(sats(folder, ["ann", "ann"]))
    out = write_division(division, [folder], tmp_path / "run" / "source")
    again = write_division(division, [folder], out)
    names = [p.name for p in sorted(again.iterdir()) if p.is_dir()]
    assert names == ["00000", "00001", "00002", "00003"]
    split = [read_recording(again / name).dataset for name in names]
    assert split == ["train", "train", "val", "test"]
    first = read_recording(again / "00002")
    piece = division.pieces[2]
    assert len(first) == len(piece.indices)
    original = (
        piece.sat.subject.path / "frames" / piece.sat.recording.frame_names[piece.indices[0]]
    ).read_bytes()
    assert (again / "00002" / "frames" / first.frame_names[0]).read_bytes() == original


OPTIONS = {"epochs": None, "seed": 0}


def test_a_run_folder_keeps_to_what_it_began_with(folder, tmp_path):
    division = divide(sats(folder, ["ann", "ann"]))
    for _ in range(2):
        claim(division, "v2.npz", tmp_path, OPTIONS)
    with pytest.raises(OutputError, match="began with other sessions"):
        claim(divide(sats(folder, ["ann", "ben"])), "v2.npz", tmp_path, OPTIONS)
    with pytest.raises(OutputError, match="began with other weights"):
        claim(division, "s2.npz", tmp_path, OPTIONS)
    with pytest.raises(OutputError, match="began with --epochs left out, --seed 0"):
        claim(division, "v2.npz", tmp_path, {"epochs": 3, "seed": 1})
    # A folder of a version that did not write the options down is continued.
    written = json.loads((tmp_path / DIVISION_FILE).read_text())
    del written["options"]
    (tmp_path / DIVISION_FILE).write_text(json.dumps(written))
    claim(division, "v2.npz", tmp_path, {"epochs": 3, "seed": 1})


def test_a_folder_of_something_else_is_not_written_to(folder, tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(OutputError, match="not empty and is not a run of tinytracker adapt"):
        claim(divide(sats(folder, ["ann", "ben"])), "v2.npz", tmp_path, OPTIONS)
    assert [found.name for found in tmp_path.iterdir()] == ["holiday.jpg"]


def test_a_sitting_says_whose_it_is_and_when(folder, tmp_path):
    for number, (person, began) in enumerate((("ben", "2026-02-02"), ("ann", "2026-02-01"))):
        document = SittingDocument(person=person, began=began, screen_cm=(-1, -2, 1, 0), points=(100, 200))
        document.write(folder / f"{number:05d}" / SITTING_FILE)
    found = read_sessions([folder])
    assert [s.person for s in found if s.began] == ["ann", "ben"]
    assert len({s.person for s in found}) == 5
    (folder / "00000" / SITTING_FILE).write_text("{}")
    with pytest.raises(InputFileError, match="description of a sitting"):
        read_sessions([folder])
    for number in (0, 1):
        (folder / f"{number:05d}" / SITTING_FILE).unlink()


def test_people_of_several_sessions_are_held_out_whole(tmp_path):
    # Two people share a folder, one of them sat twice, on another day in another folder.
    who = {"a": ["ann", "ben"], "b": ["cas"], "c": ["ann", "dan"]}
    for day, (name, people) in enumerate(who.items()):
        make_folder(tmp_path / name, subjects=len(people), frames=FRAMES, seed=day)
        for number, person in enumerate(people):
            began = f"2026-01-0{day + 1}T1{number}:00:00+00:00"
            document = SittingDocument(
                person=person, began=began, screen_cm=(-1, -2, 1, 0), points=(100, 200)
            )
            document.write(tmp_path / name / f"{number:05d}" / SITTING_FILE)
    folders = [tmp_path / name for name in who]
    found = read_sessions(folders)
    for sat in found:
        object.__setattr__(sat.recording, "dot_num", np.arange(len(sat.recording)) // 2)
    assert [s.person for s in found] == ["ann", "ben", "cas", "ann", "dan"]
    division = divide(found)
    assert (division.by, division.people, division.held_out) == (
        "people",
        ("ann", "ben", "cas", "dan"),
        ("dan",),
    )
    splits = {
        person: {p.split for p in division.pieces if p.sat.person == person} for person in division.people
    }
    assert splits == {"ann": {"train"}, "ben": {"train"}, "cas": {"train"}, "dan": {"val", "test"}}
    out = write_division(division, folders, tmp_path / "run" / "source")
    written = [read_recording(out / f"{n:05d}") for n in range(len(division.pieces))]
    assert [len(r) for r in written] == [len(p.indices) for p in division.pieces]
    # The order in which folders are named decides nothing.
    again = read_sessions(folders[::-1])
    assert [s.subject.path for s in again] == [s.subject.path for s in found]


def test_a_session_is_not_taken_twice(folder):
    with pytest.raises(UsageError, match="is given twice"):
        read_sessions([folder, folder / ".." / folder.name])
