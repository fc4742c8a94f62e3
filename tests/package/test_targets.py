"""The table of targets: what it names exists, it costs nothing to read, and nothing else knows a target by name."""

import ast
import re
import subprocess
import sys
from dataclasses import is_dataclass
from pathlib import Path

import pytest

import tinytracker
from tinytracker.errors import UnknownNameError
from tinytracker.targets import PARTS, TARGETS, find_target, with_part

ROOT = Path(tinytracker.__file__).parent

OFFERS = {
    "build": ("build",), "options": ("Options",), "rules": ("RULES", "REMARK", "facts"), "check": ("check",),
    "section": ("section",), "memory_report": ("memory_report",), "parity": ("NAME", "FILE", "LABEL", "load"),
    "doctor": ("parts",), "setup": ("setup", "status"), "board": ("open_source",),
    "live": ("open_network", "open_finder"),
}  # fmt: skip

KNOW_A_TARGET = {
    "demo.py": "the device that the demo packages for",
    "cli/evening.py": "the device that docs/one-evening.md packages for, and says so",
    "cli/edgetpu.py": "a verb about files of one vendor, not about targets",
    "cli/rpk.py": "a verb about files of one vendor, not about targets",
    "measure/__init__.py": "exports the way to open that camera",
    "measure/imx500.py": "how the IMX500 is reached, named by its row",
    "measure/imx500_frames.py": "what its frames are",
    "platforms/model.py": "that board's model of latency is part of the model of all",
    "platforms/rows.py": "one row for each platform, with its own arithmetic",
    "platforms/cascade_rows.py": "the same for networks behind a gate, on boards that have one",
    "platforms/spiking_rows.py": "the same for neuromorphic chips, by the limits that the package has of them",
}
"""Modules outside of a target's own folder that may name it, and why."""


def test_every_part_is_covered():
    assert set(OFFERS) == set(PARTS)


@pytest.mark.parametrize(
    ("target", "part"), [(t.name, part) for t in TARGETS.values() for part in PARTS if getattr(t, part)]
)
def test_every_part_that_is_named_is_there(target, part):
    module = TARGETS[target].part(part)
    for name in OFFERS[part]:
        assert hasattr(module, name), f"{module.__name__} has no {name}"
    if part == "options":
        assert is_dataclass(module.Options)


def test_rows_go_together():
    for name, target in TARGETS.items():
        assert name == target.name
        assert target.check or target.no_tflite or not target.rules, f"{name} must say why it takes no file"
        assert bool(target.setup) == bool(target.setup_summary)
        assert target.section or not target.check, f"{name} has rules that are not documented"


def test_reading_the_table_imports_nothing_heavy():
    code = (
        "import sys, tinytracker.targets\n"
        "heavy = {'numpy', 'click', 'rich', 'tensorflow'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_target_without_the_part_is_not_known_there():
    assert "emulated" in with_part("board")
    with pytest.raises(
        UnknownNameError,
        match=r"Unknown target 'emulated'. Known: coralmicro, imx500, neuromorphic, pico2, spresense",
    ):
        find_target("emulated", "build")
    with pytest.raises(UnknownNameError, match="Did you mean 'spresense'"):
        find_target("spresence")


def strings_and_imports(tree: ast.Module) -> list[str]:
    """Texts of a module, docstrings aside, and the modules that it imports."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nodes = list(ast.walk(tree))
    docs = {ast.get_docstring(n, clean=False) for n in nodes if isinstance(n, documented)}
    texts = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    imported = [n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)]
    imported += [alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names]
    return [text for text in texts if text not in docs] + imported


def test_no_other_module_knows_a_target():
    names = sorted(with_part("build"))
    pattern = re.compile(rf"\b({'|'.join(names)})\b")
    found = set()
    for path in ROOT.rglob("*.py"):
        module = path.relative_to(ROOT)
        own = module.parts[0] == "package" and module.parts[1] in names
        text = path.read_text()
        if own or module.name == "targets.py" or not pattern.search(text):
            continue
        if any(pattern.search(text) for text in strings_and_imports(ast.parse(text))):
            found.add(module.as_posix())
    assert found == set(KNOW_A_TARGET)
