"""Reads a .tflite file without TensorFlow.

`read_tflite` is the only entry point. It trusts nothing in the file: any fault ends in an `InputFileError` (the file
is not a complete .tflite file) or a `ModelError` (it is, but its graph is invalid), never in a crash or in an
allocation larger than the file itself. Arrays are read-only views into the file's bytes.
"""

from __future__ import annotations

from pathlib import Path

from tinytracker.files import read_bytes
from tinytracker.model.tflite_model import TfliteModel


def read_tflite(source: Path | str | bytes, name: str = "") -> TfliteModel:
    """Read a .tflite file.

    Args:
        source: path, or the content as bytes.
        name: name of the model in messages when bytes are given.

    Raises:
        InputFileError: the file cannot be read, is damaged or is not a .tflite file.
        ModelError: the file's graph is invalid or has several subgraphs.

    Example:
        >>> from tinytracker.model import read_tflite
        >>> network = read_tflite("run/quantized/ptq-int8/model.tflite")
        >>> [(tensor.shape, tensor.dtype) for tensor in network.input_tensors()]
        [((1, 96, 96, 1), 'int8')]
    """
    if isinstance(source, bytes):
        content, label = source, name or "model in memory"
    else:
        content, label = read_bytes(Path(source)), str(source)
    from tinytracker.model.tflite_decode import decode  # the schema package takes 0.2 s to import

    return decode(content, label)


def read_network(path: Path | str) -> bytes:
    """Return the content of a .tflite file that can be read; raises like `read_tflite`, naming the file."""
    content = read_bytes(Path(path))
    read_tflite(content, str(path))
    return content
