"""`tinytracker check`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from tinytracker.cli.output import Output, verb
from tinytracker.package.graph_rules import GraphReport, Finding


@verb
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--target", required=True, help="Device: coralmicro.")
@click.option("--quantized", help="Which quantized model of a run; default: the one the target takes.")
def command(source: Path, target: str, quantized: str | None) -> Output:
    """Say which operators of SOURCE, a .tflite file or a run, a device takes, and the way out for the rest.

    Exit code 1 when something would not run on the accelerator.
    """
    from tinytracker.package.graph_check import check

    report = check(source, target, quantized)
    return Output(report.as_json(), (_operators(report), *_verdicts(report)), exit_code=0 if report.ok else 1)


def _operators(report: GraphReport) -> Table:
    table = Table(title=f"{report.source} on {report.target}", title_justify="left")
    for column in ("", "operator", "version", "MACs", "verdict"):
        table.add_column(column, justify="right" if column in ("", "MACs", "version") else "left")
    for o in report.operators:
        rules = ", ".join(v.rule for v in o.verdicts)
        verdict = ("maps" if o.maps else "does not map") + (f": {rules}" if rules else "")
        table.add_row(str(o.index), o.name, str(o.version), f"{o.macs:,}", verdict)
    return table


def _verdicts(report: GraphReport) -> list[Text]:
    verdicts: list[Finding] = [*report.graph, *(v for o in report.operators for v in o.verdicts)]
    by_rule: dict[str, list[Finding]] = {}
    for v in verdicts:
        by_rule.setdefault(v.rule, []).append(v)
    lines = []
    for rule, same in by_rule.items():
        more = f" ({len(same) - 1} more like it)" if len(same) > 1 else ""
        lines.append(Text(f"{same[0].level}: {rule}: {same[0]}{more}"))
    mapped = sum(o.maps for o in report.operators)
    facts = ", ".join(f"{k.replace('_', ' ')} {v:,}" for k, v in report.facts.items())
    lines.append(Text(f"{mapped} of {len(report.operators)} operators map; {facts}."))
    lines.append(Text(report.remark))
    return lines
