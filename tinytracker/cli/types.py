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
