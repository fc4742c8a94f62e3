"""`tinytracker edgetpu`: the contents of a compiled file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from tinytracker.cli.output import Output, verb


@click.group()
def command() -> None:
    """Inspect files compiled for the Edge TPU."""


@verb
@click.argument("file", type=click.Path(path_type=Path))
def show_command(file: Path) -> Output:
    """Show the chip, memory, transfers and driver traps of FILE, a model written by edgetpu_compiler."""
    from tinytracker.package.coralmicro.edgetpu.show import show

    document = show(file)
    warnings = tuple(
        Text(f"{w['level']}: {w['rule']}: {w['found']}. {w['statement']} {w['fix']}")
        for w in document["warnings"]
    )
    return Output(document, (_totals(document), _executables(document), *warnings))


command.add_command(show_command, "show")


def _totals(document: dict[str, Any]) -> Table:
    table = Table(title=document["file"], title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("file bytes", f"{document['bytes']:,}")
    for package in document["packages"]:
        table.add_row("minimum Edge TPU runtime", str(package["min_runtime_version"]))
        table.add_row("compiler", package["compiler_version"])
    table.add_row("operators on the CPU", ", ".join(document["cpu_operators"]) or "none")
    table.add_row("parameters cached on the chip, bytes", f"{document['cached_bytes']:,}")
    for name, value in document["per_inference"].items():
        table.add_row(f"{name.removesuffix('_bytes')} per inference, bytes", f"{value:,}")
    return table


def _executables(document: dict[str, Any]) -> Table:
    table = Table(title="executables", title_justify="left")
    for column in ("type", "chip", "inputs", "outputs", "transfers"):
        table.add_column(column)
    for e in (e for p in document["packages"] for e in p["executables"]):
        transfers = ", ".join(f"{kind} {h['count']}x {h['bytes']:,}" for kind, h in e["hints"].items())
        table.add_row(e["type"], e["chip"], _layers(e["inputs"]), _layers(e["outputs"]), transfers)
    return table


def _layers(layers: list[dict[str, Any]]) -> str:
    return "\n".join(f"{x['name']} {x['data_type']} {'x'.join(map(str, x['shape_yxz']))}" for x in layers)
