"""The runtimes of this computer: what they give back, how far they are from the oracle, what they refuse."""

import numpy as np
import pytest
from support import awkward_nets
from support.cli import run as tinytracker
from support.random_ops import RANDOM_OPS
from support.tflite_builder import T
from support.tflite_nets import NetBuilder, tinytracker_s
from support.tflite_nets import tinytracker as large_net

from tinytracker.errors import MissingDependencyError, ModelError, UnknownNameError, UsageError
from tinytracker.hosts import RUNTIMES, HostOptions, export, open_runtime, to_onnx
from tinytracker.hosts.comparing import compare_runtime
from tinytracker.interpreters.host_tflite import HostTflite
from tinytracker.interpreters.tflite import DefaultInterpreter, ReferenceInterpreter
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.contract import IoContract
from tinytracker.quant.oracle import oracle_of
from tinytracker.quant.parity import patterns

pytestmark = pytest.mark.train
HERE = ("tflite", "onnx", "openvino")
"""Those that run in tests; an Edge TPU needs its hardware."""


def small_net() -> bytes:
    """A few layers: in a deep network with random weights, differences of one step grow to any size."""
    net = NetBuilder((1, 24, 24, 1), seed=3)
    net.conv(8, 3, 2)
    net.depthwise(2)
    net.conv(32)
    net.mean()
    net.dense(32, "RELU")
    net.dense(2)
    net.emit("TANH", [net.last], T((1, 2), scales=(1 / 128,), zero_points=(0,)))
    return net.build()


NET = small_net()
# ONNX Runtime 1.23's integer softmax answers 255 for 0 when a scale is so coarse that every exponential but one is 0.
COARSE_SOFTMAX = ("softmax", 5)


def frames(model: bytes, count: int = 5, seed: int = 5) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [
        rng.normal(size=(count, *t.shape)).astype("float32")
        if t.dtype == "float32"
        else rng.integers(
            np.iinfo(t.dtype).min, np.iinfo(t.dtype).max, (count, *t.shape), t.dtype, endpoint=True
        )
        for t in read_tflite(model).input_tensors()
    ]


