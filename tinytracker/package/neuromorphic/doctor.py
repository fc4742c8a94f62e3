"""Requirements of packages for neuromorphic chips."""

from __future__ import annotations

from tinytracker.requirements import Part, python_part


def parts() -> list[Part]:
    """Return the state of the library that writes NIR files; TensorFlow installs it."""
    return [python_part("h5py", "h5py", "spike, package --target neuromorphic", "train")]
