"""The one error of this format: what is wrong, and where in the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tinytracker.errors import TinyTrackerError


class RpkError(TinyTrackerError):
    """The bytes are not a network package that the sensor would accept, or cannot become one.

    Args:
        where: the place: "byte 32, block 1 of 3", "network_info.txt", "register 0x305E".
        problem: what is wrong there, with the value and the limit.
        hint: the fix.
        file: name of the package file, "" when the bytes are not from a file.
    """

    kind = "rpk"

    def __init__(self, where: str, problem: str, hint: str = "", file: str = "") -> None:
        self.where = where
        self.problem = problem
        self.file = file
        super().__init__(f"{file}: {where}: {problem}." if file else f"{where}: {problem}.", hint)


@contextmanager
def naming(file: str) -> Iterator[None]:
    """Add the name of the file to an `RpkError` that does not have one; "" changes nothing."""
    try:
        yield
    except RpkError as error:
        if not file or error.file:
            raise
        raise RpkError(error.where, error.problem, error.hint, file) from error
