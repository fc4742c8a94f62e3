"""What packages for the IMX500 need."""

from __future__ import annotations

from tinytracker.package.imx500.environment import status
from tinytracker.requirements import Part, python_part


def parts() -> list[Part]:
    """Sony's quantizer and Sony's converter."""
    work = "package --target imx500"
    found = status()
    ready = f"{found.converter}, Java {found.java}" if found.ready else ""
    return [
        python_part("model_compression_toolkit", "model-compression-toolkit", work, "train"),
        Part("Sony's converter", work, ready, "; ".join(found.missing)),
    ]
