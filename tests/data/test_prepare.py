"""Preparing shards: content, damage, resuming, reproducibility."""

from __future__ import annotations

import csv
import errno
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.gazecapture_folder import make_folder, make_recording, noise_jpegs
from support.processes import has_ended

from tinytracker.data.crops import cut, grow, round_half_up
from tinytracker.data.gazecapture import write_recording
from tinytracker.data.index import read_index
from tinytracker.data.preparation import PrepareReport, prepare
from tinytracker.errors import (
    InputFileError,
    MissingDependencyError,
    OutputError,
    TinyTrackerError,
    UnknownNameError,
    UsageError,
)

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("gazecapture")
    make_folder(root, subjects=8, frames=6)
    return root


def run(src: Path, out: Path, **options: Any) -> PrepareReport:
    return prepare(src, out, **{"jobs": 1, "shard_frames": 10, **options})


def contents(out: Path) -> dict[str, bytes]:
    """Everything that must be the same in every run; sidecars also hold times of the source's files."""
    paths = [*(out / "shards").glob("*.tfrecord"), out / "index.json", out / "skipped.csv"]
    return {str(path.relative_to(out)): path.read_bytes() for path in paths}


def skipped(report: PrepareReport) -> set[tuple[str, str, str]]:
    with report.skipped_csv.open() as file:
        return {(row["subject"], row["frame"], row["reason"]) for row in csv.DictReader(file)}


