"""Packages for devices. Each target is one sub-package, registered here by one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinytracker.errors import OutputError, UnknownNameError

if TYPE_CHECKING:
    from tinytracker.package.manifest import Manifest

__all__ = ["TARGETS", "PackageResult", "Target", "package"]


@dataclass(frozen=True)
class Target:
    """A device family.

    Attributes:
        name: as the command line knows it. summary: one line.
        module: holds `build(source, out) -> PackageResult`, where `source` is a
            `tinytracker.package.source.ModelSource`; imported when it is used.
        quantized: the quantized model that it takes from a run unless told otherwise.
        options: module with a frozen dataclass `Options`, "" when the target has no options of its own; `build`
            then takes an instance as its third argument.
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
        folder: holds all files. manifest: the file that describes them. document: what it says, without tools and
            files.
    """

    folder: Path
    manifest: Path
    document: Manifest

    @property
    def content(self) -> dict[str, Any]:
        """What manifest.json says about the network, JSON-able."""
        return self.document.content()


def package(
    source: Path,
    target: str,
    out: Path,
    quantized: str | None = None,
    options: object | None = None,
    gaze: bool | None = None,
) -> PackageResult:
    """Package a quantized model for a device.

    Args:
        source: run folder, or an INT8 .tflite file from anywhere.
        target: one of `TARGETS`.
        out: folder to make. An earlier package there is replaced; any other non-empty folder is refused.
        quantized: which quantized model of a run; None for the target's own choice.
        options: an instance of the target's `Options`; None for its defaults.
        gaze: whether the network answers where somebody looks. None: a run does, and a .tflite file when it looks
            like one that does, see `tinytracker.package.purpose`. Other networks get a package without words about
            gaze.

    Raises:
        UsageError: options of another target, or a run that is said not to be about gaze.
        UnknownNameError: no such target or quantized model.
        InputFileError, ModelError: the model cannot be used.
        ParityError: a runtime disagrees with the oracle; nothing is written then.
        OutputError: `out` cannot be written or is not a package.
    """
    if target not in TARGETS:
        raise UnknownNameError("target", target, TARGETS)
    from tinytracker.package.manifest import MANIFEST_NAME
    from tinytracker.package.options import require_options
    from tinytracker.package.source import open_source

    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST_NAME).is_file():
        raise OutputError(out, "this folder is not empty and is not a package", "Choose another --out.")
    chosen = TARGETS[target]
    own = require_options(target, chosen.options, options)
    build: Callable[..., PackageResult] = import_module(chosen.module).build
    opened = open_source(source, quantized or chosen.quantized, gaze)
    return build(opened, out, *((own,) if own is not None else ()))
