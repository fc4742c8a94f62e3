"""Requirements of packages for Spresense."""

from __future__ import annotations

from tinytracker.requirements import Part, python_part


def parts() -> list[Part]:
    """Return the state of the interpreter for microcontrollers, which measures the arena."""
    return [python_part("tflite_micro", "tflite-micro", "package --target spresense", "train")]
