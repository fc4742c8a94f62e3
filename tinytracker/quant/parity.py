"""Parity of two runtimes: test images, comparison, result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.data.index import PreparedIndex
from tinytracker.data.tensorflow_errors import names_damaged_shards
from tinytracker.errors import ModelError, ParityError
from tinytracker.interpreters.base import Interpreter, run_in_parts
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.model.presets import Preset
from tinytracker.model.tflite_file import read_tflite
from tinytracker.progress import bar
from tinytracker.quant.contract import Codes, IoContract
from tinytracker.quant.oracle import oracle_of
from tinytracker.words import too_few

MIN_IMAGES = 32


@dataclass(frozen=True)
class Parity:
    """Comparison of a runtime with the oracle, over all outputs of the model.

    Attributes:
        runtime: the compared runtime. oracle: the oracle it was compared with.
        images: number of images. images_from: their origin.
        max_difference: largest absolute difference of any value of any output, in steps of that output (in its unit
            for a float32 output); infinite when only one of two floats is NaN.
        differing: number of images for which any byte of any output differs.
        distinct_outputs: number of different outputs of the oracle; a network with constant output would make any
            comparison meaningless.
        outputs: names of the compared outputs, in the order of the model.
    """

    runtime: str
    oracle: str
    images: int
    images_from: str
    max_difference: float
    differing: int
    distinct_outputs: int
    outputs: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """True when all outputs are equal bit for bit."""
        return self.differing == 0

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object for manifests; `outputs` only when there are several."""
        content = asdict(self)
        outputs = content.pop("outputs")
        return {**content, "outputs": list(outputs)} if len(outputs) > 1 else content


def patterns(contract: IoContract, count: int, seed: int = 0) -> Codes:
    """Generate test images that need no data: noise, flat fields, ramps and blurred blobs over the full range of codes.

    Args:
        contract: gives names and shapes.
        count: number of images per input.
        seed: random seed of the noise.
    """
    return patterns_of({t.name: t.frame_shape for t in contract.inputs}, count, seed)


def patterns_of(shapes: Mapping[str, tuple[int, ...]], count: int, seed: int = 0) -> Codes:
    """Generate the same for inputs with these shapes by name, (h, w, c) each."""
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
        name: np.stack([one(shape, i % 4) for i in range(count)]).astype(np.uint8)
        for name, shape in shapes.items()
    }


def frames_of(data: Path, preset: str, count: int, split: str = "test") -> Codes:
    """Return the first frames of a split as inputs of a preset (shards are shuffled, so these mix subjects).

    Raises:
        InputFileError: not prepared data, or an empty split.
    """
    from tinytracker.data.index import read_index
    from tinytracker.model.presets import find_preset

    return frames_with_target(read_index(data), find_preset(preset), count, split)[0]


@names_damaged_shards
def frames_with_target(
    index: PreparedIndex, preset: Preset, count: int, split: str = "test"
) -> tuple[Codes, NDArray[np.float64]]:
    """Return the first frames of a split and their targets, (N, 3); raises like `frames_of`."""
    from tinytracker.train.dataset import decoded

    samples = list(decoded(index, split, preset.input).take(count).as_numpy_iterator())
    codes = {name: np.stack([inputs[name] for inputs, _ in samples]) for name in samples[0][0]}
    return codes, np.stack([target for _, target in samples]).astype(np.float64)


def compare_with_oracle(
    runtime: Interpreter, model: bytes, codes: Codes, images_from: str, oracle: Interpreter | None = None
) -> Parity:
    """Run a runtime and the oracle on the same images and compare all outputs.

    Args:
        runtime: a runtime with the same model.
        model: content of the .tflite file.
        codes: inputs by name, uint8 (N, H, W, C).
        images_from: origin of the images, for the record.
        oracle: the oracle to compare with; None for `oracle.oracle_of`.

    Raises:
        ModelError: the runtime or the oracle fails on this model.
    """
    contract = IoContract.of(read_tflite(model))
    inputs = contract.encode_all(codes)
    count = len(inputs[0])
    if count < MIN_IMAGES:
        raise ValueError(f"{too_few(count, 'image')}; compare on at least {MIN_IMAGES}")
    oracle = oracle or oracle_of(model)
    with bar(f"parity of {runtime.name} with the oracle", 2 * count, "inferences") as advance:
        expected = run_in_parts(oracle, inputs, advance)
        found = run_in_parts(runtime, inputs, advance)
    return Parity(
        runtime.name, oracle.name, count, images_from, largest_difference(found, expected),
        int(differing_frames(found, expected).sum()), len(set(frame_bytes(expected))),
        tuple(t.name for t in contract.outputs),
    )  # fmt: skip


def frame_bytes(outputs: Sequence[NDArray[Any]]) -> list[bytes]:
    """Return all outputs of each frame as bytes, so that equality is bit for bit (a NaN equals the same NaN).

    Args:
        outputs: one array per output, (N, ...).
    """
    return [b"".join(array[k].tobytes() for array in outputs) for k in range(len(outputs[0]))]


def differing_frames(found: Sequence[NDArray[Any]], expected: Sequence[NDArray[Any]]) -> NDArray[np.bool_]:
    """Return for each frame whether any byte of any output differs, (N,).

    Args:
        found: one array per output, (N, ...).
        expected: the same from another runtime.

    Raises:
        ModelError: number, dtypes or sizes of the outputs differ.
    """
    ours, theirs = _layout(found), _layout(expected)
    if ours != theirs:
        raise ModelError(f"Outputs of {ours} cannot be compared with outputs of {theirs}.")
    pairs = zip(frame_bytes(found), frame_bytes(expected), strict=True)
    return np.array([a != b for a, b in pairs], bool)


def largest_difference(found: Sequence[NDArray[Any]], expected: Sequence[NDArray[Any]]) -> float:
    """Return the largest absolute difference of any value; infinite when only one of two floats is NaN."""
    largest = 0.0
    for ours, theirs in zip(found, expected, strict=True):
        a, b = (array.reshape(len(array), -1).astype(np.float64) for array in (ours, theirs))
        with np.errstate(invalid="ignore"):  # infinity minus infinity
            difference = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
        largest = max(largest, float(np.nan_to_num(difference, nan=np.inf).max(initial=0.0)))
    return largest


def _layout(outputs: Sequence[NDArray[Any]]) -> str:
    return ", ".join(f"{len(a)} x {a.size // max(len(a), 1)} {a.dtype}" for a in outputs)


def require_exact(parity: Parity) -> None:
    """Raise when a runtime differs from the oracle.

    Raises:
        ParityError: says on how many images they differ, and by how much.
    """
    if not parity.exact:
        raise ParityError(
            f"{parity.runtime} differs from {parity.oracle} on {parity.differing} of {parity.images} images, "
            f"by up to {parity.max_difference:g} output steps; the limit is 0.",
            "Package generated C instead (`--runtime c`), or use the versions of the lock file."
            if parity.runtime == MicroInterpreter.name
            else "Use the versions of the lock file, or an operator version that both support.",
        )
