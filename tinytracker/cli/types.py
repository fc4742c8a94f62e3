"""Parameter types whose errors name the value and the form."""

from __future__ import annotations

import re
from typing import Any

import click


class SizeType(click.ParamType[tuple[int, int]]):
    """WIDTHxHEIGHT in pixels."""

    name = "WxH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Turn "480x640" into (480, 640)."""
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d+)[xX](\d+)", str(value).strip())
        if not match:
            self.fail(f"{value!r} is not a size; write WIDTHxHEIGHT, for example 480x640.", param, ctx)
        return int(match[1]), int(match[2])


SIZE = SizeType()


class ScreenType(click.ParamType[tuple[float, float]]):
    """WIDTHxHEIGHT in cm."""

    name = "WxH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        """Turn "34x19.1" into (34.0, 19.1)."""
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)[xX](\d+(?:\.\d+)?)", str(value).strip())
        if not match:
            self.fail(f"{value!r} is no screen; write WIDTHxHEIGHT in cm, for example 34x19.1.", param, ctx)
        return float(match[1]), float(match[2])


class LinesType(click.ParamType[tuple[int, ...]]):
    """Numbers of a meter's digital lines, with commas."""

    name = "N,N"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Turn "0,1" into (0, 1)."""
        if isinstance(value, tuple):
            return value
        if not re.fullmatch(r"\s*[0-7]\s*(,\s*[0-7]\s*)*", str(value)):
            self.fail(f"{value!r} are no lines; write numbers from 0 to 7, for example 0,1.", param, ctx)
        return tuple(int(number) for number in str(value).split(","))


class SpanType(click.ParamType[tuple[float, float]]):
    """FROM:TO in seconds."""

    name = "FROM:TO"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        """Turn "0.5:6" into (0.5, 6.0)."""
        if isinstance(value, tuple):
            return value
        first, _, last = str(value).partition(":")
        try:
            span = float(first), float(last)
        except ValueError:
            span = 0.0, 0.0
        if not span[0] < span[1]:
            self.fail(
                f"{value!r} is no stretch of time; write FROM:TO in seconds, for example 0.5:6.", param, ctx
            )
        return span


class CountsType(click.ParamType[tuple[int, ...]]):
    """Positive numbers with commas."""

    name = "N,N"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Turn "5,9" into (5, 9)."""
        if isinstance(value, tuple):
            return value
        if not re.fullmatch(r"\s*\d{1,6}\s*(,\s*\d{1,6}\s*)*", str(value)):
            self.fail(f"{value!r} are no numbers; write them with commas, for example 5,9,13.", param, ctx)
        return tuple(int(number) for number in str(value).split(","))


COUNTS = CountsType()
LINES = LinesType()
SCREEN = ScreenType()
SPAN = SpanType()
