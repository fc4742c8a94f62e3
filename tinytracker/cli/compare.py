"""`tinytracker compare`."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from tinytracker.cli.output import Output, interval_text, verb
from tinytracker.words import counted

if TYPE_CHECKING:
    from tinytracker.measure.comparison import Comparison
    from tinytracker.measure.session_reader import Session

_BORDER = "--"
_MARK = "\0between the groups"
"""Replaces `--` while click parses: click would take a bare `--` as the end of the options and drop it."""


class _TwoGroups(click.Command):
    """A command whose arguments are split into two groups by `--`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the position of `--`."""
        return super().parse_args(ctx, [_MARK if arg == _BORDER else arg for arg in args])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the usage line as it is typed."""
        return ["[OPTIONS]", "A...", _BORDER, "B..."]


def _share(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    try:
        share = float(value[:-1]) / 100 if value.endswith("%") else float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share < 10 or (share >= 1 and not value.endswith("%")):
        raise click.BadParameter(f"{value!r} is not a fraction; write 3% or 0.03.")
    return share


@functools.partial(verb, cls=_TwoGroups)
@click.argument("sessions", nargs=-1, required=True)
@click.option(
    "--warmup",
    type=click.IntRange(0),
    help="Frames to ignore at the start; default: the number in each session.",
)
@click.option(
    "--fail-above", callback=_share, metavar="SHARE",
    help="Exit with code 1 when a phase is slower in B than in A by more than this, for example 3%.",
)  # fmt: skip
@click.option("--seed", default=0, help="Random seed of the bootstrap.")
def command(sessions: tuple[str, ...], warmup: int | None, fail_above: float | None, seed: int) -> Output:
    """Test whether the sessions A differ from the sessions B, phase by phase, with 95 % intervals.

    Two single files need no `--`. With one session on each side the result is intervals without a verdict: only
    several sessions can tell whether a difference is repeatable.
    """
    from tinytracker.measure.latency import compare_sessions

    a, b = _groups(sessions)
    result = compare_sessions(a, b, warmup, seed)
    slower = () if fail_above is None else result.slower_by_more_than(fail_above)
    table = Table(
        title=f"A = {_title(result.a)}, B = {_title(result.b)}; medians in µs", title_justify="left"
    )
    table.add_column("")
    for column in ("A", "B", "B - A", "95 % interval", "B / A", "differ"):
        table.add_column(column, justify="right")
    for name, row in result.rows.items():
        table.add_row(name, *_cells(row))
    remarks: list[Any] = list(result.remarks)
    document = result.as_json()
    if fail_above is not None:
        document["fail_above"] = {"limit": fail_above, "slower": list(slower)}
        said = f"slower by more than {100 * fail_above:g} %: {', '.join(slower) or 'none'}."
        remarks.append(said[0].upper() + said[1:])
    return Output(document, (table, *remarks), exit_code=1 if slower else 0)


def _groups(sessions: tuple[str, ...]) -> tuple[list[Path], list[Path]]:
    if _MARK not in sessions and len(sessions) == 2:
        return [Path(sessions[0])], [Path(sessions[1])]
    if sessions.count(_MARK) != 1:
        raise click.UsageError("Split the sessions into two groups: tinytracker compare A... -- B...")
    border = sessions.index(_MARK)
    a, b = ([Path(p) for p in group] for group in (sessions[:border], sessions[border + 1 :]))
    if not a or not b:
        raise click.UsageError("One side of `--` has no sessions; write tinytracker compare A... -- B...")
    return a, b


def _title(group: tuple[Session, ...]) -> str:
    mark = " (emulated)" if any(session.header.is_emulated for session in group) else ""
    return (str(group[0].path) if len(group) == 1 else f"{counted(len(group), 'session')}") + mark


def _cells(row: Comparison) -> tuple[str, ...]:
    a, b = row.medians
    verdict = {True: "yes", False: "no", None: ""}[row.differ]
    ratio = "" if row.ratio is None else f"{row.ratio:.3f}"
    return (
        f"{a:,.1f}",
        f"{b:,.1f}",
        f"{row.difference:+,.1f}",
        interval_text(row.difference_ci95, "+,.1f"),
        ratio,
        verdict,
    )
