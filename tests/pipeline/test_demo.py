"""The whole way, from nothing to a package, in small; killed on the way and started again."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tinytracker.errors import OutputError

pytestmark = pytest.mark.slow

SMALL = ["--model", "tinytracker-s", "--subjects", "8", "--frames", "5", "--epochs", "3", "--seed", "4"]


def start(out, *more):
    code = "import sys; from tinytracker.cli.main import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "demo", "--out", str(out), *SMALL, *more]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        # A shell that puts the tests into the background lets them, and so the demo, ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def wait_for(path, process, seconds=600):
    """Until a file is there; fails when the demo ended or hung before."""
    limit = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < limit, f"{path} did not appear"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A demo that was killed while it drew, and again while it trained, and then left alone."""
    out = tmp_path_factory.mktemp("demo") / "out"
    for sign in (out / "gazecapture" / "00001", out / "run" / "state.json"):
        process = start(out)
        wait_for(sign, process)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    process = start(out, "--json")
    stdout, stderr = process.communicate(timeout=900)
    assert process.returncode == 0, stderr
    return out, json.loads(stdout)


def test_the_demo_ends_with_a_package_and_a_table(finished):
    out, document = finished
    assert document["data"] == "synthetic"
    assert set(document["errors"]) == {"float", "int8"}
    for errors in document["errors"].values():
        assert errors["overall"]["frames"] > 0
        assert 0 < errors["overall"]["error_cm"] < 40
    assert document["model"]["macs"] == 5_229_184 + 14 * 64  # the published layers, and segments
    assert document["arena"]["total_bytes"] > document["arena"]["head_bytes"] > 0
    assert (out / "spresense" / "tinytracker" / "network" / "model_tflite.c").is_file()
    assert (out / "run" / "quantized" / "ptq-int8" / "model.tflite").is_file()


def test_nothing_half_is_left_behind(finished):
    out, _ = finished
    names = [p.name for p in out.rglob("*")]
    assert not [n for n in names if n.endswith((".tmp", ".partial")) or ".tmp-" in n]
    assert len([n for n in names if n == "info.json"]) == 8


@pytest.mark.exhaustive
def test_the_same_seed_gives_the_same_tflite_without_interruption(finished, tmp_path):
    from tinytracker.quant import quantize
    from tinytracker.runs import Run
    from tinytracker.train import TrainConfig, train

    out, document = finished
    config = TrainConfig.model_validate(Run.open(out / "run").describe().config)
    assert (config.epochs, config.seed, config.init) == (3, 4, "synthetic")
    run = train(out / "prepared", "tinytracker-s", tmp_path / "run", config).run
    assert quantize(run.path).sha256 == document["model"]["sha256"]


def test_a_second_start_does_nothing_again(finished):
    out, document = finished
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file() and p.name != "result.json"}
    process = start(out)
    stdout, stderr = process.communicate(timeout=600)
    assert process.returncode == 0, stderr
    assert {p: p.stat().st_mtime_ns for p in before} == before
    for line in ("float error", "INT8 error", "constant predictor", "TFLM arena", "package"):
        assert line in stdout
    assert f"{document['model']['bytes']:,} bytes" in stdout
    assert "synthetic" in stdout


def test_other_settings_need_another_folder(finished):
    from tinytracker.demo import DemoSettings, demo

    with pytest.raises(OutputError, match="this folder holds a demo with other settings"):
        demo(finished[0], DemoSettings(seed=5))


def test_ctrl_c_is_a_sentence_and_code_130(tmp_path):
    process = start(tmp_path / "out")
    wait_for(tmp_path / "out" / "gazecapture" / "00001", process)  # it draws
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "the same command can be run again" in stderr
    assert "Traceback" not in stderr
