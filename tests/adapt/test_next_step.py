"""Each command of docs/one-evening.md ends with the page's next one."""

import itertools
import re
import shlex
from pathlib import Path

import pytest

from tinytracker.adapt.document import ADAPT_FILE, AdaptDocument
from tinytracker.cli.evening import next_step
from tinytracker.model.presets import find_preset

PAGE = Path(__file__).parents[2] / "docs/one-evening.md"
RUN = Path("my-run")


def commands():
    """The page's commands by verb, as lists of words."""
    lines = re.findall(r"^    tinytracker (.+)$", PAGE.read_text(), re.MULTILINE)
    return {line.split()[0]: shlex.split(line) for line in lines if "--source" not in line}


def adapted(preset):
    RUN.mkdir()
    AdaptDocument(
        preset=preset, source="", sessions=(), by="time", people=("ann",), frames={}, dots={}, candidates=(), kept="",
    ).write(RUN / ADAPT_FILE)  # fmt: skip


@pytest.mark.parametrize("preset", ["tinytracker-v2-aim", "tinytracker-v2"])
def test_each_step_says_the_next_command_of_the_page(tmp_path, monkeypatch, preset):
    monkeypatch.chdir(tmp_path)
    adapted(preset)
    verbs = ["adapt", "quantize", "evaluate", "live", "package", "emulate", "measure", "report"]
    if not find_preset(preset).aim:
        verbs.remove("live")  # which needs an aim
    for verb, following in itertools.pairwise(verbs):
        (line,) = next_step(verb, RUN, session=Path("session.jsonl"))
        assert shlex.split(line) == ["Next:", "tinytracker", *commands()[following]]


def test_the_next_command_has_the_model_that_was_used_and_names_that_a_shell_reads(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    adapted("tinytracker-v2")
    (line,) = next_step("package", RUN, "qat-int8")
    assert line.endswith("emulate my-run --images 1 --quantized qat-int8")
    RUN.rename("my run")
    (line,) = next_step("adapt", Path("my run"))
    assert line == "Next: tinytracker quantize 'my run'"


def test_other_runs_and_files_have_no_next_step(tmp_path):
    assert next_step("quantize", tmp_path) == next_step("package", tmp_path / "a.tflite") == ()
    assert next_step("measure", None) == ()
