"""`tinytracker spike`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import ANY_NUMBER
from tinytracker.words import counted

if TYPE_CHECKING:
    from tinytracker.spiking import SpikingDocument


@verb
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--steps",
    type=int,
    help="Time steps per frame; default: the fewest, up to 64, that lose 3 % or less on the validation split.",
)
@click.option(
    "--method",
    help="qcfs (thresholds learned in training) or balance (a percentile of ReLU activations); default: by preset.",
)
@click.option(
    "--encode",
    help="Pixels enter as a constant current into the first layer (current), the same of their edges (edges, for a "
    "network trained on edges), or as spikes (rate); default: by preset.",
)
@click.option(
    "--percentile",
    type=ANY_NUMBER,
    default=99.9,
    help="For balance: share of activations below the threshold, %.",
)
@click.option("--several", is_flag=True, help="A neuron may fire more than once in a step.")
@click.option("--data", type=click.Path(path_type=Path), help="Prepared data; default: the run's own.")
@click.option("--frames", type=int, help="Frames of the validation split at most; default: all.")
def command(
    run: Path, steps: int | None, method: str | None, encode: str | None, percentile: float, several: bool,
    data: Path | None, frames: int | None,
) -> Output:  # fmt: skip
    """Convert a finished RUN to a spiking network of integers, in RUN/spiking."""
    from tinytracker.spiking import spike

    made = spike(run, steps, method, encode, percentile, several, data, frames)
    return Output(
        {"folder": str(run / "spiking"), **made.as_json()},
        (_errors(made), *_choice(made), _layers(made), _totals(made), *_silence(made)),
    )


def _errors(made: SpikingDocument) -> Table:
    judged = made.validation
    title = f"{made.preset}, {made.method}: {judged.network_cm:.3f} cm before, on {counted(judged.frames, 'frame')}"
    table = Table(title=title, title_justify="left")
    for column in ("steps", "error cm", "loss", "before rounding", "spikes", "SOPs"):
        table.add_column(column, justify="right")
    shown = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, made.steps}
    for row in judged.steps:
        if row.steps in shown:
            loss = f"{row.error_cm / judged.network_cm - 1:+.1%}"
            table.add_row(
                str(row.steps), f"{row.error_cm:.3f}", loss, f"{row.float_error_cm:.3f}", f"{row.spikes:,.0f}",
                f"{row.sops:,.0f}",
            )  # fmt: skip
    return table


def _choice(made: SpikingDocument) -> tuple[str, ...]:
    """Say why there are so many steps, unless they were given."""
    chosen = made.chosen
    if chosen is None:
        return ()
    steps, share = counted(made.steps, "step"), f"{chosen.tolerance * 100:g} %"
    if chosen.is_within:
        return (f"{steps} chosen: the fewest whose error is within {share} of the network's.",)
    return (
        f"{steps} chosen, with the lowest error: none of 1 to {chosen.limit} is within {share} of the network's.",
    )


def _layers(made: SpikingDocument) -> Table:
    table = Table(title="layers, spikes and SOPs per frame", title_justify="left")
    for column in ("layer", "neurons", "fan-in", "synapses", "threshold", "spikes", "SOPs"):
        table.add_column(column, justify="left" if column == "layer" else "right")
    for layer in made.layers:
        threshold = "readout" if layer.threshold is None else f"{layer.threshold:,}"
        table.add_row(
            layer.name, f"{layer.neurons:,}", f"{layer.fan_in:,}", f"{layer.synapses:,}", threshold,
            f"{layer.spikes:,.0f}", f"{layer.sops:,.0f}",
        )  # fmt: skip
    return table


def _totals(made: SpikingDocument) -> str:
    return (
        f"{made.neurons:,} neurons, {made.synapses:,} synapses; per frame {made.spikes:,.0f} spikes, "
        f"{made.sops:,.0f} synaptic operations ({made.sops_per_mac:.2f} per MAC), {made.updates:,} updates"
    )


def _silence(made: SpikingDocument) -> tuple[str, ...]:
    """Say that frames make no difference to the answer, which errors alone do not show."""
    fires = [layer.spikes for layer in made.layers if layer.threshold is not None]
    if fires[-1]:
        return ()
    return (
        "No neuron of the last hidden layer fires, so the network gives the same answer for all frames. Train it "
        "longer, or give it more --steps.",
    )
