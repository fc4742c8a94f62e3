"""The isolated environment of Sony's converter: install it, and report its state.

The converter cannot share an environment with training, because it needs other versions of the same packages.
It is installed in its own folder from a requirements file with pinned versions and hashes, and is run as a
program.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinytracker.children import ends_with_parent
from tinytracker.errors import MissingDependencyError, TinyTrackerError
from tinytracker.files import StrPath, make_folder, write_json
from tinytracker.progress import bar, say

REQUIREMENTS = Path(__file__).with_name("requirements-converter.txt")
HOME_VARIABLE = "TINYTRACKER_HOME"
PYTHON_VARIABLE = "TINYTRACKER_CONVERTER_PYTHON"
PYTHON_VERSIONS = ((3, 11), (3, 10))
JAVA_MAJOR = 17
INSTALL_JAVA = "sudo apt install openjdk-17-jre-headless"
SETUP = "tinytracker setup imx500"

_STAMP = "tinytracker-setup.json"
_LOG = "setup.log"
_PROGRAM = "imxconv-tf"
_PROBE = "import sys, venv, ensurepip; print('.'.join(map(str, sys.version_info[:3])))"
_PROBE_SECONDS = 30


@dataclass(frozen=True)
class Status:
    """What is installed and what is missing.

    Attributes:
        folder: where the environment is, or would be.
        ready: True when a conversion can start.
        python: version of the environment's Python, "" when not installed.
        converter: version of Sony's converter as pinned, "" when not installed.
        java: version of Java, "" when not installed.
        missing: sentences about what is missing, each with the command that installs it.
    """

    folder: Path
    ready: bool
    python: str
    converter: str
    java: str
    missing: tuple[str, ...]

    @property
    def summary(self) -> str:
        """Return the versions in one line."""
        return f"converter {self.converter}, Python {self.python}, Java {self.java}"

    def as_json(self) -> dict[str, Any]:
        """Return the fields for `--json`."""
        return {**asdict(self), "folder": str(self.folder), "missing": list(self.missing)}


def home() -> Path:
    """Return the folder for what this package installs: $TINYTRACKER_HOME, or ~/.cache/tinytracker."""
    named = os.environ.get(HOME_VARIABLE)
    return Path(named).expanduser() if named else Path.home() / ".cache" / "tinytracker"


def default_folder() -> Path:
    """Return the folder of the converter's environment."""
    return home() / "imx500-converter"


def status(folder: StrPath | None = None) -> Status:
    """Inspect the environment without changing anything."""
    folder = Path(folder) if folder is not None else None
    folder = folder or default_folder()
    java = java_version()
    python = _python_version(_python_of(folder))
    stamp = _read_stamp(folder)
    current = bool(python) and stamp.get("requirements_sha256") == _requirements_sha256()
    missing = []
    if not current:
        reason = "belongs to another version of tinytracker" if stamp and python else "is not installed"
        missing.append(f"Sony's converter {reason}. Install it with: {SETUP}")
    if not java:
        missing.append(f"Java {JAVA_MAJOR} is not installed. Install it with: {INSTALL_JAVA}")
    elif java_major(java) < JAVA_MAJOR:
        missing.append(
            f"Java is version {java}; the converter needs {JAVA_MAJOR}. Install it with: {INSTALL_JAVA}"
        )
    converter = _pinned("imx500-converter") if current else ""
    return Status(folder, not missing, python, converter, java, tuple(missing))


def require_converter(folder: Path | None = None) -> Path:
    """Return the folder of a converter that can be started.

    Raises:
        MissingDependencyError: the converter is not set up, or Java is missing.
    """
    found = status(folder)
    if not found.converter:
        raise MissingDependencyError("Sony's IMX500 converter", "packaging for imx500", SETUP)
    if not found.ready:
        raise MissingDependencyError(f"Java {JAVA_MAJOR}", "Sony's IMX500 converter", INSTALL_JAVA)
    return found.folder


def converter_command(folder: Path) -> list[str]:
    """Return the command that starts the converter through its interpreter: a script's first line can be too long."""
    return [str(_python_of(folder)), str(folder / "bin" / _PROGRAM)]


def converter_environment(folder: Path) -> dict[str, str]:
    """Return the environment variables of the converter, which starts Java and programs of its own folder by name."""
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    java = _java()
    places = [str(folder / "bin"), *([str(Path(java).parent)] if java else []), clean.get("PATH", os.defpath)]
    return {**clean, "PATH": os.pathsep.join(places), "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUNBUFFERED": "1"}


