"""INT8 networks in this package: the .tflite files that programs without TensorFlow run as they are."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from tinytracker.errors import UnknownNameError

SUFFIX = ".tflite"


def packaged_networks() -> list[str]:
    """Return the names of the presets whose quantized network is in this package, sorted."""
    return sorted(p.stem for p in _folder().glob(f"*{SUFFIX}"))


def packaged_network(preset: str) -> Path:
    """Return the INT8 network of a preset, quantized from weights that were trained only on synthetic data.

    Raises:
        UnknownNameError: the package has none of this preset.
    """
    known = packaged_networks()
    if preset not in known:
        raise UnknownNameError("INT8 network in this package", preset, known or ["none in this release"])
    return _folder() / f"{preset}{SUFFIX}"


def _folder() -> Path:
    return Path(str(files("tinytracker.model") / "networks"))
