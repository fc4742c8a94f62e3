"""`tinytracker emulate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb
from tinytracker.errors import UsageError

if TYPE_CHECKING:
    from tinytracker.codegen.kernel import KernelSet
    from tinytracker.emulate import EmulationReport
    from tinytracker.package.source import ModelSource


@verb
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--images", type=click.IntRange(1, 10_000), default=3, help="Random images to run.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Random seed of the images.")
@click.option("--quantized", default="ptq-int8", help="Quantized model of the run.")
@click.option("--kernels", default="cortex-m4", help="cortex-m4 (fast) or portable (the specification).")
@click.option(
    "--weights-budget", type=click.FloatRange(0, min_open=True), default=1.15,
    help="Code and constants of cortex-m4 kernels, in multiples of the model's bytes.",
)  # fmt: skip
@click.option(
    "--cpu", default="cortex-m4",
    help="cortex-m4 (Spresense), cortex-m7 (Coral Dev Board Micro) or cortex-m33 (Raspberry Pi Pico 2).",
)  # fmt: skip
@click.option(
    "--cycles/--no-cycles", default=None,
    help="Model cycles too. Default: unless an inference has more than 30 million instructions.",
)  # fmt: skip
@click.option("--serve", is_flag=True, help="Serve the board's serial line on a pty until Ctrl-C.")
def command(
    source: Path,
    images: int,
    seed: int,
    quantized: str,
    kernels: str,
    weights_budget: float,
    cpu: str,
    cycles: bool | None,
    serve: bool,
) -> Output:
    """Run SOURCE, a run folder or an INT8 .tflite file, as generated C on an emulated Cortex-M.

    Exit code 1 when an output differs from the oracle. Instructions and bytes are exact, cycles are modelled.
    --serve lets another program talk to the board instead, for example MLPerf Tiny's runner.
    """
    from tinytracker.codegen.kernel_sets import kernel_set
    from tinytracker.emulate import emulate
    from tinytracker.package.source import load_source

    chosen_kernels = kernel_set(kernels, weights_budget)
    chosen = load_source(source, quantized)
    if serve:
        if cpu != "cortex-m4":
            raise UsageError(f"--serve emulates a cortex-m4, not a {cpu}.", "Omit --cpu.")
        return _served(chosen, chosen_kernels)
    report = emulate(chosen.content, images, seed=seed, kernels=chosen_kernels, cycles=cycles, cpu=cpu)
    table = Table(title=f"{source} on an emulated {report.cpu.name}", title_justify="left")
    for column in ("operator", "kernel"):
        table.add_column(column)
    for column in ("MACs", "instructions", "per MAC", "cycles"):
        table.add_column(column, justify="right")
    for step in report.steps:
        per_mac = f"{step.instructions / step.macs:.2f}" if step.macs else ""
        row = (
            f"{step.operator} {step.name}",
            step.kernel,
            f"{step.macs:,}",
            f"{step.instructions:,.0f}",
            per_mac,
            _cycles(step.cycles),
        )
        table.add_row(*row)
    table.add_section()
    total = f"{report.instructions_per_mac:.2f}" if report.macs else ""
    cycles_total = _cycles(report.modelled.total.cycles if report.modelled else None)
    table.add_row("total", "", f"{report.macs:,}", f"{report.instructions:,.0f}", total, cycles_total)
    agreement = "nothing to compare with" if report.equal is None else f"compared with {report.oracle}: "
    if report.equal is not None:
        agreement += (
            "equal bit for bit" if report.equal else f"{report.differing_images} of {report.images} differ"
        )
    text = (
        table,
        f"{report.images} images, {agreement}",
        f"arena {report.arena_used_bytes:,} of {report.arena_bytes:,} bytes, stack {report.stack_used_bytes:,} bytes, "
        f"program {report.ram_bytes:,} bytes with {report.constant_bytes:,} of constants",
        _modelled(report),
    )
    return Output(report.as_json(), text, exit_code=1 if report.equal is False else 0)


def _cycles(cycles: int | None) -> str:
    return "" if cycles is None else f"{cycles:,}"


def _modelled(report: EmulationReport) -> str:
    """The modelled cycles as an interval, and what it rests on."""
    if report.modelled_cycles is None or report.modelled_ms is None:
        return f"cycles were not modelled: {report.not_modelled}"
    low, middle, high = (cycles / 1e6 for cycles in report.modelled_cycles)
    low_ms, middle_ms, high_ms = report.modelled_ms
    return (
        f"modelled {low:.1f} to {high:.1f} million cycles (median {middle:.1f}), "
        f"{low_ms:.0f} to {high_ms:.0f} ms on a {report.cpu.board} at {report.cpu.hz / 1e6:.0f} MHz "
        f"(median {middle_ms:.0f}); {report.assumption}"
    )


def _served(chosen: ModelSource, kernels: KernelSet) -> Output:
    """The board's serial line for other programs, until this one is ended."""
    from tinytracker.emulate.serve import serve_board
    from tinytracker.progress import say

    ports = []

    def announce(port: str) -> None:
        ports.append(port)
        say(f"The board's serial line is {port}, at any rate; Ctrl-C ends it.")

    seconds = serve_board(chosen.content, announce, kernels)
    document = {
        "port": ports[0] if ports else None,
        "model_sha256": chosen.sha256,
        "seconds": round(seconds, 3),
    }
    return Output(document, (f"Served for {seconds:.0f} s.",))
