"""`tinytracker evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from tinytracker.cli.evening import next_step
from tinytracker.cli.output import Output, verb
from tinytracker.words import counted

if TYPE_CHECKING:
    from tinytracker.evaluate.aim_numbers import AimNumbers
    from tinytracker.evaluate.finder_numbers import FinderNumbers
    from tinytracker.evaluate.metrics import ErrorNumbers, Errors
    from tinytracker.spiking.document import SpikingNumbers


@verb
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Prepared data; default: the run's own.")
@click.option("--split", default="test", help="train, val or test.")
@click.option(
    "--model", default="float", help="Model of the run: float, a quantized one such as ptq-int8, or spiking."
)
@click.option(
    "--preset", help="For a .tflite file: the preset whose input it takes; default: chosen by shape."
)
def command(target: Path, data: Path | None, split: str, model: str, preset: str | None) -> Output:
    """Measure the error of TARGET, a run folder or a .tflite file, in cm on a split."""
    from tinytracker.evaluate import evaluate

    result = evaluate(target, data, split, model, preset)
    tables = [error_table(f"{result.model.name} on {split}", result.errors)]
    if result.aim is not None:
        tables.append(aim_table(result.aim))
    if result.finder is not None:
        tables.append(finder_table(result.finder))
    if result.spiking is not None:
        tables.append(spiking_table(result.spiking))
    further: tuple[str, ...] = ()
    if result.spiking is None:
        further = next_step("adapt", target) if model == "float" else next_step("evaluate", target, model)
    return Output(result.as_json(), (*tables, *further))


def aim_table(aim: AimNumbers) -> Table:
    """Return what the aim is worth: errors at the true strip, steps from two starts, gaze, and false eyes."""
    table = Table(
        title=f"aim, {counted(aim.frames, 'frame')} of {counted(aim.subjects, 'subject')}",
        title_justify="left",
        show_header=False,
    )
    table.add_column("")
    table.add_column("", justify="right")
    at_strip = f"{aim.dx:.4f}, {aim.dy:.4f}, {aim.distance:.4f}"
    rows = [
        ("true strip: median |dx|, |dy|, distance, strip widths", at_strip),
        ("true strip: median |ln scale|, |roll| rad", f"{aim.ln_scale:.4f}, {aim.roll:.4f}"),
    ]
    for name, shares in (("mid", aim.mid_on_it), ("far", aim.far_on_it)):
        steps = ", ".join(str(k + 1) for k in range(len(shares)))
        rows.append(
            (f"{name} start: on the strip after {steps} steps", ", ".join(f"{s:.1%}" for s in shares))
        )
    rows += [
        ("gaze error cm: true strip, own strip", f"{aim.gaze_true_cm:.2f}, {aim.gaze_own_cm:.2f}"),
        (
            f"false eyes at logit {aim.presence_threshold:.2f}, which 99.5 % of strips pass",
            f"{aim.false_eyes:.2%}",
        ),
    ]
    for row in rows:
        table.add_row(*row)
    return table


def finder_table(finder: FinderNumbers) -> Table:
    """Return how far from the eyes a finder's answers are, and what it says of pictures without a person."""
    table = Table(
        title=f"finder, {counted(finder.frames, 'frame')} and {counted(finder.rooms, 'picture')} without a person",
        title_justify="left",
        show_header=False,
    )
    table.add_column("")
    table.add_column("", justify="right")
    table.add_row(
        "distance in strip widths: median, 90 %", f"{finder.distance:.3f}, {finder.distance_p90:.3f}"
    )
    table.add_row("within 0.4 strip widths", f"{finder.within:.1%}")
    table.add_row("median |ln width|", f"{finder.ln_width:.3f}")
    if finder.recall is not None:
        table.add_row(
            f"found at logit {finder.score_threshold:.2f}, which 1 % of the pictures without a person exceed",
            f"{finder.recall:.1%}",
        )
    return table


def spiking_table(spiking: SpikingNumbers) -> Table:
    """Return the error of a spiking network after each step, and what it took until then."""
    title = f"steps, spikes and synaptic operations per frame; {spiking.updates:,} updates of neurons"
    table = Table(title=title, title_justify="left")
    for column in ("steps", "error cm", "spikes", "SOPs"):
        table.add_column(column, justify="right")
    last = spiking.steps[-1].steps
    for row in spiking.steps:
        if row.steps in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, last):
            table.add_row(str(row.steps), f"{row.error_cm:.2f}", f"{row.spikes:,.0f}", f"{row.sops:,.0f}")
    return table


def error_table(title: str, errors: Errors) -> Table:
    """Return the errors overall and by family, orientation and device, each beside the constant predictor."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for column in ("frames", "subjects", "error cm", "95 % interval", "median", "per dot", "constant"):
        table.add_column(column, justify="right")

    def add(name: str, row: ErrorNumbers) -> None:
        interval = "{:.2f} to {:.2f}".format(*row.ci95_cm) if row.subjects > 1 else "one person"
        table.add_row(
            name, f"{row.frames:,}", str(row.subjects), f"{row.error_cm:.2f}", interval,
            f"{row.median_cm:.2f}", f"{row.dot_error_cm:.2f}", f"{row.constant_cm:.2f}",
        )  # fmt: skip

    add("all", errors.overall)
    for prefix, group in (
        ("", errors.by_family),
        ("orientation ", errors.by_orientation),
        ("", errors.by_device),
    ):
        table.add_section()
        for name, row in group.items():
            add(f"{prefix}{name}", row)
    for trait, group in errors.by_trait.items():
        if len(group) < 2:
            continue
        table.add_section()
        for name, row in group.items():
            add(f"{trait}: {name}", row)
    return table
