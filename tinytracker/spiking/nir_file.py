"""Networks as NIR files (Neuromorphic Intermediate Representation; Pedersen et al., Nature Communications 2024).

A NIR file is HDF5. It is written with h5py alone, so equal networks give equal bytes, and without the key `v_reset`,
which readers built on nir 1.0.4 refuse. Maps are (channels, height, width) there. What the format cannot say (reset,
comparison, floor, start, several spikes, steps, what a number means) is JSON in its metadata, under "tinytracker".

Neurons with a leak are LIF nodes: in steps of 1 s, a time constant of 4096 / decay and as much resistance take a share
decay / 4096 of the membrane and add the current once. A rule that shifts weights on arrival has them shifted in the
file, so that weights, thresholds and biases there are in one unit.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import fields
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.errors import InputFileError, ModelError
from tinytracker.files import StrPath, read_bytes, write_bytes
from tinytracker.requirements import require
from tinytracker.spiking.network import EVENTS, Layer, SpikingNetwork
from tinytracker.spiking.neuron import DECAY_ONE, NeuronRule

METADATA = "tinytracker"
VERSION = 1
_NIR_VERSION = "1.0"
_CELLS = "_if"
"""Behind the name of a layer: the name of the node with its neurons."""

_INPUTS = {
    "current": "pixel codes p - 128, the same in every step",
    "edges": "codes of edges, tinytracker.spiking.encoding.edge_codes, the same in every step",
    EVENTS: "one spike for each cell and polarity with events in the bin of the step",
}
_HINT = "Write it with `tinytracker spike`; files of other programs do not say how their neurons are reset."


def write_nir(path: StrPath, network: SpikingNetwork) -> Path:
    """Write an integer network.

    Raises:
        ModelError: the network is not one of integers.
        OutputError: the file cannot be written.
        MissingDependencyError: h5py is not installed.
    """
    return write_bytes(Path(path), nir_bytes(network))


def nir_bytes(network: SpikingNetwork) -> bytes:
    """Return the content of the file; raises like `write_nir`."""
    if not network.is_integer:
        raise ModelError("This network has real weights.", "Round it first: `tinytracker.spiking.rounded`.")
    require("h5py", "h5py", "writing NIR files", "train")  # TensorFlow needs and installs it
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w", track_order=False) as file:
        text = h5py.string_dtype()
        file.create_dataset("version", data=_NIR_VERSION, dtype=text)
        graph = file.create_group("node")
        graph.create_dataset("type", data="NIRGraph", dtype=text)
        group = graph.create_group("nodes")
        names = []
        for name, kind, values in _nodes(network):
            node = group.create_group(name)
            node.create_dataset("type", data=kind, dtype=text)
            for key, value in values.items():
                node.create_dataset(key, data=value)
            names.append(name)
        edges = np.array(list(pairwise(names)), dtype=object)
        graph.create_dataset("edges", data=edges, dtype=text)
        metadata = graph.create_group("metadata")
        metadata.create_dataset(METADATA, data=json.dumps(_about(network), sort_keys=True), dtype=text)
    return buffer.getvalue()


def _about(network: SpikingNetwork) -> dict[str, Any]:
    return {
        "version": VERSION, "rule": network.rule.as_json(), "encode": network.encode, "unit_cm": network.unit_cm,
        "preset": network.preset, "steps": network.steps, "layers": [layer.name for layer in network.layers],
        "input": _INPUTS.get(network.encode, _INPUTS["current"]), "output": _output(network),
    }  # fmt: skip


def _output(network: SpikingNetwork) -> str:
    if network.layers[-1].threshold is not None:
        return "spikes of the last layer in every step"
    return (
        "sum over all steps * unit_cm" if network.encode == EVENTS else "sum over all steps / steps * unit_cm"
    )


def _nodes(network: SpikingNetwork) -> list[tuple[str, str, dict[str, Any]]]:
    """Return name, kind and values of each node, in the order of the signal."""
    h, w, c = network.layers[0].input_shape
    found: list[tuple[str, str, dict[str, Any]]] = [("input", "Input", {"shape": np.array([c, h, w])})]
    shift = network.rule.weight_shift
    for layer in network.layers:
        if layer.is_conv:
            found.append((layer.name, "Conv2d", _conv(layer, shift)))
        else:
            if len(layer.input_shape) == 3:
                h, w, c = layer.input_shape
                shape = {"start_dim": 0, "end_dim": -1, "input_type": np.array([c, h, w])}
                found.append((f"{layer.name}_flatten", "Flatten", shape))
            values = {
                "weight": (_channels_first(layer).T * 2**shift).astype(np.float32),
                "bias": layer.bias.astype(np.float32),
            }
            found.append((layer.name, "Affine", values))
        if layer.threshold is not None:
            out = layer.output_shape
            shape_first = (out[2], out[0], out[1]) if len(out) == 3 else out
            found.append((f"{layer.name}{_CELLS}", *_cells(network.rule, shape_first, layer.threshold)))
    found.append(("output", "Output", {"shape": np.array(network.layers[-1].output_shape)}))
    return found


def _cells(rule: NeuronRule, shape: tuple[int, ...], threshold: float) -> tuple[str, dict[str, Any]]:
    """Return kind and values of a layer's neurons."""
    values = {"v_threshold": np.full(shape, threshold, np.float32)}
    if not rule.voltage_decay:
        return "IF", {"r": np.ones(shape, np.float32), **values}
    steps = np.full(shape, DECAY_ONE / rule.voltage_decay, np.float32)
    return "LIF", {"tau": steps, "r": steps, "v_leak": np.zeros(shape, np.float32), **values}


