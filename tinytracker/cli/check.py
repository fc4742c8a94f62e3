"""`tinytracker check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from tinytracker.cli.output import Output, verb

if TYPE_CHECKING:
    from tinytracker.package.graph_rules import Finding, GraphReport
    from tinytracker.package.suitability import CheckResult


@verb
@click.argument("source")
@click.option("--target", required=True, help="Device: imx500 or coralmicro.")
@click.option(
    "--quantized", help="Which quantized model of a run; default: the one the target takes. [coralmicro]"
)
@click.option(
    "--memory-report", is_flag=True, help="Ask the vendor's converter too (a run, half a minute). [imx500]"
)
def command(source: str, target: str, quantized: str | None, memory_report: bool) -> Output:
    """Say, rule by rule, whether a device can run SOURCE: a run; a preset (imx500) or a .tflite file (coralmicro).

    Exit code 1 when it cannot, or when a part would not run on the accelerator.
    """
    from tinytracker.package.graph_rules import GraphReport
    from tinytracker.package.suitability import check

    result = check(source, target, memory_report, quantized)
    text = _graph(result) if isinstance(result, GraphReport) else _rules(result)
    return Output(result.as_json(), text, exit_code=0 if result.ok else 1)


def _rules(result: CheckResult) -> tuple[Any, ...]:
    table = Table(title=f"{result.preset} on {result.target}", title_justify="left")
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
        text += (f"Presets that {result.target} can run: {', '.join(result.suitable)}.",)
    return text


def _graph(report: GraphReport) -> tuple[Any, ...]:
    table = Table(title=f"{report.source} on {report.target}", title_justify="left")
    for column in ("", "operator", "version", "MACs", "verdict"):
        table.add_column(column, justify="right" if column in ("", "MACs", "version") else "left")
    for o in report.operators:
        rules = ", ".join(f.rule for f in o.findings)
        verdict = ("maps" if o.maps else "does not map") + (f": {rules}" if rules else "")
        table.add_row(str(o.index), o.name, str(o.version), f"{o.macs:,}", verdict)
    mapped = sum(o.maps for o in report.operators)
    facts = ", ".join(f"{k.replace('_', ' ')} {v:,}" for k, v in report.facts.items())
    summary = Text(f"{mapped} of {len(report.operators)} operators map; {facts}.")
    return (table, *_findings(report), summary, Text(report.remark))


def _findings(report: GraphReport) -> list[Text]:
    """One line per rule: the first place where it is broken."""
    by_rule: dict[str, list[Finding]] = {}
    for f in (*report.graph, *(f for o in report.operators for f in o.findings)):
        by_rule.setdefault(f.rule, []).append(f)
    lines = []
    for rule, same in by_rule.items():
        more = f" ({len(same) - 1} more like it)" if len(same) > 1 else ""
        lines.append(Text(f"{same[0].level}: {rule}: {same[0]}{more}"))
    return lines
