"""Output of a verb: tables for people on stdout, or one JSON document with `--json`."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console, RenderableType

from tinytracker.cli.main import SCHEMA_VERSION
from tinytracker.progress import set_quiet


@dataclass(frozen=True)
class Output:
    """The result of a verb: the same numbers for programs and for people.

    Attributes:
        document: for `--json`. text: for people.
        exit_code: 1 when the verb completed its work and the answer is no.
    """

    document: dict[str, Any]
    text: tuple[RenderableType, ...]
    exit_code: int = 0


def verb(function: Callable[..., Output], cls: type[click.Command] = click.Command) -> click.Command:
    """Turn a function that returns an `Output` into a click command with `--json` and `--quiet`."""

    @functools.wraps(function)
    def run(*args: Any, as_json: bool, quiet: bool, **kwargs: Any) -> None:
        set_quiet(quiet)
        output = function(*args, **kwargs)
        if as_json:
            document = {"schema_version": SCHEMA_VERSION, **output.document}
            click.echo(json.dumps(document, indent=2, allow_nan=False))
        else:
            # A file or a pipe has no width: lines there must not be wrapped.
            width = None if sys.stdout.isatty() else 160
            console = Console(width=width, highlight=False)
            for part in output.text:
                console.print(part)
        if output.exit_code:
            # Not click's Exit: outside its standalone mode, click would turn that into a return value.
            sys.exit(output.exit_code)

    run = click.option("--quiet", "-q", is_flag=True, help="Do not show progress on stderr.")(run)
    run = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")(run)
    return click.command(cls=cls, context_settings={"show_default": True})(run)


def interval_text(interval: tuple[float, float] | None, spec: str, factor: float = 1.0) -> str:
    """Return an interval as "low to high"; "none" when there is none.

    Args:
        interval: low and high.
        spec: format of each.
        factor: of the unit that is shown.
    """
    if interval is None:
        return "none"
    return " to ".join(format(factor * end, spec) for end in interval)
