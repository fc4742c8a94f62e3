"""`tinytracker check --target spresense`: presets are estimated, files and runs measured as in a package."""

import os
import signal

import numpy as np
import pytest
from support.cli import run
from support.run_folder import make_run
from support.tflite_builder import Op, T, build_tflite
from support.tflite_nets import NetBuilder

from tinytracker.interpreters.micro_process import MicroProcess
from tinytracker.model.presets import PRESETS
from tinytracker.model.tflite_file import read_tflite
from tinytracker.package import package
from tinytracker.package.rules import Report
from tinytracker.package.spresense.build import RAM_BYTES
from tinytracker.package.spresense.check import (
    FRAME_BUFFER_BYTES,
    MODEL_RULES,
    OPERATOR_RULES,
    Candidate,
    Fit,
    memory,
    room_for_a_frame,
)
from tinytracker.package.spresense.options import Options
from tinytracker.package.suitability import check


def small(*middle: str) -> bytes:
    """A network with a gaze, and operators without weights in between."""
    net = NetBuilder((1, 32, 32, 1), 1 / 128, 0)
    net.conv(8, 3, stride=2)
    net.depthwise()
    for code in middle:
        tensor = net.tensors[net.last]
        net.emit(code, [net.last], T(tensor.shape, scales=tensor.scales, zero_points=tensor.zero_points))
    net.mean()
    net.dense(2)
    return net.build()


def one(code: str, dtype: str = "int8", shape: tuple[int, ...] = (1, 2), **more) -> bytes:
    """A graph of one operator."""
    quantization = {"scales": (1 / 16,), "zero_points": (0,)} if dtype.endswith("int8") else {}
    tensors = [T(shape, dtype, **quantization, **more) for _ in range(2)]
    return build_tflite(tensors, [Op(code, [0], [1])], [0], [1])


def judged(tmp_path, content: bytes) -> Report:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    return check(str(path), "spresense")


def broken(report: Report) -> dict[str, str]:
    """Rule -> what was found."""
    return {f.rule: f.found for f in (*report.graph, *(f for o in report.operators for f in o.findings))}


CASES = {
    "integer-arithmetic": (one("RELU", "float32"), "float32 tensor", False),
    "inputs-and-outputs": (one("RELU", "int16"), "int16", False),
    "one-runtime": (one("CUSTOM:edgetpu-custom-op"), "neither does", False),
    "runs-on-tflm": (small("RELU_N1_TO_1"), "RELU_N1_TO_1 cannot be registered", True),
    "runs-as-c": (one("RELU", shape=(1, 1, 1, 2), signature=(1, -1, 1, 2)), "dynamic shape", True),
    "operator-on-a-runtime": (
        one("CUSTOM:edgetpu-custom-op"),
        "neither of them has CUSTOM:edgetpu-custom-op",
        False,
    ),
    "operator-in-tflm": (small("RELU_N1_TO_1"), "no method for RELU_N1_TO_1", True),
    "operator-in-generated-c": (one("TRANSPOSE_CONV"), "no kernel for TRANSPOSE_CONV", False),
}


def test_every_rule_has_a_case():
    in_files = {"memory", "room-for-a-frame"} ^ {r.name for r in (*MODEL_RULES, *OPERATOR_RULES)}
    assert set(CASES) == in_files


@pytest.mark.parametrize("name", CASES)
def test_a_broken_rule_says_what_was_found(tmp_path, name):
    content, found, ok = CASES[name]
    report = judged(tmp_path, content)
    assert found in broken(report)[name]
    assert report.ok is ok


@pytest.mark.parametrize(
    ("used", "fits", "room"),
    [
        (RAM_BYTES, False, True), (RAM_BYTES - 1, True, False), (RAM_BYTES - FRAME_BUFFER_BYTES, True, True),
        (RAM_BYTES - FRAME_BUFFER_BYTES + 1, True, False),
    ],
)  # fmt: skip
def test_the_smallest_runtime_must_fit_and_should_leave_room(used, fits, room):
    model = read_tflite(small())
    larger, refused = Fit(used, 1000), Fit(0, 0, "cannot be generated")
    for candidate in (
        Candidate(model, Fit(used - 1000, 1000), larger),
        Candidate(model, larger, Fit(used - 1, 1)),
        Candidate(model, Fit(used), refused),
    ):
        assert memory.judge(candidate).ok is fits
        assert room_for_a_frame.judge(candidate).ok is room
    for unknown in (memory, room_for_a_frame):  # `ok` would say that it fits
        verdict = unknown.judge(Candidate(model, refused, refused))
        assert (verdict.ok, verdict.finding("the network")) == (False, None)
        assert verdict.as_json()["ok"] is None
        assert "no runtime loads the network" in verdict.as_json()["not_judged"]


