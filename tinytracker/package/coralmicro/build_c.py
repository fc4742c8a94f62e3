"""Coral Dev Board Micro package without the Edge TPU: generated C on the Cortex-M7."""

from __future__ import annotations

from pathlib import Path

from tinytracker.codegen.cascade_files import write_thresholds
from tinytracker.files import write_bytes, write_text
from tinytracker.package import PackageResult
from tinytracker.package.coralmicro import TARGET
from tinytracker.package.coralmicro.header import MODEL_NAME, PLAIN_NAME, header, image_layout
from tinytracker.package.coralmicro.options import Options
from tinytracker.package.coralmicro.readme import c_use_section
from tinytracker.package.folder import replaced_folder
from tinytracker.package.gate import gate_of
from tinytracker.package.generated_c import c_manifest, prove, write_c
from tinytracker.package.manifest import MANIFEST_NAME, write_manifest
from tinytracker.package.model_card import model_card
from tinytracker.package.source import ModelSource


def build_c(source: ModelSource, out: Path, options: Options, has_planes: bool | None) -> PackageResult:
    """Write a package with generated C.

    Args:
        source: the network.
        out: folder of the package.
        options: with runtime "c".
        has_planes: see `tinytracker.package.coralmicro.header.image_layout`.

    Raises:
        ModelError: C cannot be generated, or the application cannot feed the network.
        MissingDependencyError, ParityError: see `tinytracker.package.generated_c.prove`.
    """
    layout = image_layout(source.contract, has_planes) if source.is_gaze else None
    gate = gate_of(source, options.cascade)
    proved = prove(source, options.kernels, options.weights_budget)
    stem = MODEL_NAME if source.is_gaze else PLAIN_NAME
    manifest = c_manifest(TARGET, stem, source, proved)
    if gate is not None:
        manifest = manifest.model_copy(update={"cascade": gate.as_section()})
    with replaced_folder(out) as folder:
        write_bytes(folder / f"{stem}.tflite", source.content)
        if layout is not None:
            text = header(source.contract, source.sha256, layout, arena_bytes=None)
            write_text(folder / f"{stem}.h", text)
        if gate is not None:
            write_thresholds(folder, gate.thresholds)
        write_c(source, folder / "network", options.kernels, options.weights_budget)
        write_text(folder / "README.md", model_card(manifest, c_use_section(source.is_gaze)))
        write_manifest(folder, manifest)
    return PackageResult(out, out / MANIFEST_NAME, manifest)
