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
from tinytracker.spiking.foreign.environments import find_simulator

pytestmark = pytest.mark.train

# Where it is by default, before tests get a home of their own.
SINABS = find_simulator("sinabs").default_folder()


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


@pytest.fixture(scope="module")
def twins(spikes_run, tmp_path_factory):
    """A copy of the run with its spiking network and its INT8 twin."""
    own = copied(spikes_run, tmp_path_factory.mktemp("twins"))
    spike(own.path, steps=4)
    answer = command("quantize", own.path, "--calibration-frames", 16)
    assert answer.code == 0, answer.err
    return own


def test_the_int8_twin_is_the_network_without_its_levels(twins):
    """The .tflite file against the float network whose activations are clipped at the thresholds, but not rounded."""
    from tinytracker.evaluate import evaluate
    from tinytracker.interpreters.tflite import ReferenceInterpreter
    from tinytracker.model.keras_builder import load_trained
    from tinytracker.model.presets import find_preset
    from tinytracker.model.tflite_file import read_tflite
    from tinytracker.quant.contract import IoContract
    from tinytracker.quant.parity import patterns
    from tinytracker.spiking.conversion import trained_layers
    from tinytracker.spiking.lowering import activations

    content = (twins.quantized("ptq-int8") / "model.tflite").read_bytes()
    contract = IoContract.of(read_tflite(content))
    pixels = patterns(contract, 16)
    found = contract.decode(ReferenceInterpreter(content).run(contract.encode_all(pixels))[0])
    layers, thresholds = trained_layers(load_trained(twins.trained_model()), find_preset("spikes-s"))
    codes = (pixels["image"].astype(np.int16) - 128).astype(np.int8)
    many_levels = activations(layers, codes, (thresholds, 2**20))[-1]
    assert np.abs(found - many_levels).mean() < 0.1
    as_float, as_int8 = (
        evaluate(twins.path, split="val", model=m).errors.overall.error_cm for m in ("float", "ptq-int8")
    )
    assert abs(as_int8 - as_float) < 0.3


@pytest.mark.exhaustive
def test_the_twin_can_be_trained_with_rounding(twins, tmp_path):
    own = copied(twins, tmp_path)
    answer = command(
        "quantize", own.path, "--method", "qat", "--epochs", 1, "--calibration-frames", 16, "--json"
    )
    assert answer.code == 0, answer.err
    error = answer.document["training"]["val_error_cm"]
    assert error == pytest.approx(read_document(own).validation.network_cm, abs=0.5)


def test_parity_has_a_row_for_spikes_and_spikes_have_a_table(twins, made, tmp_path, monkeypatch):
    monkeypatch.setenv("TINYTRACKER_HOME", str(tmp_path / "home"))  # without sinabs, even where it is set up
    document = command("parity", twins.path, "--images", 32, "--json").document
    (row,) = (row for row in document["rows"] if row["computes"] == "spikes")
    assert row["runtime"] == "spiking simulator, 4 steps"
    assert row["error_cm"] > 0

    answer = command("parity", twins.path, "--images", 32, "--model", "spiking", "--json")
    document = answer.document
    assert document["step_cm"] == pytest.approx(made.unit_cm / 4)
    names = [row["runtime"].split()[0] for row in document["rows"]]
    assert names == ["Keras", "spiking", "sinabs"]
    assert document["rows"][1]["error_cm"] == pytest.approx(row["error_cm"])
    assert document["rows"][0]["max_lsb"] > 0
    assert "tinytracker setup sinabs" in document["rows"][2]["absent"]
    text = command("parity", twins.path, "--images", 32, "--model", "spiking").out
    assert "Nothing that must be equal was compared." in text
    card = tmp_path / "out" / "README.md"
    command("package", twins.path, "--target", "neuromorphic", "--out", card.parent)
    assert "| spiking simulator, 4 steps |" in card.read_text()

    own = copied(twins, tmp_path)
    shutil.rmtree(own.path / "quantized")
    assert command("parity", own.path, "--images", 32, "--json").document["model"] == "spiking"
    spike(own.path, steps=2)
    assert not (own.path / "spiking" / "parity.json").exists()


