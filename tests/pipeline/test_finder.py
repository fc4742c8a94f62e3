"""The finder through the whole toolchain: training, quantization, every runtime, evaluation."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.gazecapture_folder import eyed_jpegs, make_folder
from support.host_c import Case, compile_and_run

from tinytracker.data.preparation import prepare
from tinytracker.errors import InputFileError, ModelError
from tinytracker.evaluate import evaluate
from tinytracker.evaluate.document import EvaluationDocument
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.interpreters.tflite import ReferenceInterpreter
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant import quantize
from tinytracker.quant.contract import IoContract
from tinytracker.train import TrainConfig, train

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def eyed(tmp_path_factory):
    """Prepared whole frames with two dark discs: 4 subjects, 8 frames each."""
    folder = tmp_path_factory.mktemp("eyed")
    make_folder(folder / "gazecapture", subjects=4, frames=8, seed=3, jpegs=eyed_jpegs, frame_size=(192, 256))
    prepare(folder / "gazecapture", folder / "prepared", jobs=1, aim=True)
    return folder / "prepared"


@pytest.fixture(scope="module")
def found(eyed, tmp_path_factory):
    config = TrainConfig(epochs=3, batch_size=8, optimizer="adamw", tensorboard=False, cache="memory")
    out = tmp_path_factory.mktemp("finder") / "run"
    result = train(eyed, "finder", out, config)
    quantize(out, calibration_frames=100)
    return result.run


def test_every_runtime_answers_the_same(found, tmp_path):
    content = (found.quantized("ptq-int8") / "model.tflite").read_bytes()
    contract = IoContract.of(read_tflite(content))
    assert contract.require_finder().zero_point == -128
    assert len(content) <= 30_000
    images = np.random.default_rng(0).integers(-128, 128, (20, 1, 72, 96, 1), dtype=np.int8)
    (expected,) = ReferenceInterpreter(content).run([images])
    (micro,) = MicroInterpreter(content).run([images])
    np.testing.assert_array_equal(micro, expected)
    ours = compile_and_run([Case(content, [[image] for image in images])], tmp_path, ["-O2"])[0]
    for mine, reference in zip(ours, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(mine[0]).ravel(), reference.ravel())


def test_evaluation_measures_at_the_face(found):
    for model in ("float", "ptq-int8"):
        result = evaluate(found.path, model=model)
        assert result.finder.frames == result.errors.overall.frames > 0
        assert 0 <= result.finder.within <= 1
        assert result.finder.recall is None  # no picture without a person in these data
        document = EvaluationDocument.read(found.evaluation(model, "test"))
        assert document.finder == result.finder
        assert json.loads(document.model_dump_json())["aim"] is None


def test_data_without_whole_frames_are_refused(prepared, tmp_path):
    with pytest.raises(InputFileError, match="--aim"):
        train(prepared, "finder", tmp_path / "run", TrainConfig(epochs=1))


def test_rounded_training_is_refused(found):
    with pytest.raises(ModelError, match="finder is a finder"):
        quantize(found.path, method="qat")
