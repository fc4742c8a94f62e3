"""The code of docs/python.md, and the examples in docstrings, are run as they stand."""

import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from support.tree import ROOT

PAGE = (ROOT / "docs/python.md").read_text(encoding="utf-8")
CHAIN, REFUSED = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TOOLS = ("arm-none-eabi-gcc", "qemu-system-arm")
WITH_EXAMPLES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted((ROOT / "tinytracker").rglob("*.py"))
    if re.search(r"^ +>>> ", path.read_text(encoding="utf-8"), re.MULTILINE)
]


def examples_of(module: str) -> str:
    """The lines of examples in a module's docstrings."""
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return "\n".join(re.findall(r"^ +>>> .*$", file.read_text(encoding="utf-8"), re.MULTILINE))


OF_THE_CHAIN = re.compile(r'"(faces|prepared|run[/\w.-]*|session\.jsonl)"')
"""Files that the chain of the page makes; an example that names one runs in its folder."""
IN_ITS_FOLDER = [m for m in WITH_EXAMPLES if OF_THE_CHAIN.search(examples_of(m))]


def run(folder: Path, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=1200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_examples(folder: Path, modules: list[str]) -> int:
    """How many there were; a failed one fails the test."""
    printed = run(folder, ROOT / "tests/support/examples.py", *modules)
    return int(printed.split()[0])


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """A folder in which the page's code has run, and what it printed."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")
    folder = tmp_path_factory.mktemp("chain")
    (folder / "page.py").write_text(CHAIN)
    return folder, run(folder, "page.py")


@pytest.mark.slow
@pytest.mark.train
def test_the_chain_of_the_page_runs_to_its_report(chain):
    folder, printed = chain
    assert re.match(r"[1-9]\d frames", printed)
    assert "equal to TFLite: True" in printed
    assert "manifest.json" in printed
    assert "inference:" in printed
    assert (folder / "report.html").is_file()
    assert (folder / "report.json").is_file()


@pytest.mark.slow
@pytest.mark.train
def test_examples_about_its_files_are_right(chain):
    assert run_examples(chain[0], IN_ITS_FOLDER) >= 30


def test_all_other_examples_are_right(tmp_path):
    assert run_examples(tmp_path, sorted(set(WITH_EXAMPLES) - set(IN_ITS_FOLDER))) >= 20


def test_a_wrong_example_would_be_found(tmp_path, monkeypatch):
    (tmp_path / "wrong.py").write_text('"""An example.\n\n>>> 1 + 1\n3\n"""\n')
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(AssertionError, match=r"Expected:\s+3\s+Got:\s+2"):
        run_examples(tmp_path, ["wrong"])


def test_the_chain_is_short_enough_to_be_read():
    lines = [line for line in CHAIN.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert len(lines) <= 40


def test_an_error_is_what_the_page_says(tmp_path):
    (tmp_path / "page.py").write_text(REFUSED)
    promised = re.search(r"^prints `(.+?)…`", PAGE, re.MULTILINE)[1]
    assert run(tmp_path, "page.py").startswith(promised)


def test_the_table_names_what_the_packages_export():
    rows = re.findall(r"^\| `(tinytracker\.\w+)` \| (.+?) \|", PAGE, re.MULTILINE)
    assert len(rows) >= 13
    for package, functions in rows:
        for name in re.findall(r"`(\w+)`", functions):
            assert name in import_module(package).__all__, f"{package}.{name}"
