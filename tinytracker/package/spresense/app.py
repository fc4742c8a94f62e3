"""Writes a complete Spresense SDK application for one network, as C or as an array for TFLM."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tinytracker.codegen import generate
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.codegen.kernel import KernelSet
from tinytracker.emulate import deploy_dir
from tinytracker.errors import ModelError, OutputError, UnknownNameError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.package.spresense.options import RUNTIMES
from tinytracker.package.spresense.tflm_sources import write_tflm
from tinytracker.quant.contract import IoContract
from tinytracker.quant.finder import require_finder

APPLICATION = "spresense/tinytracker"
"""The application with camera, network and serial protocol."""

PLAIN_APPLICATION = "spresense/run"
"""The application with `run(in, out)` and a main that calls it once, for networks that are not about gaze."""

_TFLM = ("tflm_run.cxx", "tflm_run.h")
"""Files with the interpreter behind `model_run_packed`, shared by both applications."""


@dataclass(frozen=True)
class SpresenseApp:
    """What was written.

    Attributes:
        directory: the application's folder; copy it into an application folder of the SDK.
        files: paths below it, sorted.
        runtime: "c" or "tflm".
    """

    directory: Path
    files: tuple[str, ...]
    runtime: str


def write_app(
    model: Path | str | bytes,
    out_dir: Path | str,
    *,
    runtime: str = "c",
    arena_bytes: int | None = None,
    kernels: KernelSet | None = None,
    application: str = APPLICATION,
    integer_ends: bool = False,
    finder: bytes | None = None,
) -> SpresenseApp:
    """Write `OUT_DIR/tinytracker` for the Spresense SDK; deploy/spresense/README.md explains how to build it.

    Args:
        model: INT8 .tflite file or its bytes.
        out_dir: parent of the application's folder; an existing application there is replaced.
        runtime: one of `RUNTIMES`.
        kernels: for "c": `CortexM4()` when omitted.
        arena_bytes: for "tflm": size of the arena; measured with tflite_micro when omitted.
        integer_ends: for "c": see `tinytracker.codegen.generate`.
        finder: content of a finder's .tflite file, for a network that aims: generated C beside the network.
        application: `APPLICATION`, or `PLAIN_APPLICATION`, whose folder is OUT_DIR/run.

    Raises:
        UnknownNameError: the runtime is unknown.
        ModelError: C cannot be generated from the network.
        MissingDependencyError: firmware sources, or tflite_micro for the arena, are not installed.
        OutputError: the folder cannot be written.
    """
    if runtime not in RUNTIMES:
        raise UnknownNameError("runtime", runtime, RUNTIMES)
    deploy = deploy_dir()
    directory = Path(out_dir) / Path(application).name
    try:
        if directory.exists():
            shutil.rmtree(directory)
        shutil.copytree(deploy / application, directory)
        if application == APPLICATION:
            shutil.copytree(deploy / "common", directory / "common")
        else:
            for name in _TFLM:
                shutil.copyfile(deploy / APPLICATION / name, directory / name)
    except OSError as error:
        raise OutputError(directory, f"cannot be written ({error.strerror or error})") from error
    if runtime == "c":
        generate(model, directory / "network", kernels=kernels or CortexM4(), integer_ends=integer_ends)
    else:
        write_tflm(model, directory / "network", arena_bytes=arena_bytes)
    if finder is not None:
        write_finder(model, finder, directory / "network", kernels or CortexM4())
    _configure(directory, f"{'TINYTRACKER' if application == APPLICATION else 'RUN'}_RUNTIME", runtime)
    files = sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())
    return SpresenseApp(directory, tuple(files), runtime)


def write_finder(model: Path | str | bytes, finder: bytes, folder: Path, kernels: KernelSet) -> None:
    """Write a finder in C, and what it needs, beside a network that aims.

    Raises:
        ModelError: the network has no aim, or the other file is not a finder.
    """
    if IoContract.of(read_tflite(model)).aim is None:
        raise ModelError("This network has no aim, so a finder has nothing to do.", "Omit --finder.")
    require_finder(IoContract.of(read_tflite(finder)))
    generate(finder, folder, name="finder", kernels=kernels)


def _configure(directory: Path, option: str, runtime: str) -> None:
    """Select the runtime in the configuration fragment; TFLM also needs the SDK's library."""
    path = directory / "configs" / "default" / "defconfig"
    lines = path.read_text(encoding="utf-8").splitlines()
    chosen = [f"+{option}_{runtime.upper()}=y"]
    if runtime == "tflm":
        chosen.append("+EXTERNALS_TENSORFLOW=y")
    path.write_text("\n".join(sorted(lines + chosen)) + "\n", encoding="utf-8", newline="\n")
