"""Networks with an aim through the whole toolchain: training, quantization, every runtime, evaluation."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.gazecapture_folder import eyed_jpegs, make_folder

from tinytracker.aim.layout import AIM
from tinytracker.data.preparation import prepare
from tinytracker.errors import ConfigError, InputFileError
from tinytracker.evaluate import evaluate
from tinytracker.evaluate.document import EvaluationDocument
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.interpreters.tflite import ReferenceInterpreter
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.weight_file import packaged_weights
from tinytracker.quant import QatSettings, quantize
from tinytracker.quant.contract import IoContract
from tinytracker.quant.record import QuantizationRecord
from tinytracker.synth import generate
from tinytracker.train import TrainConfig, train

PRESET = "tinytracker-s2-aim"


@pytest.fixture(scope="module")
def eyed(tmp_path_factory):
    """Prepared whole frames with two dark discs: 4 subjects, 8 frames each."""
    folder = tmp_path_factory.mktemp("eyed")
    make_folder(folder / "gazecapture", subjects=4, frames=8, seed=3, jpegs=eyed_jpegs, frame_size=(192, 256))
    prepare(folder / "gazecapture", folder / "prepared", jobs=1, aim=True)
    return folder / "prepared"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Prepared whole frames of drawn faces: 4 subjects, 6 frames each."""
    folder = tmp_path_factory.mktemp("drawn")
    generate(folder / "gazecapture", 4, 6, seed=5, jobs=1, aim=True)
    prepare(folder / "gazecapture", folder / "prepared", jobs=1, aim=True)
    return folder / "prepared"


@pytest.fixture(scope="module")
def config():
    start = str(packaged_weights("tinytracker-s2"))
    return TrainConfig(
        epochs=2, batch_size=16, learning_rate=1e-3, init=start, optimizer="adamw", tensorboard=False
    )


@pytest.fixture(scope="module")
def aimed(eyed, config, tmp_path_factory):
    out = tmp_path_factory.mktemp("aimed") / "run"
    result = train(eyed, PRESET, out, config)
    quantize(out, calibration_frames=16)
    return result.run


def test_statistics_of_the_first_weights_stay_and_all_else_is_trained(aimed):
    from tinytracker.model.keras_builder import load_trained
    from tinytracker.model.weight_file import read_weights

    before, after = read_weights(packaged_weights("tinytracker-s2")), load_trained(aimed.trained_model())
    gamma, beta, mean, variance = after.get_layer("stem_bn").get_weights()
    np.testing.assert_array_equal(mean, before["stem_bn"][2])
    np.testing.assert_array_equal(variance, before["stem_bn"][3])
    assert not np.array_equal(gamma, before["stem_bn"][0])
    assert not np.array_equal(beta, before["stem_bn"][1])


