"""The spiking chain on a run that was trained on noise: train, spike, evaluate, package, report."""

import json
import shutil

import numpy as np
import pytest
from support.cli import run as command
from support.stored import stored

from tinytracker.errors import InputFileError, ModelError
from tinytracker.spiking import SpikingCost, read_document, read_nir, spike, spiking_cost
from tinytracker.spiking.document import DOCUMENT_NAME, NETWORK_NAME

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def spikes_run(prepared, tmp_path_factory):
    """A run of spikes-s after one epoch on noise, converted and evaluated; this module's own."""
    from tinytracker.runs import Run
    from tinytracker.train import TrainConfig, train

    config = TrainConfig(epochs=1, batch_size=8, learning_rate=3e-3)

    def make(folder):
        train(prepared, "spikes-s", folder / "run", config)

    out = tmp_path_factory.mktemp("spikes") / "run"
    shutil.copytree(stored("spikes-run", make, config) / "run", out)
    return Run(out)


@pytest.fixture(scope="module")
def made(spikes_run):
    return spike(spikes_run.path, steps=4)


def copied(run, tmp_path):
    """The same run in a folder of its own, to convert in another way."""
    shutil.copytree(run.path, tmp_path / "run")
    return type(run)(tmp_path / "run")


def test_the_document_adds_up(spikes_run, made):
    assert (made.preset, made.method, made.encode, made.steps) == ("spikes-s", "qcfs", "current", 4)
    assert made == read_document(spikes_run)
    network = read_nir(spikes_run.path / "spiking" / NETWORK_NAME)
    assert (made.neurons, made.synapses, made.macs) == (network.neurons, network.synapses, network.macs)
    assert [layer.name for layer in made.layers] == ["conv0", "conv1", "conv2", "conv3", "hidden", "gaze"]
    assert made.spikes == pytest.approx(sum(layer.spikes for layer in made.layers))
    assert made.sops == pytest.approx(sum(layer.sops for layer in made.layers))
    assert made.sops_per_mac == pytest.approx(made.sops / made.macs)
    assert made.updates == made.neurons * 4
    rows = made.validation.steps
    assert [row.steps for row in rows] == [1, 2, 3, 4]
    assert [row.sops for row in rows] == sorted(row.sops for row in rows)
    assert rows[-1].error_cm == made.validation.integer_cm
    assert rows[-1].float_error_cm == made.validation.float_cm
    assert spiking_cost(spikes_run) == SpikingCost(
        made.neurons, made.synapses, made.sops, made.updates, 4, made.validation.integer_cm
    )


def test_the_errors_are_those_of_the_network(spikes_run, made, prepared):
    """The ordinary network's error is that of `evaluate` on the same split: folding and layout are right."""
    from tinytracker.evaluate import evaluate

    network = evaluate(spikes_run.path, split="val").errors.overall.error_cm
    assert made.validation.network_cm == pytest.approx(network, abs=0.02)
    spiking = evaluate(spikes_run.path, split="val", model="spiking")
    assert spiking.errors.overall.error_cm == pytest.approx(made.validation.integer_cm, abs=1e-6)
    assert spiking.spiking.steps[-1].sops == pytest.approx(made.sops)
    assert [row.steps for row in spiking.spiking.steps] == [1, 2, 3, 4]


def test_the_command_line(spikes_run, made, tmp_path):
    own = copied(spikes_run, tmp_path)
    answer = command("spike", own.path, "--steps", 3, "--encode", "rate", "--frames", 4, "--json")
    assert answer.document["layers"][0]["name"] == "input_spikes"
    assert answer.document["host_macs"] == 0
    assert answer.document["validation"]["frames"] <= 4
    text = command("spike", own.path, "--steps", 4).out
    assert "14,930 neurons, 1,338,016 synapses" in text
    text = command("evaluate", spikes_run.path, "--model", "spiking", "--split", "val").out
    assert "59,720 updates of neurons" in text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--steps", "0"], 2, "0 time steps are too few"),
        (["--steps", "100000"], 2, "100,000 time steps are too many. Use 1,024 or fewer"),
        (
            ["--method", "balance"],
            1,
            "spikes-s has learned its thresholds in training. Omit --method, or use qcfs.",
        ),
        (["--method", "magic"], 2, "Unknown method 'magic'"),
        (["--encode", "morse"], 2, "Unknown encoding 'morse'. Known: current, edges, rate."),
        (["--encode", "edges"], 1, "spikes-s was trained on grey levels, not on edges. Use --encode current"),
        (["--percentile", "20"], 2, "A percentile of 20 is out of range. It must be 50 to 100."),
        (["--frames", "0"], 2, "0 frames are too few."),
    ],
)
def test_options_out_of_range(spikes_run, arguments, code, words):
    answer = command("spike", spikes_run.path, *arguments)
    assert answer.code == code
    assert words in answer.err


