"""Optional parts: check whether they are installed, and give the command that installs a missing one."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tinytracker.errors import MissingDependencyError

DISTRIBUTION = "tinytracker-gaze"
"""The distribution name of this package. It is not in a package index; `tinytracker` on PyPI is another project."""

_CHECKOUT = Path(__file__).resolve().parents[1]


def install_hint(extra: str = "") -> str:
    """Return the command that reinstalls this package from its origin, with one of its extras.

    Args:
        extra: an extra of this package, "" for none.

    Returns:
        In a clone of the repository `pip install --editable CLONE[extra]`; otherwise pip with the folder, archive or
        repository it recorded when it installed the package (PEP 610).
    """
    if (_CHECKOUT / "pyproject.toml").is_file():
        return f"pip install --editable {_local(_CHECKOUT, extra)}"
    try:
        noted = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        noted = None
    return _from_origin(json.loads(noted) if noted else {}, extra)


def _from_origin(origin: dict[str, Any], extra: str) -> str:
    url = str(origin.get("url", ""))
    parts = urlsplit(url)
    named = f"{DISTRIBUTION}{_in_brackets(extra)} @ "
    if "vcs_info" in origin:
        vcs = origin["vcs_info"]
        revision = vcs.get("requested_revision") or vcs["commit_id"]
        return "pip install " + shlex.quote(f"{named}{vcs['vcs']}+{url}@{revision}")
    place = Path(unquote(parts.path))
    if parts.scheme == "file" and place.exists():
        return f"pip install {_local(place, extra)}"
    if parts.scheme in ("http", "https"):
        return "pip install " + shlex.quote(f"{named}{url}")
    return f"pip install {_local(Path(), extra)} in a clone of the repository"


def _local(place: Path, extra: str) -> str:
    """Return a folder or archive as an argument for pip; "." for the current folder."""
    return shlex.quote(f"{'.' if place.resolve() == Path.cwd() else place}{_in_brackets(extra)}")


def _in_brackets(extra: str) -> str:
    return f"[{extra}]" if extra else ""


def require_tensorflow(needed_for: str) -> None:
    """Check that TensorFlow is installed, keep its start-up messages off stderr, and let it use oneDNN.

    By default TensorFlow uses oneDNN's kernels only on processors with AVX-512. With AVX2 alone they reduce the time
    of a training step of our networks to 0.58 of what it is without them.

    Raises:
        MissingDependencyError: when it is not installed.
    """
    require("tensorflow", "TensorFlow", needed_for, "train")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # 2 still lets it report CUDA plugins twice


def require(module: str, name: str, needed_for: str, extra: str) -> None:
    """Check that a module from one of this package's extras is installed.

    Args:
        module: top-level module name.
        name: its usual name, for the message.
        needed_for: what needs it, for the message.
        extra: the extra of this package that installs it.

    Raises:
        MissingDependencyError: when it is not installed.
    """
    if find_spec(module) is None:
        raise MissingDependencyError(name, needed_for, f"{install_hint(extra)} (Python 3.10 or 3.11)")


@dataclass(frozen=True)
class Part:
    """A package or program that an optional task needs; `tinytracker doctor` lists them.

    Attributes:
        name: what it is. needed_for: the task.
        found: version or path, "" when it is missing.
        install: the command that installs it.
    """

    name: str
    needed_for: str
    found: str
    install: str


def python_part(module: str, distribution: str, needed_for: str, extra: str) -> Part:
    """Describe a Python package of one of this package's extras; it is located, not imported."""
    found = metadata.version(distribution) if find_spec(module) else ""
    return Part(distribution, needed_for, found, install_hint(extra))


def program_part(name: str, needed_for: str, packages: str) -> Part:
    """Describe a program on PATH and the Debian packages that provide it."""
    return Part(name, needed_for, shutil.which(name) or "", f"apt-get install {packages}")