def largest(found, expected) -> float:
    return max(
        float(np.abs(a.astype(float) - b.astype(float)).max()) for a, b in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize("runtime", HERE)
@pytest.mark.parametrize(
    "model",
    [
        pytest.param(awkward_nets.two_outputs(0), id="two outputs"),
        pytest.param(awkward_nets.batch(7), id="batch"),
        pytest.param(awkward_nets.added((0.1, 0.2), 0.3), id="two inputs"),
        pytest.param(awkward_nets.dense(shape=(1, 4, 8), per_channel=False), id="three dimensions"),
    ],
)
def test_arrays_come_back_as_the_tflite_file_says(runtime, model):
    outputs = open_runtime(model, HostOptions(runtime)).run(frames(model))
    expected = [((5, *t.shape), t.dtype) for t in read_tflite(model).output_tensors()]
    assert [(a.shape, str(a.dtype)) for a in outputs] == expected
    assert largest(outputs, oracle_of(model).run(frames(model))) <= 1


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
@pytest.mark.parametrize("name", RANDOM_OPS)
def test_one_operator_is_within_a_step_of_the_oracle(runtime, name):
    compared = 0
    for seed in range(3):
        model = RANDOM_OPS[name](np.random.default_rng(seed))
        if wraps(model) or (name, seed) == COARSE_SOFTMAX:
            continue
        given = frames(model, 4, seed)
        found = open_runtime(model, HostOptions(runtime)).run(given)
        assert largest(found, oracle_of(model).run(given)) <= 1, f"seed {seed}"
        compared += 1
    assert compared > 1


def wraps(model: bytes) -> bool:
    """Whether sums of this network leave 32 bits, for which floating point has no equivalent."""
    biases = [t.data for t in read_tflite(model).tensors if t.dtype == "int32" and t.data is not None]
    return any(np.abs(b.astype(np.int64)).max(initial=0) > 2**30 for b in biases)


@pytest.mark.parametrize("threads", [1, 2])
def test_openvino_answers_with_any_number_of_threads(threads):
    given = frames(NET, 16)
    expected = DefaultInterpreter(NET).run(given)
    assert largest(open_runtime(NET, HostOptions("openvino", threads)).run(given), expected) <= 4


@pytest.mark.exhaustive  # converts a network with TensorFlow
def test_openvino_s_dense_layers_are_right_with_one_thread():
    """As Gemm, the dense layers of this network (not of any) are wrong by 115 steps with one thread (2025.4.1)."""
    from support.keras_models import converted

    model = converted("tinytracker-s-like")
    given = frames(model, 16)
    one, two = (open_runtime(model, HostOptions("openvino", threads)).run(given) for threads in (1, 2))
    assert largest(one, two) <= 4
    assert largest(one, DefaultInterpreter(model).run(given)) <= 4


def test_onnx_runtime_rounds_as_the_default_kernels_do():
    model = NET
    given = frames(model, 16)
    found = open_runtime(model, HostOptions("onnx")).run(given)
    assert largest(found, DefaultInterpreter(model).run(given)) == 0


def test_tflite_without_xnnpack_is_another_runtime():
    given = frames(NET, 8)
    without = HostTflite(NET, xnnpack=False)
    assert "without XNNPACK, 1 thread" in without.name
    assert largest(without.run(given), ReferenceInterpreter(NET).run(given)) <= 4
    assert largest(HostTflite(NET, threads=2).run(given), DefaultInterpreter(NET).run(given)) == 0


def test_an_inference_may_be_repeated_and_outputs_are_copies():
    model = NET
    given = frames(model, 2)
    for runtime in HERE:
        opened = open_runtime(model, HostOptions(runtime))
        opened.load([given[0][0]])
        opened.infer()
        opened.infer()
        (first,) = opened.retrieve()
        kept = first.copy()
        opened.load([given[0][1]])
        opened.infer()
        np.testing.assert_array_equal(first, kept)


def test_the_onnx_file_is_valid_and_the_same_each_time():
    onnx = pytest.importorskip("onnx")
    for network in (NET, tinytracker_s(), large_net()):
        content = to_onnx(network)
        assert content == to_onnx(network)
        model = onnx.load_from_string(content)
        onnx.checker.check_model(model, full_check=True)
        told = {p.key: p.value for p in model.metadata_props}
        assert told == {"source_sha256": read_tflite(network).sha256}


def test_exports_are_read_by_their_runtimes(tmp_path):
    import onnxruntime
    import openvino

    model = NET
    given = frames(model, 3)
    written = export(model, tmp_path / "gaze.onnx")
    session = onnxruntime.InferenceSession(str(written.files[0]), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    expected = np.stack(open_runtime(model, HostOptions("onnx")).run(given)[0])
    found = np.stack([session.run(None, {name: image})[0] for image in given[0]])
    np.testing.assert_array_equal(found, expected)

    written = export(model, tmp_path / "gaze.xml")
    assert [p.name for p in written.files] == ["gaze.bin", "gaze.xml"]
    network = openvino.Core().compile_model(str(tmp_path / "gaze.xml"), "CPU", {"INFERENCE_NUM_THREADS": 1})
    again = np.stack([network(image)[0] for image in given[0]])
    assert largest([again], [open_runtime(model, HostOptions("openvino")).run(given)[0]]) <= 1


def test_the_verb_exports_and_says_how_far_the_runtime_is_from_the_oracle(tmp_path):
    (tmp_path / "net.tflite").write_bytes(NET)
    answer = tinytracker(
        "export", tmp_path / "net.tflite", "--out", tmp_path / "net.onnx", "--compare", 40, "--json", "-q"
    )
    assert answer.code == 0
    document = answer.document
    assert document["files"] == [str(tmp_path / "net.onnx")]
    assert document["comparison"]["images"] == 40
    assert (tmp_path / "net.onnx").read_bytes() == to_onnx(NET)
    refused = tinytracker("export", tmp_path / "net.tflite", "--out", tmp_path / "net.pb", "-q")
    assert refused.code == 2
    assert "Give NAME.onnx, or NAME.xml" in refused.err


def test_a_comparison_counts_steps():
    found = compare_runtime(NET, "onnx", 40, seed=2)
    contract = IoContract.of(read_tflite(NET))
    given = contract.encode_all(patterns(contract, 40, 2))
    apart = np.abs(
        open_runtime(NET, HostOptions("onnx")).run(given)[0].astype(int)
        - ReferenceInterpreter(NET).run(given)[0].astype(int)
    )
    assert found.images == 40
    assert found.differing == apart.reshape(40, -1).any(1).sum() > 0
    assert (found.max_steps, found.mean_steps) == (apart.max(), apart.mean())
    assert "differs from BUILTIN_REF on" in found.sentence


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (HostOptions("onnxx"), "Unknown runtime 'onnxx'. Did you mean 'onnx'"),
        (HostOptions("onnx", 0), "0 threads are too few. Give 1 or more"),
        (HostOptions("onnx", device="NPU"), "Unknown device of ONNX Runtime 'NPU'"),
        (HostOptions("onnx", device="CUDA"), "CUDA and TENSORRT need a build with them"),
        (HostOptions("openvino", device="NPU"), "Unknown device of OpenVINO 'NPU'"),
        (HostOptions("openvino", device="MYRIAD"), "Its last release is 2022.3"),
        (HostOptions("tflite", device="CPU"), "TFLite has no device to choose"),
        (HostOptions("onnx", xnnpack=False), "ONNX Runtime does not use XNNPACK"),
        (HostOptions("edgetpu"), "not compiled for the Edge TPU.*edgetpu_compiler model.tflite"),
    ],
)
def test_what_a_runtime_does_not_have_is_a_sentence(options, words):
    with pytest.raises((UnknownNameError, UsageError), match=words):
        open_runtime(awkward_nets.dense(per_channel=False), options)


