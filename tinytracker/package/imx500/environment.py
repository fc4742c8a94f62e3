"""The isolated environment of Sony's converter: install it, and report its state.

The converter cannot share an environment with training, because it needs other versions of the same packages. It is
installed in its own folder (`tinytracker.isolated`) and is run as a program. It also needs Java.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinytracker.errors import MissingDependencyError
from tinytracker.files import StrPath
from tinytracker.isolated import Isolated, home
from tinytracker.progress import say

REQUIREMENTS = Path(__file__).with_name("requirements-converter.txt")
PYTHON_VARIABLE = "TINYTRACKER_CONVERTER_PYTHON"
CONVERTER = Isolated("Sony's IMX500 converter", REQUIREMENTS, PYTHON_VARIABLE)
JAVA_MAJOR = 17
INSTALL_JAVA = "sudo apt install openjdk-17-jre-headless"
SETUP = "tinytracker setup imx500"

_PROGRAM = "imxconv-tf"
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


def default_folder() -> Path:
    """Return the folder of the converter's environment."""
    return home() / "imx500-converter"


def status(folder: StrPath | None = None) -> Status:
    """Inspect the environment without changing anything."""
    folder = Path(folder) if folder is not None else None
    folder = folder or default_folder()
    java = java_version()
    python = CONVERTER.python_version(folder)
    stamp = CONVERTER.stamp(folder)
    current = CONVERTER.is_current(folder)
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
    converter = CONVERTER.pinned("imx500-converter") if current else ""
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
    """How to start the converter: by its interpreter, the path in a script's first line can be too long."""
    return [str(CONVERTER.python(folder)), str(folder / "bin" / _PROGRAM)]


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
    CONVERTER.make(folder, python)
    return status(folder)


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
