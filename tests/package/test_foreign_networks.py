"""Networks of other people: every verb ends in a result or a sentence, never in a traceback or a signal."""

import json
import re

import pytest
from support import awkward_nets
from support.cli import run
from support.tflite_builder import Op, T, build_tflite

pytestmark = pytest.mark.train
SENTENCES = {
    "first output differs": (awkward_nets.two_outputs(0), r"TFLM differs from BUILTIN_REF"),
    "second output differs": (awkward_nets.two_outputs(1), r"TFLM differs from BUILTIN_REF"),
    "scale that a kernel refuses": (awkward_nets.logistic(0.02), r"its kernel requires scale 1/256"),
    "dead softmax": (awkward_nets.softmax(scale=1e-12), r"operator 0 SOFTMAX has an input scale of 1e-12"),
    "add of far scales": (awkward_nets.added((1e9, 0.1), 0.1), r"operator 0 ADD has input scales"),
    "version that nobody knows": (
        awkward_nets.one_operator("TANH", T((1, 8), scales=(0.1,)), T((1, 8), scales=(1 / 128,)), version=90),
        r"TensorFlow Lite \(BUILTIN_REF\) refuses this model: .*TANH.* version '90'",
    ),
}
PACKAGED = {
    "batch": awkward_nets.batch(50),
    "per-channel dense": awkward_nets.dense(),
    "long stride": awkward_nets.convolution(65536),
    "large activations": awkward_nets.wide_activations(),
    "unknown height": build_tflite(
        [
            T((1, 1, 8, 2), scales=(0.1,), signature=(1, -1, 8, 2)),
            T((1, 1, 8, 2), scales=(0.2,), signature=(1, -1, 8, 2)),
        ],
        [Op("QUANTIZE", [0], [1])],
        [0],
        [1],
    ),
    "operators that were not registered": awkward_nets.packed(),
}


@pytest.fixture
def file(tmp_path):
    def write(content: bytes):
        path = tmp_path / "theirs.tflite"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("name", sorted(SENTENCES))
def test_what_cannot_be_proved_is_refused_in_a_sentence(name, file, tmp_path):
    content, words = SENTENCES[name]
    answer = run("package", file(content), "--target", "spresense", "--out", tmp_path / "out")
    assert answer.code == 1
    assert re.search(words, answer.err)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", sorted(PACKAGED))
def test_what_tflm_runs_is_packaged(name, file, tmp_path):
    answer = run(
        "package", file(PACKAGED[name]), "--target", "spresense", "--out", tmp_path / "out", "--json"
    )
    assert answer.code == 0, answer.err
    assert answer.document["parity"]["differing"] == 0


@pytest.mark.parametrize("name", sorted({**SENTENCES, **PACKAGED}))
@pytest.mark.parametrize(
    "verb",
    [
        ("info",),
        ("check", "--target", "coralmicro"),
        ("package", "--target", "spresense", "--runtime", "c", "--kernels", "portable", "--out", "OUT"),
        ("package", "--target", "coralmicro", "--out", "OUT"),
        ("package", "--target", "imx500", "--out", "OUT"),
        ("parity",),
    ],
    ids=" ".join,
)
def test_every_verb_ends_in_a_result_or_a_sentence(verb, name, file, tmp_path):
    content = SENTENCES[name][0] if name in SENTENCES else PACKAGED[name]
    path = file(content)
    command, *rest = (str(tmp_path / "out") if word == "OUT" else word for word in verb)
    answer = run(command, path, *rest)
    assert answer.code in (0, 1, 2)
    assert "Traceback" not in answer.err
    assert answer.code == 0 or answer.err.rstrip().endswith(".") or command == "check"


def test_the_manifest_of_a_network_with_two_outputs_names_both(file, tmp_path):
    model = awkward_nets.two_outputs(1, "RELU")
    answer = run("package", file(model), "--target", "spresense", "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["parity"]["outputs"] == ["t1", "t2"]
    assert "all 2 outputs" in (tmp_path / "out" / "README.md").read_text()
    assert "all 2 outputs" in answer.out
