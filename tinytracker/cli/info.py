"""`tinytracker info`."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb


@verb
@click.argument("network")
def command(network: str) -> Output:
    """Show layers, parameters, MACs and memory of NETWORK: a preset's name or a .tflite file."""
    from tinytracker.model.info import describe

    document = describe(network)
    return Output(document, (_layers(document), _totals(document)))


def _layers(document: dict[str, Any]) -> Table:
    table = Table(title=f"{document['name']}: {document['summary']}", title_justify="left")
    for column in ("layer", "operator", "output"):
        table.add_column(column)
    for column in ("parameters", "MACs"):
        table.add_column(column, justify="right")
    for row in document["layers"]:
        shape = "x".join(map(str, row["shape"]))
        table.add_row(row["name"], row["operator"], shape, f"{row['parameters']:,}", f"{row['macs']:,}")
    return table


def _totals(document: dict[str, Any]) -> Table:
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("parameters (batch norm folded)", f"{document['parameters']:,}")
    table.add_row("MACs per frame", f"{document['macs']:,}")
    table.add_row("peak activations, INT8 bytes", f"{document['peak_activation_bytes']:,}")
    if document.get("file_bytes"):
        table.add_row("file bytes", f"{document['file_bytes']:,}")
    return table
