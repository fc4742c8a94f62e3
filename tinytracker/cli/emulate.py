"""`tinytracker emulate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from tinytracker.cli.evening import next_step
from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import Number
from tinytracker.errors import UsageError
from tinytracker.words import counted

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
    "--weights-budget", type=Number(0, min_open=True), default=1.15,
    help="Code and constants of cortex-m4 kernels, in multiples of the model's bytes.",
)  # fmt: skip
@click.option(
    "--finder", type=click.Path(path_type=Path), help="Finder beside a network that aims, a .tflite file."
)
@click.option(
    "--cores", type=click.IntRange(1, 5), default=1,
    help="Cores to divide the network over; the emulated core counts the parts of each.",
)  # fmt: skip
@click.option(
    "--cpu", default="cortex-m4",
    help="cortex-m4 (Spresense), cortex-m7 (Coral Dev Board Micro) or cortex-m33 (Raspberry Pi Pico 2).",
)  # fmt: skip
@click.option(
    "--cycles/--no-cycles", default=None,
    help="Model cycles too. Default: unless an inference has more than 30 million instructions.",
)  # fmt: skip
@click.option(
    "--cascade", type=click.Path(path_type=Path),
    help="With --serve: run the network behind a gate with these settings, a file of `tinytracker cascade fit`.",
)  # fmt: skip
@click.option(
    "--little", type=click.Path(path_type=Path),
    help="With --cascade: smaller network that looks first, a .tflite file.",
)  # fmt: skip
@click.option("--serve", is_flag=True, help="Serve the board's serial line on a pty until Ctrl-C.")
def command(
    source: Path,
    images: int,
    seed: int,
    quantized: str,
    kernels: str,
    weights_budget: float,
    finder: Path | None,
    cores: int,
    cpu: str,
    cycles: bool | None,
    cascade: Path | None,
    little: Path | None,
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
    if serve and cores != 1:
        raise UsageError(f"--serve runs one core, not {cores}.", "Leave out --cores.")
    if serve:
        if cpu != "cortex-m4":
            raise UsageError(f"--serve emulates a cortex-m4, not a {cpu}.", "Omit --cpu.")
        return _served(chosen, chosen_kernels, finder, cascade, little)
    if (cascade, little) != (None, None):
        raise UsageError(
            "A gate needs a sequence of frames, and --images are random.",
            "Give --serve; or use tinytracker measure --target emulated --cascade FILE --images FOLDER.",
        )
    report = emulate(
        chosen.content, images, seed=seed, kernels=chosen_kernels, cycles=cycles, cpu=cpu, cores=cores
    )
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
    aimed = _aimed(chosen, chosen_kernels, finder, seed)
    document = report.as_json() | {"aim": aimed}
    text: tuple[Any, ...] = (
        table,
        *_about_team(report),
        f"{counted(report.images, 'image')}, {agreement}",
        f"arena {report.arena_used_bytes:,} of {report.arena_bytes:,} bytes, stack {report.stack_used_bytes:,} bytes, "
        f"program {report.ram_bytes:,} bytes with {report.constant_bytes:,} of constants",
        _modelled(report),
        *_aim_text(aimed),
        *next_step("emulate", source, quantized),
    )
    return Output(document, text, exit_code=1 if report.equal is False else 0)


_MANY_CYCLES = 500_000
"""From here on cycles are shown in millions."""


def _cycles(cycles: int | None) -> str:
    return "" if cycles is None else f"{cycles:,}"


def _modelled(report: EmulationReport) -> str:
    """The modelled cycles as an interval, and what it rests on."""
    if report.modelled_cycles is None or report.modelled_ms is None:
        return f"cycles were not modelled: {report.not_modelled}"
    many = report.modelled_cycles[0] >= _MANY_CYCLES
    unit, digits = ("million cycles", ".1f") if many else ("cycles", ",.0f")
    low, middle, high = (cycles / (1e6 if many else 1) for cycles in report.modelled_cycles)
    low_ms, middle_ms, high_ms = report.modelled_ms
    return (
        f"modelled {low:{digits}} to {high:{digits}} {unit} (median {middle:{digits}}), "
        f"{low_ms:.3g} to {high_ms:.3g} ms on a {report.cpu.board} at {report.cpu.hz / 1e6:.0f} MHz "
        f"(median {middle_ms:.3g}); {report.assumption}"
    )


def _aimed(chosen: ModelSource, kernels: KernelSet, finder: Path | None, seed: int) -> dict[str, int] | None:
    """What aiming costs; None for a network without an aim."""
    from tinytracker.emulate import aim_cost
    from tinytracker.model.tflite_file import read_network

    if chosen.contract.aim is None:
        if finder is not None:
            raise UsageError("This network has no aim, so a finder has nothing to do.", "Omit --finder.")
        return None
    content = None if finder is None else read_network(finder)
    return aim_cost(chosen.content, kernels=kernels, finder=content, seed=seed)


def _aim_text(cost: dict[str, int] | None) -> tuple[str, ...]:
    if cost is None:
        return ()
    finder = f", a look of the finder {cost['finder']:,}" if "finder" in cost else ""
    return (
        f"aim, instructions per 320 x 240 frame: crop {cost['crop']:,} ({cost['crop_search']:,} while searching), "
        f"network {cost['network']:,}, steering {cost['steering']:,}{finder}; program {cost['ram_bytes']:,} bytes",
    )


def _about_team(report: EmulationReport) -> tuple[str, ...]:
    """Return the line about several cores."""
    team = report.team
    if team is None:
        return ()
    return (
        f"{counted(team.cores, 'core')} in {counted(len(team.regions), 'region')}: "
        f"critical path {team.critical_path:,.0f} instructions, "
        f"{report.instructions / team.critical_path:.2f} times shorter than all parts together; "
        f"{team.scratch_bytes:,} bytes of working memory per core",
    )


def _served(
    chosen: ModelSource, kernels: KernelSet, finder: Path | None, cascade: Path | None, little: Path | None
) -> Output:
    """The board's serial line for other programs, until this one is ended."""
    from tinytracker.emulate.serve import serve_board
    from tinytracker.model.tflite_file import read_network
    from tinytracker.progress import say

    ports = []

    def announce(port: str) -> None:
        ports.append(port)
        say(f"The board's serial line is {port}, at any rate; Ctrl-C ends it.")

    gate = None
    if cascade is not None:
        from tinytracker.cascade.document import CascadeSettings

        gate = CascadeSettings.read(cascade).thresholds(little=little is not None)
    contents = [None if path is None else read_network(path) for path in (finder, little)]
    seconds = serve_board(chosen.content, announce, kernels, contents[0], gate, contents[1])
    document = {
        "port": ports[0] if ports else None,
        "model_sha256": chosen.sha256,
        "seconds": round(seconds, 3),
    }
    return Output(document, (f"Served for {seconds:.0f} s.",))
