"""The order in which an epoch reads records: short runs of neighbours ("blocks"), drawn from all shards.

A shard holds two or three people at GazeCapture's size, so shards that are read one after the other give batches of few
people. Reading single records at random would mix perfectly, but a hard disk or a network drive delivers only some
hundred of them per second. A block of 8 neighbours costs about as much as one record; a window of a few thousand
records then mixes blocks (benchmarks/shuffling.py has the numbers).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import InputFileError
from tinytracker.files import opened_for_reading

Ints = NDArray[np.int64]

BLOCK = 8
"""Records in a block; the last block of a shard may hold fewer."""

_FRAMING_BYTES = 16
"""What a TFRecord adds to a record: its length and two checksums."""


def block_starts(lengths: Sequence[int]) -> list[int]:
    """Return the byte at which each block of a TFRecord file starts, from the lengths of its records."""
    ends = np.cumsum([length + _FRAMING_BYTES for length in lengths])
    starts: list[int] = [0, *ends[:-1].tolist()][: len(lengths)][::BLOCK]
    return starts


def read_block_starts(shard: Path, frames: int) -> list[int]:
    """Return the byte at which each block of a shard starts.

    Taken from the shard's sidecar. Older sidecars lack it, and some are left behind when shards are copied; then the
    length of each record is read from the shard.

    Raises:
        InputFileError: the shard cannot be read or does not hold that many records.
    """
    blocks = -(-frames // BLOCK)
    try:
        stored = json.loads(shard.with_suffix(".json").read_bytes())["block_starts"]
        if len(stored) == blocks:
            return [int(start) for start in stored]
    except (OSError, ValueError, TypeError, KeyError):
        pass
    return block_starts(_record_lengths(shard, frames))


def _record_lengths(shard: Path, frames: int) -> list[int]:
    lengths: list[int] = []
    size = shard.stat().st_size
    with opened_for_reading(shard) as file:
        place = 0
        for _ in range(frames):
            file.seek(place)
            header = file.read(8)
            length = struct.unpack("<Q", header)[0] if len(header) == 8 else size
            place += length + _FRAMING_BYTES
            if place > size:
                raise InputFileError(
                    shard,
                    "the shard's content has changed since it was prepared",
                    "Prepare again; intact shards are kept.",
                )
            lengths.append(length)
    return lengths


def blocks_of_epoch(frames: Sequence[int], seed: int) -> Ints:
    """Return the blocks of one epoch in the order in which they are read, drawn from the seed.

    Args:
        frames: number of records of each shard.
        seed: determines the order; not negative.

    Returns:
        int64 (n, 3): number of the shard, number of the block in it, records in the block.
    """
    rows = [
        (shard, block, min(BLOCK, count - block * BLOCK))
        for shard, count in enumerate(frames)
        for block in range(-(-count // BLOCK))
    ]
    blocks: Ints = np.array(rows, np.int64).reshape(-1, 3)
    np.random.default_rng(seed).shuffle(blocks)
    return blocks