def test_a_file_that_onnx_runtime_refuses_is_a_sentence(monkeypatch):
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr("tinytracker.hosts.onnx_runtime.to_onnx", lambda _: b"not an ONNX file")
    with pytest.raises(ModelError, match=r"ONNX Runtime .* refuses this network: .*Use the runtime tflite"):
        open_runtime(NET, HostOptions("onnx"))


def test_inputs_that_onnx_runtime_refuses_are_a_sentence():
    pytest.importorskip("onnxruntime")
    opened = open_runtime(NET, HostOptions("onnx"))
    opened.load([np.zeros((1, 3, 3, 1), np.int8)])
    with pytest.raises(ModelError, match=r"ONNX Runtime .* fails on this network: "):
        opened.infer()


def test_a_compiled_file_needs_the_library(monkeypatch):
    """No Edge TPU is here: the library is looked for by its name, under another one that nobody has."""
    monkeypatch.setattr("tinytracker.interpreters.host_tflite.EDGE_TPU_LIBRARY", "libedgetpu-absent.so.1")
    monkeypatch.setattr("tinytracker.interpreters.host_tflite.EDGE_TPU_OPERATOR", "FULLY_CONNECTED")
    model = awkward_nets.dense(per_channel=False)
    with pytest.raises(
        MissingDependencyError, match=r"libedgetpu-absent.so.1 is not installed.*libedgetpu1-std"
    ):
        open_runtime(model, HostOptions("edgetpu"))
    with pytest.raises(UsageError, match=r"Give the uncompiled file, or --runtime edgetpu"):
        open_runtime(model, HostOptions("tflite"))


def test_a_missing_runtime_says_what_installs_it(monkeypatch):
    monkeypatch.setattr("tinytracker.requirements.find_spec", lambda name: None)
    for runtime in ("onnx", "openvino"):
        assert RUNTIMES[runtime].needs
        with pytest.raises(MissingDependencyError, match=r"is not installed.*\[hosts\]"):
            open_runtime(NET, HostOptions(runtime))
        assert "[hosts]" in compare_runtime(NET, runtime, 32).absent


def test_other_files_and_operators_are_refused(tmp_path):
    with pytest.raises(ModelError, match=r"cannot be written as ONNX. Use the runtime tflite"):
        to_onnx(RANDOM_OPS_WITHOUT)
    with pytest.raises(UsageError, match=r"Give NAME.onnx, or NAME.xml for OpenVINO"):
        export(NET, tmp_path / "gaze.pb")


def _bilinear() -> bytes:
    from support.random_select import resize_bilinear

    return resize_bilinear(np.random.default_rng(0))


RANDOM_OPS_WITHOUT = _bilinear()