def test_a_crash_of_tflm_is_a_sentence(tmp_path, monkeypatch):
    def crash(self, content, arena_bytes):
        os.kill(self.pid, signal.SIGSEGV)
        self.request("load", content, arena_bytes)

    monkeypatch.setattr(MicroProcess, "load", crash)
    report = judged(tmp_path, small())
    assert report.ok, "C can be generated from it"
    assert "TFLM crashes (SIGSEGV)" in broken(report)["runs-on-tflm"]


def test_a_good_network_keeps_every_rule(tmp_path):
    report = judged(tmp_path, small())
    assert report.ok
    assert broken(report) == {}
    assert all(v.ok for v in report.verdicts)


@pytest.mark.train
def test_the_numbers_are_those_of_the_package(tmp_path):
    facts = judged(tmp_path, small()).facts
    for runtime in ("tflm", "c"):
        content = package(
            tmp_path / "model.tflite", "spresense", tmp_path / runtime, options=Options(runtime=runtime)
        ).content
        assert facts[f"{runtime}_arena_bytes"] == content["arena"]["total_bytes"]
        used = facts[f"{runtime}_model_bytes"] + facts[f"{runtime}_arena_bytes"]
        assert used == content["memory"]["model_and_arena_bytes"]
        assert facts["ram_bytes"] == content["memory"]["ram_bytes"]


def test_without_tflite_micro_the_arena_is_the_least_possible(tmp_path, monkeypatch):
    measured = judged(tmp_path, small())
    monkeypatch.setattr("tinytracker.requirements.find_spec", lambda name: None)
    estimated = judged(tmp_path, small())
    assert "tflite-micro is not installed" in estimated.remark
    assert 0 < estimated.facts["tflm_arena_bytes"] < measured.facts["tflm_arena_bytes"]


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_estimated(preset):
    answer = run("check", preset, "--target", "spresense", "--json")
    fits = preset != "itracker"
    assert (answer.code, answer.document["ok"]) == (0 if fits else 1, fits)
    facts = answer.document["facts"]
    assert facts["estimated_model_bytes"] > PRESETS[preset].network().params
    assert "An estimate" in answer.document["remark"]


def test_a_run_is_judged_by_its_model_and_until_then_by_its_preset(tmp_path):
    folder = make_run(tmp_path / "run").path
    model = folder / "quantized" / "ptq-int8" / "model.tflite"
    model.write_bytes(small())
    assert run("check", folder, "--target", "spresense", "--json").document["facts"]["tflm_model_bytes"] > 0
    answer = run("check", folder, "--target", "spresense", "--quantized", "qat-int8")
    assert answer.code == 1
    assert "no quantized model qat-int8" in answer.err
    model.unlink()
    document = run("check", folder, "--target", "spresense", "--json").document
    assert document["source"] == "tinytracker-s"
    assert "estimated_model_bytes" in document["facts"]


def test_the_table_says_what_each_runtime_lacks(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(small("RELU_N1_TO_1"))
    answer = run("check", path, "--target", "spresense")
    assert answer.code == 0, answer.err
    printed = " ".join(answer.out.split())
    assert "runs: operator-in-tflm" in printed
    assert "runs-on-tflm │ warns" in printed
    assert "5 of 5 operators run; ram bytes 1,572,864, c model bytes" in printed


def test_a_target_without_rules_over_files_says_what_it_takes(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(small())
    answer = run("check", path, "--target", "imx500")
    assert answer.code == 2
    assert answer.err.strip() == (
        "Error: imx500 does not take .tflite files: the sensor takes Keras networks that Sony's Model Compression "
        "Toolkit (MCT) quantizes. Name a run or a preset instead."
    )


def test_estimates_are_close(tmp_path):
    """The published layout of a network that is described twice: as a preset, and as a file."""
    from support.tflite_nets import tinytracker_s

    facts = judged(tmp_path, tinytracker_s(dequantize=False)).facts
    estimated = check("tinytracker-s", "spresense").facts
    assert np.isclose(estimated["estimated_model_bytes"], facts["tflm_model_bytes"], rtol=0.15)
    assert np.isclose(estimated["estimated_arena_bytes"], facts["tflm_arena_bytes"], rtol=0.15)
