"""Weight files: the weights of a network in one small file, and the weights bundled with this package.

A weight file is a .npz archive with one array per weight, named `<layer>/<position in the layer>`. Kernels are stored
as float16: a relative error of 2^-11 is far below the step of INT8. Vectors (biases, batch statistics) stay float32,
because a variance can exceed the range of float16. A .json document of the same name beside it gives the origin and
the licence of the weights.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.archives import DAMAGED
from tinytracker.errors import InputFileError, ModelError, UnknownNameError
from tinytracker.files import StrPath, read_bytes, read_json, sha256_bytes, write_bytes, write_json

LayerWeights = Mapping[str, list[NDArray[np.float32]]]
"""Layer name -> its weights in Keras' order."""

SCHEMA_VERSION = 1
SUFFIX = ".npz"
MAX_BYTES = 2_000_000
"""Limit for a bundled file."""

_MAX_WEIGHTS = 10_000


def write_weights(path: StrPath, weights: LayerWeights, about: Mapping[str, Any]) -> str:
    """Write a weight file and the document beside it.

    Equal weights give equal bytes.

    Args:
        path: the file, whose name ends in .npz.
        weights: by layer; layers without weights are omitted.
        about: the JSON object of the document: preset, licence, recipe, data, errors.

    Returns:
        SHA-256 of the file.

    Raises:
        ModelError: a weight is not finite, or too large for its type.
        OutputError: the file cannot be written.
    """
    path = Path(path)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for layer, arrays in weights.items():
            for i, array in enumerate(arrays):
                dtype = np.float16 if array.ndim > 1 else np.float32
                if not (np.abs(array) <= np.finfo(dtype).max).all():
                    raise ModelError(
                        f"Weight {i} of {layer} has values outside the range of {np.dtype(dtype)}."
                    )
                stored = array.astype(dtype)
                content = io.BytesIO()
                np.save(content, stored, allow_pickle=False)
                # ZipInfo's default date is fixed; numpy's savez would write the current time.
                archive.writestr(
                    zipfile.ZipInfo(f"{layer}/{i}.npy"), content.getvalue(), zipfile.ZIP_DEFLATED
                )
    data = buffer.getvalue()
    write_bytes(path, data)
    digest = sha256_bytes(data)
    write_json(
        path.with_suffix(".json"),
        {"schema_version": SCHEMA_VERSION, "kind": "weights", **about, "bytes": len(data), "sha256": digest},
    )
    return digest


def read_weights(path: StrPath) -> dict[str, list[NDArray[np.float32]]]:
    """Read the weights of a file, by layer.

    Raises:
        InputFileError: it cannot be read, is not a weight file, or is damaged.
    """
    path = Path(path)
    hint = "Write it again with `tinytracker weights`."
    content = read_bytes(path)
    found: dict[str, dict[int, NDArray[np.float32]]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > _MAX_WEIGHTS:
                raise InputFileError(path, f"{len(entries)} weights; the limit is {_MAX_WEIGHTS}", hint)
            for entry in entries:
                layer, _, position = entry.filename.removesuffix(".npy").rpartition("/")
                array = np.load(io.BytesIO(archive.read(entry)), allow_pickle=False)
                if (
                    not isinstance(array, np.ndarray)
                    or array.dtype not in (np.float16, np.float32)
                    or not np.isfinite(array).all()
                ):
                    raise InputFileError(
                        path, f"{entry.filename} has values that are not finite numbers", hint
                    )
                found.setdefault(layer, {})[int(position)] = array.astype(np.float32)
    except DAMAGED as error:
        raise InputFileError(path, f"not a weight file, or damaged ({error})", hint) from error
    for layer, arrays in found.items():
        if not layer or sorted(arrays) != list(range(len(arrays))):
            raise InputFileError(
                path, f"the weights of {layer or 'a layer without a name'} are incomplete", hint
            )
    return {layer: [arrays[i] for i in range(len(arrays))] for layer, arrays in found.items()}


def packaged_presets() -> list[str]:
    """Return the names of the presets with bundled weights, sorted."""
    return sorted(p.stem for p in _folder().glob(f"*{SUFFIX}"))


def packaged_weights(preset: str) -> Path:
    """Return the bundled weight file of a preset, trained only on synthetic data.

    Raises:
        UnknownNameError: the package has no weights for this preset.
    """
    known = packaged_presets()
    if preset not in known:
        raise UnknownNameError("synthetic weights of preset", preset, known or ["none in this release"])
    return _folder() / f"{preset}{SUFFIX}"


def describe_weights(path: StrPath) -> dict[str, Any]:
    """Read the document beside a weight file; empty when it does not exist.

    Raises:
        InputFileError: it is not JSON, or its hash differs from the file's.
    """
    path = Path(path)
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return {}
    about = read_json(beside)
    if not isinstance(about, dict) or about.get("sha256") != sha256_bytes(read_bytes(path)):
        raise InputFileError(
            path, "the .json document beside it describes another file", "Copy both from the same place."
        )
    return about


def _folder() -> Path:
    return Path(str(files("tinytracker.model") / "weights"))
