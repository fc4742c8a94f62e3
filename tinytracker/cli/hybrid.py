"""`tinytracker hybrid`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import ANY_NUMBER, OUT
from tinytracker.words import counted

if TYPE_CHECKING:
    from tinytracker.hybrid.document import HybridDocument
    from tinytracker.hybrid.evaluation_document import HybridEvaluation
    from tinytracker.platforms.figure import Figure
    from tinytracker.platforms.hybrid import HybridTable


@click.group()
def command() -> None:
    """Follow the gaze with an event camera: spiking layers, an accumulator and an INT8 head."""


@verb
@click.argument("clips", type=click.Path(path_type=Path))
@click.option("--model", default="hybrid-s2a3", help="Hybrid preset: hybrid-s0a5, s1a4, s2a3, s3a2 or s5a0.")
@click.option("--out", type=OUT, required=True, help="Run folder to write.")
@click.option("--interval", type=int, default=4, help="Steps that the accumulator adds up: 2, 4 or 8.")
@click.option("--epochs", type=int, default=30, help="Epochs, 1 to 10,000.")
@click.option("--steps", type=int, default=100, help="Steps of an epoch.")
@click.option("--batch-size", type=int, default=32, help="Windows of a step, 2 to 1024.")
@click.option("--learning-rate", type=ANY_NUMBER, default=3e-3, help="At the beginning, above 0, to 1.")
@click.option("--seed", type=int, default=0, help="Random seed of weights and windows.")
@click.option("--resume", is_flag=True, help="Resume the run in --out, or start one if the folder has none.")
def train(
    clips: Path, model: str, out: Path, interval: int, epochs: int, steps: int, batch_size: int,
    learning_rate: float, seed: int, resume: bool,
) -> Output:  # fmt: skip
    """Train a hybrid preset on CLIPS, a folder that `tinytracker synth-events` wrote, into a run folder."""
    from tinytracker.hybrid import hybrid_config, train_hybrid

    config = hybrid_config(
        interval=interval, epochs=epochs, steps=steps, batch_size=batch_size, learning_rate=learning_rate, seed=seed
    )  # fmt: skip
    result = train_hybrid(clips, model, out, config, resume)
    document = {
        "run": str(result.run.path), "preset": model, "epochs": result.epochs, "best_epoch": result.best_epoch,
        "val_error_cm": result.val_error_cm, "seconds": result.seconds,
    }  # fmt: skip
    text = (
        f"{result.run.path}: validation error of the gaze change {result.val_error_cm:.2f} cm "
        f"(epoch {result.best_epoch} of {result.epochs}, {result.seconds:.0f} s)"
    )
    return Output(document, (text,))


@verb
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--windows", type=int, default=256, help="Training windows that set the ranges of the head.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of clips; default: the run's own.")
def quantize(run: Path, windows: int, data: Path | None) -> Output:
    """Write the integers of a finished RUN into RUN/hybrid: a NIR file, an INT8 head, and the accumulator."""
    from tinytracker.hybrid import quantize_hybrid

    made = quantize_hybrid(run, windows, data)
    return Output({"folder": str(run / "hybrid"), **made.as_json()}, (_parts(made),))


def _parts(made: HybridDocument) -> Table:
    judged = made.validation
    table = Table(title=f"{made.preset}, interval {made.interval}", title_justify="left", show_header=False)
    table.add_column()
    table.add_column()
    if made.spiking is not None:
        layers = ", ".join(f"{layer.name} {'×'.join(map(str, layer.shape))}" for layer in made.spiking.layers)
        table.add_row(made.spiking.file, f"{layers}; {made.spiking.neurons:,} neurons")
    if made.accumulator is not None:
        cells = made.accumulator
        table.add_row("accumulator", f"{cells.slots} slots, {cells.bytes:,} bytes, {cells.code_step} a spike")
    if made.head is not None:
        table.add_row(made.head.file, f"{made.head.bytes:,} bytes, {made.head.macs:,} MACs")
    table.add_row(
        "no answer", f"{judged.no_answer_cm:.3f} cm on {counted(judged.windows, 'window')}, validation split"
    )
    table.add_row("before rounding", f"{judged.float_cm:.3f} cm")
    table.add_row("integers", f"{judged.integer_cm:.3f} cm")
    return table


@verb
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Folder of clips; default: the run's own.")
@click.option("--split", default="test", help="train, val or test.")
@click.option("--windows", type=int, default=2000, help="Windows at most.")
@click.option("--frame-rate", type=ANY_NUMBER, default=30.0, help="Frames per second of the frame network.")
@click.option("--frame-delay", type=ANY_NUMBER, default=33.0, help="From a frame to its answer, ms.")
@click.option(
    "--frame-error", type=ANY_NUMBER, default=0.0,
    help="Mean error of its answers, cm; drawn once for each clip, because no frame network is run.",
)  # fmt: skip
@click.option("--frames", type=int, default=400, help="Frames after which the gaze is followed, at most.")
def evaluate(
    run: Path, data: Path | None, split: str, windows: int, frame_rate: float, frame_delay: float,
    frame_error: float, frames: int,
) -> Output:  # fmt: skip
    """Measure how RUN follows the gaze, before and after rounding, and what it takes."""
    from tinytracker.hybrid import Frames, evaluate_hybrid

    found = evaluate_hybrid(run, data, split, windows, Frames(frame_rate, frame_delay, frame_error, frames))
    return Output(found.as_json(), (_errors(found), _following(found), _costs(found)))


def _errors(found: HybridEvaluation) -> Table:
    title = (
        f"{found.preset}, interval {found.interval}, {found.split}: gaze change of "
        f"{counted(found.windows, 'moving window')}, {counted(found.people, 'person', 'people')}"
    )
    table = Table(title=title, title_justify="left")
    for column in (
        "",
        "error cm",
        "95 % interval",
        "direction, median",
        "still windows cm",
        "all windows cm",
    ):
        table.add_column(column, justify="left" if not column else "right")
    table.add_row(
        "no answer", f"{found.no_answer_cm:.3f}", "", "", f"{found.no_answer_still_cm:.3f}",
        f"{found.no_answer_all_cm:.3f}",
    )  # fmt: skip
    for name, row in (("before rounding", found.floating), ("integers", found.integers)):
        table.add_row(
            name, f"{row.error_cm:.3f}", "{:.3f} to {:.3f}".format(*row.ci95_cm), f"{row.direction_deg:.1f}°",
            f"{row.still_cm:.3f}", f"{row.all_cm:.3f}",
        )  # fmt: skip
    return table


def _following(found: HybridEvaluation) -> Table:
    table = Table(title="gaze between frames", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    if found.following is not None:
        about = found.following
        table.add_row(
            "frame network", f"{about.frame_rate:g} frames/s, {about.frame_delay_ms:g} ms late, "
            f"{about.frame_error_cm:g} cm",
        )  # fmt: skip
        table.add_row("answers", f"{about.answers:,}, {about.answers_per_s:g} per second")
        rows = (
            ("last frame held", about.held_cm, about.held_moving_cm),
            ("followed", about.followed_cm, about.followed_moving_cm),
        )
        for name, error, moved in rows:
            # A mean of zero means that the gaze moved after none of the frames.
            table.add_row(name, f"{error:.3f} cm" + (f"; moved: {moved:.3f} cm" if moved else ""))
    return table


def _costs(found: HybridEvaluation) -> Table:
    cost = found.cost
    table = Table(title="one window", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("cells of events", f"{cost.input_spikes:,.0f}")
    table.add_row("spikes", f"{cost.spikes:,.0f}")
    table.add_row("synaptic operations", f"{cost.sops:,.0f}")
    table.add_row("updates of neurons", f"{cost.updates:,}")
    table.add_row("additions of the accumulator", f"{cost.accumulations:,.0f}")
    table.add_row("MACs of the ordinary layers", f"{cost.host_macs:,}")
    for name, value in cost.link.items():
        table.add_row(f"link, {name.replace('_', ' ')}", f"{value:,.0f} bytes")
    return table


@verb
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--split", default="test", help="Split of the evaluations: train, val or test.")
def cost(runs: tuple[Path, ...], split: str) -> Output:
    """Put evaluated RUNS side by side: error, latency, and energy with the link between the chips charged."""
    from tinytracker.platforms.hybrid import compare_hybrids

    found = compare_hybrids(runs, split)
    return Output(found.as_json(), (_cost_table(found), f"On {found.chips}.", found.legend))


def _cost_table(found: HybridTable) -> Table:
    from tinytracker.platforms.hybrid import COLUMNS, letter

    table = Table(title="one window with one answer at its end", title_justify="left")
    table.add_column("")
    for row in found.rows:
        table.add_column(row.label, justify="right", overflow="fold")
    for key, label in COLUMNS.items():
        table.add_row(label, *(_shown(row.cells[key], letter) for row in found.rows))
    return table


def _shown(figure: Figure, letter: Callable[[Figure], str]) -> str:
    value = figure.value
    return f"{value:,.0f} {letter(figure)}" if value >= 1000 else f"{value:.3g} {letter(figure)}"


command.add_command(train, "train")
command.add_command(quantize, "quantize")
command.add_command(evaluate, "evaluate")
command.add_command(cost, "cost")
