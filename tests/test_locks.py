"""Locks on folders: who holds one is named, and a killed process leaves none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.gazecapture_folder import make_folder

from tinytracker.errors import OutputError
from tinytracker.locks import LOCK_FILE, locked

HOLDER = """
import sys, pathlib, time
from tinytracker.locks import locked
with locked(pathlib.Path(sys.argv[1]), "train"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_holder_is_named_and_the_file_is_gone_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with locked(folder, "train"):
        says = rf"run: another command is writing here \(tinytracker train, process {os.getpid()} on .*, since 20"
        with pytest.raises(OutputError, match=says), locked(folder, "prepare"):
            pass
        with locked(folder, "synth", ".00001.lock"):  # another lock in the same folder
            pass
        (folder / "result").write_text("")
    assert [path.name for path in folder.iterdir()] == ["result"]


def test_a_folder_that_stays_empty_is_removed_again(tmp_path: Path) -> None:
    with locked(tmp_path / "new", "train"):
        pass
    assert not (tmp_path / "new").exists()
    (tmp_path / "old").mkdir()
    with locked(tmp_path / "old", "train"):
        pass
    assert (tmp_path / "old").is_dir()


def test_a_killed_process_locks_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(OutputError, match=f"process {process.pid} on"), locked(tmp_path, "prepare"):
            pass
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert (tmp_path / LOCK_FILE).exists()
    with locked(tmp_path, "prepare"):
        pass


def test_those_who_wait_take_turns(tmp_path: Path) -> None:
    inside, most = [], []

    def work() -> None:
        for _ in range(20):
            with locked(tmp_path, "synth", wait_s=300):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 80


@pytest.mark.train
def test_two_prepares_into_one_folder(tmp_path: Path) -> None:
    from tinytracker.data.preparation import prepare

    make_folder(tmp_path / "src", subjects=4, frames=2)
    prepare(tmp_path / "src", tmp_path / "out", jobs=1)
    with locked(tmp_path / "out", "prepare"):
        with pytest.raises(OutputError, match="another command is writing here"):
            prepare(tmp_path / "src", tmp_path / "out", jobs=1, max_crop=64)
        assert (tmp_path / "out" / "index.json").is_file()  # the first is not disturbed


@pytest.mark.train
def test_two_trainings_into_one_folder(tmp_path: Path) -> None:
    from tinytracker.data.preparation import prepare
    from tinytracker.train import train

    make_folder(tmp_path / "src", subjects=4, frames=2)
    prepare(tmp_path / "src", tmp_path / "prepared", jobs=1)
    with locked(tmp_path / "run", "train"):
        for resume in (False, True):
            with pytest.raises(OutputError, match="another command is writing here"):
                train(tmp_path / "prepared", "tinytracker-s2", tmp_path / "run", resume=resume)
        assert [path.name for path in (tmp_path / "run").iterdir()] == [LOCK_FILE]


def test_two_calls_of_synth_share_a_folder_but_not_a_subject(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    from tinytracker.synth import generate

    options = {"frames": 1, "seed": 9, "jobs": 1, "size": (96, 128)}
    with locked(tmp_path / "out", "synth", ".00001.lock"):
        with pytest.raises(OutputError, match="another command is writing here"):
            generate(tmp_path / "out", subjects=2, **options)  # type: ignore[arg-type]
        assert (tmp_path / "out" / "00000").is_dir()
        generate(tmp_path / "out", subjects=1, first=2, **options)  # type: ignore[arg-type]
    report = generate(tmp_path / "out", subjects=3, **options)  # type: ignore[arg-type]
    assert (report.made, report.kept) == (1, 2)
