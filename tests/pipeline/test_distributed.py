"""Two worker processes on this computer against one, and one of them killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.ports import unused_port

from tinytracker.data.index import read_index
from tinytracker.runs import Run
from tinytracker.train import TrainConfig, load_config, train

PROGRAM = ["-m", "tinytracker.cli.main"]
CONFIG = """
epochs = 3
batch_size = 48
learning_rate = 0.001
warmup_epochs = 0.0
tensorboard = false
[augment]
mirror = false
brightness = 0
contrast = 0
colour = 0
noise = 0
"""


def curve(run: Run) -> np.ndarray:
    rows = [json.loads(line) for line in run.history_path.read_text().splitlines()]
    return np.array([(row["train_loss"], row["val_error_cm"]) for row in rows])


@pytest.fixture(scope="module")
def alone(prepared, tmp_path_factory):
    """One process; each step takes all frames, so that the order of frames changes nothing."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "train.toml").write_text(CONFIG)
    config = load_config(folder / "train.toml")
    assert read_index(prepared).split("train").frames == config.batch_size
    return train(prepared, "tinytracker-s", folder / "run", config).run


# Ends itself, as if killed, when it begins the second epoch and the chief has written its state after the first.
KILLED = """
import os, pathlib, signal, sys, time
from tinytracker.train import loop
plain = loop._one_epoch
def one_epoch(model, batches, epoch, *more):
    if epoch == 2:
        while not pathlib.Path(sys.argv[1]).is_file():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(model, batches, epoch, *more)
loop._one_epoch = one_epoch
from tinytracker.cli.main import main
main(sys.argv[2:])
"""


def start(prepared: Path, folder: Path, *options: str, killed: bool = False) -> list[subprocess.Popen]:
    """Two workers of one training, of which the second may be killed in the second epoch."""
    addresses = [f"127.0.0.1:{unused_port(k)}" for k in range(2)]
    workers = []
    for index in range(2):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        program = ["-c", KILLED, str(folder / "run" / "state.json")] if killed and index == 1 else PROGRAM
        command = [
            sys.executable, *program, "train", str(prepared), "--model", "tinytracker-s",
            "--out", str(folder / "run"), "--config", str(folder / "train.toml"),
            "--distribute", "multiworker", *options,
        ]  # fmt: skip
        environment = {**os.environ, "TF_CONFIG": json.dumps(task), "TF_CPP_MIN_LOG_LEVEL": "3"}
        environment["PYTHONPATH"] = str(Path(__file__).parents[2])
        workers.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
    return workers


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.train
def test_two_workers_learn_what_one_learns_even_when_one_is_killed(prepared, alone, tmp_path):
    (tmp_path / "train.toml").write_text(CONFIG)
    run = Run(tmp_path / "run")
    chief, other = start(prepared, tmp_path, killed=True)
    _, said = chief.communicate(timeout=600)
    other.communicate(timeout=60)
    assert other.returncode == -signal.SIGKILL
    assert chief.returncode == 1, said
    assert "The other workers cannot be reached" in said
    assert "Traceback" not in said
    assert len(curve(run)) < 3

    resumed = start(prepared, tmp_path, "--resume")
    answers = [worker.communicate(timeout=600)[1] for worker in resumed]
    assert [worker.returncode for worker in resumed] == [0, 0], answers
    np.testing.assert_allclose(curve(run), curve(alone), rtol=2e-3)
    assert run.describe().replicas == 2
    assert sorted(p.name for p in run.path.iterdir()) == [
        "checkpoints", "history.jsonl", "model.keras", "run.json", "state.json",
    ]  # fmt: skip


@pytest.mark.train
def test_a_mirrored_training_equals_a_plain_one(prepared, alone, tmp_path):
    """On one device; the batch statistics are computed in another way, so that the last bits differ."""
    config = TrainConfig.model_validate(alone.describe().config)
    result = train(prepared, "tinytracker-s", tmp_path / "run", config, distribute="mirrored")
    np.testing.assert_allclose(curve(result.run), curve(alone), rtol=2e-3)
    assert "synchronized" not in result.run.model_path.read_bytes().decode("latin1")


@pytest.mark.train
def test_parts_of_workers_are_all_frames_once(prepared):
    from tinytracker.model.presets import find_preset
    from tinytracker.train.frames import Frames

    index, spec = read_index(prepared), find_preset("tinytracker-s").input

    def frames(part):
        stream = Frames(index, "train", spec, part=part).of_epoch(7, 8, 4)
        return [tuple(gaze.tolist()) for _, gaze in stream.as_numpy_iterator()]

    everything = frames((1, 0))
    parts = [frames((3, worker)) for worker in range(3)]
    assert len({len(p) for p in parts}) == 1
    assert sorted(frame for part in parts for frame in part) == sorted(everything)
