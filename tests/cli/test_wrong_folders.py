"""Every verb, given every kind of file or folder that it does not take, says what it was given and which verbs take it.

The folders are the smallest that are told apart; what a verb does with its own kind is tested with that verb.
"""

import json

import pytest
from support.cli import run

from tinytracker.cascade.document import CascadeSettings
from tinytracker.cascade.results import KIND
from tinytracker.data.index import INDEX_FILE
from tinytracker.data.sitting import SITTING_FILE, UNFINISHED
from tinytracker.errors import InputFileError
from tinytracker.hybrid.presets import HYBRIDS
from tinytracker.kinds import (
    CASCADE,
    CLIPS,
    COLLECTED,
    DEMO,
    EVENTS,
    GATE,
    HYBRID,
    HYBRID_RUN,
    KERAS,
    MEASURED,
    NETWORK_RUN,
    PACKAGE,
    PREPARED,
    SUBJECTS,
    TFLITE,
    WEIGHTS,
    kind_of,
)
from tinytracker.model.presets import PRESETS
from tinytracker.package.manifest import MANIFEST_NAME
from tinytracker.runs import Run
from tinytracker.train.initial import source_file

KINDS = {
    "hybrid": HYBRID_RUN, "spiking": NETWORK_RUN, "finder": NETWORK_RUN, "demo": DEMO, "prepared": PREPARED,
    "package": PACKAGE, "collected": COLLECTED, "unfinished": COLLECTED, "subjects": SUBJECTS, "clips": CLIPS,
    "gate.json": GATE, "cascade.json": CASCADE, "session.jsonl": MEASURED, "clip.h5": EVENTS, "net.tflite": TFLITE,
    "net.keras": KERAS, "weights.npz": WEIGHTS,
}  # fmt: skip
NETWORKS = {"spiking", "finder"}
SUBJECT_FOLDERS = {"collected", "unfinished", "subjects"}

VERBS = {
    # words of the command, where @ is what was given, and :NAME another of the kinds: what it takes
    "compare-platforms @ --out page.html": NETWORKS | {"net.tflite"},
    "evaluate @": NETWORKS | {"net.tflite"},
    "quantize @": NETWORKS,
    "package @ --target spresense --out out": NETWORKS | {"net.tflite"},
    "package @ --target imx500 --out out": NETWORKS | {"net.tflite"},
    "package @ --target neuromorphic --out out": NETWORKS | {"net.tflite", "hybrid"},
    "report @ --out page.html": NETWORKS | {
        "hybrid", "demo", "package", "gate.json", "cascade.json", "session.jsonl", "clip.h5",
    },  # a report takes any JSON for one of `energy`
    "info @": {"net.tflite"},
    "emulate @": NETWORKS | {"net.tflite"},
    "measure --target emulated --run @ --out out.jsonl": NETWORKS | {"net.tflite"},
    "live --target webcam --run @ --http 0": NETWORKS | {"net.tflite"},
    "adapt @ --out out": SUBJECT_FOLDERS,
    "adapt :collected --from @ --out out": NETWORKS,
    "weights @ --out out.npz": NETWORKS,
    "train @ --out out": {"prepared"},
    "spike @": NETWORKS,
    "parity @": NETWORKS,
    "check @ --target spresense": NETWORKS | {"net.tflite"},
    "check @ --target imx500": NETWORKS | {"net.tflite"},
    "export @ --out out.onnx": NETWORKS | {"net.tflite"},
    "calibrate evaluate @": NETWORKS | {"net.tflite"},
    "cascade fit @ @ --sequences :clips": NETWORKS | {"net.tflite"},
    "prepare @ out": SUBJECT_FOLDERS,
    "hybrid train @ --out out": {"clips"},
    "hybrid quantize @": {"hybrid"},
    "hybrid evaluate @": {"hybrid"},
    "hybrid cost @": {"hybrid"},
}  # fmt: skip


def make_run(folder, preset):
    folder.mkdir(parents=True)
    about = {"schema_version": 1, "preset": preset, "data": {"path": str(folder / "nowhere")}}
    Run(folder).description_path.write_text(json.dumps(about))


def make_file(path, content="{}"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("kinds")
    make_run(root / "hybrid", "hybrid-s2a3")
    make_run(root / "spiking", "spikes-s")
    make_run(root / "finder", "finder")
    make_run(root / "demo" / "run", "tinytracker-s")
    make_file(root / "prepared" / INDEX_FILE)
    make_file(root / "package" / MANIFEST_NAME)
    make_file(root / "collected" / "00000" / SITTING_FILE)
    make_file(root / "unfinished" / f".00000{UNFINISHED}" / "head.json")
    make_file(root / "subjects" / "00002" / "info.json")
    make_file(root / "clips" / "00001" / "clip-000.h5", "")
    make_file(root / "cascade.json", json.dumps({"kind": KIND}))
    keys = [name for name in CascadeSettings.model_fields if name.endswith("sha256")]
    make_file(root / "gate.json", json.dumps(dict.fromkeys(keys, "")))
    for name in ("session.jsonl", "clip.h5", "net.tflite", "net.keras", "weights.npz"):
        make_file(root / name, "")
    return root


@pytest.mark.parametrize("name", KINDS)
def test_kinds_are_told_apart(folder, name):
    assert kind_of(folder / name) is KINDS[name]


def test_other_things_are_of_no_kind(tmp_path):
    make_file(tmp_path / "notes.json", "[1]")
    make_file(tmp_path / "broken.json", "{")
    make_file(tmp_path / "picture.png", "")
    for path in (tmp_path, tmp_path / "nowhere", *tmp_path.iterdir()):
        assert kind_of(path) is None, path


def test_only_hybrids_are_called_so():
    assert all(name.startswith(HYBRID) for name in HYBRIDS)
    assert not any(name.startswith(HYBRID) for name in PRESETS)


@pytest.mark.parametrize("command", VERBS)
def test_what_was_given_is_named_with_the_verbs_that_take_it(folder, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    for name, kind in KINDS.items():
        if name in VERBS[command]:
            continue
        named = {"@": folder / name} | {f":{other}": folder / other for other in KINDS}
        words = [str(named.get(word, word)) for word in command.split()]
        answer = run(*words)
        assert answer.code in (1, 2), (name, answer.out)
        said = answer.err.splitlines()[-1]
        assert said.startswith(f"Error: {folder / name}: "), said
        assert said.endswith(kind.hint), said
        assert kind.what in said or "hybrid" in said, said


def test_a_hybrid_is_sent_to_hybrid_cost_at_once(folder, tmp_path):
    answer = run("compare-platforms", folder / "hybrid", "--out", tmp_path / "page.html")
    assert answer.code == 1
    assert "this run is a hybrid, not a network for frames" in answer.err
    assert "`tinytracker hybrid` (quantize, evaluate, cost)" in answer.err
    assert "preset" not in answer.err
    answer = run("hybrid", "cost", folder / "spiking")
    assert "this run is of spikes-s, a network for frames, not a hybrid" in answer.err


def test_a_damaged_description_is_named_as_such(tmp_path):
    make_file(tmp_path / "run" / "run.json", "{")
    assert "run.json: not valid JSON" in run("evaluate", tmp_path / "run").err


@pytest.mark.parametrize("name", sorted({*KINDS} - NETWORKS - {"net.keras", "weights.npz"}))
def test_weights_to_start_from_are_of_a_network(folder, name):
    with pytest.raises(InputFileError) as caught:
        source_file(str(folder / name), "tinytracker-s")
    assert str(caught.value).endswith(KINDS[name].hint)