def test_networks_that_cannot_fire_are_refused(run):
    answer = command("spike", run.path)
    assert answer.code == 1
    assert "position is position_planes, and constant planes are concatenated to the image" in answer.err
    with pytest.raises(ModelError, match="tinytracker-s has ordinary ReLUs"):
        spike(run.path, method="qcfs")
    with pytest.raises(
        InputFileError, match=r"this run has no spiking network. Make one with: tinytracker spike"
    ):
        read_document(run)
    assert "this run has no spiking network" in command("evaluate", run.path, "--model", "spiking").err
    answer = command("package", run.path, "--target", "neuromorphic", "--out", run.path.parent / "none")
    assert answer.code == 1
    assert (
        "The preset tinytracker-s cannot run on neuromorphic. Every operator has a spiking form" in answer.err
    )


def test_a_network_with_levels_has_no_int8_form(spikes_run):
    answer = command("quantize", spikes_run.path)
    assert answer.code == 1
    assert "spikes-s is trained with activations of 8 levels, which have no INT8 kernel." in answer.err
    assert "tinytracker spike RUN" in answer.err


@pytest.mark.parametrize(
    "arguments", [("export", "--out", "x.onnx"), ("parity",), ("compare-platforms", "--out", "x.html")]
)
def test_nobody_is_sent_to_quantize_such_a_network(spikes_run, arguments):
    verb, *options = arguments
    answer = command(verb, spikes_run.path, *options)
    assert answer.code == 1
    assert "8 levels, which have no INT8 kernel" in answer.err


def test_without_steps_their_number_is_chosen_and_said(spikes_run, tmp_path):
    own = copied(spikes_run, tmp_path)
    text = command("spike", own.path).out
    about = read_document(own)
    assert about.chosen is not None
    assert f"{about.steps} step" in text
    assert "chosen: " in text
    assert read_nir(own.path / "spiking" / NETWORK_NAME).steps == about.steps
    judged = about.validation
    assert [row.steps for row in judged.steps] == list(range(1, about.steps + 1))
    most = judged.network_cm * (1 + about.chosen.tolerance)
    assert (judged.integer_cm <= most) == about.chosen.is_within
    assert all(row.error_cm > most for row in judged.steps[:-1])
    given = spike(own.path, steps=about.steps)
    assert given.chosen is None
    assert given.validation.steps == judged.steps
    assert given.sha256 == about.sha256


def test_what_stands_in_the_way_is_said_before_the_work(spikes_run, tmp_path):
    own = copied(spikes_run, tmp_path)
    shutil.rmtree(own.path / "spiking", ignore_errors=True)
    (own.path / "spiking").write_text("a file")
    answer = command("spike", own.path, "--steps", 2)
    assert answer.code == 1
    assert "a file is in the way" in answer.err
    assert "frames" not in answer.err


def test_a_cut_network_is_named(spikes_run, tmp_path):
    own = copied(spikes_run, tmp_path)
    whole = own.model_path.read_bytes()
    own.model_path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputFileError, match=r"model\.keras: not a Keras network, or damaged"):
        spike(own.path, steps=1, frames=1)


def test_a_spiking_network_of_another_training_is_refused(spikes_run, made, tmp_path):
    own = copied(spikes_run, tmp_path)
    own.model_path.write_bytes(own.model_path.read_bytes() + b"trained again")
    for answer in (
        command("evaluate", own.path, "--model", "spiking"),
        command("package", own.path, "--target", "neuromorphic", "--out", tmp_path / "out"),
    ):
        assert answer.code == 1
        assert "made from another float network than the run has now" in answer.err


def test_a_misspelt_model_is_offered_the_spiking_one(spikes_run, made):
    answer = command("evaluate", spikes_run.path, "--model", "spikng")
    assert "Did you mean 'spiking'?" in answer.err


