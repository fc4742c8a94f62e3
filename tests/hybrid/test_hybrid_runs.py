"""A hybrid's life: train, resume, quantize, evaluate, compare, package; and what is refused."""

import json
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from support.cli import run
from support.host_c import COMPILER, Case, compile_and_run
from support.toy_clips import toy_clip, write_toy_clips

from tinytracker.errors import (
    InputFileError,
    ModelError,
    OutputError,
    TinyTrackerError,
    UnknownNameError,
    UsageError,
)
from tinytracker.events import write_clip
from tinytracker.files import read_json
from tinytracker.hybrid import HybridDocument, find_hybrid, quantize_hybrid, read_hybrid
from tinytracker.hybrid.config import hybrid_config
from tinytracker.hybrid.evaluation import direction_error_deg
from tinytracker.hybrid.following import Frames, follow
from tinytracker.hybrid.link import link_bytes
from tinytracker.hybrid.streams import all_windows, read_streams, spread
from tinytracker.model import find_preset
from tinytracker.package import Manifest, package
from tinytracker.package.neuromorphic.options import Options
from tinytracker.platforms.hybrid import COLUMNS, compare_hybrids
from tinytracker.train import TrainConfig

pytestmark = pytest.mark.train

SMALL = {"epochs": 2, "steps": 6, "batch_size": 8, "validation_windows": 16}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return write_toy_clips(tmp_path_factory.mktemp("clips"), 25)


@pytest.fixture(scope="module")
def trained(clips, tmp_path_factory):
    """A run of a hybrid, with integers and an evaluation."""
    from tinytracker.hybrid import evaluate_hybrid, train_hybrid

    folder = tmp_path_factory.mktemp("runs") / "run"
    train_hybrid(clips, "hybrid-s2a3", folder, hybrid_config(interval=4, **SMALL))
    quantize_hybrid(folder, 16)
    evaluate_hybrid(folder, windows=24, following=Frames(at_most=8, error_cm=1.0))
    return folder


def test_integers_are_close_to_the_float_network(trained):
    about = HybridDocument.read(trained / "hybrid" / "hybrid.json")
    assert about.validation.integer_cm == pytest.approx(about.validation.float_cm, rel=0.05)
    assert about.parameters == find_hybrid("hybrid-s2a3").parameters(4)
    assert about.accumulator.bytes == 8 * 16 * 16 * 4
    # TensorFlow Lite counts the same products as the preset, and one parameter for each weight and bias.
    assert about.head.macs == find_hybrid("hybrid-s2a3").head_macs(4)
    assert about.head.parameters + 3 * 3 * (2 * 8 + 8 * 16) == about.parameters


def test_an_answer_can_be_had_after_any_step(trained, clips):
    hybrid, _ = read_hybrid(trained)
    windows = spread(all_windows(read_streams(clips, "test")[0]), 3)
    fired = hybrid.fired(windows.events())
    early = type(windows)(windows.streams, windows.clip, windows.start, np.full(len(windows), 6))
    np.testing.assert_array_equal(hybrid.codes(hybrid.fired(early.events())), hybrid.codes(fired, 6))
    codes = hybrid.codes(fired, 6).reshape(len(windows), 8, 16, 4, 16)
    assert (codes[..., 2:, :] == -128).all()  # slots that have not begun
    assert (codes[..., :2, :] > -128).any()
    np.testing.assert_array_equal(hybrid.answer(fired, 16), hybrid.answers(windows.events()))


@pytest.mark.skipif(COMPILER is None, reason="no C compiler")
def test_generated_c_of_the_head_equals_the_reference(trained, clips, tmp_path):
    hybrid, _ = read_hybrid(trained)
    windows = spread(all_windows(read_streams(clips, "test")[0]), 4)
    codes = hybrid.codes(hybrid.fired(windows.events()))
    ((*rows,),) = compile_and_run([Case(hybrid.head, [[c[None]] for c in codes])], tmp_path)
    np.testing.assert_array_equal(np.concatenate([row[0] for row in rows]), hybrid.head_codes(codes))


