"""`tinytracker firmware`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb


@verb
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the programs.")
@click.option("--quantized", default="ptq-int8", help="Which quantized model of a run.")
def command(source: Path, out: Path, quantized: str) -> Output:
    """Cross-compile every firmware of the emulated board for SOURCE, a run folder or an INT8 .tflite file."""
    from tinytracker.emulate import build_all
    from tinytracker.package.source import load_source

    built = build_all(load_source(source, quantized).content, out)
    table = Table(title=f"{out}", title_justify="left")
    table.add_column("firmware")
    for column in ("code and constants", "data", "zero", "RAM"):
        table.add_column(column, justify="right")
    rows = []
    for firmware in built:
        sizes = (firmware.code_bytes, firmware.data_bytes, firmware.zero_bytes, firmware.ram_bytes)
        table.add_row(firmware.name, *(f"{n:,}" for n in sizes))
        names = ("code_bytes", "data_bytes", "zero_bytes", "ram_bytes")
        rows.append({"name": firmware.name, "elf": str(firmware.elf), **dict(zip(names, sizes, strict=True))})
    return Output({"firmware": rows}, (table,))
