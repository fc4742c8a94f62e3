"""TensorFlow's errors about files as sentences. Importing this module does not import TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from tinytracker.data.index import PreparedIndex, check_shard
from tinytracker.errors import InputFileError, OutputError
from tinytracker.files import DISK_FULL, writing

P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def writing_tensorflow(path: Path) -> Iterator[None]:
    """Turn an error of TensorFlow or the operating system raised while `path` is written into an OutputError."""
    import tensorflow as tf

    with writing(path):
        try:
            yield
        except (
            tf.errors.ResourceExhaustedError,
            tf.errors.PermissionDeniedError,
            tf.errors.UnknownError,
            tf.errors.FailedPreconditionError,
            tf.errors.UnimplementedError,
            tf.errors.NotFoundError,
        ) as error:
            # TensorFlow hides errno; only its message is available.
            full = isinstance(error, tf.errors.ResourceExhaustedError) or "No space" in error.message
            if full:
                raise OutputError(path, *DISK_FULL) from error
            raise OutputError(
                path, f"cannot be written ({error.message})", "Free some space or choose another folder."
            ) from error


@contextmanager
def reading_shards(index: PreparedIndex) -> Iterator[None]:
    """Name the damaged shard when TensorFlow cannot read a record in the block.

    Raises:
        InputFileError: a shard differs from what was prepared. Errors with another cause pass unchanged.
    """
    import tensorflow as tf

    try:
        yield
    except (tf.errors.DataLossError, tf.errors.InvalidArgumentError, tf.errors.OutOfRangeError):
        for split in index.splits.values():
            for shard in split.shards:
                check_shard(index.folder / shard.file, shard, True, index.way_out)
        raise
    except tf.errors.NotFoundError as error:
        missing = [p for s in index.splits.values() for p in (index.folder / d.file for d in s.shards)]
        for path in missing:
            if not path.is_file():
                raise InputFileError(path, "the shard is missing", index.way_out) from error
        raise


def names_damaged_shards(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that has a `PreparedIndex` among its arguments and reads its shards; see `reading_shards`."""

    @wraps(function)
    def reading(*args: P.args, **kwargs: P.kwargs) -> R:
        index = next(value for value in (*args, *kwargs.values()) if isinstance(value, PreparedIndex))
        with reading_shards(index):
            return function(*args, **kwargs)

    return reading
