"""The environments of the foreign simulators: create them, and report whether they are there."""

from __future__ import annotations

import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinytracker.errors import MissingDependencyError, TinyTrackerError, UnknownNameError
from tinytracker.isolated import Isolated, home
from tinytracker.progress import say
from tinytracker.requirements import Part

_HERE = Path(__file__).parent
_WORKER_SECONDS = 600


@dataclass(frozen=True)
class Status:
    """What is installed and what is missing.

    Attributes:
        folder: where the environment is, or would be.
        ready: True when the simulator can be started.
        python: version of the environment's Python, "" when there is none.
        version: of the simulator as pinned, "" when it is not installed.
        missing: sentences about what is missing, each with the command that installs it.
        label: name of the simulator.
    """

    folder: Path
    ready: bool
    python: str
    version: str
    missing: tuple[str, ...]
    label: str

    @property
    def summary(self) -> str:
        """The versions in one line."""
        return f"{self.label} {self.version}, Python {self.python}"

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "folder": str(self.folder), "missing": list(self.missing)}


@dataclass(frozen=True)
class Simulator:
    """A foreign simulator.

    Attributes:
        name: on the command line. distribution: its package, whose version counts.
        environment: where it is installed.
        worker: the program that runs in it.
        summary: what `tinytracker setup` installs.
    """

    name: str
    distribution: str
    environment: Isolated
    worker: Path
    summary: str

    def default_folder(self) -> Path:
        """Return where its environment is made."""
        return home() / self.name

    def status(self, folder: Path | None = None) -> Status:
        """Inspect the environment without changing it."""
        folder = folder or self.default_folder()
        ready = self.environment.is_current(folder)
        missing = (
            ()
            if ready
            else (f"{self.environment.label} is not installed. Install it with: {self.setup_command}",)
        )
        version = self.environment.pinned(self.distribution) if ready else ""
        python = self.environment.python_version(folder)
        return Status(folder, ready, python, version, missing, self.environment.label)

    @property
    def setup_command(self) -> str:
        """Return the command that makes its environment."""
        return f"tinytracker setup {self.name}"

    def parts(self) -> list[Part]:
        """Return its row of `tinytracker doctor`."""
        found = self.status()
        return [Part(found.label, "comparison of spiking networks", found.version, "; ".join(found.missing))]

    def setup(self, folder: Path | None = None, python: Path | None = None) -> Status:
        """Create the environment; does nothing when it exists.

        Args:
            folder: where to create it; None for the default.
            python: interpreter to build on; None to look for one.

        Raises:
            MissingDependencyError: no suitable Python.
            TinyTrackerError: the installation failed; the log is kept in the folder.
            OutputError: the folder cannot be written.
        """
        folder = folder or self.default_folder()
        if self.status(folder).ready:
            say(f"{folder}: {self.environment.label} is installed already.")
        else:
            self.environment.make(folder, python)
        return self.status(folder)

    def run(self, *arguments: str | Path | int, folder: Path | None = None) -> None:
        """Run its worker.

        Args:
            arguments: of the worker; see the text at its head.
            folder: of the environment; None for the default.

        Raises:
            MissingDependencyError: the environment is not set up.
            TinyTrackerError: the worker failed; the message ends with its last line.
        """
        found = self.status(folder)
        if not found.ready:
            raise MissingDependencyError(
                self.environment.label, "comparison of spiking networks", self.setup_command
            )
        python = self.environment.python(found.folder)
        command = [str(python), "-I", str(self.worker), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_WORKER_SECONDS)
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
            raise TinyTrackerError(f"{self.environment.label} failed (exit code {done.returncode}): {last}.")


SIMULATORS = {
    simulator.name: simulator
    for simulator in (
        Simulator(
            "sinabs", "sinabs",
            Isolated(
                "sinabs", _HERE / "requirements-sinabs.txt", "TINYTRACKER_SINABS_PYTHON", versions=((3, 11),),
                extra_index="https://download.pytorch.org/whl/cpu",
            ),
            _HERE / "sinabs_worker.py", "the spiking simulator sinabs with PyTorch for the CPU (1.1 GB)",
        ),
        Simulator(
            "lava", "lava-nc",
            Isolated("Lava", _HERE / "requirements-lava.txt", "TINYTRACKER_LAVA_PYTHON", versions=((3, 10),)),
            _HERE / "lava_worker.py", "Lava, with its fixed-point models of Loihi 2 (0.3 GB, Python 3.10)",
        ),
    )
}  # fmt: skip
"""By the name that `tinytracker setup` takes."""


def find_simulator(name: str) -> Simulator:
    """Return the simulator with this name.

    Raises:
        UnknownNameError: no such simulator.
    """
    if name not in SIMULATORS:
        raise UnknownNameError("simulator", name, SIMULATORS)
    return SIMULATORS[name]
