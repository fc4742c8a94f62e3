"""`tinytracker check` for a .tflite file on the Coral Dev Board Micro."""

from __future__ import annotations

from tinytracker.model.tflite_file import read_tflite
from tinytracker.package.coralmicro.check import check as check_model
from tinytracker.package.rules import Report


def check(content: bytes, name: str) -> Report:
    """Predict where each operator would run; see `tinytracker.package.coralmicro.check`.

    Args:
        content: content of a .tflite file.
        name: name of the file, for messages.

    Raises:
        InputFileError, ModelError: the file cannot be read, or is already compiled.
    """
    return check_model(read_tflite(content, name))
