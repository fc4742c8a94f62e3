"""What `prepare --aim` stores: whole frames, and where the strip is in them."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.gazecapture_folder import eyed_jpegs, make_folder

from tinytracker.data.eye_marks import EYES_FILE, EyeMarks, marks_from_boxes, read_eye_marks
from tinytracker.data.index import read_index
from tinytracker.data.preparation import prepare
from tinytracker.data.surroundings import LONGEST_PX, decode_whole
from tinytracker.errors import InputFileError

pytestmark = pytest.mark.train
FRAMES = 4


def folder(root: Path, **options) -> list:
    return make_folder(root, subjects=3, frames=FRAMES, jpegs=eyed_jpegs, **options)


def marks(n: int) -> EyeMarks:
    at = np.arange(n, dtype=float)
    return EyeMarks(60 + at, 40 + at, 30 + at, 38 + at, 50 + at, at / n, at % 2, np.full(n, 0.8), exact=True)


def records(out: Path, split: str) -> list[dict]:
    from tinytracker.data.examples import parse
    from tinytracker.data.pipeline import serialized_records

    found = serialized_records(read_index(out), split).map(lambda r: parse(r, aim=True))
    return sorted(found.as_numpy_iterator(), key=lambda r: r["frame"])


def test_the_strip_of_a_recorded_frame_follows_from_its_boxes(tmp_path):
    recording = folder(tmp_path / "src")[0]
    report = prepare(tmp_path / "src", tmp_path / "out", jobs=1, aim=True)
    assert report.index.has_surroundings
    side, face = recording.face.w, recording.face
    for i, record in enumerate(records(tmp_path / "out", "train")):
        expected = [face.x[i] + 0.5 * side[i], face.y[i] + 0.4 * side[i], 0.75 * side[i]]
        np.testing.assert_allclose(record["strip"], expected, rtol=1e-5)
        assert (record["roll"], record["focal"], record["exact"], record["room"]) == (0, 1, 0, b"")
        assert record["whole"] == (tmp_path / "src" / "00000" / "frames" / f"{i:05d}.jpg").read_bytes()


@pytest.mark.parametrize("packed", [False, True])
def test_exact_marks_and_rooms_come_first(tmp_path, packed):
    src = tmp_path / "src"
    folder(src)
    subject = src / "00000"
    wanted = marks(FRAMES)
    (subject / EYES_FILE).write_text(json.dumps(wanted.as_json()))
    (subject / "rooms").mkdir()
    room = Image.new("RGB", (LONGEST_PX * 2, 300), (10, 200, 30))
    room.save(subject / "rooms" / "00000.jpg", quality=95)
    if packed:
        with tarfile.open(src / "00000.tar.gz", "w:gz") as archive:
            archive.add(subject, "00000")
        for path in sorted(subject.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        subject.rmdir()
    prepare(src, tmp_path / "out", jobs=1, aim=True)
    found = records(tmp_path / "out", "train")
    np.testing.assert_allclose([r["strip"] for r in found], wanted.strips, atol=1e-3)
    np.testing.assert_allclose([r["roll"] for r in found], np.arctan2(2, 30), atol=1e-4)
    for name in ("closed", "occluded", "focal"):
        np.testing.assert_allclose([r[name] for r in found], getattr(wanted, name), atol=1e-4)
    assert [r["exact"] for r in found] == [1] * FRAMES
    assert [bool(r["room"]) for r in found] == [True, *[False] * (FRAMES - 1)]
    stored = decode_whole(found[0]["room"])
    assert stored.shape == (150, LONGEST_PX, 3)
    assert np.abs(stored.reshape(-1, 3).mean(0) - [10, 200, 30]).max() < 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Width": [1, 2]}, "Width does not hold 4 finite numbers"),
        ({"Width": [1, 2, 0, 4]}, "must be positive"),
        ({"LeftX": ["a", 2, 3, 4]}, "eyes.json"),
    ],
)
def test_damaged_marks_skip_the_subject_with_the_reason(tmp_path, change, words):
    folder(tmp_path / "src")
    (tmp_path / "src" / "00000" / EYES_FILE).write_text(json.dumps(marks(FRAMES).as_json() | change))
    report = prepare(tmp_path / "src", tmp_path / "out", jobs=1, aim=True)
    assert words in report.skipped_csv.read_text()
    assert "00000" not in report.index.splits["train"].subjects


def test_marks_survive_their_file():
    wanted = marks(5)
    found = read_eye_marks(json.dumps(wanted.as_json()).encode(), 5)
    np.testing.assert_allclose(found.strips, wanted.strips)
    assert found.exact


def test_without_the_option_nothing_is_added_and_the_error_says_how_to_get_it(tmp_path):
    folder(tmp_path / "src")
    index = prepare(tmp_path / "src", tmp_path / "out", jobs=1).index
    assert "aim" not in index.parameters
    with pytest.raises(InputFileError, match=r"prepare SRC .* --aim"):
        index.require_surroundings("training tinytracker-s2-aim")


def test_boxes_and_marks_mean_the_same_strip(tmp_path):
    """Marks put at the centres of the boxes give the strip that the boxes give."""
    recording = folder(tmp_path)[0]
    by_box = marks_from_boxes(recording)
    distance = np.hypot(by_box.left_x - by_box.right_x, by_box.left_y - by_box.right_y)
    np.testing.assert_allclose(distance, 0.4 * recording.face.w)
    with Image.open(io.BytesIO(next(eyed_jpegs(recording)))) as image:
        pixels = np.asarray(image.convert("L"), float)
    for x, y in ((by_box.left_x, by_box.left_y), (by_box.right_x, by_box.right_y)):
        assert pixels[int(y[0]), int(x[0])] < 80