@pytest.mark.exhaustive
def test_sinabs_has_a_row_where_it_is_set_up(twins, monkeypatch):
    from tinytracker.package.parity import runtime_table
    from tinytracker.spiking.foreign.environments import Simulator, find_simulator

    folder = SINABS
    if find_simulator("sinabs").status(folder).missing:
        pytest.skip("sinabs is not set up")
    monkeypatch.setattr(Simulator, "default_folder", lambda self: folder)
    row = runtime_table(twins.path, "spiking", images=32).rows[2]
    assert row.runtime == "sinabs 3.1.3 on 32 images"
    assert (row.differing, row.max_lsb, row.must_be_equal) == (0, 0.0, True)

    honest = Simulator.run

    def changed(self, path, frames, steps, spikes, start, out, **kept):
        honest(self, path, frames, steps, spikes, 0, out, **kept)  # membranes that start at zero

    monkeypatch.setattr(Simulator, "run", changed)
    table = runtime_table(twins.path, "spiking", images=32)
    assert table.rows[2].differing > 0
    assert not table.exact


def test_the_documented_way_to_one_table_of_all_platforms(twins, tmp_path):
    """The commands of docs/platforms.md after training, on a run that has both forms of its network."""
    own = copied(twins, tmp_path)
    for model in ("ptq-int8", "spiking"):
        assert command("evaluate", own.path, "--model", model).code == 0
    session = tmp_path / "pc.jsonl"
    measured = command(
        "measure", "--target", "host", "--run", own.path, "--frames", 20, "--warmup", 2, "--out", session
    )
    assert measured.code == 0, measured.err
    page = tmp_path / "platforms.html"
    answer = command("compare-platforms", own.path, session, "--out", page, "--json")
    assert answer.code == 0, answer.err
    rows = {row["platform"]: row for row in answer.document["rows"]}
    assert "ptq-int8" in rows["spresense"]["error_cm"]["source"]
    for name in ("loihi-1", "loihi-2", "speck"):
        assert rows[name]["error_cm"]["source"].startswith("spiking, ")
        assert "test split" in rows[name]["error_cm"]["source"]
    assert rows["pc"]["inference_ms"]["mark"] == "measured"
    assert rows["loihi-2"]["fit"]["ok"]
    assert any("11 of 128 cores" in remark for remark in rows["loihi-2"]["remarks"])
    assert "a Speck takes only spikes" in rows["speck"]["fit"]["why"]
    assert "its INT8 twin" in " ".join(answer.document["remarks"])
    assert "validation split" not in " ".join(answer.document["remarks"])


def test_a_table_without_the_int8_twin_says_how_to_make_it(spikes_run, made, tmp_path):
    answer = command("compare-platforms", spikes_run.path, "--out", tmp_path / "x.html", "--json")
    assert answer.code == 0, answer.err
    rows = {row["platform"]: row for row in answer.document["rows"]}
    why = f"no INT8 network in the run; make it with: tinytracker quantize {spikes_run.path}"
    assert rows["spresense"]["inference_ms"] == {"absent": why}
    assert rows["spresense"]["fit"]["ok"] is None
    assert rows["loihi-2"]["error_cm"]["value"] == made.validation.integer_cm
    assert any("on the validation split" in remark for remark in answer.document["remarks"])


@pytest.mark.parametrize("arguments", [("quantize",), ("export", "--out", "x.onnx"), ("parity",)])
def test_a_network_that_sees_edges_has_no_int8_form(spikes_run, tmp_path, arguments):
    own = copied(spikes_run, tmp_path)
    shutil.rmtree(own.path / "spiking", ignore_errors=True)
    about = json.loads(own.description_path.read_text())
    own.description_path.write_text(json.dumps({**about, "preset": "spikes-s-edges"}))
    verb, *options = arguments
    answer = command(verb, own.path, *options)
    assert answer.code == 1
    assert "spikes-s-edges computes edges of the image" in answer.err
    assert "train spikes-s, which can also be quantized" in answer.err


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


def test_a_network_that_does_not_fire_is_called_silent(spikes_run, tmp_path):
    """Its error is that of a constant, which looks like that of a network within the tolerance."""
    from tinytracker.model.keras_builder import load_trained

    own = copied(spikes_run, tmp_path)
    model = load_trained(own.trained_model())
    last = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"][-1]
    gamma, beta, *moments = last.get_weights()
    last.set_weights([gamma, beta - 1000, *moments])
    model.save(own.model_path)
    text = command("spike", own.path).out
    assert "1 step chosen" in text
    assert "the same answer for all frames" in " ".join(text.split())
    assert command("package", own.path, "--target", "neuromorphic", "--out", tmp_path / "out").code == 0
    assert "in the only step" in (tmp_path / "out" / "README.md").read_text()


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
    assert (
        f"{made.validation.integer_cm:.2f} cm on {made.validation.frames} frames of the **validation** split"
        in card
    )
    assert "Its error has not been measured" not in card
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
    other = command("evaluate", copy, "--model", "spiking", "--split", "val")
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
