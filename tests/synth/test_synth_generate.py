"""The generator as a user meets it: reproducible, continuable, and clear about what it refuses."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinytracker.data.gazecapture import people_of
from tinytracker.errors import InputFileError, OutputError, TinyTrackerError, UnknownNameError, UsageError
from tinytracker.synth.attributes import tone_name, typology_angle
from tinytracker.synth.generation import PARAMETERS_FILE, generate
from tinytracker.synth.light import KINDS
from tinytracker.synth.looks import EYE_SHAPES
from tinytracker.synth.people import SKIN_TONES
from tinytracker.synth.subject import split_of

SMALL = (96, 128)


def digest(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("synth") / "set"
    report = generate(out, subjects=3, frames=4, seed=5, jobs=1, size=SMALL)
    assert (report.made, report.kept, report.frames) == (3, 0, 12)
    assert report.splits == {"train": 1, "val": 1, "test": 1}
    return out


def test_files_and_pictures_are_those_of_gazecapture(made: Path):
    names = {p.name for p in (made / "00001").iterdir()}
    assert names == {
        "frames",
        "appleFace.json",
        "appleLeftEye.json",
        "appleRightEye.json",
        "eyes.json",
        "faceGrid.json",
        "dotInfo.json",
        "frames.json",
        "info.json",
        "motion.json",
        "screen.json",
    }
    for subject in ("00000", "00001", "00002"):
        orientation = json.loads((made / subject / "screen.json").read_text())["Orientation"]
        for name, held in zip(
            json.loads((made / subject / "frames.json").read_text()), orientation, strict=True
        ):
            with Image.open(made / subject / "frames" / name) as picture:
                assert picture.size == (SMALL if held < 3 else SMALL[::-1])
                assert np.asarray(picture).std() > 5
    motion = json.loads((made / "00000" / "motion.json").read_text())
    gravity = np.array([sample["Gravity"] for sample in motion])
    assert np.allclose(np.linalg.norm(gravity, axis=1), 1)
    for sample in motion:
        matrix = np.array(sample["AttitudeRotationMatrix"]).reshape(3, 3)
        assert np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-9)
        assert np.allclose(matrix[2], -np.array(sample["Gravity"]), atol=1e-9)
        assert np.isclose(np.linalg.norm(sample["AttitudeQuaternion"]), 1)


def test_bytes_do_not_depend_on_jobs(made: Path, tmp_path: Path):
    generate(tmp_path / "again", subjects=3, frames=4, seed=5, jobs=2, size=SMALL)
    assert digest(tmp_path / "again") == digest(made)


def test_a_subject_can_be_made_alone_and_the_seed_matters(made: Path, tmp_path: Path):
    generate(tmp_path / "alone", subjects=1, frames=4, seed=5, jobs=1, size=SMALL, first=2)
    assert digest(tmp_path / "alone" / "00002") == digest(made / "00002")
    generate(tmp_path / "other", subjects=1, frames=4, seed=6, jobs=1, size=SMALL, first=2)
    assert digest(tmp_path / "other" / "00002") != digest(made / "00002")


def test_a_second_run_keeps_what_is_finished_and_repairs_the_rest(made: Path, tmp_path: Path):
    out = tmp_path / "set"
    generate(out, subjects=2, frames=4, seed=5, jobs=1, size=SMALL)
    stamp = (out / "00000" / "info.json").stat().st_mtime_ns
    # What a killed run leaves: a hidden half of the next subject.
    (out / ".00002.partial" / "frames").mkdir(parents=True)
    (out / ".00002.partial" / "frames" / "00000.jpg").write_bytes(b"half")
    report = generate(out, subjects=3, frames=4, seed=5, jobs=1, size=SMALL)
    assert (report.made, report.kept) == (1, 2)
    assert (out / "00000" / "info.json").stat().st_mtime_ns == stamp
    assert digest(out) == digest(made)


def test_an_interrupted_subject_does_not_look_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import tinytracker.synth.render as render

    calls = 0

    def interrupted(picture: object, quality: int) -> bytes:
        nonlocal calls
        calls += 1
        if calls == 6:
            raise KeyboardInterrupt
        return b"jpeg"

    monkeypatch.setattr(render, "encode_jpeg", interrupted)
    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path / "set", subjects=2, frames=4, jobs=1, size=SMALL)
    assert sorted(p.name for p in (tmp_path / "set").iterdir()) == ["00000", PARAMETERS_FILE]


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"subjects": 0}, "subjects is 0"),
        ({"subjects": -3}, "subjects is -3"),
        ({"frames": -1}, "frames is -1"),
        ({"seed": -1}, "seed is -1"),
        ({"jobs": 0}, "jobs is 0"),
        ({"first": -1}, "first is -1"),
        ({"size": (640, 480)}, "480x640"),
        ({"size": (2, 3)}, "width is 2"),
        ({"difficulty": float("nan")}, "difficulty is nan"),
        ({"devices": []}, "empty"),
    ],
)
def test_impossible_numbers_are_refused_before_anything_is_written(tmp_path: Path, changed: dict, text: str):
    with pytest.raises(UsageError, match=text):
        generate(**({"out": tmp_path / "set", "subjects": 1, "frames": 1} | changed))
    assert not (tmp_path / "set").exists()


def test_an_unknown_device_is_refused_with_the_near_one(tmp_path: Path):
    with pytest.raises(UnknownNameError, match="iPhone 5s"):
        generate(tmp_path / "set", 1, 1, devices=["iphone5s"])


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path):
    (tmp_path / "photo.jpg").write_bytes(b"mine")
    with pytest.raises(OutputError, match="not a synthetic data set"):
        generate(tmp_path, 1, 1)
    assert [p.name for p in tmp_path.iterdir()] == ["photo.jpg"]


def test_the_record_tells_who_each_subject_is(made: Path, tmp_path: Path):
    people = people_of(made)
    assert list(people) == ["00000", "00001", "00002"]
    assert people_of(made / "00001") == people
    assert {p["light"] for p in people.values()} <= set(KINDS)
    for person in people.values():
        assert 20 <= person["age"] <= 75
        assert 20 <= person["distance_cm"] <= 62
        assert person["eye_shape"] in EYE_SHAPES
    # Two calls that share a folder, and one whose record lost the people, end with the same record.
    out = tmp_path / "set"
    generate(out, subjects=1, frames=4, seed=5, jobs=1, size=SMALL, first=2)
    assert list(people_of(out)) == ["00002"]
    generate(out, subjects=2, frames=4, seed=5, jobs=1, size=SMALL)
    assert people_of(out) == people
    record = json.loads((out / PARAMETERS_FILE).read_text())
    (out / PARAMETERS_FILE).write_text(json.dumps({k: v for k, v in record.items() if k != "people"}))
    assert generate(out, subjects=3, frames=4, seed=5, jobs=1, size=SMALL).made == 0
    assert digest(out) == digest(made)


def test_typology_angles_follow_the_skin_tones():
    angles = [typology_angle(tone) for tone in SKIN_TONES]
    assert (np.diff(angles) < 0).all()
    # White and mid grey have no yellow: straight up, and at the horizon.
    assert np.isclose(abs(typology_angle(np.full(3, 0.9))), 90, atol=1)
    names = [tone_name(angle) for angle in angles]
    assert names[0] in ("very light", "light")
    assert names[-1] == "dark"


def test_other_parameters_do_not_mix_into_a_data_set(made: Path):
    before = digest(made)
    with pytest.raises(OutputError, match="seed is 5, not 6"):
        generate(made, subjects=3, frames=4, seed=6, size=SMALL)
    assert digest(made) == before


def test_a_broken_record_is_reported(tmp_path: Path):
    (tmp_path / PARAMETERS_FILE).write_text("{")
    with pytest.raises(InputFileError, match=PARAMETERS_FILE):
        generate(tmp_path, 1, 1)


def test_a_file_in_the_way_is_reported(tmp_path: Path):
    (tmp_path / "set").write_text("")
    with pytest.raises(OutputError, match="in the way"):
        generate(tmp_path / "set", 1, 1)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_write_that_fails_ends_in_one_clear_error(tmp_path: Path, jobs: int):
    out = tmp_path / "set"
    generate(out, 1, 1, jobs=1, size=SMALL)
    # A file where the hidden folder of a subject must go fails like a full disk does, also for root.
    for name in (".00001.partial", ".00002.partial"):
        (out / name).write_text("in the way")
    with pytest.raises(TinyTrackerError, match=r"0000[12]"):
        generate(out, 3, 1, jobs=jobs, size=SMALL)
    assert not (out / "00001").exists()


@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder_is_reported(tmp_path: Path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="permission"):
            generate(tmp_path / "set", 1, 1)
    finally:
        tmp_path.chmod(0o700)


def test_splits_have_the_documented_shares_and_start_with_one_of_each():
    names = [split_of(i) for i in range(1000)]
    assert {names.count(s) / 1000 for s in ("train",)} == {0.80}
    assert names.count("val") == 80
    assert names.count("test") == 120
    assert set(names[:3]) == {"train", "val", "test"}
