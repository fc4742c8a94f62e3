"""`tinytracker package`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb


@verb
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--target", required=True, help="Device: spresense.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Package folder to make.")
@click.option("--quantized", help="Which quantized model of a run; default: the one the target takes.")
def command(source: Path, target: str, out: Path, quantized: str | None) -> Output:
    """Package SOURCE, a run folder or an INT8 .tflite file, for a device."""
    from tinytracker.package import package

    result = package(source, target, out, quantized)
    table = Table(title=f"{result.folder} for {target}", title_justify="left", show_header=False)
    table.add_column()
    table.add_column()
    model = result.content["model"]
    table.add_row("model", f"{model['bytes']:,} bytes, {model['macs']:,} MACs")
    if "arena" in result.content:
        table.add_row("arena", f"{result.content['arena']['total_bytes']:,} bytes")
    if "parity" in result.content:
        parity = result.content["parity"]
        table.add_row("parity", f"{parity['runtime']} = {parity['oracle']} on {parity['images']} images")
    for path in sorted(p for p in result.folder.rglob("*") if p.is_file()):
        table.add_row("file", str(path))
    return Output(
        {"folder": str(result.folder), "manifest": str(result.manifest), **result.content}, (table,)
    )
