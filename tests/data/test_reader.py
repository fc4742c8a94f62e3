"""The reader against hand-made damage, the writer against the reader, archives against folders."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from support.gazecapture_folder import make_recording, noise_jpegs

from tinytracker.data.gazecapture import Boxes, Recording, write_recording
from tinytracker.data.reader import finite_frames, read_recording
from tinytracker.data.reasons import Reason
from tinytracker.data.source import Subject
from tinytracker.data.survey import as_subject, iter_subjects
from tinytracker.errors import InputFileError, OutputError, SubjectError


@pytest.fixture
def recording() -> Recording:
    return make_recording("00042", frames=3)


@pytest.fixture
def folder(tmp_path: Path, recording: Recording) -> Path:
    return write_recording(tmp_path / "src", recording, noise_jpegs(recording))


def assert_same(a: Recording, b: Recording) -> None:
    for field in dataclasses.fields(Recording):
        left, right = getattr(a, field.name), getattr(b, field.name)
        if isinstance(left, Boxes):
            np.testing.assert_array_equal(left.valid, right.valid)
            np.testing.assert_array_equal(left.corners(), right.corners())
        elif isinstance(left, np.ndarray):
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)
        else:
            assert left == right, field.name


def pack(folder: Path, archive: Path, prefix: str = "00042") -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname=prefix)
    return archive


def edit(folder: Path, file: str, **changes: object) -> None:
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def reason_of(folder: Path) -> Reason:
    with pytest.raises(SubjectError) as caught:
        read_recording(folder)
    assert str(folder) in str(caught.value)
    return Reason(caught.value.reason)


def test_written_recording_reads_back_the_same(folder: Path, recording: Recording) -> None:
    assert_same(read_recording(folder), recording)


def test_the_folder_holds_the_real_file_set(folder: Path) -> None:
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    assert files == [
        "appleFace.json", "appleLeftEye.json", "appleRightEye.json", "dotInfo.json", "faceGrid.json",
        "frames.json", "frames/00000.jpg", "frames/00001.jpg", "frames/00002.jpg",
        "info.json", "motion.json", "screen.json",
    ]  # fmt: skip
    info = json.loads((folder / "info.json").read_text())
    assert info == {
        "TotalFrames": 3,
        "NumFaceDetections": 3,
        "NumEyeDetections": 3,
        "Dataset": "train",
        "DeviceName": "iPhone 6",
    }


@pytest.mark.parametrize("prefix", ["00042", "./00042", "."])
def test_archive_equals_folder(folder: Path, tmp_path: Path, prefix: str) -> None:
    packed = as_subject(pack(folder, tmp_path / "00042.tar.gz", prefix))
    assert packed.packed
    assert packed.name == "00042"
    assert_same(read_recording(packed), read_recording(folder))
    names = ("00000.jpg", "00002.jpg", "00009.jpg")
    frames = dict(packed.frames(names))
    assert frames == dict(as_subject(folder).frames(names))
    assert sorted(frames) == ["00000.jpg", "00002.jpg"]


@pytest.mark.parametrize("keep", [0.2, 0.6, 0.999])
def test_truncated_archive_is_refused(folder: Path, tmp_path: Path, keep: float) -> None:
    archive = pack(folder, tmp_path / "00042.tar.gz")
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * keep)])
    assert reason_of(archive) is Reason.BAD_ARCHIVE


def test_archive_with_a_flipped_checksum_is_refused(folder: Path, tmp_path: Path) -> None:
    archive = pack(folder, tmp_path / "00042.tar.gz")
    content = bytearray(archive.read_bytes())
    content[-8] ^= 1
    archive.write_bytes(content)
    assert reason_of(archive) is Reason.BAD_ARCHIVE


@pytest.mark.parametrize("name", ["../evil.json", "/etc/evil.json", "00042/../../evil.json"])
def test_archive_members_that_point_outside_are_refused(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "00042.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = 2
        tar.addfile(member, io.BytesIO(b"{}"))
    assert reason_of(archive) is Reason.UNSAFE_ARCHIVE
    assert not (tmp_path.parent / "evil.json").exists()


def test_archive_with_a_link_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "00042.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("00042/info.json")
        member.type = tarfile.SYMTYPE
        member.linkname = "/etc/passwd"
        tar.addfile(member)
    assert reason_of(archive) is Reason.UNSAFE_ARCHIVE


@pytest.mark.parametrize(
    "file",
    ["appleFace.json", "appleLeftEye.json", "appleRightEye.json", "dotInfo.json", "faceGrid.json",
     "frames.json", "info.json", "motion.json", "screen.json"],
)  # fmt: skip
def test_each_missing_or_broken_file_is_named(folder: Path, file: str) -> None:
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(SubjectError, match=file) as caught:
        read_recording(folder)
    assert caught.value.reason == Reason.BAD_JSON
    (folder / file).unlink()
    with pytest.raises(SubjectError, match=file) as caught:
        read_recording(folder)
    assert caught.value.reason == Reason.MISSING_FILE


@pytest.mark.parametrize(
    ("file", "changes", "reason"),
    [
        ("appleFace.json", {"X": [1.0, 2.0]}, Reason.LENGTH),
        ("faceGrid.json", {key: [1, 1] for key in ("X", "Y", "W", "H", "IsValid")}, Reason.LENGTH),
        ("dotInfo.json", {"XCam": [1.0]}, Reason.LENGTH),
        ("screen.json", {"Orientation": [1, 1, 1, 1]}, Reason.LENGTH),
        ("dotInfo.json", {"XCam": [1.0, float("nan"), 1.0]}, Reason.NOT_FINITE),
        ("dotInfo.json", {"YCam": [1.0, None, 1.0]}, Reason.NOT_FINITE),
        ("appleLeftEye.json", {"W": [1.0, float("inf"), 1.0]}, Reason.NOT_FINITE),
        ("dotInfo.json", {"DotNum": [0, None, 0]}, Reason.NOT_FINITE),
        ("dotInfo.json", {"XPts": [0, 10**400, 0]}, Reason.NOT_FINITE),
        ("screen.json", {"W": [375, 375.5, 375]}, Reason.BAD_JSON),
        ("dotInfo.json", {"XPts": "12"}, Reason.BAD_JSON),
        ("dotInfo.json", {"XPts": ["1", "2", "3"]}, Reason.BAD_JSON),
        ("faceGrid.json", {"IsValid": [1, 2, 1]}, Reason.BAD_JSON),
        ("info.json", {"DeviceName": "Nokia 3310"}, Reason.UNKNOWN_DEVICE),
        ("info.json", {"DeviceName": None}, Reason.UNKNOWN_DEVICE),
        ("info.json", {"Dataset": "training"}, Reason.BAD_SPLIT),
        ("info.json", {"Dataset": ["train"]}, Reason.BAD_SPLIT),
    ],
)  # fmt: skip
def test_contradictions_are_refused_with_their_reason(
    folder: Path, file: str, changes: dict[str, object], reason: Reason
) -> None:
    edit(folder, file, **changes)
    assert reason_of(folder) is reason


@pytest.mark.parametrize(
    "names", [["00000.jpg"] * 3, ["../../etc/x.jpg", "00001.jpg", "00002.jpg"], [1, 2, 3], {}]
)
def test_frame_names_that_cannot_be_are_refused(folder: Path, names: object) -> None:
    (folder / "frames.json").write_text(json.dumps(names))
    assert reason_of(folder) is Reason.BAD_JSON


def test_lenient_reading_marks_frames_that_are_not_finite(folder: Path) -> None:
    edit(folder, "dotInfo.json", XCam=[1.0, float("nan"), 1.0])
    assert finite_frames(read_recording(folder, strict=False)).tolist() == [True, False, True]


def test_nan_in_a_box_that_was_not_detected_does_no_harm(folder: Path) -> None:
    edit(folder, "appleFace.json", X=[1.0, float("nan"), 1.0], IsValid=[1, 0, 1])
    recording = read_recording(folder)
    assert recording.usable.tolist() == [True, False, True]
    assert finite_frames(recording).all()


def test_a_frame_is_usable_only_with_face_and_both_eyes(folder: Path) -> None:
    edit(folder, "appleFace.json", IsValid=[0, 1, 1])
    edit(folder, "appleLeftEye.json", IsValid=[1, 0, 1])
    assert read_recording(folder).usable.tolist() == [False, False, True]
    edit(folder, "appleRightEye.json", IsValid=[1, 1, 0])
    assert read_recording(folder).usable.tolist() == [False, False, False]


def test_device_names_are_found_in_any_case(folder: Path) -> None:
    edit(folder, "info.json", DeviceName="IPHONE 6S plus")
    assert read_recording(folder).device_name == "iPhone 6s Plus"


def test_subjects_are_found_in_folders_and_archives(folder: Path, tmp_path: Path) -> None:
    root = folder.parent
    pack(folder, root / "00043.tar.gz", "00043")
    pack(folder, root / "00042.tar.gz")
    for noise in ("notes.txt", "00044.zip", "x00045.tar.gz"):
        (root / noise).write_text("")
    (root / ".00046.partial").mkdir()
    assert [(s.name, s.packed) for s in iter_subjects(root)] == [("00042", False), ("00043", True)]
    assert iter_subjects(folder) == [Subject("00042", folder)]
    assert [s.name for s in iter_subjects(root / "00043.tar.gz")] == ["00043"]


def test_a_folder_without_subjects_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"info\.json.*00000\.tar\.gz"):
        iter_subjects(tmp_path)
    with pytest.raises(InputFileError, match="no such file"):
        iter_subjects(tmp_path / "nowhere")
    (tmp_path / "gazecapture.tar").write_text("")
    with pytest.raises(InputFileError, match="tar -xf"):
        iter_subjects(tmp_path)
    with pytest.raises(InputFileError, match="not a GazeCapture folder"):
        iter_subjects(tmp_path / "gazecapture.tar")
    with pytest.raises(InputFileError, match="not a GazeCapture subject"):
        read_recording(tmp_path)


def test_a_fingerprint_changes_with_any_file(folder: Path) -> None:
    subject = as_subject(folder)
    before = subject.fingerprint()
    assert subject.fingerprint() == before
    os.utime(folder / "frames" / "00001.jpg", (1, 1))
    assert subject.fingerprint() != before


def test_writing_twice_is_refused_and_leaves_the_first(folder: Path, recording: Recording) -> None:
    before = (folder / "info.json").read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        write_recording(folder.parent, recording, noise_jpegs(recording))
    assert (folder / "info.json").read_bytes() == before


def test_an_interrupted_write_leaves_nothing(tmp_path: Path, recording: Recording) -> None:
    def stops_midway() -> object:
        yield b"jpeg"
        raise RuntimeError("the renderer failed")

    with pytest.raises(RuntimeError, match="renderer"):
        write_recording(tmp_path, recording, stops_midway())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="zip"):
        write_recording(tmp_path, recording, [b"only one"])
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_is_removed(tmp_path: Path, recording: Recording) -> None:
    left = tmp_path / ".00042.partial" / "frames"
    left.mkdir(parents=True)
    (left / "99999.jpg").write_bytes(b"old")
    folder = write_recording(tmp_path, recording, noise_jpegs(recording))
    assert not (folder / "frames" / "99999.jpg").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["00042"]


def test_a_file_in_the_way_is_an_output_error(tmp_path: Path, recording: Recording) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="in the way"):
        write_recording(tmp_path / "file" / "sub", recording, noise_jpegs(recording))


@pytest.mark.parametrize(
    "changes",
    [{"dataset": "training"}, {"name": "42"}, {"x_pts": np.zeros(2)}, {"frame_names": ("a", "b", "c")},
     {"x_cam": np.array([0.0, np.nan, 0.0])}],
)  # fmt: skip
def test_a_recording_that_cannot_be_is_not_written(
    tmp_path: Path, recording: Recording, changes: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=r".+"):
        write_recording(tmp_path, dataclasses.replace(recording, **changes), noise_jpegs(recording))
    assert list(tmp_path.iterdir()) == []


def test_errors_survive_a_process_boundary(folder: Path) -> None:
    error = SubjectError(folder, Reason.LENGTH, "frames.json: 2 entries")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.reason, again.path, again.hint) == (
        str(error),
        error.reason,
        folder,
        error.hint,
    )
