import json
import subprocess
import sys

import pytest
from support.cli import run

from tinytracker.cli.main import VERBS, cli
from tinytracker.model.presets import PRESETS

WITHOUT = """
import sys
for name in ("tensorflow", "numba", "tflite_micro"):
    sys.modules[name] = None
from tinytracker.cli.main import main
main(sys.argv[1:])
"""


def without_extras(*arguments):
    """The command line on a machine that has only the base installed."""
    # None in sys.modules makes `import` fail and `find_spec` raise ValueError: a stand-in for "not installed".
    code = (
        "import importlib.util as u\n_find = u.find_spec\n"
        "u.find_spec = lambda n, p=None: None if n in ('tensorflow', 'numba', 'tflite_micro') else _find(n, p)\n"
    ) + WITHOUT
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_help_lists_every_verb():
    answer = run("--help")
    assert answer.code == 0
    printed = " ".join(answer.out.split())
    for name, (_, text) in VERBS.items():
        assert f"{name} {text}" in printed


@pytest.mark.parametrize("words", [[], ["cascade"], ["devices"]])
def test_without_a_verb_the_help_is_no_error(words):
    answer = run(*words)
    assert answer.code == 2
    assert answer.err.startswith("Usage: tinytracker")
    assert "--help" in answer.err


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_help_and_json(name):
    answer = run(name, "-h")
    assert answer.code == 0
    assert "--json" in answer.out or "COMMAND" in answer.out


@pytest.mark.parametrize(
    "arguments", [["--help"], ["train", "--help"], ["info", "itracker", "--json"], ["energy", "-h"]]
)
def test_help_and_info_import_neither_tensorflow_nor_numba(arguments):
    code = (
        "import sys\nfrom tinytracker.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "heavy = {'tensorflow', 'numba', 'matplotlib', 'scipy'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_importing_all_floors_but_training_needs_no_tensorflow():
    modules = [
        "data.preparation",
        "data.pipeline",
        "synth.generation",
        "model.info",
        "train",
        "quant",
        "evaluate",
        "package",
        "measure.power",
    ]
    code = (
        "import sys\n"
        + "".join(f"import tinytracker.{m}\n" for m in modules)
        + "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("preset", PRESETS)
def test_info_as_json_and_as_table_say_the_same(preset):
    document = run("info", preset, "--json").document
    assert document["schema_version"] == 1
    assert document["macs"] == PRESETS[preset].network().macs
    assert sum(layer["macs"] for layer in document["layers"]) == document["macs"]
    assert f"{document['macs']:,}" in run("info", preset).out


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["trian"], 2, "Unknown verb 'trian'. Did you mean 'train'?"),
        (["info", "tinytraker"], 2, "Unknown preset 'tinytraker'. Did you mean 'tinytracker'?"),
        (["info", "none.tflite"], 1, "none.tflite: there is no such file."),
        (["info", "model.keras"], 1, "model.keras: not a .tflite file"),
        (["train", "nowhere", "--out", "run"], 1, "nowhere: not a prepared folder (no index.json)"),
        (["train", "nowhere"], 2, "Missing option '--out'"),
        (["evaluate", "nowhere"], 1, "nowhere: there is no such run folder."),
        (["quantize", "nowhere"], 1, "nowhere: there is no such run folder."),
        (
            ["package", "nowhere", "--target", "spresense", "--out", "o"],
            1,
            "nowhere: there is no such run folder.",
        ),
        (["package", "nowhere", "--target", "esp32", "--out", "o"], 2, "Unknown target 'esp32'."),
        (["prepare", "nowhere", "out"], 1, "nowhere"),
        (
            ["synth", "out", "--size", "big"],
            2,
            "'big' is not a size; write WIDTHxHEIGHT, for example 480x640.",
        ),
        (["synth", "out", "--subjects", "-3"], 2, "-3"),
        (["synth", "out", "--devices", "iPhone 7"], 2, "Unknown device 'iPhone 7'. Did you mean"),
        (["quantize", "run", "--calibration-frames", "0"], 2, "0 is not in the range x>=1"),
        (["compare", "a.jsonl", "b.jsonl"], 1, "a.jsonl: there is no such file."),
        (["energy", "trace.csv"], 1, "trace.csv: there is no such file."),
        (["energy", "trace.csv", "--voltage", "-1"], 2, "-1 is not a valid voltage."),
        (["energy", "trace.csv", "--lines", "a"], 2, "'a' is not a list of lines; write numbers from 0 to 7"),
    ],
)
def test_mistakes_end_in_one_sentence_and_the_right_code(arguments, code, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = run(*arguments)
    assert answer.code == code
    assert sentence in answer.err
    assert answer.err.count("\n") <= 2
    assert answer.out == ""
    error = run(*arguments, "--json").document["error"]
    assert error["message"]
    assert error["kind"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["synth", "out"], "numba is not installed"),
        (["train", "prepared", "--out", "run"], "TensorFlow is not installed; training needs it."),
    ],
)
def test_a_missing_extra_is_named_with_the_command_that_brings_it(
    arguments, sentence, tmp_path, prepared_index
):
    arguments = [
        str(tmp_path / a) if a in ("out", "run") else a.replace("prepared", str(prepared_index))
        for a in arguments
    ]
    done = without_extras(*arguments)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "pip install --editable '.[" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def prepared_index(tmp_path):
    """The smallest folder that passes for prepared data: no shard is read before TensorFlow is looked for."""
    split = {
        "frames": 1,
        "subjects": ["00000"],
        "devices": {},
        "families": {},
        "orientations": {},
        "shards": [],
    }
    zero = [0.0, 0.0]
    document = {
        "schema_version": 1, "kind": "prepared", "data_sha256": "0" * 64, "parameters": {},
        "splits": dict.fromkeys(("train", "val", "test"), split),
        "gaze": {"mean": zero, "low": zero, "high": zero}, "skipped": {}, "labels": {}, "grid_disagreements": 0,
    }  # fmt: skip
    folder = tmp_path / "ready"
    folder.mkdir()
    (folder / "index.json").write_text(json.dumps(document))
    return folder


