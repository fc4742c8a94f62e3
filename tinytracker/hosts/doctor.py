"""Requirements of the runtimes of this computer."""

from __future__ import annotations

from tinytracker.requirements import Part, python_part


def parts() -> list[Part]:
    """Return the state of the runtimes that are packages; TensorFlow is listed with what trains."""
    return [
        python_part("onnxruntime", "onnxruntime", "measure --runtime onnx, parity", "hosts"),
        python_part("openvino", "openvino", "measure --runtime openvino, export", "hosts"),
    ]
