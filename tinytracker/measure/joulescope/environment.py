"""The isolated environment of Joulescope's driver: create it, and report whether it is there.

The driver needs numpy 2.1 or newer, which TensorFlow 2.15 cannot have (`tinytracker.isolated`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinytracker.errors import MissingDependencyError
from tinytracker.isolated import Isolated, home
from tinytracker.progress import say
from tinytracker.requirements import Part

REQUIREMENTS = Path(__file__).with_name("requirements-joulescope.txt")
DRIVER = Isolated("Joulescope's driver", REQUIREMENTS, "TINYTRACKER_JOULESCOPE_PYTHON")
SETUP = "tinytracker setup joulescope"


@dataclass(frozen=True)
class Status:
    """What is installed and what is missing.

    Attributes:
        folder: where the environment is, or would be.
        ready: True when a recording can start.
        python: version of the environment's Python, "" when there is none.
        driver: version of the driver as pinned, "" when it is not installed.
        missing: sentences about what is missing, each with the command that installs it.
    """

    folder: Path
    ready: bool
    python: str
    driver: str
    missing: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The versions in one line."""
        return f"driver {self.driver}, Python {self.python}"

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "folder": str(self.folder), "missing": list(self.missing)}


def default_folder() -> Path:
    """Where the driver's environment lives."""
    return home() / "joulescope"


def status(folder: Path | None = None) -> Status:
    """Inspect the environment without changing it."""
    folder = folder or default_folder()
    ready = DRIVER.is_current(folder)
    missing = () if ready else (f"{DRIVER.label} is not installed. Install it with: {SETUP}",)
    driver = DRIVER.pinned("pyjoulescope-driver") if ready else ""
    return Status(folder, ready, DRIVER.python_version(folder), driver, missing)


def parts() -> list[Part]:
    """For `tinytracker doctor`."""
    found = status()
    return [Part(DRIVER.label, "measure --power joulescope", found.driver, "; ".join(found.missing))]


def require_driver(folder: Path | None = None) -> Path:
    """The interpreter that has the driver.

    Raises:
        MissingDependencyError: it is not set up.
    """
    found = status(folder)
    if not found.ready:
        raise MissingDependencyError(DRIVER.label, "--power joulescope", SETUP)
    return DRIVER.python(found.folder)


def setup(folder: Path | None = None, python: Path | None = None) -> Status:
    """Create the driver's environment; does nothing when it exists.

    Args:
        folder: where to create it; None for the default.
        python: interpreter 3.10 or 3.11 to build on; None to look for one.

    Raises:
        MissingDependencyError: no such Python.
        TinyTrackerError: the installation failed; the log is kept in the folder.
        OutputError: the folder cannot be written.
    """
    folder = folder or default_folder()
    if status(folder).ready:
        say(f"{folder}: {DRIVER.label} is installed already.")
    else:
        DRIVER.make(folder, python)
    return status(folder)
