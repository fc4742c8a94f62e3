"""The code of docs/python.md is run as it stands."""

import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs/python.md").read_text(encoding="utf-8")
CHAIN, REFUSED = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TOOLS = ("arm-none-eabi-gcc", "qemu-system-arm")


def run(code, folder):
    (folder / "page.py").write_text(code)
    done = subprocess.run([sys.executable, "-W", "error::DeprecationWarning:__main__", "page.py"],
                          cwd=folder, capture_output=True, text=True, timeout=300)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.train
@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {' and '.join(TOOLS)}")
def test_the_chain_of_the_page_runs_to_its_report(tmp_path):
    printed = run(CHAIN, tmp_path)
    assert re.match(r"[1-9]\d frames", printed)
    assert "equal to TFLite: True" in printed
    assert "manifest.json" in printed
    assert "inference:" in printed
    assert (tmp_path / "report.html").is_file()
    assert (tmp_path / "report.json").is_file()


def test_the_chain_is_short_enough_to_be_read():
    lines = [line for line in CHAIN.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert len(lines) <= 40


def test_an_error_is_what_the_page_says(tmp_path):
    printed = run(REFUSED, tmp_path)
    promised = re.search(r"^prints `(.+?)…`", PAGE, re.MULTILINE)[1]
    assert printed.startswith(promised)


def test_the_table_names_what_the_packages_export():
    rows = re.findall(r"^\| `(tinytracker\.\w+)` \| (.+?) \|", PAGE, re.MULTILINE)
    assert len(rows) >= 13
    for package, functions in rows:
        for name in re.findall(r"`(\w+)`", functions):
            assert name in import_module(package).__all__, f"{package}.{name}"
