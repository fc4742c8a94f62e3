import json

import numpy as np
import pytest

from tinytracker.errors import InputFileError, ModelError, OutputError, UnknownNameError, UsageError
from tinytracker.train import train
from tinytracker.train.export import export_weights


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    return export_weights(run.path, tmp_path_factory.mktemp("weights") / "s.npz", licence="none")


@pytest.fixture
def one_epoch(config):
    return config.model_copy(update={"epochs": 1})


def fresh(preset="tinytracker-s"):
    from tinytracker.model.keras_builder import build_keras
    from tinytracker.model.presets import find_preset

    return build_keras(find_preset(preset).network())


def weights(path):
    from tinytracker.model.keras_builder import load_trained

    return load_trained(path).get_weights()


def test_a_fresh_network_becomes_the_run_s(run):
    from tinytracker.train.initial import load_initial

    model = fresh()
    initial = load_initial(model, run.model_path)
    assert (initial.missing, initial.different, initial.unused) == ((), (), ())
    for ours, theirs in zip(model.get_weights(), weights(run.model_path), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_weight_file_keeps_the_weights_to_a_thousandth(run, exported):
    from tinytracker.train.initial import load_initial

    model = fresh()
    assert not load_initial(model, exported.path).missing
    for ours, theirs in zip(model.get_weights(), weights(run.model_path), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2**-11, atol=1e-7)


def test_the_document_beside_says_whence(run, exported):
    from tinytracker.model.weight_file import describe_weights

    about = describe_weights(exported.path)
    assert about["preset"] == "tinytracker-s"
    assert about["licence"] == "none"
    assert about["data"]["data_hash"] == run.describe().data.data_hash
    assert export_weights(run.path, exported.path, licence="none").sha256 == about["sha256"]


def test_training_begins_at_the_weights_of_a_run(run, prepared, one_epoch, tmp_path):
    """With next to no learning rate all weights stay what they were, the statistics of normalizations included."""
    config = one_epoch.model_copy(update={"init": str(run.path), "learning_rate": 1e-7})
    result = train(prepared, "tinytracker-s", tmp_path / "run", config)
    record = result.run.describe().init
    assert record.source == str(run.model_path)
    assert "stem" in record.loaded
    for ours, theirs in zip(weights(result.run.model_path), weights(run.model_path), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_layers_that_do_not_fit_stay_random_and_are_named(run):
    from tinytracker.train.initial import load_initial

    model = fresh("tinytracker")
    before = model.get_layer("stem").get_weights()
    initial = load_initial(model, run.model_path)
    assert "stem" in initial.different  # 8 filters of 3 channels there, 16 of 3 here
    assert "fuse_position" in initial.missing
    assert "gaze" in initial.loaded or "gaze" in initial.different
    for ours, random in zip(model.get_layer("stem").get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, random)


@pytest.mark.exhaustive
def test_the_record_of_a_training_names_layers_that_do_not_fit(run, prepared, one_epoch, tmp_path):
    config = one_epoch.model_copy(update={"init": str(run.path)})
    result = train(prepared, "tinytracker", tmp_path / "run", config)
    record = result.run.describe().init
    assert "stem" in record.different  # 8 filters of 3 channels there, 16 of 3 here
    assert "fuse_position" in record.missing
    assert "gaze" in record.loaded or "gaze" in record.different


class KillError(Exception):
    """Stands for a kill."""


def test_fine_tuning_that_makes_it_worse_keeps_what_it_began_with(run, prepared, config, tmp_path):
    spoiling = config.model_copy(
        update={"epochs": 1, "init": str(run.path), "learning_rate": 1.0, "warmup_epochs": 0.0}
    )
    result = train(prepared, "tinytracker-s", tmp_path / "run", spoiling)
    assert result.best_epoch == 0
    for ours, theirs in zip(weights(result.run.model_path), weights(run.model_path), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.exhaustive
@pytest.mark.parametrize("finished", [0, 1])
def test_a_stopped_fine_tuning_resumes_exactly(exported, prepared, config, tmp_path, monkeypatch, finished):
    from tinytracker.train import loop

    config = config.model_copy(update={"epochs": 2, "init": str(exported.path)})
    whole = train(prepared, "tinytracker-s", tmp_path / "whole", config)

    finish = loop._finish_epoch

    def kill(state, *args):
        if state.epoch == finished:  # in the first epoch: before its checkpoint
            raise KillError
        finish(state, *args)

    monkeypatch.setattr(loop, "_finish_epoch", kill)
    with pytest.raises(KillError):
        train(prepared, "tinytracker-s", tmp_path / "cut", config)
    monkeypatch.setattr(loop, "_finish_epoch", finish)
    resumed = train(prepared, "tinytracker-s", tmp_path / "cut", config, resume=True)
    for ours, theirs in zip(weights(resumed.run.model_path), weights(whole.run.model_path), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_source_that_changed_meanwhile_is_refused(run, prepared, config, tmp_path, monkeypatch):
    from tinytracker.train import loop

    source = tmp_path / "w.npz"
    export_weights(run.path, source)
    config = config.model_copy(update={"init": str(source)})
    monkeypatch.setattr(loop, "_finish_epoch", lambda *args: (_ for _ in ()).throw(KillError()))
    with pytest.raises(KillError):
        train(prepared, "tinytracker-s", tmp_path / "run", config)
    source.write_bytes(source.read_bytes() + b"\0")
    with pytest.raises((OutputError, InputFileError)):
        train(prepared, "tinytracker-s", tmp_path / "run", config, resume=True)


def test_a_run_of_an_older_release_can_be_resumed(run, prepared, config):
    """Its run.json knows nothing of settings that came later."""
    document = json.loads(run.description_path.read_text())
    text = run.description_path.read_text()
    del document["config"]["init"]
    run.description_path.write_text(json.dumps(document))
    try:
        assert train(prepared, "tinytracker-s", run.path, config, resume=True).epochs == config.epochs
    finally:
        run.description_path.write_text(text)


def test_no_layer_fits(prepared, one_epoch, tmp_path):
    from tinytracker.model.weight_file import write_weights

    write_weights(tmp_path / "w.npz", {"another": [np.ones((2, 2), np.float32)]}, {})
    config = one_epoch.model_copy(update={"init": str(tmp_path / "w.npz")})
    with pytest.raises(ModelError, match="none of its 1 layers"):
        train(prepared, "tinytracker-s", tmp_path / "run", config)
    assert not (tmp_path / "run" / "run.json").exists()


@pytest.mark.parametrize(
    ("init", "error", "says"),
    [
        ("missing.npz", InputFileError, "there is no such file"),
        ("missing", InputFileError, "a run folder, a .keras file or a .npz"),
        (".", InputFileError, "not a run folder"),
    ],
)
def test_wrong_sources(prepared, one_epoch, tmp_path, monkeypatch, init, error, says):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=says):
        train(prepared, "tinytracker-s", tmp_path / "run", one_epoch.model_copy(update={"init": init}))


def test_a_preset_without_packaged_weights_says_so(prepared, one_epoch, tmp_path, monkeypatch):
    from tinytracker.model import weight_file

    monkeypatch.setattr(weight_file, "_folder", lambda: tmp_path)
    with pytest.raises(UnknownNameError, match="Unknown synthetic weights of preset 'tinytracker-s'"):
        train(prepared, "tinytracker-s", tmp_path / "run", one_epoch.model_copy(update={"init": "synthetic"}))


def test_packaged_weights_are_found_by_preset(exported, prepared, one_epoch, tmp_path, monkeypatch):
    from tinytracker.model import weight_file

    (tmp_path / "tinytracker-s.npz").write_bytes(exported.path.read_bytes())
    monkeypatch.setattr(weight_file, "_folder", lambda: tmp_path)
    result = train(
        prepared, "tinytracker-s", tmp_path / "run", one_epoch.model_copy(update={"init": "synthetic"})
    )
    assert result.run.describe().init.source == str(tmp_path / "tinytracker-s.npz")


def test_weights_have_one_suffix(run, tmp_path):
    with pytest.raises(UsageError, match=r"must end in \.npz"):
        export_weights(run.path, tmp_path / "w.h5")


def test_a_damaged_keras_file_is_a_sentence(run, tmp_path):
    from tinytracker.train.initial import load_initial

    cut = tmp_path / "cut.keras"
    cut.write_bytes(run.model_path.read_bytes()[:5000])
    with pytest.raises(InputFileError, match="not a Keras network, or damaged"):
        load_initial(fresh(), cut)


def test_the_demo_begins_at_packaged_weights_and_goes_on_as_it_began(run, monkeypatch, tmp_path):
    from tinytracker import demo
    from tinytracker.runs import Run

    settings = demo.DemoSettings(preset="tinytracker-s")
    monkeypatch.setattr(demo, "packaged_presets", lambda: ["tinytracker-s"])
    assert demo._config(settings, Run(tmp_path)).init == "synthetic"
    assert demo._config(settings, run).init is None
    monkeypatch.setattr(demo, "packaged_presets", lambda: [])
    assert demo._config(settings, Run(tmp_path)).init is None


def test_what_differs_is_named_and_nothing_else(run, prepared, config):
    other = config.model_copy(update={"seed": 9})
    with pytest.raises(OutputError, match=r"It began with seed = 0; now it is seed = 9\. Use"):
        train(prepared, "tinytracker-s", run.path, other, resume=True)
