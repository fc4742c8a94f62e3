"""The report of `tinytracker edgetpu show` about a compiled file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinytracker.files import StrPath
from tinytracker.package.coralmicro.edgetpu.compiled import CompiledModel, TpuOperator, read_compiled
from tinytracker.package.coralmicro.edgetpu.executable import Executable, Layer
from tinytracker.package.coralmicro.edgetpu.traps import traps
from tinytracker.package.rules import as_json


def show(path: StrPath) -> dict[str, Any]:
    """Describe a file that `edgetpu_compiler` wrote.

    Args:
        path: compiled .tflite file.

    Returns:
        JSON-able: `file`, `sha256`, `bytes`, `cpu_operators`, the bytes cached once and those transferred per
        inference, `packages` with their executables, and `warnings` about what the driver would do wrong.

    Raises:
        InputFileError: not a .tflite file, not compiled for the Edge TPU, or damaged.
        ModelError: a .tflite file whose graph contradicts itself.
    """
    path = Path(path)
    return describe(read_compiled(path))


def describe(model: CompiledModel) -> dict[str, Any]:
    """Return what `show` returns, for a model that was already read."""
    return {
        "file": Path(model.model.source).name,
        "sha256": model.model.sha256,
        "bytes": model.model.file_bytes,
        "cpu_operators": [o.name for o in model.cpu_operators],
        "cached_bytes": model.cached_bytes,
        "per_inference": {
            "instruction_bytes": model.instruction_bytes,
            "input_bytes": model.input_bytes,
            "output_bytes": model.output_bytes,
            "streamed_bytes": model.streamed_bytes,
            "transferred_bytes": model.transferred_bytes,
        },
        "packages": [_package(o) for o in model.tpu_operators],
        "warnings": [as_json(v) for v in traps(model)],
    }


def _package(operator: TpuOperator) -> dict[str, Any]:
    package = operator.package
    return {
        "operator": operator.operator.index,
        "min_runtime_version": package.min_runtime_version,
        "compiler_version": package.compiler_version,
        "model_identifier": package.model_identifier,
        "executables": [_executable(e) for e in package.executables],
    }


def _executable(e: Executable) -> dict[str, Any]:
    kinds = sorted({h.kind for h in e.hints})
    return {
        "type": e.type,
        "chip": e.chip,
        "batch_size": e.batch_size,
        "parameter_bytes": e.parameter_bytes,
        "instruction_bytes": list(e.instruction_bytes),
        "scratch_bytes": e.scratch_bytes,
        "used_memory_per_tile_bytes": e.used_memory_per_tile_bytes,
        "caching_token": f"{e.caching_token:016x}",
        "estimated_cycles": e.estimated_cycles,
        "is_deterministic": e.is_deterministic,
        "inputs": [_layer(layer) for layer in e.inputs],
        "outputs": [_layer(layer) for layer in e.outputs],
        "hints": {
            kind: {"count": sum(h.kind == kind for h in e.hints), "bytes": e.hinted_bytes(kind)}
            for kind in kinds
        },
    }


def _layer(layer: Layer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "data_type": layer.data_type,
        "shape_yxz": list(layer.shape),
        "padded_bytes": layer.padded_bytes,
        "executions": layer.executions,
        "scale": layer.scale,
        "zero_point": layer.zero_point,
    }
