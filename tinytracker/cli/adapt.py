"""`tinytracker adapt`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import RenderableType
from rich.table import Table

from tinytracker.cli.evening import next_step
from tinytracker.cli.output import Output, interval_text, verb
from tinytracker.cli.types import OUT
from tinytracker.words import counted

if TYPE_CHECKING:
    from tinytracker.adapt.document import AdaptDocument


@verb
@click.argument("sessions", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--from",
    "start",
    default="tinytracker-v2",
    help="Network to begin with: a preset with bundled weights, or a run folder.",
)
@click.option("--out", type=OUT, required=True, help="Run folder to write.")
@click.option(
    "--epochs",
    type=click.IntRange(1, 1000),
    help="Passes of training all layers; default: as many as 20 minutes of two cores allow.",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Random seed of training.")
def command(sessions: tuple[Path, ...], start: str, out: Path, epochs: int | None, seed: int) -> Output:
    """Adapt a network to the people, camera and screen of SESSIONS, folders that `tinytracker collect` wrote.

    Four ways are compared on frames that were not trained on; the best is kept, or the bundled weights.
    """
    from tinytracker.adapt import adapt

    result = adapt(sessions, start, out, epochs, seed)
    document = result.document
    text: tuple[RenderableType, ...] = (_table(document), *_sentences(document, out))
    return Output({"run": str(result.run.path), **document.as_json()}, text)


def _table(document: AdaptDocument) -> Table:
    what = "people" if document.by == "people" else "the last minutes"
    table = Table(title=f"Error in cm; held out: {what}", title_justify="left")
    for column in (
        "",
        "chooses",
        "measures",
        "of bundled",
        "difference, 95 % interval",
        "+ 9 fresh dots",
        "s",
    ):
        table.add_column(column, justify="left" if column == "" else "right")
    for candidate in document.candidates:
        gain = candidate.gain_on_measuring_frames
        kept = " (kept)" if candidate.name == document.kept else ""
        table.add_row(
            candidate.name + kept, f"{candidate.val_cm:.2f}", f"{candidate.test_cm:.2f}",
            "" if gain is None else f"{gain.ratio:.0%}",
            "" if gain is None else f"{gain.difference_cm:+.2f} ({interval_text(gain.ci95_cm, '+.2f')})",
            "" if candidate.fresh_cm is None else f"{candidate.fresh_cm:.2f}", f"{candidate.seconds:.0f}",
        )  # fmt: skip
    return table


def _sentences(document: AdaptDocument, out: Path) -> list[str]:
    from tinytracker.adapt.document import BUNDLED, CALIBRATED

    frames = ", ".join(f"{n:,} {split}" for split, n in document.frames.items())
    who = "one person" if len(document.people) == 1 else counted(len(document.people), "person", "people")
    lines = [f"{frames} frames of {who}."]
    if document.kept == BUNDLED and not document.withdrawn:
        lines.append(
            "Nothing was certainly better than the bundled weights, which are kept. Record more dots."
        )
    elif document.kept == CALIBRATED:
        lines.append(f"{out} has the bundled weights; use them with {out / 'calibration.json'}.")
    lines += document.advice
    return [*lines, *next_step("adapt", out)]
