"""The folder of a package: complete or absent, also when two runs write it, and checked before the work."""

import os
import stat
import subprocess
import sys

import pytest
from support.cli import run
from support.tflite_nets import NetBuilder

from tinytracker.package.folder import replaced_folder


def test_two_runs_into_one_folder_do_not_mix(tmp_path):
    out = tmp_path / "package"
    with replaced_folder(out) as first:
        (first / "a").write_text("1")
        with replaced_folder(out) as second:
            assert second != first
            (second / "b").write_text("2")
        assert [p.name for p in out.iterdir()] == ["b"]
        assert (first / "a").read_text() == "1"
    assert [p.name for p in out.iterdir()] == ["a"]
    assert [p.name for p in tmp_path.iterdir()] == ["package"]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(out.stat().st_mode) == 0o777 & ~mask


def test_what_a_killed_run_left_is_removed_and_what_a_running_one_fills_is_not(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f".package.{ended.pid}-abc.partial"
    running = tmp_path / f".package.{os.getppid()}-abc.partial"
    for folder in (left, running):
        folder.mkdir()
    with replaced_folder(tmp_path / "package"):
        pass
    assert not left.exists()
    assert running.exists()


@pytest.mark.parametrize(
    ("out", "said"), [("/dev/null/x", "a file is in the way of a folder"), ("/proc/x", "cannot be written")]
)
@pytest.mark.parametrize(
    "command", [("package", "--target", "spresense"), ("measure", "--target", "emulated", "--model")]
)
def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path, monkeypatch, command, out, said):
    monkeypatch.chdir(tmp_path)
    answer = run(*command, "missing.tflite", "--out", out)
    assert answer.code != 0
    assert answer.err.startswith(f"Error: {out}: {said}")


def test_a_network_that_cannot_be_packaged_leaves_nothing_behind(tmp_path):
    net = NetBuilder((1, 4, 4, 1))
    net.conv(4, 3, 2)
    model = tmp_path / "model.tflite"
    model.write_bytes(net.build()[:200])
    assert run("package", model, "--target", "spresense", "--out", tmp_path / "p").code != 0
    assert [p.name for p in tmp_path.iterdir()] == ["model.tflite"]
