"""The frames that training reads: decoded and resized, in shard order or in an order drawn for an epoch.

Importing this module imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tinytracker.data.blocks import block_starts
from tinytracker.data.index import PreparedIndex
from tinytracker.data.inputs import InputSpec
from tinytracker.data.pipeline import WINDOW, serialized_records, shuffled_records
from tinytracker.data.tensorflow_errors import writing_tensorflow
from tinytracker.files import make_folder
from tinytracker.progress import bar
from tinytracker.train.dataset import to_inputs

WINDOW_BATCHES = 16
"""An epoch is shuffled among at least this many batches."""


class Frames:
    """The frames of a split as (inputs, target), see `tinytracker.train.dataset.decoded`.

    With several workers each has its own part: every N-th record. All parts have the same length, because workers that
    end at different steps would wait for each other for ever.

    Attributes:
        frames: number of frames of this worker.
    """

    def __init__(
        self,
        index: PreparedIndex,
        split: str,
        spec: InputSpec,
        cache: str = "none",
        cache_folder: Path | None = None,
        part: tuple[int, int] = (1, 0),
    ) -> None:
        """Prepare to read; "disk" fills its cache now, unless an earlier start has done so.

        Args:
            index: prepared data.
            split: "train", "val" or "test".
            spec: the network's inputs.
            cache: "memory" keeps decoded, resized crops after the first pass, "disk" writes them to files before the
                first, "none" decodes every time.
            cache_folder: folder for "disk".
            part: (workers, worker).

        Raises:
            OutputError: the cache cannot be written.
            InputFileError: the split is empty, or a shard cannot be read.
        """
        self._index, self._split, self._spec, self._part = index, split, spec, part
        self.frames = index.split(split).frames // part[0]
        self._memory = self._decode(serialized_records(index, split)).cache() if cache == "memory" else None
        self._disk: DiskCache | None = None
        if cache == "disk":
            assert cache_folder is not None
            self._disk = DiskCache(cache_folder, self._cache_name(), self._shard_frames())
            self._disk.fill(lambda done: self._decode(serialized_records(index, split), done))

    def in_order(self) -> tf.data.Dataset:
        """Return the frames in the order of the shards."""
        if self._memory is not None:
            return self._memory
        if self._disk is not None:
            return self._disk.in_order()
        return self._decode(serialized_records(self._index, self._split))

    def of_epoch(self, order: int, own_order: int, batch_size: int) -> tf.data.Dataset:
        """Return the frames in the order of one epoch: every batch shows as many people as chance would.

        Args:
            order: seed of the epoch, the same for all workers.
            own_order: seed of the epoch and the worker.
            batch_size: of the training.
        """
        window = max(WINDOW, WINDOW_BATCHES * batch_size)
        if self._memory is not None:
            return self._memory.shuffle(self.frames, seed=own_order, reshuffle_each_iteration=False)
        if self._disk is not None:
            return self._disk.shuffled(own_order, window)
        return self._decode(serialized_records(self._index, self._split, order, window))

    def _decode(self, records: tf.data.Dataset, done: int = 0) -> tf.data.Dataset:
        """Return this worker's frames of a stream of all records, without the first `done` of them."""
        workers, worker = self._part
        if workers > 1:
            records = records.shard(workers, worker).take(self.frames)
        return records.skip(done).map(
            lambda serialized: to_inputs(self._spec, serialized, self._index.has_surroundings),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )

    def _cache_name(self) -> str:
        workers, worker = self._part
        return self._split if workers == 1 else f"{self._split}-{worker}-of-{workers}"

    def _shard_frames(self) -> list[int]:
        """Return how many of this worker's frames each shard holds."""
        workers, worker = self._part
        ends = np.cumsum([shard.frames for shard in self._index.split(self._split).shards])
        own = np.arange(worker, int(ends[-1]), workers)[: self.frames]
        until = [0, *np.searchsorted(own, ends).tolist()]
        return [end - start for start, end in pairwise(until)]


class DiskCache:
    """Decoded, resized crops in TFRecord files, one per shard, that are read at random.

    A file under its final name is complete, so a start that was stopped while filling continues with the next file.
    """

    def __init__(self, folder: Path, name: str, frames: list[int]) -> None:
        """Args: the folder; the start of all file names; the number of frames in each file."""
        self._paths = [folder / f"{name}-{i:05d}.frames" for i, n in enumerate(frames) if n]
        self._counts = [n for n in frames if n]
        self._spec: Any = None

    def fill(self, rest: Any) -> None:
        """Write the files that are missing.

        Args:
            rest: function from a number of frames to the data set without that many first frames.

        Raises:
            OutputError: the disk is full, or permission is missing.
        """
        self._spec = rest(0).element_spec
        present = [path.is_file() for path in self._paths]
        complete = present.index(False) if False in present else len(present)
        done = sum(self._counts[:complete])
        if complete == len(present):
            return
        make_folder(self._paths[0].parent)
        frames = rest(done).as_numpy_iterator()
        with bar("Caching", sum(self._counts), "frames") as advance:
            advance(done)
            for path, count in zip(self._paths[complete:], self._counts[complete:], strict=True):
                with _record_file(path) as writer:
                    for _ in range(count):
                        writer.write(_packed(*next(frames)))
                advance(count)

    def in_order(self) -> tf.data.Dataset:
        """Return the frames in the order in which they were written."""
        return self._unpacked(tf.data.TFRecordDataset([str(path) for path in self._paths]))

    def shuffled(self, seed: int, window: int) -> tf.data.Dataset:
        """Return the frames in an order drawn from a seed."""
        starts = [block_starts([self._bytes()] * count) for count in self._counts]
        return self._unpacked(shuffled_records(self._paths, self._counts, starts, seed, window))

    def _bytes(self) -> int:
        inputs, target = self._spec
        return sum(int(np.prod(s.shape)) for s in inputs.values()) + 4 * int(target.shape[0])

    def _unpacked(self, records: tf.data.Dataset) -> tf.data.Dataset:
        records = records.apply(tf.data.experimental.assert_cardinality(sum(self._counts)))
        return records.map(self._unpack, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)

    def _unpack(self, record: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Return (inputs, target) of one record; the inverse of `_packed`."""
        specs, target = self._spec
        codes = tf.ensure_shape(tf.io.decode_raw(record, tf.uint8), (self._bytes(),))
        inputs, place = {}, 0
        for name in sorted(specs):
            shape = specs[name].shape
            size = int(np.prod(shape))
            inputs[name] = tf.reshape(codes[place : place + size], shape)
            place += size
        return inputs, tf.bitcast(tf.reshape(codes[place:], (target.shape[0], 4)), tf.float32)


def _packed(inputs: dict[str, Any], target: Any) -> bytes:
    """Return a frame as bytes: inputs in the order of their names, uint8; then the target, float32 little endian."""
    return b"".join(inputs[name].tobytes() for name in sorted(inputs)) + bytes(target.astype("<f4").tobytes())


@contextmanager
def _record_file(path: Path) -> Iterator[Any]:
    """Yield a TFRecord writer; the file gets its name when the block ends without an error."""
    partial = path.with_name(f".{path.name}.partial")
    with writing_tensorflow(path):
        try:
            with tf.io.TFRecordWriter(str(partial)) as writer:
                yield writer
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