def test_the_evaluation_has_errors_costs_and_the_gaze_between_frames(trained):
    found = read_json(trained / "evaluation" / "hybrid-test.json")
    assert found["people"] == 3
    assert 8 < found["windows"] <= 24
    assert found["integer_loss"] == pytest.approx(
        found["integers"]["error_cm"] / found["floating"]["error_cm"] - 1
    )
    assert found["integers"]["ci95_cm"][0] <= found["integers"]["error_cm"] <= found["integers"]["ci95_cm"][1]
    about = found["following"]
    # The answers of frame 0 to 6.67 bins late, of 8 frames.
    assert about["answers"] == 8 * 7
    assert about["held_moving_cm"] > about["held_cm"] > 0.9  # the error of the frames
    cost = found["cost"]
    assert cost["updates"] == 16 * (16 * 32 * 8 + 8 * 16 * 16)
    assert cost["sops"] > cost["spikes"] > cost["accumulations"] > 0
    assert cost["link"]["addresses"] == 2 * cost["accumulations"]
    assert cost["link_bytes"] == min(cost["link"].values())
    with np.load(trained / "evaluation" / "hybrid-test.npz") as held:
        errors = np.linalg.norm(held["integers_cm"] - held["true_cm"], axis=1)
    assert errors.mean() == pytest.approx(found["integers"]["error_cm"])


def test_costs_of_runs_side_by_side(trained):
    (row,) = compare_hybrids([trained]).rows
    assert list(row.cells) == list(COLUMNS)
    cells = {name: figure.value for name, figure in row.cells.items()}
    assert cells["total_uj"] == pytest.approx(cells["spiking_uj"] + cells["link_uj"] + cells["ordinary_uj"])
    marks = {name: figure.mark.value for name, figure in row.cells.items()}
    assert marks["error_cm"] == "synthetic"
    assert marks["link_bytes"] == "emulated"
    assert marks["link_uj"] == marks["latency_ms"] == "modelled"
    answer = run("hybrid", "cost", trained, "--json")
    assert json.loads(answer.out)["rows"][0]["link_uj"]["value"] == cells["link_uj"]
    assert "hybrid-s2a3, I = 4" in run("hybrid", "cost", trained).out
    with pytest.raises(InputFileError, match="this hybrid has not been evaluated on the split val"):
        compare_hybrids([trained], "val")


def test_a_package_has_the_pair_and_equal_runs_give_equal_bytes(trained, tmp_path):
    made = package(trained, "neuromorphic", tmp_path / "a")
    package(trained, "neuromorphic", tmp_path / "b")
    names = sorted(p.name for p in made.folder.iterdir())
    assert names == [
        "README.md", "accumulator.json", "example.npz", "head.tflite", "manifest.json", "spiking.nir",
        "tt_accumulate.c", "tt_accumulate.h",
    ]  # fmt: skip
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    manifest = Manifest.read(made.manifest)
    assert manifest.parity.differing == 0
    assert manifest.parity.distinct_outputs > 8
    assert manifest.hybrid.chips["loihi2"]["fits"]
    assert "membranes lose a share" in manifest.hybrid.chips["speck"]["problems"][0]
    card = (made.folder / "README.md").read_text()
    assert 'library_name: "nir"' in card
    assert "tt_accumulate.c" in card
    assert "Its error has not been measured" not in card
    assert "The errors below are those of the **validation** split" in card
    with np.load(made.folder / "example.npz") as held:
        hybrid, _ = read_hybrid(trained)
        events = np.unpackbits(held["events"], axis=2).reshape(-1, 16, 32, 64, 2)
        np.testing.assert_array_equal(hybrid.answers(events), held["answer"])
    if COMPILER is not None:
        strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-c"]
        subprocess.run(
            [COMPILER, *strict, made.folder / "tt_accumulate.c", "-o", tmp_path / "accumulate.o"], check=True
        )
    with pytest.raises(ModelError, match="do not fit speck: its membranes lose a share"):
        package(trained, "neuromorphic", tmp_path / "c", options=Options("speck"))


