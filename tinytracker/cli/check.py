"""`tinytracker check`."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table

from tinytracker.cli.output import Output, verb


@verb
@click.argument("source")
@click.option("--target", required=True, help="Device: imx500.")
@click.option(
    "--memory-report", is_flag=True, help="Ask the vendor's converter too (needs a run, half a minute)."
)
def command(source: str, target: str, memory_report: bool) -> Output:
    """Say, rule by rule, whether a device can run SOURCE, a preset or a run folder."""
    from tinytracker.package.check import check

    result = check(source, target, memory_report)
    table = Table(title=f"{result.preset} on {target}", title_justify="left")
    for column in ("rule", "", "what must be so"):
        table.add_column(column)
    for verdict in result.verdicts:
        details = "".join(f"\n{detail}" for detail in verdict.details)
        table.add_row(verdict.rule, "ok" if verdict.ok else "NO", verdict.statement + details)
    text: tuple[Any, ...] = (table,)
    if result.memory is not None:
        used, available = result.memory["used_bytes"], result.memory["available_bytes"]
        text += (f"converter: {used:,} of {available:,} bytes, {result.memory['used_percent']} %",)
    if not result.ok:
        text += (f"Presets that {target} can run: {', '.join(result.suitable)}.",)
    return Output(result.as_json(), text, exit_code=0 if result.ok else 1)
