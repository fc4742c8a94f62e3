"""Packages for devices. Each target is one sub-package, registered here by one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinytracker.errors import OutputError, UnknownNameError
from tinytracker.files import StrPath
from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.package.doctor import diagnose
    from tinytracker.package.parity import RuntimeTable, runtime_table
    from tinytracker.package.suitability import CheckResult, check
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "doctor": ("diagnose",),
            "parity": ("RuntimeTable", "runtime_table"),
            "suitability": ("CheckResult", "check"),
        },
    )

__all__ = [
    "TARGETS",
    "CheckResult",
    "PackageResult",
    "RuntimeTable",
    "Target",
    "check",
    "diagnose",
    "package",
    "runtime_table",
]


@dataclass(frozen=True)
class Target:
    """A device family.

    Attributes:
        name: as the command line knows it. summary: one line.
        module: holds `build(source, out, quantized) -> PackageResult`; imported when it is used.
        quantized: the quantized model that it takes from a run unless told otherwise.
        options: module with a frozen dataclass `Options`, "" when the target has no options of its own; `build`
            then takes an instance as its fourth argument.
    """

    name: str
    summary: str
    module: str
    quantized: str
    options: str = ""


TARGETS: dict[str, Target] = {
    t.name: t
    for t in (
        Target(
            "imx500", "Raspberry Pi AI Camera: network.rpk",
            module="tinytracker.package.imx500.build", quantized="mct-int8",
        ),
        Target(
            "spresense", "Sony Spresense: application with the network as TFLM array or as plain C",
            module="tinytracker.package.spresense.build", quantized="ptq-int8",
            options="tinytracker.package.spresense.options",
        ),
        Target(
            "coralmicro", "Coral Dev Board Micro: Edge TPU",
            module="tinytracker.package.coralmicro.build", quantized="ptq-uint8",
            options="tinytracker.package.coralmicro.options",
        ),
    )
}  # fmt: skip


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
        target: one of `TARGETS`.
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
    source = Path(source)
    out = Path(out)
    if target not in TARGETS:
        raise UnknownNameError("target", target, TARGETS)
    from tinytracker.package.manifest import MANIFEST_NAME
    from tinytracker.package.options import require_options

    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST_NAME).is_file():
        raise OutputError(out, "this folder is not empty and is not a package", "Choose another --out.")
    chosen = TARGETS[target]
    own = require_options(target, chosen.options, options)
    build: Callable[..., PackageResult] = import_module(chosen.module).build
    return build(source, out, quantized or chosen.quantized, *((own,) if own is not None else ()))