def _conv(layer: Layer, shift: int) -> dict[str, Any]:
    h, w, _ = layer.input_shape
    return {
        "input_shape": np.array([h, w]),
        "weight": (layer.weights.transpose(3, 2, 0, 1) * 2**shift).astype(np.float32),
        "bias": layer.bias.astype(np.float32), "stride": np.array([layer.stride] * 2),
        "padding": np.array([layer.pad] * 2), "dilation": np.array([1, 1]), "groups": 1,
    }  # fmt: skip


def _order(shape: tuple[int, ...]) -> Any:
    """Return for each channels-first position of a flattened map the position in ours."""
    return np.arange(prod(shape)).reshape(shape).transpose(2, 0, 1).ravel()


def _channels_first(layer: Layer) -> Any:
    return layer.weights[_order(layer.input_shape)] if len(layer.input_shape) == 3 else layer.weights


def read_nir(path: StrPath) -> SpikingNetwork:
    """Read a network that `write_nir` wrote.

    Raises:
        InputFileError: the file is missing, cut, damaged, not NIR, or was written by another program.
        MissingDependencyError: h5py is not installed.
    """
    path = Path(path)
    return parse_nir(read_bytes(path, _HINT), path)


def parse_nir(content: bytes, path: Path) -> SpikingNetwork:
    """Read a network from the content of a file; `path` names it in messages. Raises like `read_nir`."""
    require("h5py", "h5py", "reading NIR files", "train")
    import h5py

    try:
        file = h5py.File(io.BytesIO(content), "r")
    except OSError as error:
        raise InputFileError(path, f"not a NIR file, or cut short ({_first_line(error)})", _HINT) from None
    with file:
        try:
            return _network(file, path)
        except (KeyError, OSError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
            raise InputFileError(path, f"a damaged NIR file ({_first_line(error)})", _HINT) from None


def _first_line(error: Exception) -> str:
    return str(error).strip("'\"").splitlines()[0] if str(error) else type(error).__name__


def _network(file: Any, path: Path) -> SpikingNetwork:
    if "node" not in file or "version" not in file:
        raise InputFileError(path, "an HDF5 file, but not a NIR file (it has no node and version)", _HINT)
    graph = file["node"]
    if "metadata" not in graph or METADATA not in graph["metadata"]:
        raise InputFileError(path, "a NIR file of another program (its metadata has no tinytracker)", _HINT)
    about = json.loads(graph["metadata"][METADATA][()])
    if about["version"] > VERSION:
        raise InputFileError(
            path, f"version {about['version']} of its metadata, but this release reads {VERSION} at most",
            "Update tinytracker.",
        )  # fmt: skip
    known = {f.name for f in fields(NeuronRule)}
    rule = NeuronRule(**{key: value for key, value in about["rule"].items() if key in known})
    nodes = graph["nodes"]
    c, h, w = (int(n) for n in nodes["input"]["shape"][()])
    shape: tuple[int, ...] = (h, w, c)
    layers = []
    for name in about["layers"]:
        layer = _layer(name, nodes, shape, rule.weight_shift)
        layers.append(layer)
        shape = layer.output_shape
    return SpikingNetwork(
        tuple(layers), rule, str(about["encode"]), float(about["unit_cm"]), str(about["preset"]), int(about["steps"])
    )  # fmt: skip


def _layer(name: str, nodes: Mapping[str, Any], shape: tuple[int, ...], shift: int) -> Layer:
    node = nodes[name]
    cells = f"{name}{_CELLS}"
    threshold = int(_whole(nodes[cells]["v_threshold"][()]).flat[0]) if cells in nodes else None
    weights, bias = _whole(node["weight"][()], shift), _whole(node["bias"][()])
    if weights.ndim == 4:
        kernel = weights.transpose(2, 3, 1, 0)
        if kernel.shape[2] != shape[2]:
            raise ValueError(
                f"{name} reads {kernel.shape[2]} channels, and the layer before it has {shape[2]}"
            )
        stride, pad = (int(node[key][()][0]) for key in ("stride", "padding"))
        return Layer(name, kernel, bias, shape, threshold, stride, pad)
    if weights.shape[1] != prod(shape):
        raise ValueError(f"{name} reads {weights.shape[1]} inputs, and the layer before it has {prod(shape)}")
    matrix = np.empty(weights.shape[::-1], np.int64)
    matrix[_order(shape) if len(shape) == 3 else slice(None)] = weights.T
    return Layer(name, matrix, bias, shape, threshold)


def _whole(values: Any, shift: int = 0) -> Any:
    """Return numbers, divided by a power of two, as integers; a fraction means that the file was changed."""
    values = np.asarray(values) / 2**shift
    if not np.array_equal(values, np.round(values)):
        raise ValueError("its numbers are not integers")
    return values.astype(np.int64)