def test_a_changed_file_is_not_packaged(trained, tmp_path):
    copy = shutil.copytree(trained, tmp_path / "run")
    head = copy / "hybrid" / "head.tflite"
    head.write_bytes(head.read_bytes()[:-1])
    with pytest.raises(InputFileError, match=r"not the file that hybrid\.json beside it describes"):
        package(copy, "neuromorphic", tmp_path / "out")
    (copy / "hybrid" / "hybrid.json").unlink()
    with pytest.raises(InputFileError, match="this run has no hybrid in integers"):
        read_hybrid(copy)


def test_a_resumed_run_ends_as_one_that_was_not_stopped(clips, tmp_path, monkeypatch):
    from tinytracker.hybrid import train_hybrid, training

    config = hybrid_config(interval=8, **SMALL)
    train_hybrid(clips, "hybrid-s0a5", tmp_path / "whole", config)
    judge, calls = training.error_cm, []

    def stop_in_the_second_epoch(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return judge(*arguments)

    monkeypatch.setattr(training, "error_cm", stop_in_the_second_epoch)
    with pytest.raises(KeyboardInterrupt):
        train_hybrid(clips, "hybrid-s0a5", tmp_path / "stopped", config)
    assert not (tmp_path / "stopped" / "hybrid.npz").exists()
    with pytest.raises(OutputError, match="a run is already here"):
        train_hybrid(clips, "hybrid-s0a5", tmp_path / "stopped", config)
    with pytest.raises(OutputError, match="cannot resume: the config differs"):
        train_hybrid(
            clips, "hybrid-s0a5", tmp_path / "stopped", hybrid_config(interval=4, **SMALL), resume=True
        )
    result = train_hybrid(clips, "hybrid-s0a5", tmp_path / "stopped", config, resume=True)
    assert result.epochs == 2
    with np.load(tmp_path / "whole" / "hybrid.npz") as a, np.load(tmp_path / "stopped" / "hybrid.npz") as b:
        for name in a.files:
            np.testing.assert_array_equal(a[name], b[name])
    # Killed after its last checkpoint, before anything that people and later commands read was written:
    published = [tmp_path / "stopped" / name for name in ("history.jsonl", "state.json", "hybrid.npz")]
    before = [path.read_bytes() for path in published]
    for path in published:
        path.unlink()
    train_hybrid(clips, "hybrid-s0a5", tmp_path / "stopped", config, resume=True)
    assert [path.read_bytes() for path in published] == before


def test_weights_that_the_last_step_has_spoiled_are_not_taken_for_trained():
    from tinytracker.hybrid.training import _finish_epoch
    from tinytracker.train.loop import _refuse_divergence
    from tinytracker.train.state import State

    state = State()
    with pytest.raises(TinyTrackerError, match=r"Training diverged in epoch 1: .* the validation error nan"):
        _finish_epoch(state, np.array([1.0, 2.0]), float("nan"), 1.0, hybrid_config())
    assert state == State()
    row = {"epoch": 3, "train_loss": 1.0, "val_error_cm": float("inf")}
    with pytest.raises(TinyTrackerError, match=r"Training diverged in epoch 3: .* the validation error inf"):
        _refuse_divergence(row, TrainConfig())


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["hybrid-s0a5", "hybrid-s5a0"])
def test_the_yardsticks_have_a_life_too(clips, tmp_path, name):
    from tinytracker.hybrid import evaluate_hybrid, train_hybrid

    folder = tmp_path / "run"
    train_hybrid(clips, name, folder, hybrid_config(interval=4, **SMALL))
    about = quantize_hybrid(folder, 16)
    found = evaluate_hybrid(folder, windows=16, following=Frames(at_most=4))
    assert (about.spiking is None) == (name == "hybrid-s0a5")
    assert (about.head is None) == (name == "hybrid-s5a0")
    assert abs(found.integer_loss) < 0.1
    assert found.cost.link_bytes == (8 if name == "hybrid-s5a0" else min(found.cost.link.values()))
    (row,) = compare_hybrids([folder]).rows
    assert (row.cells["spiking_uj"].value == 0) == (name == "hybrid-s0a5")
    if name == "hybrid-s0a5":
        with pytest.raises(ModelError, match="has no spiking layers"):
            package(folder, "neuromorphic", tmp_path / "out")
    else:
        made = package(folder, "neuromorphic", tmp_path / "out")
        assert not (made.folder / "head.tflite").exists()
        assert made.document.hybrid.unit_of_readout > 0


