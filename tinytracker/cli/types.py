"""Parameter types whose errors name the value and the expected form."""

from __future__ import annotations

import errno
import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tinytracker.files import require_writable, writing

if TYPE_CHECKING:
    _Base = click.ParamType[tuple[Any, ...]]
else:
    _Base = click.ParamType  # takes a type parameter only in releases newer than our minimum


class _TupleType(_Base):
    """A tuple of numbers written as text.

    Attributes:
        form: the rest of the error message, after the value.
    """

    form: str

    def parse(self, text: str) -> tuple[Any, ...] | None:
        """Return the tuple, or None for text of another form."""
        raise NotImplementedError

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Any, ...]:
        """Parse what was typed; a default may be a tuple already."""
        if isinstance(value, tuple):
            return value
        found = self.parse(str(value).strip())
        if found is None:
            self.fail(f"{value!r} {self.form}", param, ctx)
        return found


class Number(click.FloatRange):
    """A number within limits. `click.FloatRange` accepts "nan", which is neither below nor above any limit."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        return _finite(self, super().convert(value, param, ctx), param, ctx)


class AnyNumber(click.types.FloatParamType):
    """A number without limits, but neither "nan" nor "inf"."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        return _finite(self, super().convert(value, param, ctx), param, ctx)


def _finite(
    kind: click.types.FloatParamType, number: float, param: click.Parameter | None, ctx: click.Context | None
) -> float:
    if not math.isfinite(number):
        kind.fail(f"{number} is not a finite number.", param, ctx)
    return number


class SizeType(_TupleType):
    """WIDTHxHEIGHT in pixels."""

    name = "WxH"
    form = "is not a size; write WIDTHxHEIGHT, for example 480x640."

    def parse(self, text: str) -> tuple[int, int] | None:
        """Turn "480x640" into (480, 640)."""
        match = re.fullmatch(r"(\d+)[xX](\d+)", text)
        return (int(match[1]), int(match[2])) if match else None


class MillimetresType(_TupleType):
    """WIDTHxHEIGHT in mm."""

    name = "WxH"
    form = "is not a size; write WIDTHxHEIGHT in mm, for example 64.6x139.8."

    def parse(self, text: str) -> tuple[float, float] | None:
        """Turn "64.6x139.8" into (64.6, 139.8)."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)[xX](\d+(?:\.\d+)?)", text)
        return (float(match[1]), float(match[2])) if match else None


class ScreenType(_TupleType):
    """WIDTHxHEIGHT in cm."""

    name = "WxH"
    form = "is not a screen size; write WIDTHxHEIGHT in cm, for example 34x19.1."

    def parse(self, text: str) -> tuple[float, float] | None:
        """Turn "34x19.1" into (34.0, 19.1)."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)[xX](\d+(?:\.\d+)?)", text)
        return (float(match[1]), float(match[2])) if match else None


class NumbersType(_TupleType):
    """Whole numbers separated by commas.

    Args:
        number: regular expression of one number.
        form: the rest of the error message, after the value.
    """

    name = "N,N"

    def __init__(self, number: str, form: str) -> None:
        self.form = form
        self._pattern = rf"{number}\s*(,\s*{number}\s*)*"

    def parse(self, text: str) -> tuple[int, ...] | None:
        """Turn "5, 9" into (5, 9)."""
        return tuple(map(int, text.split(","))) if re.fullmatch(self._pattern, text) else None


class SpanType(_TupleType):
    """FROM:TO in seconds."""

    name = "FROM:TO"
    form = "is not a time range; write FROM:TO in seconds, for example 0.5:6."

    def parse(self, text: str) -> tuple[float, float] | None:
        """Turn "0.5:6" into (0.5, 6.0)."""
        first, _, last = text.partition(":")
        try:
            span = float(first), float(last)
        except ValueError:
            return None
        return span if span[0] < span[1] else None


class OutType(click.Path):
    """A file or folder to write; that it can be written is found out before the work, not after it."""

    def __init__(self, *, is_file: bool = False) -> None:
        super().__init__(path_type=Path)
        self._is_file = is_file

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path.

        Raises:
            OutputError: it cannot be written.
        """
        path = Path(str(super().convert(value, param, ctx)))
        if self._is_file and path.is_dir():
            with writing(path):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        require_writable(path)
        return path


class LinesType(NumbersType):
    """A meter's digital lines, or the word "none"."""

    def parse(self, text: str) -> tuple[int, ...] | None:
        """Turn "0,1" into (0, 1), and "none" into ()."""
        return () if text.lower() == "none" else super().parse(text)


class NamesType(_TupleType):
    """Names separated by commas; nothing for none."""

    name = "NAME,NAME"
    form = "is not a list of names; separate them by commas."

    def parse(self, text: str) -> tuple[str, ...] | None:
        """Turn "a, b" into ("a", "b")."""
        return tuple(part.strip() for part in text.split(",") if part.strip())


ANY_NUMBER = AnyNumber()
COUNTS = NumbersType(r"\d{1,6}", "is not a list of numbers; separate them by commas, for example 5,9,13.")
LINES = LinesType("[0-7]", "is not a list of lines; write numbers from 0 to 7, for example 0,1, or none.")
MILLIMETRES = MillimetresType()
NAMES = NamesType()
OUT = OutType()
OUT_FILE = OutType(is_file=True)
SCREEN = ScreenType()
SIZE = SizeType()
SPAN = SpanType()
