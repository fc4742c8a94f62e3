"""What packages with generated C have in common: the C is compiled here and compared with the oracle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinytracker.codegen import generate
from tinytracker.codegen.host import GeneratedRuntime
from tinytracker.codegen.kernel_sets import kernel_set
from tinytracker.model.tflite_stats import model_stats
from tinytracker.package.manifest import Arena, GeneratedCode, Manifest, ModelSection, ParitySection
from tinytracker.package.source import ModelSource
from tinytracker.quant.contract import Codes
from tinytracker.quant.parity import Parity, compare_with_oracle, frames_of, patterns, require_exact

PARITY_IMAGES = 64


@dataclass(frozen=True)
class ProvedC:
    """Generated C that equals the oracle: its memory, its parity, and what it is made of."""

    arena: Arena
    parity: Parity
    code: GeneratedCode

    @property
    def constant_bytes(self) -> int:
        """Return the bytes of its constants."""
        return self.code.constant_bytes


def prove(source: ModelSource, kernels: str, weights_budget: float) -> ProvedC:
    """Generate C for a network, compile it for this computer, and compare it with the oracle.

    Args:
        source: the network.
        kernels: name of the kernel set.
        weights_budget: see `tinytracker.codegen.kernel_sets.kernel_set`.

    Raises:
        MissingDependencyError: this computer has no C compiler.
        ModelError: C cannot be generated from the network.
        ParityError: an output differs from the oracle.
    """
    chosen = kernel_set(kernels, weights_budget)
    runtime = GeneratedRuntime(source.content, chosen)
    codes, images_from = _test_images(source)
    parity = compare_with_oracle(runtime, source.content, codes, images_from)
    require_exact(parity)
    budget = None if chosen.name == "portable" else weights_budget
    return ProvedC(
        Arena(total_bytes=runtime.library.arena_bytes, measured="planned when generated; a static array"),
        parity,
        GeneratedCode(
            kernels=chosen.name, constant_bytes=runtime.library.constant_bytes, weights_budget=budget
        ),
    )


def write_c(source: ModelSource, folder: Path, kernels: str, weights_budget: float) -> None:
    """Write the C that `prove` proved into a folder; raises like `tinytracker.codegen.generate`."""
    generate(source.content, folder, kernels=kernel_set(kernels, weights_budget))


def c_manifest(target: str, name: str, source: ModelSource, proved: ProvedC) -> Manifest:
    """Return the manifest of a package whose only runtime is generated C.

    Args:
        target: name of the target.
        name: of the model in the package.
        source: the network.
        proved: its C, from `prove`.
    """
    stats = model_stats(source.model)
    return Manifest(
        target=target, runtime="c", generated=proved.code,
        model=ModelSection(
            name=name, **source.origin.as_json(), sha256=source.sha256, bytes=len(source.content),
            macs=stats.macs, parameters=stats.parameters, peak_activation_bytes=stats.peak_activation_bytes,
            operators=tuple(sorted({o.name for o in source.model.operators})),
        ),
        io=source.io, **source.words,
        quantization=source.quantization, arena=proved.arena,
        parity=ParitySection(**proved.parity.as_json()), runtimes=source.runtimes, metrics=source.metrics,
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
