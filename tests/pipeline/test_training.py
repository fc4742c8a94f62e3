import json
import shutil

import numpy as np
import pytest

from tinytracker.errors import InputFileError, OutputError, TinyTrackerError, UnknownNameError
from tinytracker.runs import Run
from tinytracker.train import TrainConfig, train


class StopError(Exception):
    """Stands for whatever ends a training: a signal, a power cut."""


def weights(run):
    from tinytracker.model.keras_builder import load_trained

    return load_trained(run.model_path).get_weights()


def metrics(run):
    rows = [json.loads(line) for line in run.history_path.read_text().splitlines()]
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


def test_a_run_folder_tells_what_was_trained_on_what(run, prepared, config):
    description = run.describe()
    assert description.preset == "tinytracker-s"
    assert description.config == config.model_dump()
    assert description.data.data_hash == json.loads((prepared / "index.json").read_text())["data_sha256"]
    assert description.versions["tensorflow"].startswith("2.15")
    assert len(metrics(run)) == config.epochs
    assert list(run.tensorboard.glob("events*"))


@pytest.fixture(scope="module")
def stopped(prepared, config, tmp_path_factory):
    """A training that ended after two of its epochs; tests take a copy."""
    from tinytracker.train.checkpoints import Checkpoints

    save = Checkpoints.save

    def save_and_stop(checkpoints, state):
        save(checkpoints, state)
        if state.epoch == 2:
            raise StopError

    folder = tmp_path_factory.mktemp("stopped") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checkpoints, "save", save_and_stop)
        with pytest.raises(StopError):
            train(prepared, "tinytracker-s", folder, config)
    return folder


def test_a_resumed_training_equals_an_uninterrupted_one(run, stopped, prepared, config, tmp_path):
    shutil.copytree(stopped, tmp_path / "run")
    assert not Run(tmp_path / "run").model_path.exists()

    resumed = train(prepared, "tinytracker-s", tmp_path / "run", config, resume=True)
    assert metrics(resumed.run) == metrics(run)
    for ours, theirs in zip(weights(resumed.run), weights(run), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.exhaustive
def test_a_stop_before_the_state_is_written_loses_one_epoch_only(prepared, config, tmp_path, monkeypatch):
    from tinytracker.train import checkpoints

    write = checkpoints.write_json

    def stop_at_the_second_state(path, value):
        if path.name == "state.json" and value["epoch"] == 2:
            raise StopError
        return write(path, value)

    short = config.model_copy(update={"epochs": 2})
    monkeypatch.setattr(checkpoints, "write_json", stop_at_the_second_state)
    with pytest.raises(StopError):
        train(prepared, "tinytracker-s", tmp_path / "run", short)
    monkeypatch.setattr(checkpoints, "write_json", write)
    result = train(prepared, "tinytracker-s", tmp_path / "run", short, resume=True)
    assert [row["epoch"] for row in metrics(result.run)] == [1, 2]


def test_a_finished_run_is_not_trained_again(run, prepared, config, monkeypatch):
    before = run.model_path.stat().st_mtime_ns
    result = train(prepared, "tinytracker-s", run.path, config, resume=True)
    assert result.epochs == config.epochs
    assert run.model_path.stat().st_mtime_ns == before


def test_a_run_is_not_overwritten(run, prepared, config):
    with pytest.raises(OutputError, match="a run is already here"):
        train(prepared, "tinytracker-s", run.path, config)


def test_a_run_does_not_go_on_with_other_settings(run, prepared, config):
    other = config.model_copy(update={"seed": 9})
    with pytest.raises(OutputError, match="the config differs"):
        train(prepared, "tinytracker-s", run.path, other, resume=True)


def test_a_folder_with_something_else_in_it_is_left_alone(prepared, config, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty and is not a run"):
        train(prepared, "tinytracker-s", tmp_path, config)


def test_a_damaged_checkpoint_is_a_sentence(stopped, prepared, config, tmp_path):
    shutil.copytree(stopped, tmp_path / "run")
    for part in (tmp_path / "run" / "checkpoints").glob("epoch-0002.*"):
        part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(TinyTrackerError, match="the checkpoint of epoch 2 cannot be read"):
        train(prepared, "tinytracker-s", tmp_path / "run", config, resume=True)


def test_early_stopping_keeps_the_best_epoch():
    from tinytracker.train.loop import State, _finish_epoch

    state, config = State(), TrainConfig(epochs=50, patience=3)
    for epoch, error in enumerate([3.0, 2.0, 2.5, 2.4, 2.3, 1.0], 1):
        _finish_epoch(state, {"epoch": epoch, "val_error_cm": error, "seconds": 1.0}, config)
        if state.finished:
            break
    assert (state.epoch, state.best_epoch, state.best_error_cm) == (5, 2, 2.0)


@pytest.mark.exhaustive
def test_the_network_can_learn(prepared, tmp_path):
    """Overfits 48 noise images: the loop, the gradients and the labels are wired to each other.

    In short: test_qat.py trains on pictures that show the gaze, and compares with the constant predictor.
    """
    config = TrainConfig(epochs=14, batch_size=8, learning_rate=3e-3, patience=14, augment={
        "mirror": False, "brightness": 0, "contrast": 0, "colour": 0, "noise": 0})  # fmt: skip
    result = train(prepared, "tinytracker-s", tmp_path / "run", config)
    first, *_, last = metrics(result.run)
    assert last["train_loss"] < 0.6 * first["train_loss"]


def test_not_prepared_data(tmp_path):
    with pytest.raises(InputFileError, match=r"not a prepared folder \(no index\.json\)"):
        train(tmp_path, "tinytracker-s", tmp_path / "run")


def test_unknown_preset(prepared, tmp_path):
    with pytest.raises(UnknownNameError, match="Unknown preset 'tiny'"):
        train(prepared, "tiny", tmp_path / "run")


@pytest.mark.parametrize("cache", ["disk", pytest.param("none", marks=pytest.mark.exhaustive)])
def test_other_caches_train_too(prepared, tmp_path, cache, monkeypatch):
    from tinytracker.train import loop

    task_cache = tmp_path / "run" / "cache"
    config = TrainConfig(epochs=1, batch_size=8, cache=cache)
    seen = []
    monkeypatch.setattr(
        "tinytracker.train.loop._one_epoch",
        lambda *args, train=loop._one_epoch: seen.append(task_cache.is_dir()) or train(*args),
    )
    result = train(prepared, "tinytracker-s", tmp_path / "run", config)
    assert result.epochs == 1
    assert seen == [cache == "disk"]
    assert not task_cache.exists()  # on a large data set it is tens of GB
