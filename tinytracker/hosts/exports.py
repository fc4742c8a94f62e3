"""Writes a network for other programs of a computer: ONNX, or OpenVINO's own files made from it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytracker.errors import ModelError, UsageError
from tinytracker.files import StrPath, require_writable, write_bytes
from tinytracker.hosts.onnx_graph import OPERATOR_SET
from tinytracker.hosts.onnx_writer import to_onnx
from tinytracker.hosts.open_vino import openvino, version
from tinytracker.hosts.reasons import reason_of

FORMATS = {".onnx": "onnx", ".xml": "openvino"}
"""Format by the suffix of the file."""


@dataclass(frozen=True)
class Export:
    """What was written.

    Attributes:
        files: paths, the one to open first.
        format: "onnx" or "openvino".
        runtime: key of `tinytracker.hosts.RUNTIMES` that runs it.
        written_by: what made the files, with its version.
    """

    files: tuple[Path, ...]
    format: str
    runtime: str
    written_by: str


def export(model: bytes, out: StrPath) -> Export:
    """Write an INT8 .tflite network in another format.

    Args:
        model: content of the .tflite file.
        out: NAME.onnx, or NAME.xml for OpenVINO (NAME.bin is written beside it).

    Raises:
        UsageError: the suffix is neither.
        ModelError: the network cannot be written.
        MissingDependencyError: openvino is not installed.
        OutputError: the file cannot be written.

    Example:
        >>> from pathlib import Path
        >>> from tinytracker.hosts import export
        >>> written = export(Path("run/quantized/ptq-int8/model.tflite").read_bytes(), "gaze.onnx")
        >>> written.format, [path.name for path in written.files]
        ('onnx', ['gaze.onnx'])
    """
    out = Path(out)
    kind = FORMATS.get(out.suffix.lower())
    if kind is None:
        raise UsageError(
            f"{out} has the suffix {out.suffix!r}, which is not a format.",
            "Give NAME.onnx, or NAME.xml for OpenVINO.",
        )
    require_writable(out)
    content = to_onnx(model)
    if kind == "onnx":
        path = write_bytes(out, content)
        return Export((path,), kind, "onnx", f"tinytracker, ONNX operator set {OPERATOR_SET}")
    library = openvino()
    written = [write_bytes(path, data) for path, data in _intermediate(library, content, out).items()]
    return Export(tuple(written), kind, "openvino", f"OpenVINO {version(library)}")


def _intermediate(library: Any, content: bytes, out: Path) -> dict[Path, bytes]:
    """OpenVINO's two files by their paths; made in another folder, so that each is written completely or not at all."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "network.xml"
        try:
            network = library.Core().read_model(content)  # not convert_model, which reports its use to Intel
            library.save_model(network, str(made), compress_to_fp16=False)
        except RuntimeError as error:
            said = f"OpenVINO {version(library)} refuses this network: {reason_of(error)}."
            raise ModelError(said) from error
        return {
            out.with_suffix(".bin"): made.with_suffix(".bin").read_bytes(),
            out: made.read_bytes(),
        }