def test_defaults_come_from_file_then_environment_then_flag(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tinytracker.toml").write_text('[train]\nmodel = "from-file"\n')
    assert "'from-file'" in run("train", "x", "--out", "y").err
    monkeypatch.setenv("TINYTRACKER_TRAIN_MODEL", "from-environment")
    assert "'from-environment'" in run("train", "x", "--out", "y").err
    assert "'from-flag'" in run("train", "x", "--out", "y", "--model", "from-flag").err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[trian]\n", "trian: unknown verb. Did you mean 'train'?"),
        ("[train]\nepoch = 3\n", "train.epoch: unknown option. Did you mean 'epochs'?"),
        ("train: 3\n", "not valid TOML"),
    ],
)
def test_a_mistake_in_the_configuration_file_is_a_sentence(text, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tinytracker.toml").write_text(text)
    answer = run("info", "tinytracker")
    assert answer.code == 2
    assert sentence in answer.err


def test_a_configuration_file_that_is_named_must_be_there(monkeypatch):
    monkeypatch.setenv("TINYTRACKER_CONFIG", "missing.toml")
    answer = run("info", "tinytracker")
    assert (answer.code, "missing.toml: there is no such file" in answer.err) == (1, True)


def test_ctrl_c_says_that_what_is_finished_is_kept(monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", interrupted)
    answer = run("train")
    assert answer.code == 130
    assert "the same command can be run again" in answer.err


def test_an_error_of_the_operating_system_is_a_sentence(monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device", "shard.tfrecord")

    monkeypatch.setattr(cli, "main", full)
    answer = run("prepare", "--json")
    assert answer.code == 1
    assert answer.document["error"]["message"] == "shard.tfrecord: No space left on device."


def test_version():
    assert run("--version").out.startswith("tinytracker, version ")