def stored(out: Path, split: str) -> list[dict[str, Any]]:
    """The raw records of a split, read with nothing but TensorFlow's own Example."""
    import tensorflow as tf

    result = []
    for path in read_index(out).shard_paths(split):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            features = tf.train.Example.FromString(record).features.feature
            row = {}
            for name, feature in features.items():
                kind = feature.WhichOneof("kind")
                row[name] = list(getattr(feature, kind).value)
            result.append(row)
    return result


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_counts_splits_and_gaze(source: Path, tmp_path: Path) -> None:
    report = run(source, tmp_path / "out")
    index = read_index(tmp_path / "out", verify=True)
    assert index == report.index
    assert {name: split.frames for name, split in index.splits.items()} == {
        "train": 24,
        "val": 12,
        "test": 12,
    }
    assert index.splits["train"].subjects == ("00000", "00003", "00004", "00007")
    assert [shard.frames for shard in index.splits["train"].shards] == [12, 12]
    assert sum(index.splits["train"].families.values()) == 24
    assert index.skipped == {}
    gaze = np.array([row["gaze"] for row in stored(tmp_path / "out", "train")])
    np.testing.assert_allclose(index.gaze.mean, gaze.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(index.gaze.low, gaze.min(axis=0), atol=1e-5)
    np.testing.assert_allclose(index.gaze.high, gaze.max(axis=0), atol=1e-5)


@pytest.mark.parametrize("max_crop", [256, 20])
def test_a_record_holds_the_crop_and_its_boxes(tmp_path: Path, max_crop: int) -> None:
    recording = make_recording("00007", frames=3, device_name="iPad Mini", orientation=2)
    jpegs = list(noise_jpegs(recording))
    write_recording(tmp_path / "src", recording, jpegs)
    run(tmp_path / "src", tmp_path / "out", image_format="png", max_crop=max_crop)
    rows = stored(tmp_path / "out", "train")
    assert sorted(row["frame"][0] for row in rows) == [0, 1, 2]
    for row in rows:
        i = row["frame"][0]
        frame = np.asarray(Image.open(io.BytesIO(jpegs[i])))
        face = np.array([recording.face.x[i], recording.face.y[i], recording.face.w[i], recording.face.h[i]])
        box = round_half_up(grow(face))
        image = Image.open(io.BytesIO(row["image"][0]))
        if max_crop == 256:
            np.testing.assert_array_equal(np.asarray(image), cut(frame, box))
        else:
            assert max(image.size) == 25
        scale = np.array(image.size) / box[2:]
        expected_face = np.concatenate([(face[:2] - box[:2]) * scale, face[2:] * scale])
        np.testing.assert_allclose(row["face_in_crop"], expected_face, rtol=1e-5)
        left = np.array([recording.left_eye.x[i], recording.left_eye.y[i]])
        np.testing.assert_allclose(
            row["left_eye_in_crop"][:2], (face[:2] + left - box[:2]) * scale, rtol=1e-5
        )
        right = np.array([recording.right_eye.w[i], recording.right_eye.h[i]])
        np.testing.assert_allclose(row["right_eye_in_crop"][2:], right * scale, rtol=1e-5)
        np.testing.assert_allclose(row["face"], face, rtol=1e-6)
        np.testing.assert_allclose(row["gaze"], [recording.x_cam[i], recording.y_cam[i]], rtol=1e-6)
        assert row["frame_size"] == [96, 128]
        assert row["screen_size"] == [768, 1024]
        assert (row["subject"], row["device"], row["family"]) == ([b"00007"], [b"iPad Mini"], [b"tablet"])
        assert (row["orientation"], row["dot_num"]) == ([2], [0])
        np.testing.assert_allclose(row["dot_time"], [i / 10], rtol=1e-6)


def test_the_same_bytes_from_any_number_of_jobs_and_from_archives(source: Path, tmp_path: Path) -> None:
    run(source, tmp_path / "one")
    run(source, tmp_path / "two", jobs=2)
    packed = tmp_path / "packed"
    packed.mkdir()
    for folder in sorted(source.iterdir()):
        with tarfile.open(packed / f"{folder.name}.tar.gz", "w:gz") as archive:
            for path in sorted(folder.rglob("*"), reverse=True):  # an archive may hold its files in any order
                archive.add(path, arcname=f"{folder.name}/{path.relative_to(folder)}", recursive=False)
    run(packed, tmp_path / "three")
    assert contents(tmp_path / "one") == contents(tmp_path / "two") == contents(tmp_path / "three")


def test_a_shard_mixes_its_subjects(source: Path, tmp_path: Path) -> None:
    run(source, tmp_path / "out", shard_frames=1000)
    subjects = [row["subject"][0] for row in stored(tmp_path / "out", "train")]
    changes = sum(a != b for a, b in itertools.pairwise(subjects))
    assert changes > len(subjects) / 3  # of 24 records of 4 subjects; in blocks it would be 3
    # neighbours by name are often the same device, so shards do not follow the names
    run(source, tmp_path / "out", shard_frames=1)
    by_shard = [row["subject"][0] for row in stored(tmp_path / "out", "train")][::6]
    assert len(set(by_shard)) == 4
    assert by_shard != sorted(by_shard)


def test_damage_is_reported_and_never_stops_the_run(tmp_path: Path) -> None:
    src = tmp_path / "src"
    recordings = make_folder(src, subjects=12, frames=6)
    frames = src / "00000" / "frames"
    whole = (frames / "00000.jpg").read_bytes()
    (frames / "00000.jpg").unlink()
    (frames / "00001.jpg").write_bytes(whole[: len(whole) // 2])
    (frames / "00002.jpg").write_bytes(b"not an image")
    (frames / "00003.jpg").write_bytes(b"")
    face = recordings[3].face
    edit(src / "00003" / "appleFace.json", X=[-500.0, *face.x[1:]], W=[face.w[0], 0.0, *face.w[2:]])
    edit(
        src / "00003" / "appleLeftEye.json",
        X=[*recordings[3].left_eye.x[:2], 1e9, *recordings[3].left_eye.x[3:]],
    )
    edit(src / "00003" / "appleRightEye.json", IsValid=[1, 1, 1, 0, 1, 1])
    edit(src / "00003" / "faceGrid.json", IsValid=[1, 1, 1, 0, 0, 1])
    edit(
        src / "00004" / "dotInfo.json",
        XCam=[float("nan"), 400.0, recordings[4].x_cam[2] + 0.5, *recordings[4].x_cam[3:]],
    )
    edit(src / "00004" / "screen.json", Orientation=[*recordings[4].orientation[:5].tolist(), 7])
    edit(src / "00005" / "info.json", DeviceName="Nokia 3310")
    edit(src / "00006" / "dotInfo.json", XCam=[1.0])
    (src / "00008" / "screen.json").write_text("{")
    (src / "00009" / "appleFace.json").unlink()
    (src / "00010.tar.gz").write_bytes(b"junk")  # beside a good folder of the same name, which wins
    (src / "00099.tar.gz").write_bytes(b"junk")

    report = run(src, tmp_path / "out")
    assert skipped(report) == {
        ("00000", "00000.jpg", "missing file"),
        ("00000", "00001.jpg", "truncated image"),
        ("00000", "00002.jpg", "unreadable image"),
        ("00000", "00003.jpg", "truncated image"),
        ("00003", "00000.jpg", "box outside the frame"),
        ("00003", "00001.jpg", "empty box"),
        ("00003", "00002.jpg", "box outside the frame"),
        ("00003", "00003.jpg", "face or eyes not detected"),
        ("00004", "00000.jpg", "not a finite number"),
        ("00004", "00001.jpg", "label disagrees with the screen point"),
        ("00004", "00005.jpg", "unknown orientation"),
        ("00005", "", "unknown device"),
        ("00006", "", "arrays of different length"),
        ("00008", "", "bad JSON"),
        ("00009", "", "missing file"),
        ("00099", "", "bad archive"),
    }
    index = report.index
    assert sum(index.skipped.values()) == 16
    assert index.frames == 8 * 6 - 11  # four of twelve subjects are gone, and eleven frames of the others
    assert index.grid_disagreements == 1  # 00003/00004.jpg: kept, the boxes decide
    device = recordings[4].device_name
    assert index.labels[device]["disagree"] == 2
    assert index.labels[device]["worst_cm"] > 100
    kept = {(row["subject"][0], row["frame"][0]) for row in stored(tmp_path / "out", "train")}
    assert (b"00004", 2) in kept  # half a centimetre off: reported and kept
    assert (b"00003", 4) in kept


def test_a_second_run_keeps_what_is_right(tmp_path: Path) -> None:
    src, out = tmp_path / "src", tmp_path / "out"
    make_folder(src, subjects=8, frames=6)
    assert (run(src, out).kept_shards, run(src, out).kept_shards) == (0, 4)
    before = contents(out)

    shard = out / "shards" / "train-00001.tfrecord"
    shard.write_bytes(shard.read_bytes()[:-1] + b"\0")
    (out / "shards" / "val-00000.json").write_text("{}")
    (out / "shards" / "test-00009.tfrecord").write_bytes(b"of an older plan")
    (out / "shards" / ".train-00007.tfrecord.partial").write_bytes(b"of a killed run")
    report = run(src, out)
    assert (report.kept_shards, report.made_shards) == (2, 2)
    assert contents(out) == before
    assert not list((out / "shards").glob(".*"))

    os.utime(src / "00001" / "frames" / "00000.jpg", (1, 1))  # in val
    assert run(src, out).made_shards == 1
    assert run(src, out, max_crop=64).made_shards == 4


def test_kill_9_and_again_gives_the_same_bytes(tmp_path: Path) -> None:
    src, out = tmp_path / "src", tmp_path / "out"
    make_folder(src, subjects=16, frames=40, frame_size=(240, 320))
    options = {"jobs": 2, "shard_frames": 1}
    # As if killed, when the first shard is whole and its workers are at the next ones; they are named before.
    code = (
        "import os, pathlib, signal\n"
        "from tinytracker.data import preparation, workers\n"
        "plain = workers.Workers.map\n"
        "def killed(self, work, items):\n"
        "    for result in plain(self, work, items):\n"
        "        if work is preparation.make_shard:\n"
        "            print(pathlib.Path(f'/proc/self/task/{os.getpid()}/children').read_text(), flush=True)\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "        yield result\n"
        "if __name__ == '__main__':\n"
        "    workers.Workers.map = killed\n"
        f"    preparation.prepare(pathlib.Path({str(src)!r}), pathlib.Path({str(out)!r}), **{options!r})\n"
    )
    script = tmp_path / "run.py"
    script.write_text(code)
    ended = subprocess.run(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=300,
    )
    assert ended.returncode == -signal.SIGKILL
    workers = ended.stdout.split()
    assert workers
    assert all(has_ended(int(worker)) for worker in workers), "workers outlive their parent"
    done = len(list((out / "shards").glob("*.json")))
    assert 0 < done < 16
    assert not (out / "index.json").exists()
    with pytest.raises(InputFileError, match="not finished"):
        read_index(out)

    report = prepare(src, out, jobs=1, shard_frames=1)
    assert report.kept_shards >= done
    prepare(src, tmp_path / "fresh", jobs=1, shard_frames=1)
    assert contents(out) == contents(tmp_path / "fresh")


def test_an_index_names_what_is_wrong(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputFileError, match=r"not a prepared folder.*tinytracker prepare"):
        read_index(tmp_path)
    index = run(source, out).index
    with pytest.raises(UnknownNameError, match="Did you mean 'train'"):
        index.split("trian")
    path = out / "index.json"
    whole = path.read_text()
    for broken in ("{", "[]", "{}", whole.replace('"train"', '"trains"'), whole.replace('"frames"', '"n"')):
        path.write_text(broken)
        with pytest.raises(InputFileError, match="not an index"):
            read_index(out)
    path.write_text(json.dumps(json.loads(whole) | {"schema_version": 99}))
    with pytest.raises(InputFileError, match="99, but this release reads 1"):
        read_index(out)
    path.write_text(whole)
    shard = index.shard_paths("val")[0]
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    read_index(out)  # sizes alone do not show it
    with pytest.raises(InputFileError, match="changed"):
        read_index(out, verify=True)
    shard.write_bytes(content[:-1])
    with pytest.raises(InputFileError, match="bytes, but must have"):
        read_index(out)
    shard.unlink()
    with pytest.raises(InputFileError, match="missing"):
        read_index(out)


def test_an_empty_split_says_where_frames_are(source: Path, tmp_path: Path) -> None:
    index = run(source / "00000", tmp_path / "out").index
    with pytest.raises(InputFileError, match=r"'val' is empty.*Splits with frames: train"):
        index.shard_paths("val")


def test_nothing_usable_is_an_error_and_leaves_no_index(tmp_path: Path) -> None:
    make_folder(tmp_path / "src", subjects=1, frames=2)
    run(tmp_path / "src", tmp_path / "out")
    edit(tmp_path / "src" / "00000" / "appleFace.json", IsValid=[0, 0])
    with pytest.raises(
        InputFileError, match=r"no usable frame in 1 subject: face or eyes not detected \(2\)"
    ):
        run(tmp_path / "src", tmp_path / "out")
    edit(tmp_path / "src" / "00000" / "info.json", Dataset="?")
    with pytest.raises(InputFileError, match=r"unknown split \(1\)"):
        run(tmp_path / "src", tmp_path / "out")
    assert not (tmp_path / "out" / "index.json").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"jobs": 0}, "jobs is 0"),
        ({"max_crop": 3}, "max_crop is 3"),
        ({"shard_frames": 0}, "shard_frames is 0"),
        ({"image_format": "gif"}, "jpeg, png"),
    ],
)
def test_parameters_that_cannot_be(source: Path, tmp_path: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        run(source, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_the_output_must_not_lie_in_the_source(source: Path, tmp_path: Path) -> None:
    for out in (source, source / "prepared", source / "a" / ".." / "prepared"):
        with pytest.raises(UsageError, match="lies inside"):
            run(source, out)
    with pytest.raises(InputFileError, match="no GazeCapture subject"):
        run(tmp_path, tmp_path / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="in the way"):
        run(source, tmp_path / "file")


def test_without_tensorflow_the_way_out_is_named(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinytracker.requirements.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install .*\[train\]"):
        run(source, tmp_path / "out")


@pytest.mark.parametrize(("number", "says"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "permission")])
def test_a_full_disk_is_one_sentence(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, says: str
) -> None:
    def fail(self: Path, target: Path) -> Path:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match=says):
        run(source, tmp_path / "out")
    assert not list((tmp_path / "out" / "shards").iterdir())
    assert not (tmp_path / "out" / "index.json").exists()


def test_errors_of_workers_reach_the_parent(source: Path, tmp_path: Path) -> None:
    # a folder in the way of a shard: its rename fails inside the worker
    (tmp_path / "out" / "shards" / "val-00000.tfrecord" / "x").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"val-00000\.tfrecord"):
        run(source, tmp_path / "out", jobs=2)


def test_a_killed_worker_is_one_sentence(tmp_path: Path) -> None:
    from tinytracker.data.workers import Workers

    with Workers(2) as workers, pytest.raises(TinyTrackerError, match="fewer jobs"):
        list(workers.map(_die, [9]))


def _die(number: int) -> None:
    os.kill(os.getpid(), number)


def test_the_index_says_whether_the_people_exist(tmp_path):
    make_folder(tmp_path / "src", subjects=4, frames=2)
    prepare(tmp_path / "src", tmp_path / "recorded", jobs=1)
    assert read_index(tmp_path / "recorded").origin == "recorded"
    (tmp_path / "src" / "synth.json").write_text("{}")
    prepare(tmp_path / "src", tmp_path / "made", jobs=1)
    assert read_index(tmp_path / "made").origin == "synthetic"
    prepare(tmp_path / "src" / "00000", tmp_path / "one", jobs=1)
    assert read_index(tmp_path / "one").origin == "synthetic"
    document = json.loads((tmp_path / "made" / "index.json").read_text())
    del document["origin"]
    (tmp_path / "made" / "index.json").write_text(json.dumps(document))
    assert read_index(tmp_path / "made").origin == ""
