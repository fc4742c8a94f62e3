"""The calibration set: the training frames used for quantization. Importing this module imports TensorFlow."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.placement import misplaced
from tinytracker.data.area import area_strip
from tinytracker.data.examples import parse
from tinytracker.data.index import PreparedIndex
from tinytracker.data.inputs import InputSpec, make_inputs
from tinytracker.data.pipeline import decode, serialized_records
from tinytracker.data.surroundings import decode_whole
from tinytracker.data.tensorflow_errors import names_damaged_shards
from tinytracker.quant.contract import Codes

SPLIT = "train"  # never the split on which the error is measured

_MISPLACED = ((-0.4, 0.4), (-0.16, 0.16), (-0.5, 0.5))
_WIDE = ((-0.4, 0.4), (-0.14, 0.14), (0.5, 1.8))
"""Shift right and down in crop widths, and ln of the crop's width in strips."""


@dataclass(frozen=True)
class CalibrationSet:
    """Frames for post-training quantization.

    Attributes:
        codes: network inputs by name, uint8 (N, H, W, C).
        sha256: of the names, shapes and bytes of all inputs, in order.
        subjects: number of people. strata: number of device and orientation pairs.
    """

    codes: Codes
    sha256: str
    subjects: int
    strata: int

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(next(iter(self.codes.values())))

    def samples(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        """Yield the frames one by one as inputs of the float network, (1, H, W, C), p/128 - 1.

        In the first frame one pixel of each input is set to 0 and one to 255. The quantizer derives the scale of the
        input from the observed extremes; with both present it is (127/128 + 1)/255 = 1/128 with zero point 0 for
        every calibration set. Two pixels of one frame do not affect the range of any other tensor.
        """
        for i in range(self.frames):
            sample = {name: p[i : i + 1].astype(np.float32) / 128 - 1 for name, p in self.codes.items()}
            if i == 0:
                for x in sample.values():
                    x.flat[0], x.flat[-1] = -1.0, 127 / 128
            yield sample


def choose_positions(groups: list[tuple[str, str]], count: int, seed: int) -> list[int]:
    """Choose `count` frames, spread evenly first over strata, then over the subjects in each stratum.

    Args:
        groups: (stratum, subject) of each frame, in the order of the records.
        count: number of frames to choose; all when there are fewer.
        seed: random seed of the order within a subject and among subjects.

    Returns:
        Sorted positions in `groups`.
    """
    rng = np.random.default_rng(seed)
    frames: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for position, (stratum, subject) in enumerate(groups):
        frames[stratum][subject].append(position)
    queues = [list(_round_robin(subjects, rng)) for _, subjects in sorted(frames.items())]
    chosen: list[int] = []
    while queues and len(chosen) < count:
        for queue in queues:
            if len(chosen) < count:
                chosen.append(queue.pop(0))
        queues = [q for q in queues if q]
    return sorted(chosen)


def _round_robin(subjects: dict[str, list[int]], rng: np.random.Generator) -> Iterator[int]:
    """Yield frames of the subjects in turn, each subject's frames in random order."""
    queues = [rng.permutation(positions).tolist() for _, positions in sorted(subjects.items())]
    while queues:
        for i in rng.permutation(len(queues)):
            yield queues[i].pop()
        queues = [q for q in queues if q]


@names_damaged_shards
def calibration_set(
    index: PreparedIndex, spec: InputSpec, count: int, seed: int = 0, aim: bool = False
) -> CalibrationSet:
    """Draw frames across devices, orientations and subjects of the training split.

    Args:
        index: prepared data.
        spec: the network's inputs.
        count: number of frames.
        seed: random seed of the draw.
        aim: whether the network has an aim; every second frame is then a misplaced crop.

    Raises:
        InputFileError: the training split is empty, or a network with an aim needs whole frames and finds none.
    """
    if aim or spec.kind == "frame":
        index.require_surroundings(
            "calibration of a network with an aim" if aim else "calibration of a finder"
        )
    groups = [
        (f"{r['device'].decode()}/{r['orientation']}", r["subject"].decode())
        for r in serialized_records(index, SPLIT).map(_only_groups).as_numpy_iterator()
    ]
    positions = choose_positions(groups, count, seed)
    wanted = np.zeros(len(groups), bool)
    wanted[positions] = True
    codes = _decode(index, spec, wanted)
    if aim:
        _misplace(codes["image"], index, spec, wanted, np.random.default_rng([seed, 1]))
    digest = hashlib.sha256()
    for name, p in sorted(codes.items()):
        digest.update(f"{name} {p.shape} ".encode())
        digest.update(p.tobytes())
    chosen = [groups[i] for i in positions]
    return CalibrationSet(codes, digest.hexdigest(), len({s for _, s in chosen}), len({d for d, _ in chosen}))


def _only_groups(serialized: Any) -> dict[str, Any]:
    record = parse(serialized)
    return {key: record[key] for key in ("device", "orientation", "subject")}


def _misplace(
    codes: NDArray[np.uint8],
    index: PreparedIndex,
    spec: InputSpec,
    wanted: NDArray[np.bool_],
    rng: np.random.Generator,
) -> None:
    """Replace every second frame's codes by those of a crop that sees the eyes beside its centre, or small."""
    import tensorflow as tf

    mask = tf.constant(wanted)
    chosen = (
        serialized_records(index, SPLIT)
        .enumerate()
        .filter(lambda i, _: mask[i])
        .map(lambda _, r: parse(r, True))
    )
    for k, record in enumerate(chosen.as_numpy_iterator()):
        if k % 2 == 0:
            continue
        image = decode_whole(record["whole"])
        strip = record["strip"][None] * max(image.shape[:2]) / record["frame_size"].max()
        limits = _WIDE if k % 8 == 1 else _MISPLACED
        drawn = [np.array([rng.uniform(low, high)]) for low, high in limits]
        (place,) = misplaced(strip, *drawn)
        codes[k] = area_strip(image, place, spec)


def _decode(index: PreparedIndex, spec: InputSpec, wanted: NDArray[np.bool_]) -> Codes:
    import tensorflow as tf

    mask = tf.constant(wanted)
    chosen = (
        serialized_records(index, SPLIT)
        .enumerate()
        .filter(lambda i, _: mask[i])
        .map(
            lambda _, r: make_inputs(spec, decode(r, index.has_surroundings)),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
    )
    samples = list(chosen.as_numpy_iterator())
    return {name: np.stack([s[name] for s in samples]) for name in samples[0]}
