"""Isolated environments for programs whose packages conflict with those of this one: create, find and check them.

Each is a virtual environment below the home folder of this package, filled from a requirements file with pinned
versions and hashes, and used by calling its interpreter.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytracker.children import ends_with_parent
from tinytracker.errors import MissingDependencyError, TinyTrackerError
from tinytracker.files import make_folder, write_json
from tinytracker.progress import bar, say

HOME_VARIABLE = "TINYTRACKER_HOME"
PYTHON_VERSIONS = ((3, 11), (3, 10))

_STAMP = "tinytracker-setup.json"
_LOG = "setup.log"
_PROBE = "import sys, venv, ensurepip; print('.'.join(map(str, sys.version_info[:3])))"
_PROBE_SECONDS = 30
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
_PIP_PLACES = ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_INDEX_URL")
"""Settings that say where pip looks."""


def home() -> Path:
    """Folder for what this package installs: $TINYTRACKER_HOME, or ~/.cache/tinytracker."""
    named = os.environ.get(HOME_VARIABLE)
    return Path(named).expanduser() if named else Path.home() / ".cache" / "tinytracker"


@dataclass(frozen=True)
class Isolated:
    """An isolated environment.

    Attributes:
        label: what it holds, for sentences ("Sony's converter").
        requirements: file with pinned versions and hashes.
        python_variable: environment variable that may name the interpreter to build on.
        versions: of Python that its packages have wheels for, the preferred one first.
        extra_index: index of packages beside PyPI, "" for none; not used when pip's own settings name other places.
    """

    label: str
    requirements: Path
    python_variable: str
    versions: tuple[tuple[int, int], ...] = PYTHON_VERSIONS
    extra_index: str = ""

    def python(self, folder: Path) -> Path:
        """Its interpreter, which may not exist."""
        return folder / "bin" / "python"

    def python_version(self, folder: Path) -> str:
        """Version of its interpreter, "" when none works."""
        return _version_of(self.python(folder))

    def is_current(self, folder: Path) -> bool:
        """Whether it is complete and belongs to this version of the package."""
        stamp = self.stamp(folder)
        return bool(self.python_version(folder)) and stamp.get("requirements_sha256") == self._sha256()

    def stamp(self, folder: Path) -> dict[str, Any]:
        """The record of the last completed setup; empty when there was none."""
        try:
            stamp = json.loads((folder / _STAMP).read_text())
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}

    def pinned(self, package: str) -> str:
        """The version of a package that the requirements pin."""
        pins: dict[str, str] = dict(_PIN.findall(self.requirements.read_text()))
        return pins[package]

    def make(self, folder: Path, python: Path | None = None) -> None:
        """Create it, or finish an interrupted installation.

        Args:
            folder: where to create it.
            python: interpreter of one of `versions` to build on; None to look for one.

        Raises:
            MissingDependencyError: no such Python.
            TinyTrackerError: the installation failed; the log is kept in the folder.
            OutputError: the folder cannot be written.
        """
        make_folder(folder)
        if not self._suits(self.python_version(folder)):
            base = self.find_python(python)
            say(f"{folder}: creating an environment on {base}")
            command = [str(base), "-m", "venv", "--clear", str(folder)]
            for _ in _lines(command, folder, "cannot create a virtual environment"):
                pass
        self._install(folder)
        write_json(
            folder / _STAMP,
            {"requirements_sha256": self._sha256(), "python": self.python_version(folder)},
        )

    def find_python(self, named: Path | None = None) -> Path:
        """A Python of one of `versions` that can make environments.

        Candidates are run, because version managers install programs with these names that only print an error.

        Raises:
            MissingDependencyError: when there is none.
        """
        override = named or os.environ.get(self.python_variable)
        for candidate in [Path(override)] if override else _candidates(self.versions):
            if self._suits(_version_of(candidate)):
                return candidate
        what = f"{override}: a Python" if override else "Python"
        names = " or ".join(f"{major}.{minor}" for major, minor in sorted(self.versions))
        best = "{}.{}".format(*self.versions[0])
        install = f"sudo apt install python{best}-venv, or name one with --python or ${self.python_variable}"
        raise MissingDependencyError(f"{what} {names} with venv", self.label, install)

    def _suits(self, version: str) -> bool:
        return any(version.startswith(f"{major}.{minor}.") for major, minor in self.versions)

    def _install(self, folder: Path) -> None:
        """Install the pinned packages; pip keeps what it has downloaded, so a second attempt continues from there."""
        total = len(_PIN.findall(self.requirements.read_text()))
        command = [
            str(self.python(folder)), "-m", "pip", "install", "--require-hashes", "--no-input",
            "--disable-pip-version-check", "--progress-bar", "off", "-r", str(self.requirements),
        ]  # fmt: skip
        problem = f"cannot install the packages of {self.label}"
        with bar(f"install {self.label}", total, "packages") as advance:
            for line in _lines(command, folder, problem, self._pip_settings()):
                if line.startswith(("Collecting ", "Processing ")):  # from the index, or from a local folder
                    advance(1, line.split()[1].split("/")[-1].split("==")[0])
                elif line.startswith("Installing collected packages"):
                    say("unpacking")

    def _pip_settings(self) -> dict[str, str]:
        """Environment variables of pip beside those that are set."""
        own = not self.extra_index or any(name in os.environ for name in _PIP_PLACES)
        return {} if own else {_PIP_PLACES[0]: self.extra_index}

    def _sha256(self) -> str:
        return hashlib.sha256(self.requirements.read_bytes()).hexdigest()


def _candidates(versions: tuple[tuple[int, int], ...]) -> Iterator[Path]:
    yield Path(sys.executable)
    for major, minor in versions:
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
            yield Path(folder) / f"python{major}.{minor}"
        yield from sorted(Path.home().glob(f".pyenv/versions/{major}.{minor}.*/bin/python"), reverse=True)
        yield Path(f"/usr/bin/python{major}.{minor}")


def _version_of(python: Path) -> str:
    """Version of an interpreter that runs and has venv and pip's installer, "" for any other file."""
    if not python.is_file():
        return ""
    try:
        found = subprocess.run(
            [python, "-I", "-c", _PROBE], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return found.stdout.strip()


def _lines(
    command: list[str], folder: Path, problem: str, more: dict[str, str] | None = None
) -> Iterator[str]:
    """Yield what a program prints, line by line, and keep it in the setup log; `more` are environment variables.

    Raises:
        TinyTrackerError: when it fails; names its last line and the log.
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
        env={**os.environ, **(more or {})},
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
        hint = f"Run the same command again to continue from there; the full log is {log}."
        raise TinyTrackerError(f"{folder}: {problem} (exit code {process.returncode}): {last}.", hint)
