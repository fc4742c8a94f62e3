"""The cost of a network, as data: of a preset (without TensorFlow) or of a .tflite file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tinytracker.files import StrPath
from tinytracker.kinds import wrong_kind
from tinytracker.model.presets import PRESETS, find_preset
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_stats import model_stats, non_int8_tensors


def describe(network: StrPath) -> dict[str, Any]:
    """Return the layers and totals of a preset or a file.

    Args:
        network: name of a preset, or path of a .tflite file.

    Returns:
        A JSON object: `name`, `summary`, `inputs`, `layers` (name, operator, shape, parameters, macs), and the totals
        `parameters` (batch normalization folded), `macs`, `peak_activation_bytes`; for a file also `file_bytes` and
        `non_int8_tensors`.

    Raises:
        UnknownNameError: neither a preset nor a file.
        InputFileError: the file is damaged or not a .tflite file.

    Example:
        >>> from tinytracker.model import describe
        >>> cost = describe("tinytracker-s")
        >>> cost["inputs"], cost["macs"], cost["parameters"]
        ({'image': [96, 96, 1]}, 5229184, 81946)
    """
    network = os.fspath(network)
    path = Path(network)
    if network not in PRESETS and (path.suffix or "/" in network or path.exists()):
        if path.suffix != ".tflite":
            hint = f"Give a .tflite file or a preset: {', '.join(PRESETS)}."
            raise wrong_kind(path, "a preset or a .tflite file", "not a .tflite file", hint)
        return _describe_file(path)
    preset = find_preset(network)
    net = preset.network()
    return {
        "name": preset.name,
        "summary": preset.summary,
        "source": preset.source,
        "inputs": {name: list(shape) for name, shape in net.inputs.items()},
        "layers": [
            {"name": n.name, "operator": n.op, "shape": list(n.shape), "parameters": n.params, "macs": n.macs}
            for n in net.nodes.values()
        ],
        "parameters": net.params,
        "macs": net.macs,
        "peak_activation_bytes": net.peak_activation_bytes(),
    }


def _describe_file(path: Path) -> dict[str, Any]:
    model = read_tflite(path)
    stats = model_stats(model)
    floats = non_int8_tensors(model)
    return {
        "name": path.name,
        "summary": "INT8" if not floats else f"{len(floats)} tensors are not INT8, such as {floats[0].name!r}",
        "inputs": {t.name: list(t.shape) for t in model.input_tensors()},
        "layers": [
            {
                "name": f"{o.index}", "operator": o.name, "shape": list(o.output_shape),
                "parameters": o.parameters, "macs": o.macs,
            }
            for o in stats.operators
        ],
        "parameters": stats.parameters,
        "macs": stats.macs,
        "peak_activation_bytes": stats.peak_activation_bytes,
        "file_bytes": model.file_bytes,
        "non_int8_tensors": [{"name": t.name, "dtype": t.dtype} for t in floats],
    }  # fmt: skip
