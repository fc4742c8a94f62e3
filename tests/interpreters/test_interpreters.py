"""Every interpreter takes arrays and gives all outputs; what one refuses is a sentence."""

import re
from pathlib import Path

import numpy as np
import pytest
from support import awkward_nets
from support.keras_models import converted
from support.tflite_builder import T

import tinytracker
from tinytracker.codegen.host import GeneratedRuntime
from tinytracker.errors import ModelError, UsageError
from tinytracker.interpreters.base import FRAMES_AT_ONCE, run_in_parts
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.interpreters.tflite import DefaultInterpreter, ReferenceInterpreter
from tinytracker.model.tflite_file import read_tflite

pytestmark = pytest.mark.train
ALL = [ReferenceInterpreter, DefaultInterpreter, MicroInterpreter, GeneratedRuntime]
EXACT = [ReferenceInterpreter, MicroInterpreter, GeneratedRuntime]


def frames(model: bytes, count: int = 5) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [
        rng.integers(-128, 128, (count, *t.shape)).astype(t.dtype) for t in read_tflite(model).input_tensors()
    ]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    "model",
    [
        pytest.param(awkward_nets.two_outputs(0), id="two outputs"),
        pytest.param(awkward_nets.batch(7), id="batch"),
        pytest.param(awkward_nets.added((0.1, 0.2), 0.3), id="two inputs"),
        pytest.param(awkward_nets.dense(shape=(1, 4, 8), per_channel=False), id="three dimensions"),
    ],
)
def test_all_outputs_come_back_in_their_shapes(kind, model):
    outputs = kind(model).run(frames(model))
    expected = [((5, *t.shape), t.dtype) for t in read_tflite(model).output_tensors()]
    assert [(a.shape, str(a.dtype)) for a in outputs] == expected


@pytest.mark.parametrize("kind", EXACT)
def test_they_agree_on_a_converted_network(kind):
    model = converted("tinytracker-s-like")
    inputs = frames(model, 40)
    for ours, theirs in zip(kind(model).run(inputs), ReferenceInterpreter(model).run(inputs), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("kind", [ReferenceInterpreter, MicroInterpreter])
def test_state_is_kept_between_frames_and_begins_anew_with_each_call(kind):
    model = awkward_nets.running_sum()
    interpreter, inputs = kind(model), frames(model, 12)
    (first,) = interpreter.run(inputs)
    (again,) = interpreter.run(inputs)
    np.testing.assert_array_equal(first, again)
    one_by_one = [interpreter.run([array[k : k + 1] for array in inputs])[0][0] for k in range(12)]
    assert (np.array(one_by_one) != first).any()
    np.testing.assert_array_equal(first, ReferenceInterpreter(model).run(inputs)[0])


def test_inner_tensors_come_after_the_outputs():
    model = converted("tinytracker-s-like")
    file = read_tflite(model)
    inner = file.operators[0].outputs[0]
    outputs = ReferenceInterpreter(model, [inner]).run(frames(model))
    assert len(outputs) == len(file.outputs) + 1
    assert outputs[-1].shape == (5, *file.tensors[inner].shape)


def test_parts_are_what_one_call_gives_and_progress_counts_all_frames():
    model = awkward_nets.two_outputs(1)
    inputs = frames(model, 2 * FRAMES_AT_ONCE + 3)
    seen = []
    interpreter = ReferenceInterpreter(model)
    parts = run_in_parts(interpreter, inputs, seen.append)
    assert seen == [FRAMES_AT_ONCE, FRAMES_AT_ONCE, 3]
    for part, whole in zip(parts, interpreter.run(inputs), strict=True):
        np.testing.assert_array_equal(part, whole)


@pytest.mark.parametrize("kind", EXACT)
def test_inputs_that_do_not_fit_are_a_sentence(kind):
    model = awkward_nets.added((0.1, 0.2), 0.3)
    interpreter = kind(model)
    a, b = frames(model)
    with pytest.raises(UsageError, match=r"The inputs have 3 and 5 frames\. All inputs need the same"):
        interpreter.run([a, b[:3]])
    with pytest.raises(UsageError, match=r"The inputs have no frames\."):
        interpreter.run([])


def test_a_scale_that_a_kernel_refuses_is_a_sentence():
    with pytest.raises(
        ModelError,
        match=r"TensorFlow Lite \(BUILTIN_REF\) refuses this model: operator 0 LOGISTIC writes .* scale 0\.02 and zero "
        r"point -128; its kernel requires scale 1/256",
    ):
        ReferenceInterpreter(awkward_nets.logistic(0.02))


def test_an_operator_version_that_tensorflow_does_not_know_is_a_sentence():
    model = awkward_nets.one_operator("PRELU", T((1, 8), scales=(0.1,)), T((1, 8), scales=(0.1,)))
    with pytest.raises(ModelError, match=r"refuses this model: .*PRELU.*Use operators, versions and dtypes"):
        ReferenceInterpreter(model)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            awkward_nets.softmax(scale=1e-12),
            r"operator 0 SOFTMAX has an input scale of 1e-12 and a beta of 1",
        ),
        (
            awkward_nets.softmax(beta=0.0),
            r"operator 0 SOFTMAX .*a beta of 0; their product must be more than",
        ),
        (awkward_nets.added((0.0, 0.1), 0.1), r"operator 0 ADD has input scales of 0 and 0\.1"),
        (awkward_nets.added((1e9, 0.1), 0.1), r"operator 0 ADD .*the third must be more than 1\.9e\+03"),
    ],
)
def test_what_aborts_the_process_is_refused_first_and_a_crash_in_tflm_says_the_same(model, words):
    """Without the refusal this test would not fail but end with the whole suite."""
    with pytest.raises(ModelError, match=f"TensorFlow Lite aborts on this model: {words}"):
        ReferenceInterpreter(model)
    with pytest.raises(
        ModelError,
        match=rf"TFLM crashes \(SIGABRT\) on loading .* Likely cause: {words}.*Quantize the model again",
    ):
        MicroInterpreter(model)


@pytest.mark.parametrize(
    "model",
    [
        awkward_nets.softmax(scale=3e-8),
        awkward_nets.added((1e-30, 0.1), 0.1),
        awkward_nets.added((0.1, 0.1), 3e-7),
    ],
)
def test_scales_just_above_the_limits_run(model):
    inputs = frames(model)
    np.testing.assert_array_equal(
        ReferenceInterpreter(model).run(inputs), MicroInterpreter(model).run(inputs)
    )


def test_nobody_else_creates_an_interpreter():
    package = Path(tinytracker.__file__).parent
    root = package.parent
    allowed = {
        package / "interpreters" / "tflite.py",
        package / "interpreters" / "host_tflite.py",
        package / "interpreters" / "micro_worker.py",
        # The fuzzer runs what the interpreters of the package would refuse before it can crash.
        root / "tests" / "support" / "fuzz" / "children.py",
    }
    pattern = re.compile(
        r"lite\.Interpreter\b|lite\.python\.interpreter|ai_edge_litert|tflite_runtime|"
        r"from tflite_micro import|import tflite_micro|tflite_micro\.runtime"
    )
    found = {
        path
        for folder in (package, root / "tests", root / "benchmarks", root / "notebooks", root / "deploy")
        for path in folder.rglob("*.py")
        if path != Path(__file__) and pattern.search(path.read_text(encoding="utf-8"))
    }
    assert found == allowed
