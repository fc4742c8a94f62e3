"""`tinytracker check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from tinytracker.cli.output import Output, verb
from tinytracker.targets import with_part

if TYPE_CHECKING:
    from tinytracker.package.rules import Finding, Report


@verb
@click.argument("source")
@click.option("--target", required=True, help=f"Device: {', '.join(with_part('rules', 'check'))}.")
@click.option(
    "--quantized",
    help="Quantized model of the run; default: the one that the target takes. "
    f"[{', '.join(with_part('check'))}]",
)
@click.option(
    "--memory-report",
    is_flag=True,
    help=f"Run the vendor's converter too (needs a run; half a minute). [{', '.join(with_part('memory_report'))}]",
)
def command(source: str, target: str, quantized: str | None, memory_report: bool) -> Output:
    """Check, rule by rule, whether a device can run SOURCE: a run, a preset, or a .tflite file.

    The exit code is 1 when it cannot, or when part of the network would not run where it should.
    """
    from tinytracker.package.suitability import check

    report = check(source, target, memory_report, quantized)
    return Output(report.as_json(), _shown(report), exit_code=0 if report.ok else 1)


def _shown(report: Report) -> tuple[Any, ...]:
    title = f"{report.source} on {report.target}"
    text: list[Any] = []
    if report.operators or not report.verdicts:
        text += [_operators(report, title), *_findings(report)]
    if report.verdicts:
        text.append(_verdicts(report, "" if text else title))
    return (*text, *_summary(report))


def _verdicts(report: Report, title: str) -> Table:
    table = Table(title=title or None, title_justify="left")
    for column in ("rule", "", "requirement"):
        table.add_column(column)
    for v in report.verdicts:
        details = "".join(f"\nFound: {detail}." for detail in v.details)
        fix = f"\nFix: {v.rule.fix}" if v.details else ""
        unknown = f"\nNot judged: {v.not_judged}." if v.not_judged else ""
        mark = "?" if v.not_judged else "ok" if v.ok else "warns" if v.accepted else "NO"
        table.add_row(v.rule.name, mark, Text(v.rule.statement + unknown + details + fix))
    return table


def _operators(report: Report, title: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in ("", "operator", "version", "MACs", "verdict"):
        table.add_column(column, justify="right" if column in ("", "MACs", "version") else "left")
    yes, no = report.words
    for o in report.operators:
        rules = ", ".join(f.rule for f in o.findings)
        verdict = (yes if o.maps else no) + (f": {rules}" if rules else "")
        table.add_row(str(o.index), o.name, str(o.version), f"{o.macs:,}", verdict)
    return table


def _findings(report: Report) -> list[Text]:
    """Return one line per broken rule that is not in the table of verdicts, with the first place that breaks it."""
    listed = {v.rule.name for v in report.verdicts}
    by_rule: dict[str, list[Finding]] = {}
    for f in (*report.graph, *(f for o in report.operators for f in o.findings)):
        if f.rule not in listed:
            by_rule.setdefault(f.rule, []).append(f)
    lines = []
    for rule, same in by_rule.items():
        more = f" ({len(same) - 1} more like it)" if len(same) > 1 else ""
        lines.append(Text(f"{same[0].level}: {rule}: {same[0]}{more}"))
    return lines


def _summary(report: Report) -> list[Text]:
    facts = ", ".join(f"{k.replace('_', ' ')} {v:,}" for k, v in report.facts.items())
    lines = []
    if report.operators:
        mapped = sum(o.maps for o in report.operators)
        verb = report.words[0].removesuffix("s")  # "maps" of one, "map" of several
        lines.append(Text(f"{mapped} of {len(report.operators)} operators {verb}; {facts}."))
    elif facts:
        lines.append(Text(f"{facts}."))
    lines.append(Text(report.remark))
    if report.memory is not None:
        used, available = report.memory["used_bytes"], report.memory["available_bytes"]
        lines.append(Text(f"converter: {used:,} of {available:,} bytes, {report.memory['used_percent']} %"))
    if not report.ok and report.suitable:
        lines.append(Text(f"Presets that {report.target} can run: {', '.join(report.suitable)}."))
    return lines