def setup(folder: StrPath | None = None, python: StrPath | None = None) -> Status:
    """Install the converter's environment, or finish an interrupted installation; do nothing if it is complete.

    Args:
        folder: where to install; None for the default.
        python: Python 3.10 or 3.11 to use; None to search for one.

    Raises:
        MissingDependencyError: no suitable Python, or no Java.
        TinyTrackerError: the installation failed; the log is kept in the folder.
        OutputError: the folder cannot be written.
    """
    folder = Path(folder) if folder is not None else None
    python = Path(python) if python is not None else None
    folder = folder or default_folder()
    if status(folder).ready:
        say(f"{folder}: Sony's converter is already installed.")
        return status(folder)
    java = java_version()
    if java_major(java) < JAVA_MAJOR:  # before the long part
        raise MissingDependencyError(f"Java {JAVA_MAJOR}", "Sony's IMX500 converter", INSTALL_JAVA)
    make_folder(folder)
    if not _suits(_python_version(_python_of(folder))):
        base = find_python(python)
        say(f"{folder}: creating an environment with {base}")
        _run([str(base), "-m", "venv", "--clear", str(folder)], folder, "cannot create a virtual environment")
    _install(folder)
    write_json(
        folder / _STAMP,
        {"requirements_sha256": _requirements_sha256(), "python": _python_version(_python_of(folder))},
    )
    return status(folder)


def _install(folder: Path) -> None:
    """Install the pinned packages; pip keeps its downloads, so a second try resumes."""
    total = len(_PIN.findall(REQUIREMENTS.read_text()))
    command = [
        str(_python_of(folder)), "-m", "pip", "install", "--require-hashes", "--no-input",
        "--disable-pip-version-check", "--progress-bar", "off", "-r", str(REQUIREMENTS),
    ]  # fmt: skip
    with bar("install Sony's converter", total, "packages") as advance:
        for line in _lines(command, folder, "cannot install the converter's packages"):
            if line.startswith(("Collecting ", "Processing ")):  # from the index, or from a local folder
                advance(1, line.split()[1].split("/")[-1].split("==")[0])
            elif line.startswith("Installing collected packages"):
                say("unpacking")


def find_python(named: Path | None = None) -> Path:
    """Return a Python 3.10 or 3.11 that can create environments.

    Candidates are run, because version managers install programs of these names that only print an error.

    Raises:
        MissingDependencyError: none was found.
    """
    override = named or os.environ.get(PYTHON_VARIABLE)
    for candidate in [Path(override)] if override else _candidates():
        if _suits(_python_version(candidate)):
            return candidate
    what = f"{override}: a Python" if override else "Python"
    install = f"sudo apt install python3.11-venv, or name one with --python or ${PYTHON_VARIABLE}"
    raise MissingDependencyError(f"{what} 3.10 or 3.11 with venv", "Sony's IMX500 converter", install)


def _candidates() -> Iterator[Path]:
    yield Path(sys.executable)
    for major, minor in PYTHON_VERSIONS:
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
            yield Path(folder) / f"python{major}.{minor}"
        yield from sorted(Path.home().glob(f".pyenv/versions/{major}.{minor}.*/bin/python"), reverse=True)
        yield Path(f"/usr/bin/python{major}.{minor}")


def _suits(version: str) -> bool:
    return any(version.startswith(f"{major}.{minor}.") for major, minor in PYTHON_VERSIONS)


def _python_of(folder: Path) -> Path:
    return folder / "bin" / "python"


def _python_version(python: Path) -> str:
    """Return the version of an interpreter that runs and has venv and pip's installer; "" for any other file."""
    if not python.is_file():
        return ""
    try:
        found = subprocess.run(
            [python, "-I", "-c", _PROBE], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()


def java_version() -> str:
    """Return the version of the Java that the converter would start, for example "17.0.15"; "" without Java."""
    java = _java()
    if java is None:
        return ""
    try:
        found = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    match = re.search(r'version "([0-9._]+)', found.stderr + found.stdout)
    return match[1] if match else ""


def java_major(version: str) -> int:
    """Return the major version: 17 for "17.0.15", 8 for "1.8.0_292", 0 for ""."""
    numbers = [int(n) for n in re.findall(r"\d+", version)]
    if not numbers:
        return 0
    return numbers[1] if numbers[0] == 1 and len(numbers) > 1 else numbers[0]


def _java() -> str | None:
    named = os.environ.get("JAVA_HOME")
    return (shutil.which("java", path=str(Path(named) / "bin")) if named else None) or shutil.which("java")


_PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def _pinned(package: str) -> str:
    pins: dict[str, str] = dict(_PIN.findall(REQUIREMENTS.read_text()))
    return pins[package]


def _requirements_sha256() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def _read_stamp(folder: Path) -> dict[str, Any]:
    try:
        stamp = json.loads((folder / _STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _run(command: list[str], folder: Path, problem: str) -> None:
    for _ in _lines(command, folder, problem):
        pass


def _lines(command: list[str], folder: Path, problem: str) -> Iterator[str]:
    """Yield what a program prints, line by line, and keep it in the setup log.

    Raises:
        TinyTrackerError: the program failed; names its last line and the log.
    """
    log = folder / _LOG
    last = ""
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        preexec_fn=ends_with_parent(signal.SIGTERM),
    ) as process:
        assert process.stdout is not None
        kept = []
        for line in process.stdout:
            kept.append(line)
            last = line.strip() or last
            yield line.rstrip("\n")
    make_folder(folder)
    log.write_text("".join(kept))
    if process.returncode:
        hint = f"Run the same command again to resume; the full log is {log}."
        raise TinyTrackerError(f"{folder}: {problem} (exit code {process.returncode}): {last}.", hint)
