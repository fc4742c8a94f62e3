"""Spresense package: a complete application with the network inside, and evidence that it matches the oracle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.codegen.edges import with_integer_ends
from tinytracker.codegen.kernel_sets import kernel_set
from tinytracker.files import write_bytes, write_text
from tinytracker.interpreters.arena import measure_arena
from tinytracker.interpreters.base import has_state
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.model.tflite_file import read_network
from tinytracker.model.tflite_stats import model_stats
from tinytracker.package import PackageResult
from tinytracker.package.folder import replaced_folder
from tinytracker.package.gate import Gate, gate_of
from tinytracker.package.generated_c import prove
from tinytracker.package.manifest import (
    MANIFEST_NAME,
    Arena,
    BoardMemory,
    GeneratedCode,
    Manifest,
    ModelSection,
    ParitySection,
    write_manifest,
)
from tinytracker.package.model_card import model_card
from tinytracker.package.source import ModelSource
from tinytracker.package.spresense.app import APPLICATION, PLAIN_APPLICATION, finder_for, write_app
from tinytracker.package.spresense.cores import RAM_BYTES, Team, require_room
from tinytracker.package.spresense.options import Options
from tinytracker.package.spresense.readme import use_section
from tinytracker.progress import say
from tinytracker.quant.contract import Codes
from tinytracker.quant.parity import Parity, compare_with_oracle, frames_of, patterns, require_exact

TARGET = "spresense"
MODEL_NAME = "model.tflite"
PARITY_IMAGES = 64


@dataclass(frozen=True)
class _Proved:
    """A model on one runtime: its memory, and its parity with the oracle; `code` describes generated C."""

    arena: Arena
    parity: Parity
    code: GeneratedCode | None = None


def build(source: ModelSource, out: Path, options: Options) -> PackageResult:
    """Write the package; see `tinytracker.package.package`."""
    source.require_usable()
    finder = None if options.finder is None else finder_for(source.content, read_network(options.finder))
    gate = gate_of(source, options.cascade, options.little)
    network = _RUNTIMES[options.runtime](source, options)
    require_exact(network.parity)
    first = (
        None
        if gate is None or gate.little is None
        else prove(gate.little, options.kernels, options.weights_budget)
    )
    beside = 0 if first is None else first.constant_bytes
    manifest = _manifest(source, network, options, gate, beside)
    if network.parity.distinct_outputs < 2:
        say("warning: the network gives the same output for all test images; check that it has been trained.")
    too_large = _too_large(source, network, beside)
    if too_large:
        say(f"warning: {too_large}")
    with replaced_folder(out) as folder:
        write_bytes(folder / MODEL_NAME, source.content)
        write_app(
            source.content, folder, runtime=options.runtime, arena_bytes=network.arena.total_bytes,
            kernels=kernel_set(options.kernels, options.weights_budget), integer_ends=options.io == "int8",
            application=APPLICATION if source.is_gaze else PLAIN_APPLICATION,
            finder=finder,
            cores=options.cores,
            gate=None if gate is None else gate.thresholds,
            little=None if gate is None or gate.little is None else gate.little.content,
        )  # fmt: skip
        write_text(
            folder / "README.md",
            model_card(
                manifest,
                use_section(
                    options.runtime,
                    source.is_gaze,
                    has_state(source.model),
                    options.cores,
                    gate=gate is not None,
                ),
            ),
        )
        write_manifest(folder, manifest)
    return PackageResult(out, out / MANIFEST_NAME, manifest)


def _tflm(source: ModelSource, options: Options) -> _Proved:
    from tinytracker.package.tflm_operators import resolver_methods

    resolver_methods(source.model)  # refuses an operator without a resolver method before the work begins
    codes, images_from = _test_images(source)
    arena = measure_arena(source.content)
    runtime = MicroInterpreter(source.content, arena.total_bytes)  # the arena in the package
    parity = compare_with_oracle(runtime, source.content, codes, images_from)
    measured = "tflite-micro on a 64-bit computer; a 32-bit target needs a smaller tail"
    return _Proved(Arena(**asdict(arena), measured=measured), parity)


def _generated(source: ModelSource, options: Options) -> _Proved:
    from tinytracker.codegen.host import GeneratedRuntime

    kernels = kernel_set(options.kernels, options.weights_budget)
    runtime = GeneratedRuntime(source.content, kernels, options.io == "int8", options.cores)
    codes, images_from = _test_images(source)
    parity = compare_with_oracle(runtime, source.content, codes, images_from)
    measured = "planned when generated; a static array"
    arena = Arena(total_bytes=runtime.library.arena_bytes, measured=measured)
    about: dict[str, Any] = {} if kernels.name == "portable" else {"weights_budget": options.weights_budget}
    if options.cores > 1:
        scratch = runtime.library.scratch_bytes
        require_room(Team(options.cores, runtime.library.constant_bytes, arena.total_bytes, scratch))
        about |= {"cores": options.cores, "scratch_bytes_per_core": scratch}
    code = GeneratedCode(kernels=kernels.name, constant_bytes=runtime.library.constant_bytes, **about)
    return _Proved(arena, parity, code)


_RUNTIMES: dict[str, Callable[[ModelSource, Options], _Proved]] = {"tflm": _tflm, "c": _generated}


def _constants(source: ModelSource, network: _Proved) -> int:
    """Return the constant bytes of the network: the array, or the constants of generated C."""
    return network.code.constant_bytes if network.code else len(source.content)


def _too_large(source: ModelSource, network: _Proved, beside: int) -> str:
    """Return by how much a network is too large for the board, and the fix; "" when it fits.

    Args:
        source: the network.
        network: its memory.
        beside: constants of a network that looks first, bytes.
    """
    constants, arena = _constants(source, network) + beside, network.arena.total_bytes
    used = constants + arena
    if used < RAM_BYTES:
        return ""
    larger, way_out = (
        ("activations", "a smaller input or fewer channels in the first layers would help most")
        if arena > constants
        else ("weights", "fewer channels or a smaller dense layer would help most")
    )
    return (
        f"the network needs {used:,} bytes, {constants:,} of weights and {arena:,} of arena; that is "
        f"{used - RAM_BYTES:,} more than the {RAM_BYTES:,} bytes of RAM that Spresense has for code and data. "
        f"The {larger} are the larger part: {way_out}."
    )


def _manifest(
    source: ModelSource, network: _Proved, options: Options, gate: Gate | None, beside: int
) -> Manifest:
    stats = model_stats(source.model)
    used = _constants(source, network) + beside + network.arena.total_bytes
    about_code: dict[str, Any] = {"generated": network.code} if network.code else {}
    if gate is not None:
        about_code["cascade"] = gate.as_section()
    return Manifest(
        target=TARGET, runtime=options.runtime, **about_code,
        model=ModelSection(
            name=MODEL_NAME, **source.origin.as_json(), sha256=source.sha256, bytes=len(source.content),
            macs=stats.macs, parameters=stats.parameters, peak_activation_bytes=stats.peak_activation_bytes,
            operators=tuple(sorted({o.name for o in source.model.operators})),
        ),
        io=source.io if options.io == "file" else source.io_of(with_integer_ends(source.model)),
        **source.words,
        quantization=source.quantization, arena=network.arena,
        memory=BoardMemory(model_and_arena_bytes=used, ram_bytes=RAM_BYTES, fits=used < RAM_BYTES),
        parity=ParitySection(**network.parity.as_json()), runtimes=source.runtimes, metrics=source.metrics,
    )  # fmt: skip


def _test_images(source: ModelSource) -> tuple[Codes, str]:
    """Return patterns that reach the ends of every range, and frames of the test split when the data is available."""
    drawn = patterns(source.contract, PARITY_IMAGES)
    if source.data is None or source.preset is None:
        return drawn, f"{PARITY_IMAGES} patterns"
    seen = frames_of(source.data, source.preset, PARITY_IMAGES)
    count = len(next(iter(seen.values())))
    both = {name: np.concatenate([seen[name], codes]) for name, codes in drawn.items()}
    return both, f"{count} of the test split, {PARITY_IMAGES} patterns"
