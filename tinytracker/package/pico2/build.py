"""Raspberry Pi Pico 2 package: an application for the Pico SDK with the network as C inside."""

from __future__ import annotations

import shutil
from pathlib import Path

from tinytracker.emulate import deploy_dir
from tinytracker.errors import OutputError
from tinytracker.files import write_bytes, write_text
from tinytracker.package import PackageResult
from tinytracker.package.folder import replaced_folder
from tinytracker.package.generated_c import ProvedC, c_manifest, prove, write_c
from tinytracker.package.manifest import MANIFEST_NAME, write_manifest
from tinytracker.package.model_card import model_card
from tinytracker.package.pico2 import TARGET
from tinytracker.package.pico2.memory import FLASH_BYTES, RAM_BYTES, flash_needed, ram_needed
from tinytracker.package.pico2.options import Options
from tinytracker.package.pico2.readme import use_section
from tinytracker.package.source import ModelSource
from tinytracker.progress import say

MODEL_NAME = "model.tflite"
APPLICATION = "tinytracker"
"""Folder of the application in a package."""

_SOURCES = ("CMakeLists.txt", "main.c", "board_pico2.c", "board_pico2.h")


def build(source: ModelSource, out: Path, options: Options) -> PackageResult:
    """Write the package; see `tinytracker.package.package`."""
    source.require_usable()
    proved = prove(source, options.kernels, options.weights_budget)
    for problem in _too_large(source, proved):
        say(f"warning: {problem}")
    manifest = c_manifest(TARGET, MODEL_NAME, source, proved)
    with replaced_folder(out) as folder:
        write_bytes(folder / MODEL_NAME, source.content)
        _write_app(folder / APPLICATION)
        write_c(source, folder / APPLICATION / "network", options.kernels, options.weights_budget)
        write_text(folder / "README.md", model_card(manifest, use_section(source.is_gaze)))
        write_manifest(folder, manifest)
    return PackageResult(out, out / MANIFEST_NAME, manifest)


def _write_app(folder: Path) -> None:
    deploy = deploy_dir()
    try:
        folder.mkdir(parents=True)
        for name in _SOURCES:
            shutil.copyfile(deploy / "pico2" / name, folder / name)
        shutil.copytree(deploy / "common", folder / "common")
    except OSError as error:
        raise OutputError(folder, f"cannot be written ({error.strerror or error})") from error


def _too_large(source: ModelSource, proved: ProvedC) -> list[str]:
    """Return how much memory is missing, and the fix; nothing when the network fits."""
    tensors = (source.model.input_tensors(), source.model.output_tensors())
    inputs, outputs = (sum(t.nbytes for t in part) for part in tensors)
    ram = ram_needed(proved.arena.total_bytes, inputs, outputs)
    flash = flash_needed(proved.constant_bytes)
    problems = []
    if ram > RAM_BYTES:
        problems.append(
            f"the application needs {ram:,} bytes of RAM; that is {ram - RAM_BYTES:,} more than the "
            f"{RAM_BYTES:,} bytes of a Pico 2. A smaller input or fewer channels in the first layers would help most."
        )
    if flash > FLASH_BYTES:
        problems.append(
            f"the application needs {flash:,} bytes of flash; that is {flash - FLASH_BYTES:,} more than the "
            f"{FLASH_BYTES:,} bytes of a Pico 2. Fewer channels or a smaller dense layer would help most."
        )
    return problems