def test_batches_depend_on_seed_and_epoch_only(eyed, config, tmp_path):
    """So a resumed run sees what an uninterrupted one would have seen."""
    from tinytracker.data.index import read_index
    from tinytracker.model.presets import find_preset
    from tinytracker.runs import Run
    from tinytracker.train.aim_batches import AimTrainingBatches
    from tinytracker.train.task import Task

    def batch(epoch):
        task = Task(read_index(eyed), find_preset(PRESET), Run(tmp_path), config)
        inputs, target = next(iter(AimTrainingBatches(task).of_epoch(epoch)))
        return inputs["image"].numpy(), target.numpy()

    for first, second in zip(batch(2), batch(2), strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(batch(1)[0], batch(2)[0])


def test_a_share_of_a_batch_are_strips_that_teach_the_gaze_alone(eyed, config, tmp_path):
    """They are what a network without an aim is trained on: the same pictures, gaze and cm per unit."""
    from tinytracker.data.index import read_index
    from tinytracker.model.presets import find_preset
    from tinytracker.runs import Run
    from tinytracker.train.aim_batches import AimTrainingBatches
    from tinytracker.train.aim_crops import COLUMNS
    from tinytracker.train.batches import TrainingBatches
    from tinytracker.train.task import Task

    def batches(preset, kind, strips, size):
        augment = config.augment.model_copy(update={"strips": strips})
        settings = config.model_copy(update={"augment": augment, "batch_size": size})
        made = kind(Task(read_index(eyed), find_preset(preset), Run(tmp_path), settings))
        return made.steps, [(x["image"].numpy(), y.numpy()) for x, y in made.of_epoch(3)]

    steps, mixed = batches(PRESET, AimTrainingBatches, 0.7, 24)  # 8 crops of 2 frames, and 16 strips
    strip_steps, strips = batches("tinytracker-s2", TrainingBatches, 0.0, 16)
    _, crops = batches(PRESET, AimTrainingBatches, 0.0, 8)
    assert steps == strip_steps == len(mixed) == 1
    image, target = mixed[0]
    np.testing.assert_array_equal(image[:8], crops[0][0])
    np.testing.assert_array_equal(target[:8], crops[0][1])
    np.testing.assert_array_equal(image[8:], strips[0][0])
    column = {name: target[8:, i] for i, name in enumerate(COLUMNS)}
    np.testing.assert_array_equal(np.stack([column["x"], column["y"]], 1), strips[0][1][:, :2])
    np.testing.assert_allclose(column["unit"], strips[0][1][:, 2], rtol=1e-6)
    assert (column["gaze_weight"] == 1).all()
    assert not column["place_weight"].any()
    assert not column["presence_weight"].any()


def test_a_data_set_smaller_than_a_batch_still_makes_a_step(eyed, config, tmp_path):
    from tinytracker.data.index import read_index
    from tinytracker.model.presets import find_preset
    from tinytracker.runs import Run
    from tinytracker.train.aim_batches import AimTrainingBatches
    from tinytracker.train.task import Task

    for strips in (0.0, 0.1, 0.7, 0.99):
        augment = config.augment.model_copy(update={"strips": strips})
        settings = config.model_copy(update={"augment": augment, "batch_size": 400})
        made = AimTrainingBatches(Task(read_index(eyed), find_preset(PRESET), Run(tmp_path), settings))
        assert len(list(made.of_epoch(1))) == made.steps >= 1


@pytest.mark.exhaustive
def test_a_stopped_training_ends_with_the_same_weights(eyed, config, aimed, tmp_path, monkeypatch):
    from tinytracker.model.keras_builder import load_trained
    from tinytracker.train import loop

    class KillError(Exception):
        """Stands for a kill."""

    log = loop._log
    monkeypatch.setattr(loop, "_log", lambda *_: (_ for _ in ()).throw(KillError))
    with pytest.raises(KillError):
        train(eyed, PRESET, tmp_path / "run", config)
    monkeypatch.setattr(loop, "_log", log)
    run = train(eyed, PRESET, tmp_path / "run", config, resume=True).run
    both = [load_trained(r.trained_model()).get_weights() for r in (run, aimed)]
    for a, b in zip(*both, strict=True):
        np.testing.assert_array_equal(a, b)


def test_it_needs_whole_frames_and_whole_groups_of_crops(prepared, eyed, tmp_path):
    with pytest.raises(InputFileError, match="training tinytracker-s2-aim needs whole frames"):
        train(prepared, PRESET, tmp_path / "run", TrainConfig(epochs=1))
    with pytest.raises(ConfigError, match="30 is not a multiple"):
        train(eyed, PRESET, tmp_path / "other", TrainConfig(epochs=1, batch_size=30))


def test_the_file_says_that_it_has_an_aim(aimed):
    folder = aimed.quantized("ptq-int8")
    record = QuantizationRecord.read(folder / "quantization.json")
    assert record.contract.aim.first == 16
    assert record.contract.aim.codes == 24
    document = json.loads((folder / "quantization.json").read_text())
    del document["contract"]["aim"]  # as an earlier release wrote it
    (folder / "old.json").write_text(json.dumps(document))
    assert QuantizationRecord.read(folder / "old.json").contract.aim is None


def test_every_runtime_gives_the_same_codes_and_no_code_is_requantized(aimed):
    from tinytracker.codegen.host import GeneratedRuntime

    content = (aimed.quantized("ptq-int8") / "model.tflite").read_bytes()
    model = read_tflite(content)
    assert model.operators[-1].name == "CONCATENATION"
    assert "QUANTIZE" not in {o.name for o in model.operators}
    contract = IoContract.of(model)
    codes = np.random.default_rng(0).integers(0, 256, (3, 64, 192, 1), np.uint8)
    inputs = contract.encode_all({"image": codes})
    wanted = ReferenceInterpreter(content).run(inputs)[0]
    assert wanted.shape[-1] == 40
    for runtime in (MicroInterpreter(content), GeneratedRuntime(content)):
        np.testing.assert_array_equal(runtime.run(inputs)[0], wanted)


def test_int8_says_what_the_float_network_says(drawn):
    """The bundled network on faces, with few calibration frames."""
    from tinytracker.data.index import read_index
    from tinytracker.model.keras_builder import build_keras, with_output
    from tinytracker.model.presets import find_preset
    from tinytracker.quant.calibration import calibration_set
    from tinytracker.quant.ptq import convert
    from tinytracker.quant.runtimes import ReferenceRuntime
    from tinytracker.train.initial import load_initial

    preset, index = find_preset(PRESET), read_index(drawn)
    model = build_keras(preset.network())
    load_initial(model, packaged_weights(PRESET))
    calibration = calibration_set(index, preset.input, 16, aim=True)
    assert calibration.sha256 != calibration_set(index, preset.input, 16).sha256
    runtime = ReferenceRuntime(convert(with_output(model, preset.output), calibration, "int8"))
    raw = runtime.run(calibration.codes)
    wanted = model.predict(calibration.codes["image"].astype(np.float32) / 128 - 1, verbose=0)
    low, high = ([getattr(part, end) for part in AIM] for end in ("low", "high"))
    error = np.abs(runtime.contract.aim.decode(raw) - np.clip(wanted[:, 2:], low, high))
    assert (np.median(error, axis=0) < [0.02, 0.02, 0.06, 0.03, 0.5]).all()
    assert np.median(np.abs(runtime.contract.decode(raw) - wanted[:, :2])) < 0.4


def test_evaluation_reports_the_aim_beside_the_gaze(aimed):
    found = evaluate(aimed.path, model="ptq-int8")
    aim = found.aim
    assert aim.frames == found.errors.overall.frames == 8
    assert (len(aim.mid_on_it), len(aim.far_on_it)) == (3, 6)
    assert 0 <= aim.false_eyes <= 1
    assert EvaluationDocument.read(found.path).aim == aim


def test_an_ideal_aim_is_on_the_strip_after_one_step(eyed):
    """The measurement itself: answers that know the truth are right at once, and answers that never move are not."""
    from tinytracker.data.index import read_index
    from tinytracker.evaluate.aim import frames_of, summarize_aim, trace_aim
    from tinytracker.model.presets import find_preset

    spec = find_preset(PRESET).input
    index = read_index(eyed)

    def lazy(codes):
        return np.zeros((len(codes), 2)), np.zeros((len(codes), 5))

    found = summarize_aim(trace_aim(frames_of(index, "train"), spec, lazy, lambda n: None))
    assert found.dx == found.dy == 0
    assert found.far_on_it[-1] < 0.5
    assert found.false_eyes == 0

    def dark(codes):
        """Find both discs by their darkness."""
        answers = []
        for image in codes[..., 0].astype(float):
            at = np.argwhere((image > 0) & (image < 90)) + 0.5
            if len(at) == 0:
                answers.append([0, 0, 0, 0, -5])
                continue
            y, x = at.mean(0)
            # Both discs are seen when the dark columns fall in two groups.
            columns = np.unique(at[:, 1])
            gap = np.diff(columns).argmax() if len(columns) > 1 else 0
            split = (columns[gap] + columns[min(gap + 1, len(columns) - 1)]) / 2
            left, right = at[at[:, 1] < split], at[at[:, 1] >= split]
            if len(left) == 0 or len(right) == 0:
                answers.append([(x - 96) / 192, (y - 32) / 192, 0.5, 0, 5])
                continue
            (y0, x0), (y1, x1) = left.mean(0), right.mean(0)
            width = (x1 - x0) * 0.75 / 0.4
            answers.append(
                [((x0 + x1) / 2 - 96) / 192, ((y0 + y1) / 2 - 32) / 192, np.log(width / 192), 0, 5]
            )
        return np.zeros((len(codes), 2)), np.array(answers, float)

    found = summarize_aim(trace_aim(frames_of(index, "train"), spec, dark, lambda n: None))
    assert found.distance < 0.02
    assert found.mid_on_it[-1] > 0.9
    assert found.false_eyes < 0.1


@pytest.mark.exhaustive
def test_rounding_can_be_trained_too(aimed, tmp_path):
    import shutil

    shutil.copytree(aimed.path, tmp_path / "run")
    made = quantize(tmp_path / "run", "qat", calibration_frames=16, qat=QatSettings(epochs=1))
    contract = IoContract.of(read_tflite(made.model))
    assert contract.aim is not None
    assert contract.is_pixel_exact
