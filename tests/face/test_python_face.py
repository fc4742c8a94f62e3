"""What Python callers meet: packages that export their functions, and functions that take strings."""

import ast
import inspect
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import tinytracker
from tinytracker.errors import InputFileError

PACKAGES = sorted(
    m.name
    for m in pkgutil.iter_modules(tinytracker.__path__, "tinytracker.")
    if m.ispkg and m.name != "tinytracker.cli"
)
MAIN = {
    "adapt": "adapt",
    "aim": "read_aim",
    "cascade": "compare_files",
    "codegen": "generate",
    "collect": "record_film",
    "data": "prepare",
    "emulate": "emulate",
    "energy": "read_trace",
    "evaluate": "evaluate",
    "events": "synth_events",
    "hosts": "open_runtime",
    "hybrid": "train_hybrid",
    "interpreters": "measure_arena",
    "live": "serving",
    "measure": "measure",
    "model": "describe",
    "package": "package",
    "platforms": "compare_platforms",
    "quant": "quantize",
    "report": "report",
    "spiking": "spike",
    "synth": "generate",
    "train": "train",
}


def test_each_package_exports_its_main_function():
    assert {f"tinytracker.{name}" for name in MAIN} == set(PACKAGES)
    for package, function in MAIN.items():
        assert inspect.isfunction(inspect.unwrap(getattr(import_module(f"tinytracker.{package}"), function)))


@pytest.mark.parametrize("name", PACKAGES)
def test_what_is_exported_is_there_and_is_no_module(name):
    package = import_module(name)
    assert package.__doc__
    modules = {m.name for m in pkgutil.iter_modules(package.__path__)}
    assert not modules & set(package.__all__), "importing that module would hide the function"
    for exported in package.__all__:
        assert exported in dir(package)
        assert not inspect.ismodule(getattr(package, exported))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = package.no_such_name


@pytest.mark.parametrize("name", PACKAGES)
def test_type_checkers_see_what_is_exported_lazily(name):
    """The imports for type checkers and the table of `exports` say the same."""
    tree = ast.parse(Path(import_module(name).__file__).read_text())
    seen, promised = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(name + "."):
            seen |= {(node.module.removeprefix(name + "."), alias.name) for alias in node.names}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "exports":
            table = ast.literal_eval(node.args[1])
            promised |= {(module, exported) for module, names in table.items() for exported in names}
    assert promised <= seen
    assert {exported for _, exported in promised} <= set(import_module(name).__all__)


@pytest.mark.parametrize("name", PACKAGES)
def test_public_functions_take_strings_for_paths(name):
    package = import_module(name)
    for exported in package.__all__:
        function = inspect.unwrap(getattr(package, exported))
        if not inspect.isfunction(function):
            continue
        for parameter in inspect.signature(function).parameters.values():
            kind = str(parameter.annotation)
            if "Path" in kind:
                assert "StrPath" in kind or "str" in kind, f"{name}.{exported}: {parameter}"


@pytest.mark.parametrize("kind", [str, Path, lambda name: [name]])
def test_a_report_is_also_about_one_source(kind, tmp_path):
    """A string is a sequence of letters, which are no sources."""
    from tinytracker.report import report

    with pytest.raises(InputFileError, match="no-such-run"):
        report(kind("no-such-run"), str(tmp_path / "report.html"))


def test_importing_every_package_imports_nothing_heavy():
    code = (
        "import sys, tinytracker\nfrom tinytracker import "
        + ", ".join(MAIN)
        + "\nsys.exit(', '.join({'tensorflow', 'numba', 'tflite_micro', 'picamera2'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_tinytracker_alone_imports_no_library():
    code = (
        "import sys, tinytracker\nsys.exit(', '.join({'numpy', 'pydantic', 'rich'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
