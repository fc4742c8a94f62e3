"""`tinytracker package`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb
from tinytracker.cli.target_options import chosen_options, target_options
from tinytracker.targets import find_target, with_part

_BUILDABLE = with_part("build")


@verb
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--target", required=True, help=f"Device: {', '.join(_BUILDABLE)}.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Package folder to make.")
@click.option("--quantized", help="Which quantized model of a run; default: the one the target takes.")
@target_options(_BUILDABLE)
def command(source: Path, target: str, out: Path, quantized: str | None, **values: Any) -> Output:
    """Package SOURCE, a run folder or an INT8 .tflite file, for a device."""
    from tinytracker.package import package

    result = package(source, target, out, quantized, chosen_options(find_target(target, "build"), values))
    table = Table(title=f"{result.folder} for {target}", title_justify="left", show_header=False)
    table.add_column()
    table.add_column()
    for name, text in _rows(result.content):
        table.add_row(name, text)
    for path in sorted(p for p in result.folder.rglob("*") if p.is_file()):
        table.add_row("file", str(path))
    return Output(
        {"folder": str(result.folder), "manifest": str(result.manifest), **result.content}, (table,)
    )


def _rows(content: dict[str, Any]) -> list[tuple[str, str]]:
    """Lines on a package; which ones there are depends on the target."""
    model = content["model"]
    rows = [("model", f"{model['bytes']:,} bytes, {model['macs']:,} MACs")]
    if "arena" in content:
        rows.append(("arena", f"{content['arena']['total_bytes']:,} bytes"))
    if "used_bytes" in content.get("memory", {}):
        memory = content["memory"]
        share = f"{memory['used_percent']:.1f} % of {memory['available_bytes']:,}"
        rows.append(("sensor memory", f"{memory['used_bytes']:,} bytes, {share}"))
    if "parity" in content:
        parity = content["parity"]
        several = f", all {len(parity['outputs'])} outputs" if "outputs" in parity else ""
        same = f"{parity['runtime']} = {parity['oracle']}"
        rows.append(("parity", f"{same} on {parity['images']} images{several}"))
    if "compiled" in content:
        rows.append(("compiled", "yes" if content["compiled"] else "no; README.md has the command"))
    if content.get("edgetpu"):
        edgetpu = content["edgetpu"]
        rows.append(("cached on the chip", f"{edgetpu['cached_bytes']:,} bytes"))
        transferred = edgetpu["per_inference"]["transferred_bytes"]
        rows.append(("transferred per inference", f"{transferred:,} bytes"))
    if "expected_latency" in content:
        expected = content["expected_latency"]
        rows.append(
            ("expected invoke", f"{expected['low_ms']:g} to {expected['high_ms']:g} ms, not measured")
        )
    return rows
