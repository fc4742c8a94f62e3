"""Packages for devices. Each target is one sub-package and one row of `tinytracker.targets`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinytracker.errors import OutputError
from tinytracker.files import StrPath, require_writable
from tinytracker.lazy import exports
from tinytracker.targets import find_target

if TYPE_CHECKING:
    from tinytracker.package.doctor import diagnose
    from tinytracker.package.manifest import Manifest
    from tinytracker.package.parity import RuntimeTable, runtime_table
    from tinytracker.package.rules import Report
    from tinytracker.package.suitability import check
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "doctor": ("diagnose",),
            "manifest": ("Manifest",),
            "parity": ("RuntimeTable", "runtime_table"),
            "rules": ("Report",),
            "suitability": ("check",),
        },
    )

__all__ = [
    "Manifest",
    "PackageResult",
    "Report",
    "RuntimeTable",
    "check",
    "diagnose",
    "package",
    "runtime_table",
]


@dataclass(frozen=True)
class PackageResult:
    """A finished package.

    Attributes:
        folder: folder with all files. manifest: the file that describes them. document: its content, without tools
            and files.
    """

    folder: Path
    manifest: Path
    document: Manifest

    @property
    def content(self) -> dict[str, Any]:
        """Return what manifest.json says about the network, JSON-able."""
        return self.document.content()


def package(
    source: StrPath,
    target: str,
    out: StrPath,
    quantized: str | None = None,
    options: object | None = None,
    gaze: bool | None = None,
) -> PackageResult:
    """Package a quantized model for a device.

    Args:
        source: run folder, or an INT8 .tflite file from anywhere.
        target: a row of `tinytracker.targets` that can be built.
        out: folder to write. An earlier package there is replaced; any other non-empty folder is refused.
        quantized: quantized model of the run; None for the target's own choice.
        options: an instance of the target's `Options`; None for its defaults.
        gaze: whether the network estimates gaze. None: a run does, and so does a .tflite file whose inputs and outputs
            look like it (see `tinytracker.package.purpose`). The package of any other network does not mention
            gaze.

    Raises:
        UsageError: options of another target, or `gaze=False` for a run.
        UnknownNameError: the target or the quantized model is unknown.
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
    from tinytracker.package.source import open_source

    require_writable(out)
    if out.is_file():
        raise OutputError(out, "this is a file, and a package is a folder", "Choose another --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST_NAME).is_file():
        raise OutputError(out, "this folder is not empty and is not a package", "Choose another --out.")
    own = require_options(target, chosen.options, options)
    build: Callable[..., PackageResult] = chosen.part("build").build
    hybrid = None if chosen.hybrids else False
    opened = open_source(source, quantized or chosen.quantized, gaze, hybrid)
    return build(opened, out, *((own,) if own is not None else ()))
