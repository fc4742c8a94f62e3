"""The board's section of docs/constraints.md, from the rules themselves."""

from __future__ import annotations

from tinytracker.package.coralmicro import TARGET
from tinytracker.package.coralmicro.edgetpu.traps import TRAPS
from tinytracker.package.coralmicro.rules.evidence import EVIDENCE
from tinytracker.package.coralmicro.rules.general import GENERAL_RULES
from tinytracker.package.coralmicro.rules.graph import CHIP_RULES, GRAPH_RULES
from tinytracker.package.coralmicro.rules.operators import OPERATOR_RULES
from tinytracker.package.coralmicro.rules.table import OPERATORS, REPLACEMENTS
from tinytracker.package.rules import Rule, markdown_table

_EVIDENCE_NOTE = (
    "The rules were fitted to these. Runtime is the one that the compiled file needs: compiler 16 writes 14 unless told"
    " otherwise, compilers 2.0.29 to 15 write 13, 2.0.26 writes 12, older ones 10."
)


def section() -> str:
    """Return Markdown: rules of graphs, operators and compiled files, and the table of operators."""
    parts = [
        f"\n## {TARGET}\n",
        "Rules over a .tflite file before it is compiled. They are a prediction; only edgetpu_compiler decides.\n",
        f"### The whole network\n\n{markdown_table([*GRAPH_RULES, *CHIP_RULES])}",
        f"### Every operator\n\n{markdown_table(GENERAL_RULES)}",
        f"### Single operators\n\n{_operator_table()}",
        f"### Operators that the Edge TPU supports\n\n{_support_table()}",
        f"### Operators that it does not support\n\n{_replacement_table()}",
        f"### What public compiled files show\n\n{_EVIDENCE_NOTE}\n\n{_evidence_table()}",
        "### Compiled files\n\nRules over the compiler's output; `tinytracker edgetpu show` applies them.\n\n"
        f"{markdown_table(TRAPS)}",
    ]
    return "\n".join(parts)


def _operator_table() -> str:
    """Return the common table with a column of operators in front."""
    rules: list[Rule[object]] = [rule for _, rule in OPERATOR_RULES]  # type: ignore[misc]
    head, line, *rows = markdown_table(rules).splitlines()
    names = [", ".join(names) for names, _ in OPERATOR_RULES]
    table = [f"| operators {head}", f"| --- {line}"]
    table += [f"| {operators} {row}" for operators, row in zip(names, rows, strict=True)]
    return "\n".join(table) + "\n"


def _support_table() -> str:
    lines = [
        "| operator | Edge TPU runtime | version seen mapped | refused since version |",
        "| --- | --- | --- | --- |",
    ]
    for name, support in OPERATORS.items():
        since = "all" if support.since == 10 else str(support.since)
        lines.append(f"| {name} | {since} | {support.seen} | {support.rejected or ''} |")
    return "\n".join(lines) + "\n"


def _replacement_table() -> str:
    lines = ["| operator | fix |", "| --- | --- |"]
    lines += [f"| {name} | {way_out} |" for name, way_out in REPLACEMENTS.items()]
    return "\n".join(lines) + "\n"


def _evidence_table() -> str:
    lines = [
        "| operator | version | mapped | runtime | model | repository | note |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for e in EVIDENCE:
        cells = (e.operator, e.version, "yes" if e.mapped else "no", e.runtime, e.model, e.repository, e.note)
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"