def test_what_cannot_be_read(clips, tmp_path):
    with pytest.raises(InputFileError, match="there is no such folder"):
        read_streams(tmp_path / "none", "train")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputFileError, match="there are no clips"):
        read_streams(tmp_path / "empty", "train")
    write_toy_clips(tmp_path / "one", 1)
    split = "val" if read_streams(tmp_path / "one", "train")[0] else "train"
    with pytest.raises(InputFileError, match=f"there are no clips of the split {split} here"):
        read_streams(tmp_path / "one", split)
    short = tmp_path / "short" / "00000" / "clip-000.h5"
    write_clip(short, toy_clip(0, steps=15))
    with pytest.raises(InputFileError, match="its gaze is known for 75 ms, and a window has 80 ms"):
        read_streams(tmp_path / "short", "train")
    write_clip(short, toy_clip(0))
    short.write_bytes(short.read_bytes()[:2000])
    with pytest.raises(InputFileError, match="damaged or cut short"):
        read_streams(tmp_path / "short", "train")


def test_the_windows_that_set_the_ranges_are_recorded_not_those_asked_for(trained, tmp_path, monkeypatch):
    from tinytracker.hybrid import quantizing

    calibration = quantizing.calibration
    monkeypatch.setattr(quantizing, "calibration", lambda folder, count: calibration(folder, min(count, 8)))
    about = quantize_hybrid(shutil.copytree(trained, tmp_path / "run"), 100_000)
    assert about.head.calibration_windows == 8


def test_what_cannot_be_asked(trained):
    with pytest.raises(UsageError, match="An interval of 3 steps does not divide the 16 steps"):
        hybrid_config(interval=3)
    with pytest.raises(UsageError, match="The ranges of a head need 2 windows or more, not 1"):
        quantize_hybrid(trained, 1)
    with pytest.raises(UsageError, match="epochs"):
        hybrid_config(epochs=0)
    with pytest.raises(UnknownNameError, match=r"Did you mean 'hybrid-s2a3'"):
        find_hybrid("hybrid-s2a")
    with pytest.raises(UsageError, match="Between a frame and the next one's answer 133 ms pass"):
        Frames(rate=10)
    with pytest.raises(UsageError, match="do not exist"):
        Frames(delay_ms=-1)
    with pytest.raises(UsageError, match="0 frames are too few"):
        Frames(at_most=0)
    for verb in ("evaluate", "quantize"):
        answer = run(verb, trained)
        assert answer.code == 1
        assert "this run is a hybrid, not a network for frames" in answer.err
    with pytest.raises(UnknownNameError, match="Hybrids have verbs of their own: `tinytracker hybrid`"):
        find_preset("hybrid-s2a3")


def test_bytes_on_the_link_by_form():
    spikes = np.zeros((16, 2, 1, 3, 5), np.uint8)
    spikes[0, 0, 0, 0, 0] = spikes[1, 0, 0, 0, 0] = spikes[5, 0, 0, 2, 4] = 1
    sent = link_bytes(spikes, 4)
    assert sent.addresses == 3 * 2 / 2
    assert sent.bits == 16 * 2
    assert sent.sparse_codes == 2 * 3 / 2
    assert sent.codes == 4 * 6  # 15 counts of 0 to 4 in 3 bits
    assert sent.least == ("addresses", 3.0)


def test_angles_between_changes():
    a, b = np.array([[1.0, 0], [0, 2], [1, 1]]), np.array([[2.0, 0], [3, 0], [-1, -1]])
    np.testing.assert_allclose(direction_error_deg(a, b), [0, 90, 180])
    np.testing.assert_array_equal(direction_error_deg(np.zeros((3, 2)), b), 90)


def test_clips_of_closed_eyes_are_not_followed(trained, clips):
    hybrid, _ = read_hybrid(trained)
    streams, _ = read_streams(clips, "test")
    shut = [replace(stream, shut=np.ones_like(stream.shut)) for stream in streams]
    with pytest.raises(TinyTrackerError, match="The eyes are closed in all frames of the clips"):
        follow(hybrid, shut, Frames())
