"""Writes a complete Spresense SDK application for one network, as C or as an array for TFLM."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinytracker.cascade.networks import require_aim
from tinytracker.cascade.thresholds import Thresholds
from tinytracker.codegen import GeneratedLibrary, generate
from tinytracker.codegen.cascade_files import write_thresholds
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.codegen.generation import write_texts
from tinytracker.codegen.kernel import KernelSet
from tinytracker.emulate import deploy_dir
from tinytracker.errors import ModelError, OutputError, UnknownNameError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.package.spresense.cores import WORKER_BLOCK_BYTES
from tinytracker.package.spresense.options import RUNTIMES
from tinytracker.package.spresense.tflm_sources import write_tflm
from tinytracker.quant.contract import IoContract
from tinytracker.quant.finder import require_finder

APPLICATION = "spresense/tinytracker"
"""The application with camera, network and serial protocol."""

PLAIN_APPLICATION = "spresense/run"
"""The application with `run(in, out)` and a main that calls it once, for networks that are not about gaze."""

_CORES = "spresense/cores"
"""Files that start workers on the other cores, and the worker."""

GATE_MAKEFILE = "cascade.mk"
"""Definitions for a package with a gate, which the application's Makefile includes from the network's folder."""

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
    cores: int = 1,
    gate: Thresholds | None = None,
    little: bytes | None = None,
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
        cores: for "c": number of cores; with more than one, the folder has the worker too.
        gate: thresholds of a gate in front of a network that aims.
        little: with `gate`: content of the .tflite file of a network that looks first, in generated C.
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
        if cores > 1:
            shutil.copytree(deploy / _CORES, directory, dirs_exist_ok=True)
    except OSError as error:
        raise OutputError(directory, f"cannot be written ({error.strerror or error})") from error
    network, chosen = directory / "network", kernels or CortexM4()
    libraries = []
    if runtime == "c":
        libraries.append(generate(model, network, kernels=chosen, integer_ends=integer_ends, cores=cores))
    else:
        write_tflm(model, network, arena_bytes=arena_bytes)
    if finder is not None:
        libraries.append(write_finder(model, finder, network, chosen))
    if gate is not None:
        write_gate(network, gate, little, chosen, libraries)
    _configure(directory, "TINYTRACKER" if application == APPLICATION else "RUN", runtime, cores)
    files = sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())
    return SpresenseApp(directory, tuple(files), runtime)


def write_finder(
    model: Path | str | bytes, finder: bytes, folder: Path, kernels: KernelSet
) -> GeneratedLibrary:
    """Write a finder in C, and what it needs, beside a network that aims; raises like `finder_for`."""
    return generate(finder_for(model, finder), folder, name="finder", kernels=kernels)


def write_gate(
    folder: Path,
    gate: Thresholds,
    little: bytes | None,
    kernels: KernelSet,
    others: Sequence[GeneratedLibrary],
) -> None:
    """Write a gate beside a network that aims: thresholds, Little in C, and definitions for the application's Makefile.

    Args:
        folder: of the network.
        gate: thresholds.
        little: content of the .tflite file of the network that looks first, or None.
        kernels: of Little.
        others: the generated networks in the folder; with Little, all work in one arena.

    Raises:
        ModelError: Little has no aim, or C cannot be generated from it.
        OutputError: the folder cannot be written.
    """
    write_thresholds(folder, gate)
    defines = ["TT_CASCADE"]
    if little is not None:
        parsed = read_tflite(little)
        require_aim(parsed)
        first = generate(parsed, folder, name="little", kernels=kernels)
        defines += ["TT_LITTLE", f"TT_SHARED_ARENA={max(one.arena_bytes for one in (first, *others))}"]
    flags = " ".join(f"-D{define}" for define in defines)
    write_texts(
        folder, {GATE_MAKEFILE: f"# Written by `tinytracker package --cascade FILE`.\nCFLAGS += {flags}\n"}
    )


def finder_for(model: Path | str | bytes, finder: bytes) -> bytes:
    """Return a finder that may go with a network.

    Raises:
        ModelError: the network has no aim, or the other file is not a finder.
    """
    if IoContract.of(read_tflite(model)).aim is None:
        raise ModelError("This network has no aim, so a finder has nothing to do.", "Omit --finder.")
    require_finder(IoContract.of(read_tflite(finder)))
    return finder


def _configure(directory: Path, prefix: str, runtime: str, cores: int) -> None:
    """Select runtime and cores in the configuration fragment, with what they need from the SDK."""
    path = directory / "configs" / "default" / "defconfig"
    lines = path.read_text(encoding="utf-8").splitlines()
    chosen = [f"+{prefix}_RUNTIME_{runtime.upper()}=y"]
    if runtime == "tflm":
        chosen.append("+EXTERNALS_TENSORFLOW=y")
    if cores > 1:
        reserved = (cores - 1) * WORKER_BLOCK_BYTES
        chosen += [
            f"+{prefix}_CORES=y",
            "+ASMP=y",
            "+ASMP_SMALL_BLOCK=y",
            f"+ASMP_MEMSIZE={reserved:#x}",
            "+FS_ROMFS=y",
        ]
    path.write_text("\n".join(sorted(lines + chosen)) + "\n", encoding="utf-8", newline="\n")
