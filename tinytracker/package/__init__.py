"""Packages for devices. Each target is one sub-package and a row of `tinytracker.targets`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinytracker.errors import OutputError
from tinytracker.files import StrPath
from tinytracker.lazy import exports
from tinytracker.targets import find_target

if TYPE_CHECKING:
    from tinytracker.package.doctor import diagnose
    from tinytracker.package.parity import RuntimeTable, runtime_table
    from tinytracker.package.rules import Report
    from tinytracker.package.suitability import check
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "doctor": ("diagnose",),
            "parity": ("RuntimeTable", "runtime_table"),
            "rules": ("Report",),
            "suitability": ("check",),
        },
    )

__all__ = ["PackageResult", "Report", "RuntimeTable", "check", "diagnose", "package", "runtime_table"]


@dataclass(frozen=True)
class PackageResult:
    """A finished package.

    Attributes:
        folder: holds all files. manifest: its description.
        content: what manifest.json says.
    """

    folder: Path
    manifest: Path
    content: dict[str, Any]


def package(
    source: StrPath, target: str, out: StrPath, quantized: str | None = None, options: object | None = None
) -> PackageResult:
    """Package a quantized model for a device.

    Args:
        source: run folder, or an INT8 .tflite file from anywhere.
        target: a row of `tinytracker.targets` that can be built.
        out: folder to make. An earlier package there is replaced; any other non-empty folder is refused.
        quantized: which quantized model of a run; None for the target's own choice.
        options: an instance of the target's `Options`; None for its defaults.

    Raises:
        UsageError: options of another target.
        UnknownNameError: no such target or quantized model.
        InputFileError, ModelError: the model cannot be used.
        ParityError: a runtime disagrees with the oracle; nothing is written then.
        OutputError: `out` cannot be written or is not a package.

    Example:
        >>> from tinytracker.package import package
        >>> packaged = package("run", "spresense", "spresense")
        >>> packaged.folder.name, packaged.manifest.name
        ('spresense', 'manifest.json')
    """
    chosen = find_target(target, "build")
    source = Path(source)
    out = Path(out)
    from tinytracker.package.manifest import MANIFEST_NAME
    from tinytracker.package.options import require_options

    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST_NAME).is_file():
        raise OutputError(out, "this folder is not empty and is not a package", "Choose another --out.")
    own = require_options(target, chosen.options, options)
    build: Callable[..., PackageResult] = chosen.part("build").build
    return build(source, out, quantized or chosen.quantized, *((own,) if own is not None else ()))
