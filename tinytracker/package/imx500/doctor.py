"""Requirements of packages for the IMX500."""

from __future__ import annotations

from tinytracker.package.imx500.environment import status
from tinytracker.requirements import Part, python_part


def parts() -> list[Part]:
    """Return the state of Sony's quantizer and of Sony's converter."""
    work = "package --target imx500"
    found = status()
    ready = f"{found.converter}, Java {found.java}" if found.ready else ""
    return [
        python_part("model_compression_toolkit", "model-compression-toolkit", work, "train"),
        Part("Sony's converter", work, ready, "; ".join(found.missing)),
    ]
