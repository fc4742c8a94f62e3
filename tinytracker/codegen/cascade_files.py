"""The files of a gate beside a generated network: thresholds for the application, and the network that looks first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tinytracker import __version__
from tinytracker.cascade.networks import require_aim
from tinytracker.cascade.thresholds import Thresholds
from tinytracker.codegen.generation import GeneratedLibrary, generate, write_texts
from tinytracker.codegen.kernel import KernelSet
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import TfliteModel

HEADER = "cascade.h"


def cascade_header(thresholds: Thresholds) -> str:
    """Return the text of `cascade.h`, which deploy/common/tt_app.h includes."""
    numbers = thresholds.numbers()
    return f"""/* AUTOGEN by tinytracker {__version__}. Do not edit; package again with another --cascade. */
#ifndef CASCADE_H
#define CASCADE_H

/* {", ".join(numbers)}: see tt_gated.h. */
#define CASCADE_THRESHOLDS \\
    {{ {", ".join(map(str, numbers.values()))} }}

#endif
"""


def write_thresholds(folder: Path, thresholds: Thresholds) -> str:
    """Write `cascade.h` into a folder; returns its name.

    Raises:
        OutputError: it cannot be written.
    """
    write_texts(folder, {HEADER: cascade_header(thresholds)})
    return HEADER


def with_little(
    library: GeneratedLibrary, little: TfliteModel, kernels: KernelSet
) -> tuple[GeneratedLibrary, tuple[str, ...]]:
    """Generate a smaller network beside a network that aims; both work in one arena.

    Args:
        library: the network, called "model".
        little: the smaller one.
        kernels: as for `generate`.

    Returns:
        both networks as one library, and the definitions with which the application uses the second one.

    Raises:
        ModelError: it has no aim, or C cannot be generated from it.
    """
    require_aim(little)
    second = generate(little, library.directory, name="little", kernels=kernels)
    arena_bytes = max(library.arena_bytes, second.arena_bytes)
    both = replace(
        library,
        files=tuple(sorted({*library.files, *second.files})),
        constant_bytes=library.constant_bytes + second.constant_bytes,
        arena_bytes=arena_bytes,
    )
    return both, ("TT_LITTLE", f"TT_SHARED_ARENA={arena_bytes}")


def with_cascade(
    library: GeneratedLibrary, thresholds: Thresholds, little: bytes | None, kernels: KernelSet
) -> tuple[GeneratedLibrary, tuple[str, ...]]:
    """Write a gate beside a generated network that aims.

    Args:
        library: the network, called "model".
        thresholds: of the gate.
        little: content of the .tflite file of the network that looks first, or None.
        kernels: as for `generate`.

    Returns:
        the library with all files, and the definitions with which the application uses them.

    Raises:
        ModelError: Little has no aim, or C cannot be generated from it.
        OutputError: a file cannot be written.
    """
    defines: Sequence[str] = ()
    if little is not None:
        library, defines = with_little(library, read_tflite(little), kernels)
    name = write_thresholds(library.directory, thresholds)
    return replace(library, files=tuple(sorted({*library.files, name}))), ("TT_CASCADE", *defines)