def test_the_package(spikes_run, made, tmp_path):
    answer = command(
        "package", spikes_run.path, "--target", "neuromorphic", "--out", tmp_path / "a", "--json"
    )
    assert answer.code == 0, answer.err
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    spiking = manifest["spiking"]
    assert (spiking["neurons"], spiking["steps"], spiking["rule"]["reset"]) == (14_930, 4, "subtract")
    assert spiking["integer_cm"] == made.validation.integer_cm
    assert spiking["chips"]["loihi2"]["fits"]
    assert not spiking["chips"]["speck"]["fits"]
    assert [f["path"] for f in manifest["files"]] == ["README.md", "network.nir"]
    assert (tmp_path / "a" / NETWORK_NAME).read_bytes() == (
        spikes_run.path / "spiking" / NETWORK_NAME
    ).read_bytes()
    command("package", spikes_run.path, "--target", "neuromorphic", "--out", tmp_path / "b")
    for name in ("README.md", "manifest.json", "network.nir"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    card = (tmp_path / "a" / "README.md").read_text()
    assert 'library_name: "nir"' in card
    assert "the threshold is subtracted" in card

    refused = command(
        "package", spikes_run.path, "--target", "neuromorphic", "--chip", "speck", "--out", tmp_path / "c"
    )
    assert refused.code == 1
    assert "does not fit speck: its first layer gets a current, and a Speck takes only spikes" in refused.err
    assert not (tmp_path / "c").exists()
    own = copied(spikes_run, tmp_path)
    spike(own.path, steps=4, encode="rate", frames=4)
    fits = command(
        "package",
        own.path,
        "--target",
        "neuromorphic",
        "--chip",
        "speck",
        "--out",
        tmp_path / "c",
        "--json",
    )
    assert fits.document["spiking"]["chips"]["speck"]["cores"] == 6


def test_a_file_that_was_changed_is_refused(spikes_run, made, tmp_path):
    copy = copied(spikes_run, tmp_path).path
    network = copy / "spiking" / NETWORK_NAME
    whole = network.read_bytes()
    network.write_bytes(whole[: len(whole) // 2])
    cut = command("package", copy, "--target", "neuromorphic", "--out", tmp_path / "out")
    assert "network.nir: " in cut.err
    assert cut.code == 1
    assert "cut short" in command("evaluate", copy, "--model", "spiking", "--split", "val").err
    about = json.loads((copy / "spiking" / DOCUMENT_NAME).read_text())
    (copy / "spiking" / DOCUMENT_NAME).write_text(json.dumps({**about, "sha256": "0" * 64}))
    network.write_bytes(whole)
    other = command("package", copy, "--target", "neuromorphic", "--out", tmp_path / "out")
    assert "not the network that spiking.json beside it describes" in other.err


def test_the_report_shows_errors_and_spikes(spikes_run, made, tmp_path):
    from tinytracker.report import report

    own = copied(spikes_run, tmp_path)
    written = report(own.path, tmp_path / "page.html")
    part = written.document["runs"][0]["spiking"]
    assert (part["sops"], part["steps"]) == (made.sops, 4)
    fired = {layer["name"]: sum(layer["by_step"]) for layer in part["raster"]["layers"]}
    assert list(fired) == ["conv0", "conv1", "conv2", "conv3", "hidden"]
    assert fired["conv0"] > 0
    page = written.page.read_text()
    assert 'id="steps-0"' in page
    assert 'id="raster-0"' in page
    about = json.loads((own.path / "spiking" / DOCUMENT_NAME).read_text())
    about |= {"steps": 1, "validation": {**about["validation"], "steps": []}}
    (own.path / "spiking" / DOCUMENT_NAME).write_text(json.dumps(about))
    page = report(own.path, tmp_path / "page.html").page.read_text()
    assert "step a frame" in page
    assert 'id="steps-0"' not in page
    (own.path / "spiking" / "raster.npz").write_bytes(b"cut")
    with pytest.raises(InputFileError, match=r"raster\.npz: cannot be read as spikes"):
        report(own.path, tmp_path / "page.html")


def test_a_network_that_sees_edges(spikes_run, tmp_path):
    """Untrained: its answers mean nothing, but they are the same in Keras, as spikes, and from the file."""
    import tensorflow as tf

    from tinytracker.evaluate import evaluate
    from tinytracker.model.keras_builder import build_keras
    from tinytracker.model.presets import find_preset

    own = copied(spikes_run, tmp_path)
    about = json.loads(own.description_path.read_text())
    own.description_path.write_text(json.dumps({**about, "preset": "spikes-s-edges"}))
    preset = find_preset("spikes-s-edges")
    tf.keras.utils.set_random_seed(2)
    build_keras(preset.network(), levels=preset.levels).save(own.model_path)
    made = spike(own.path, steps=8)
    assert (made.encode, made.layers[0].fan_in) == ("edges", 36)
    network = evaluate(own.path, split="val").errors.overall.error_cm
    assert made.validation.network_cm == pytest.approx(network, abs=0.02)
    spiking = evaluate(own.path, split="val", model="spiking")
    assert spiking.errors.overall.error_cm == pytest.approx(made.validation.integer_cm, abs=1e-6)
    with pytest.raises(
        ModelError, match="spikes-s-edges was trained on edges, which --encode rate does not give it"
    ):
        spike(own.path, encode="rate")
    answer = command("package", own.path, "--target", "neuromorphic", "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    assert "the codes of edges" in (tmp_path / "out" / "README.md").read_text()


def test_the_raster_is_of_the_same_network(spikes_run, made):
    with np.load(spikes_run.path / "spiking" / "raster.npz") as raster:
        assert raster["conv0"].shape == (4, len(raster["codes"]), 8192)
        assert raster["readout"].shape == (4, len(raster["codes"]), 2)
        assert raster["hidden"].max() <= 1
