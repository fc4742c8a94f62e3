"""`tinytracker rpk`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb

if TYPE_CHECKING:
    from tinytracker.package.imx500.rpk import Rpk


@click.group()
def command() -> None:
    """Show or verify an IMX500 network package."""


@verb
@click.argument("file", type=click.Path(path_type=Path))
def show(file: Path) -> Output:
    """Show the contents of FILE: networks, tensors, firmware parts, registers, network info, intrinsics."""
    from tinytracker.files import read_bytes
    from tinytracker.package.imx500.rpk import describe, parse

    document = describe(parse(read_bytes(file), str(file)))
    return Output(
        {"file": str(file), **document}, (_tensors(file, document), _parts(document), _rest(document))
    )


@verb
@click.argument("file", type=click.Path(path_type=Path))
def verify(file: Path) -> Output:
    """Check FILE as the sensor's driver and its clients would; on an error, say where it is."""
    from tinytracker.files import read_bytes
    from tinytracker.package.imx500.rpk import verify as verify_bytes

    data = read_bytes(file)
    rpk: Rpk = verify_bytes(data, str(file))
    text = f"{file}: complete and valid, {len(data):,} bytes, network {rpk.network.name!r}"
    return Output({"file": str(file), "ok": True, "bytes": len(data), "network": rpk.network.name}, (text,))


def _tensors(file: Path, document: dict[str, Any]) -> Table:
    table = Table(title=f"{file}, converter {document['converter_version']}", title_justify="left")
    for column in ("network", "tensor", "shape", "bits", "scale", "zero point"):
        table.add_column(column)
    for network in document["networks"]:
        for role in ("inputs", "outputs"):
            for tensor in network[role]:
                bits = f"{'signed' if tensor['signed'] else 'unsigned'} {tensor['bits']}"
                shape = " x ".join(map(str, tensor["shape"]))
                name = f"{role[:-1]} {tensor['name']}"
                table.add_row(
                    network["name"], name, shape, bits, f"{tensor['scale']:g}", str(tensor["shift"])
                )
    return table


def _parts(document: dict[str, Any]) -> Table:
    table = Table(title="Firmware", title_justify="left")
    for column in ("part", "address", "bytes", "sha256"):
        table.add_column(column)
    for name, part in document["firmware"].items():
        table.add_row(name, part["address"], f"{part['bytes']:,}", part["sha256"][:16])
    return table


def _rest(document: dict[str, Any]) -> Table:
    table = Table(show_header=False)
    table.add_column()
    table.add_column()
    memory, lines = document["memory"], document["lines"]
    table.add_row("memory", f"{memory['used']:,} of {memory['total']:,} bytes, {memory['used_percent']} %")
    table.add_row("lines of 2560 bytes", f"{lines['input']} for the input, {lines['output']} for the output")
    registers = (f"{r['address']}={r['value']}" for r in document["registers"])
    table.add_row(f"registers ({len(document['registers'])})", " ".join(registers))
    table.add_row("network info", "\n".join(f"{k}={v}" for k, v in document["network_info"].items()))
    table.add_row("intrinsics", str(document["intrinsics"]))
    return table


command.add_command(show, "show")
command.add_command(verify, "verify")
