"""The one error of this format: what is wrong, and where in the file."""

from __future__ import annotations

from tinytracker.errors import TinyTrackerError


class RpkError(TinyTrackerError):
    """The bytes are not a network package that the sensor would take, or cannot become one.

    Args:
        where: the place: "byte 32, block 1 of 3", "network_info.txt", "register 0x305E".
        problem: what is wrong there, with the value and the limit.
        hint: the way out.
    """

    kind = "rpk"

    def __init__(self, where: str, problem: str, hint: str = "") -> None:
        self.where = where
        self.problem = problem
        super().__init__(f"{where}: {problem}.", hint)
