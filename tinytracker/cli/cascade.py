"""`tinytracker cascade`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from tinytracker.cascade.rule import NEVER
from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import ANY_NUMBER, OUT_FILE
from tinytracker.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinytracker.cascade.results import CascadeResults


@click.group()
def command() -> None:
    """Run the network only when the gaze may have moved: choose thresholds, and compare strategies."""


def _common(function: Callable[..., Output]) -> Callable[..., Output]:
    """Add the arguments that both verbs share."""
    for decorate in reversed(
        (
            click.argument("big", type=click.Path(path_type=Path)),
            click.argument("little", type=click.Path(path_type=Path)),
            click.option(
                "--sequences",
                type=click.Path(path_type=Path),
                multiple=True,
                required=True,
                help="Folder that `tinytracker synth OUT --sequences` has written; may be given several times.",
            ),
            click.option(
                "--keep",
                type=click.Path(path_type=Path),
                default=Path("viewings"),
                help="Folder for what networks and gate have seen, so that a second call is fast.",
            ),
            click.option(
                "--budget",
                type=click.Choice(["energy", "error"]),
                default="energy",
                help="energy: the least error with the network busy in a third of the frames; "
                "error: the least work with 6 % more error.",
            ),
            click.option(
                "--most",
                type=ANY_NUMBER,
                help="Limit of the budget: share of busy frames (default 0.33), or error over that of the network run "
                "always (default 1.06).",
            ),
            click.option(
                "--at-most",
                type=int,
                default=NEVER,
                show_default=False,
                help="Frames that may pass without the network whose answers are shown; default: no limit.",
            ),
            click.option("--big-frames", type=int, default=6, help="Frames until BIG's answer is there."),
            click.option(
                "--little-frames", type=int, default=3, help="Frames until LITTLE's answer is there."
            ),
        )
    ):
        function = decorate(function)
    return function


@verb
@_common
@click.option(
    "--network",
    type=click.Choice(["big", "little"]),
    default="little",
    help="Whose answers the gate saves: on slow boards, the small network every time beats the large one.",
)
@click.option("--out", type=OUT_FILE, default=Path("cascade.json"), help="File to write.")
def fit(
    big: Path, little: Path, sequences: tuple[Path, ...], keep: Path, budget: str, most: float | None, at_most: int,
    big_frames: int, little_frames: int, network: str, out: Path,
) -> Output:  # fmt: skip
    """Choose the thresholds of the eye flow's gate for BIG and LITTLE, run folders or .tflite files."""
    from tinytracker.cascade.from_files import fit_settings

    settings = fit_settings(
        big, little, sequences, keep, budget=budget, latency=(big_frames, little_frames), network=network,
        most=most, at_most=at_most,
    )  # fmt: skip
    settings.write(out)
    change = settings.error_against_always - 1
    text = (
        f"{out}: chosen on {counted(settings.people, 'person', 'people')}, {counted(settings.frames, 'frame')}. "
        f"On people that the thresholds were not chosen on, the network is busy in {settings.busy:.0%} of the frames, "
        f"and the error is {abs(change):.1%} {'larger' if change > 0 else 'smaller'} than with the network run always."
    )
    return Output({"out": str(out), **settings.as_json()}, (text,))


@verb
@_common
@click.option(
    "--settings",
    type=click.Path(path_type=Path),
    help="Thresholds of an earlier `fit`; default: choose anew.",
)
@click.option(
    "--out",
    type=OUT_FILE,
    help="JSON file for `report` and `compare-platforms`; a network that is a run folder gets it anyway.",
)
@click.option("--person", help="Whom timelines show: a folder's name; default: the first.")
@click.option("--by-person", is_flag=True, help="Print the strategy `flow` person by person, too.")
@click.option("--timeline", type=OUT_FILE, help="SVG file to draw: eight seconds of one person.")
@click.option("--curve", type=OUT_FILE, help="SVG file to draw: error against energy.")
def evaluate(
    big: Path, little: Path, sequences: tuple[Path, ...], keep: Path, budget: str, most: float | None, at_most: int,
    big_frames: int, little_frames: int, settings: Path | None, out: Path | None, person: str | None,
    by_person: bool, timeline: Path | None, curve: Path | None,
) -> Output:  # fmt: skip
    """Compare error, work and delay of all strategies for BIG and LITTLE, run folders or .tflite files."""
    from tinytracker.cascade.from_files import compare_files

    made = compare_files(
        big,
        little,
        sequences,
        keep,
        budget=budget,
        latency=(big_frames, little_frames),
        settings=settings,
        most=most,
        at_most=at_most,
        out=out,
        person=person,
        timeline=timeline,
        curve_file=curve,
    )
    tables = (_table(made.results), *((_people(made.results),) if by_person else ()))
    return Output(made.results.as_json(), (*tables, *map(str, made.files)))


def _table(results: CascadeResults) -> Table:
    frames = results.latency_frames
    table = Table(
        title=f"{counted(len(results.people), 'person', 'people')}; BIG takes {counted(frames.big, 'frame')}, "
        f"LITTLE {frames.little}",
        title_justify="left",
    )
    for column in (
        "strategy",
        "answers",
        "busy",
        "runs",
        "error cm",
        "vs always",
        "MACs",
        "core",
        "µJ",
        "delay",
        "p95",
    ):
        table.add_column(column, justify="left" if column in ("strategy", "answers") else "right")
    for row in results.rows:
        table.add_row(
            row.label, row.network, f"{row.busy:.1%}", f"{row.big_rate:.1%}", f"{row.error_cm:.2f}",
            f"{row.against_always - 1:+.1%}", f"{row.macs_per_frame:,}", f"{row.core_load:.0%}",
            f"{row.microjoules_per_frame:.0f}", *map(_frames, (row.delay_median, row.delay_p95)),
        )  # fmt: skip
    return table


def _people(results: CascadeResults) -> Table:
    """The gate of the eye flow person by person, beside the network run always."""
    table = Table(title="flow, person by person", title_justify="left")
    table.add_column("person")
    for column in ("answers", "busy", "error cm", "vs always", "saccades", "delay", "p95"):
        table.add_column(column, justify="left" if column == "answers" else "right")
    for network in ("little", "big"):
        flow, always = (results.row(strategy, network) for strategy in ("flow", "always"))
        if flow is None or always is None:
            continue
        for row, usual in zip(flow.by_person, always.by_person, strict=True):
            table.add_row(
                row.person, network, f"{row.busy:.1%}", f"{row.error_cm:.2f}",
                f"{row.error_cm / usual.error_cm - 1:+.1%}", str(row.saccades),
                *map(_frames, (row.delay_median, row.delay_p95)),
            )  # fmt: skip
    return table


def _frames(delay: float | None) -> str:
    return "" if delay is None else f"{delay:.0f}"


command.add_command(fit, "fit")
command.add_command(evaluate, "evaluate")
