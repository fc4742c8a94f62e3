"""A comparison covers every byte of every output, and says what it covered."""

import numpy as np
import pytest
from support import awkward_nets

from tinytracker.errors import ModelError, ParityError
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.interpreters.tflite import ReferenceInterpreter
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.contract import IoContract
from tinytracker.quant.parity import (
    compare_with_oracle,
    differing_frames,
    frame_bytes,
    largest_difference,
    patterns,
    require_exact,
)

pytestmark = pytest.mark.train


def compared(model: bytes, runtime, oracle=None):
    codes = patterns(IoContract.of(read_tflite(model)), 64)
    return compare_with_oracle(runtime, model, codes, "64 patterns", oracle)


@pytest.mark.parametrize("logistic_at", [0, 1])
def test_a_difference_in_any_output_is_refused(logistic_at):
    """TFLM rounds LOGISTIC otherwise where it lands between two steps."""
    model = awkward_nets.two_outputs(logistic_at)
    parity = compared(model, MicroInterpreter(model))
    assert (parity.differing > 0, parity.max_difference) == (True, 1.0)
    assert parity.outputs == (("t2", "t1"), ("t1", "t2"))[logistic_at]
    with pytest.raises(
        ParityError, match=r"TFLM differs from BUILTIN_REF on \d+ of 64 images, by up to 1 output"
    ):
        require_exact(parity)


class Specification:
    """Any object with a name and `run` is an oracle."""

    name = "arithmetic of the specification"

    def __init__(self, model: bytes) -> None:
        self._inner = ReferenceInterpreter(model)

    def run(self, inputs):
        return self._inner.run(inputs)


def test_the_proof_names_the_oracle_and_the_outputs():
    model = awkward_nets.two_outputs(1)
    proof = compared(model, ReferenceInterpreter(model), Specification(model)).as_json()
    assert (proof["oracle"], proof["outputs"]) == ("arithmetic of the specification", ["t1", "t2"])
    assert (proof["differing"], proof["images"]) == (0, 64)
    assert proof["distinct_outputs"] > 32


def test_the_proof_of_one_output_has_the_fields_that_it_always_had():
    model = awkward_nets.dense(per_channel=False)
    proof = compared(model, MicroInterpreter(model)).as_json()
    assert list(proof) == [
        "runtime", "oracle", "images", "images_from", "max_difference", "differing", "distinct_outputs",
    ]  # fmt: skip


def test_a_batch_in_the_file_is_one_frame():
    model = awkward_nets.batch(50)
    parity = compared(model, MicroInterpreter(model))
    assert parity.exact
    assert parity.distinct_outputs > 32


def test_floats_are_equal_when_their_bytes_are():
    nan, other_nan = np.float32("nan"), np.uint32(0x7FC00001).view(np.float32)
    expected = np.array([[nan], [nan], [0.0], [1.0], [np.inf]], np.float32)
    found = np.array([[nan], [other_nan], [-0.0], [nan], [np.inf]], np.float32)
    assert differing_frames([found], [expected]).tolist() == [False, True, True, True, False]
    assert largest_difference([found[:3]], [expected[:3]]) == 0
    assert largest_difference([found], [expected]) == np.inf
    assert len(set(frame_bytes([found]))) == 4


def test_every_output_counts():
    a, b = np.zeros((3, 2), np.int8), np.zeros((3, 1, 2), np.int8)
    other = b.copy()
    other[1, 0, 1] = -7
    assert differing_frames([a, other], [a, b]).tolist() == [False, True, False]
    assert largest_difference([a, other], [a, b]) == 7


@pytest.mark.parametrize(
    "found", [[np.zeros((3, 2), np.int8)], [np.zeros((3, 2), np.int8), np.zeros((3, 2), np.uint8)]]
)
def test_outputs_that_cannot_be_compared_are_refused(found):
    expected = [np.zeros((3, 2), np.int8), np.zeros((3, 2), np.int8)]
    with pytest.raises(
        ModelError, match=r"Outputs of 3 x 2 int8.* cannot be compared with outputs of 3 x 2 int8, 3"
    ):
        differing_frames(found, expected)


def test_inputs_of_one_name_are_told_apart():
    model = awkward_nets.added((0.1, 0.2), 0.3, names=("x", "x"))
    assert [t.name for t in IoContract.of(read_tflite(model)).inputs] == ["x_0", "x_1"]
    assert compared(model, MicroInterpreter(model)).exact


@pytest.mark.parametrize(
    ("codes", "given"),
    [
        ({"image": np.zeros((2, 5), np.uint8)}, r"'image' \[5\] do not fit the input 't0' \[8\]"),
        ({"t0": np.zeros((2, 8), np.uint8)}, r"'t0' \[8\] do not fit the input 't1' \[8\]"),
    ],
)
def test_codes_of_another_model_are_a_sentence(codes, given):
    model = awkward_nets.softmax() if "image" in codes else awkward_nets.added((0.1, 0.2), 0.3)
    with pytest.raises(ModelError, match=f"Frames of {given} of the model"):
        IoContract.of(read_tflite(model)).encode_all(codes)
