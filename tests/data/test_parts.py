"""Parts, made in any order and repeated, and merged: the same frames as in one call."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.gazecapture_folder import make_folder

from tinytracker.data.index import read_index
from tinytracker.data.parts import Part
from tinytracker.data.preparation import merge, prepare
from tinytracker.errors import InputFileError, UsageError

SCRIPT = """
import sys
from tinytracker.data.preparation import prepare
prepare(sys.argv[1], sys.argv[2], jobs=1, shard_frames=1, part=sys.argv[3])
"""

# As if killed, once a shard is whole.
KILLED = """
import os, signal
from tinytracker.data import preparation
plain, made = preparation.make_shard, []
def make_shard(job):
    if made:
        os.kill(os.getpid(), signal.SIGKILL)
    made.append(plain(job))
    return made[-1]
preparation.make_shard = make_shard
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("parts") / "src"
    make_folder(root, subjects=12, frames=4)
    (root / "00012.tar.gz").write_text("<html>")
    return root


def records(out: Path) -> dict[str, list[bytes]]:
    import tensorflow as tf

    index = read_index(out, verify=True)
    return {
        split: sorted(tf.data.TFRecordDataset(list(map(str, index.shard_paths(split)))).as_numpy_iterator())
        for split in ("train", "val", "test")
    }


def test_every_name_is_in_one_part() -> None:
    parts = [Part.parse(f"{i}/3") for i in (1, 2, 3)]
    assert all(sum(part.holds(f"{i:05d}") for part in parts) == 1 for i in range(300))
    for text in ("0/3", "4/3", "3", "a/b", "1/0", "", "1/99999"):
        with pytest.raises(UsageError, match="is not a part"):
            Part.parse(text)


@pytest.mark.train
def test_merged_parts_hold_what_one_call_holds(source: Path, tmp_path: Path) -> None:
    whole = prepare(source, tmp_path / "whole", jobs=1)
    out = tmp_path / "out"
    prepare(source, out, jobs=1)  # an earlier, undivided preparation; its shards do not remain
    for part in ("2/3", "1/3"):
        prepare(source, out, jobs=1, part=part)
    with pytest.raises(InputFileError, match=r"1 of 3 parts are not finished: 3\. Run these parts again"):
        merge(source, out)
    with pytest.raises(InputFileError, match="not finished"):
        read_index(out)
    prepare(source, out, jobs=1, part="3/3")
    assert prepare(source, out, jobs=1, part="2/3").made_shards == 0  # a repeated part keeps its shards
    merged = merge(source, out)
    assert records(out) == records(tmp_path / "whole")
    assert merged.losses == whole.losses
    assert (out / "skipped.csv").read_text() == (tmp_path / "whole" / "skipped.csv").read_text()
    assert all("part" in path.name for path in (out / "shards").iterdir())
    before = (out / "index.json").read_bytes()
    merge(source, out)
    assert (out / "index.json").read_bytes() == before

    shard = merged.index.shard_paths("train")[0]
    shard.write_bytes(shard.read_bytes()[:-1] + b"\1")
    with pytest.raises(
        InputFileError, match="the shard is missing or has changed since its part was prepared"
    ):
        merge(source, out)
    prepare(source, out, jobs=1, part="1/2")
    with pytest.raises(InputFileError, match="different divisions, into 2 and 3 parts"):
        merge(source, out)


@pytest.mark.train
def test_a_person_in_two_parts_is_refused(source: Path, tmp_path: Path) -> None:
    src, out = tmp_path / "src", tmp_path / "out"
    shutil.copytree(source / "00000", src / "00000")
    two = [Part(1, 2).holds(name) for name in ("00000", "00001")]
    other = next(f"{i:05d}" for i in range(1, 99) if Part(1, 2).holds(f"{i:05d}") != two[0])
    shutil.copytree(source / "00000", src / other)
    for part in ("1/2", "2/2"):
        prepare(src, out, jobs=1, part=part)
    with pytest.raises(InputFileError, match="in different parts, hold the same frames"):
        merge(src, out)
    info = src / other / "info.json"
    info.write_text(json.dumps(json.loads(info.read_text()) | {"Dataset": "test"}))
    for part in ("1/2", "2/2"):
        prepare(src, out, jobs=1, part=part)
    with pytest.raises(InputFileError, match="the same person is in two splits"):
        merge(src, out)
    with pytest.raises(InputFileError, match="there are no parts to merge"):
        merge(src, tmp_path)


@pytest.mark.train
@pytest.mark.exhaustive
def test_two_processes_killed_and_repeated(tmp_path: Path) -> None:
    src, out = tmp_path / "src", tmp_path / "out"
    make_folder(src, subjects=24, frames=40, frame_size=(240, 320))

    def ends(script: str) -> list[int]:
        command = [sys.executable, "-c", script, str(src), str(out)]
        processes = [subprocess.Popen([*command, part], stderr=subprocess.DEVNULL) for part in ("1/2", "2/2")]
        return [process.wait(timeout=600) for process in processes]

    assert ends(KILLED + SCRIPT) == [-signal.SIGKILL] * 2
    assert list(out.glob("shards/*.json"))
    assert not (out / "parts").exists()
    with pytest.raises(InputFileError, match="there are no parts to merge"):
        merge(src, out)
    assert ends(SCRIPT) == [0, 0]
    merge(src, out)
    prepare(src, tmp_path / "whole", jobs=1)
    assert records(out) == records(tmp_path / "whole")


def test_a_part_is_drawn_prepared_and_deleted_before_the_next(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    from tinytracker.synth import generate

    faces, out = tmp_path / "faces", tmp_path / "out"
    drawn = []
    for part in ("1/2", "2/2"):
        generate(faces, subjects=6, frames=1, jobs=1, size=(96, 128), part=part)
        prepare(faces, out, jobs=1, shard_frames=1, part=part)
        names = sorted(path.name for path in faces.iterdir() if path.is_dir())
        assert all(Part.parse(part).holds(name) for name in names)
        drawn += names
        for name in names:
            shutil.rmtree(faces / name)
    assert sorted(drawn) == [f"{i:05}" for i in range(6)]
    report = merge(faces, out)
    generate(tmp_path / "whole", subjects=6, frames=1, jobs=1, size=(96, 128))
    whole = prepare(tmp_path / "whole", tmp_path / "at_once", jobs=1, shard_frames=1)
    assert records(out) == records(tmp_path / "at_once")
    assert report.index.people == whole.index.people
    assert len(report.index.people) >= 4
