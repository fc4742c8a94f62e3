"""docs/adding-a-target.md is followed to the letter: one folder and one row, and every verb knows the target."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.fake_line import FakeLine
from support.tflite_nets import NetBuilder

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-target.md"
BLOCK = re.compile(r'^```python title="([a-z.]+)"\n(.*?)^```$', re.DOTALL | re.MULTILINE)

PROGRAM = """
import sys
from tinytracker.targets import TARGETS, Target
row = {row}
TARGETS[row.name] = row
from tinytracker.cli.main import main
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The command line of a tinytracker with the target of the page."""
    folder = tmp_path_factory.mktemp("checkout")
    # A package elsewhere on sys.path stands for the folder below tinytracker/package/.
    text = PAGE.read_text().replace("tinytracker.package.myboard", "myboard")
    blocks = dict(BLOCK.findall(text))
    (folder / "myboard").mkdir()
    (folder / "myboard" / "__init__.py").write_text("")
    for name, block in blocks.items():
        if name.endswith(".py"):
            (folder / "myboard" / name).write_text(block)
    path = folder / "tinytracker_with_myboard.py"
    path.write_text(PROGRAM.format(row=blocks["row"].strip()))
    return path


def run(program, *arguments):
    return subprocess.run(
        [sys.executable, program, *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    net = NetBuilder((1, 8, 8, 1), 1 / 128, 0)
    path = tmp_path_factory.mktemp("model") / "model.tflite"
    net.conv(4, 3, stride=2)
    net.mean()
    net.dense(2)
    path.write_bytes(net.build())
    return path


@pytest.mark.parametrize("verb", ["check", "package", "measure", "live"])
def test_help_names_it(program, verb):
    done = run(program, verb, "--help")
    assert done.returncode == 0, done.stderr
    assert "myboard" in done.stdout


def test_check_judges_presets_and_files(program, model):
    assert run(program, "check", "tinytracker-s2", "--target", "myboard").returncode == 0
    refused = run(program, "check", "tinytracker", "--target", "myboard", "--json")
    assert refused.returncode == 1
    document = json.loads(refused.stdout)
    assert document["graph"][0]["found"] == "it has 426,694"
    assert "tinytracker-s2" in document["suitable_presets"]
    assert "tinytracker" not in document["suitable_presets"]
    file = run(program, "check", model, "--target", "myboard")
    assert file.returncode == 0, file.stderr
    assert "3 of 3 operators run" in file.stdout
    operators = json.loads(run(program, "check", model, "--target", "myboard", "--json").stdout)["operators"]
    assert sum(o["macs"] for o in operators) > 0


def test_package_builds_with_an_option_that_spresense_has_too(program, model, tmp_path):
    for runtime, more in (("loader", []), ("turbo", ["--runtime", "turbo"])):
        done = run(
            program, "package", model, "--target", "myboard", "--out", tmp_path / runtime, "--json", *more
        )
        assert done.returncode == 0, done.stderr
        manifest = json.loads((tmp_path / runtime / "manifest.json").read_text())
        assert (manifest["target"], manifest["runtime"]) == ("myboard", runtime)
    other = run(
        program, "package", model, "--target", "myboard", "--out", tmp_path / "x", "--kernels", "portable"
    )
    assert other.returncode == 2
    assert "--kernels is not an option of target myboard" in other.stderr


def test_doctor_lists_its_tool(program):
    parts = {p["name"]: p for p in json.loads(run(program, "doctor", "--json").stdout)["parts"]}
    assert parts["myboard-flash"]["install"] == "apt-get install myboard-tools"


def test_measure_reaches_its_board(program, tmp_path):
    with FakeLine() as board:
        done = run(
            program, "measure", "--target", "myboard", "--port", board.port, "--out", tmp_path / "s.jsonl",
            "--frames", 20, "--warmup", 0, "--json",
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    header = json.loads((tmp_path / "s.jsonl").read_text().splitlines()[0])
    assert header["metadata"]["target"] == "myboard"


def test_the_rules_are_documented(program, tmp_path):
    code = program.read_text().partition("from tinytracker.cli.main")[0]
    code += (
        "from tinytracker.package.constraints import constraints_markdown\nprint(constraints_markdown())\n"
    )
    path = program.with_name("page.py")
    path.write_text(code)
    printed = run(path).stdout
    assert "## myboard" in printed
    assert "| `few-parameters` | The network has at most 100,000 parameters. |" in printed
