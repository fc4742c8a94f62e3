"""Do two runtimes compute the same thing? Test images, comparison, verdict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.data.index import PreparedIndex
from tinytracker.errors import ParityError
from tinytracker.model.presets import Preset
from tinytracker.progress import bar
from tinytracker.quant.contract import Codes, IoContract
from tinytracker.quant.oracle import oracle_of
from tinytracker.quant.runtimes import Runtime

MIN_IMAGES = 32


@dataclass(frozen=True)
class Parity:
    """Comparison of a runtime with the oracle.

    Attributes:
        runtime: that was compared. oracle: with which.
        images: how many, and `images_from`: what they were.
        max_difference: largest absolute difference of any output value, in output steps.
        differing: images with any difference.
        distinct_outputs: how many different outputs the oracle gave; a network that always answers the same
            would agree with anything.
    """

    runtime: str
    oracle: str
    images: int
    images_from: str
    max_difference: float
    differing: int
    distinct_outputs: int

    @property
    def exact(self) -> bool:
        """True when all outputs are equal bit for bit."""
        return self.differing == 0


def patterns(contract: IoContract, count: int, seed: int = 0) -> Codes:
    """Test images that need no data: noise, flat fields, ramps and blurred blobs over the whole range of codes.

    Args:
        contract: gives names and shapes.
        count: images per input.
        seed: of the noise.
    """
    rng = np.random.default_rng(seed)

    def one(shape: tuple[int, ...], kind: int) -> Any:
        if kind == 0 or len(shape) != 3:
            return rng.integers(0, 256, shape)
        h, w, c = shape
        if kind == 1:
            return np.broadcast_to(rng.integers(0, 256, c), shape)
        y, x = np.mgrid[0:h, 0:w]
        if kind == 2:
            ramp = x * rng.uniform(-1, 1) / w + y * rng.uniform(-1, 1) / h
            return np.repeat((255 * (ramp - ramp.min()) / max(np.ptp(ramp), 1e-9))[..., None], c, -1)
        centre, width = rng.uniform(0, 1, 2) * (w, h), rng.uniform(0.05, 0.5) * w
        blob = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * width**2))
        return 255 * blob[..., None] * rng.uniform(0.3, 1, c)

    return {
        t.name: np.stack([one(t.frame_shape, i % 4) for i in range(count)]).astype(np.uint8)
        for t in contract.inputs
    }


def frames_of(data: Path, preset: str, count: int, split: str = "test") -> Codes:
    """The first frames of a split as a preset sees them (shards are shuffled, so these mix subjects).

    Raises:
        InputFileError: not prepared data, or an empty split.
    """
    from tinytracker.data.index import read_index
    from tinytracker.model.presets import find_preset

    return frames_with_target(read_index(data), find_preset(preset), count, split)[0]


def frames_with_target(
    index: PreparedIndex, preset: Preset, count: int, split: str = "test"
) -> tuple[Codes, NDArray[np.float64]]:
    """The first frames of a split and their targets, (N, 3); raises like `frames_of`."""
    from tinytracker.train.dataset import decoded

    samples = list(decoded(index, split, preset.input).take(count).as_numpy_iterator())
    codes = {name: np.stack([inputs[name] for inputs, _ in samples]) for name in samples[0][0]}
    return codes, np.stack([target for _, target in samples]).astype(np.float64)


def compare_with_oracle(runtime: Runtime, model: bytes, codes: Codes, images_from: str) -> Parity:
    """Run a runtime and the oracle (the reference kernels, where they are right) on the same images.

    Args:
        runtime: of the same model.
        model: content of the .tflite file.
        codes: inputs by name, uint8 (N, H, W, C).
        images_from: what the images are, for the record.
    """
    oracle = oracle_of(model)
    count = len(next(iter(codes.values())))
    if count < MIN_IMAGES:
        raise ValueError(f"{count} images say too little; compare on {MIN_IMAGES} at least")
    with bar(f"parity of {runtime.name} with the oracle", 2 * count, "inferences") as advance:
        expected = oracle.run(codes, advance)
        found = runtime.run(codes, advance)
    step = oracle.contract.outputs[0].scale if expected.dtype.kind == "f" else 1
    difference = np.abs(found.astype(np.float64) - expected.astype(np.float64)) / step
    return Parity(
        runtime.name, oracle.name, count, images_from, float(difference.max()),
        int((difference.max(1) > 0).sum()), len(np.unique(expected, axis=0)),
    )  # fmt: skip


def require_exact(parity: Parity) -> None:
    """Refuse a runtime that differs from the oracle.

    Raises:
        ParityError: says on how many images and by how much.
    """
    if not parity.exact:
        raise ParityError(
            f"{parity.runtime} differs from {parity.oracle} on {parity.differing} of {parity.images} images, "
            f"by up to {parity.max_difference:g} output steps; the limit is 0.",
            "Use the versions of the lock file, or an operator version that both know.",
        )
