"""Builds the index from the results of all shards."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinytracker.data.devices import find_device
from tinytracker.data.gazecapture import SPLITS
from tinytracker.data.index import Gaze, PreparedIndex, Shard, Split
from tinytracker.data.shards import ShardResult, Skip


def summarise(
    out: Path,
    parameters: dict[str, Any],
    shards: Sequence[tuple[str, Path, ShardResult]],
    skips: list[Skip],
    origin: str,
) -> PreparedIndex:
    """Return the index of a run.

    Args:
        out: the prepared folder.
        parameters: of the run.
        shards: split, file and result of each shard, in order.
        skips: all of the run.
        origin: "synthetic" or "recorded".
    """
    digest = hashlib.sha256()
    splits = {}
    results = [result for _, _, result in shards]
    for split in SPLITS:
        pairs = [(path, result) for name, path, result in shards if name == split and result.frames]
        splits[split] = _split(out, pairs)
        for shard in splits[split].shards:
            digest.update(f"{split} {shard.sha256} {shard.frames}\n".encode())
    train = [result for name, _, result in shards if name == "train" and result.frames]
    labels: dict[str, dict[str, float]] = {}
    for result in results:
        for device, found in result.labels.items():
            entry = labels.setdefault(device, {"frames": 0, "disagree": 0, "worst_cm": 0.0})
            entry["frames"] += found["frames"]
            entry["disagree"] += found["disagree"]
            entry["worst_cm"] = max(entry["worst_cm"], found["worst_cm"])
    return PreparedIndex(
        folder=out,
        data_sha256=digest.hexdigest(),
        parameters=parameters,
        splits=splits,
        gaze=_gaze(train),
        skipped=dict(sorted(Counter(skip.reason for skip in skips).items())),
        labels=dict(sorted(labels.items())),
        grid_disagreements=sum(result.grid_disagreements for result in results),
        origin=origin,
    )


def _split(out: Path, pairs: list[tuple[Path, ShardResult]]) -> Split:
    devices: Counter[str] = Counter()
    orientations: Counter[str] = Counter()
    families: Counter[str] = Counter()
    for _, result in pairs:
        devices.update(result.devices)
        orientations.update(result.orientations)
    for device, frames in devices.items():
        families[find_device(device).family] += frames
    return Split(
        frames=sum(result.frames for _, result in pairs),
        subjects=tuple(sorted(name for _, result in pairs for name in result.subjects)),
        devices=dict(sorted(devices.items())),
        families=dict(sorted(families.items())),
        orientations=dict(sorted(orientations.items())),
        shards=tuple(
            Shard(path.relative_to(out).as_posix(), result.frames, result.bytes, result.sha256)
            for path, result in pairs
        ),
    )


def _gaze(train: list[ShardResult]) -> Gaze:
    if not train:
        return Gaze()
    frames = sum(result.frames for result in train)
    mean_x, mean_y = (sum(result.gaze_sum[axis] for result in train) / frames for axis in (0, 1))
    low_x, low_y = (min(result.gaze_low[axis] for result in train) for axis in (0, 1))
    high_x, high_y = (max(result.gaze_high[axis] for result in train) for axis in (0, 1))
    return Gaze((mean_x, mean_y), (low_x, low_y), (high_x, high_y))
