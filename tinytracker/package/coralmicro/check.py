"""Predicts, operator by operator, what the Edge TPU compiler would do with a model."""

from __future__ import annotations

from dataclasses import replace

from tinytracker.errors import InputFileError
from tinytracker.model.tflite_model import Operator, TfliteModel
from tinytracker.model.tflite_stats import model_stats
from tinytracker.package.coralmicro import TARGET
from tinytracker.package.coralmicro.edgetpu.compiled import CUSTOM_OPERATOR
from tinytracker.package.coralmicro.rules.general import GENERAL_RULES
from tinytracker.package.coralmicro.rules.graph import CHIP_RULES, GRAPH_RULES
from tinytracker.package.coralmicro.rules.node import Node
from tinytracker.package.coralmicro.rules.operators import OPERATOR_RULES
from tinytracker.package.coralmicro.rules.parameters import CACHE_BYTES, MAX_ERROR_BYTES, predicted_bytes
from tinytracker.package.coralmicro.rules.partition import cut_by
from tinytracker.package.coralmicro.rules.table import OPERATORS
from tinytracker.package.rules import Finding, OperatorReport, Report

BEHIND = "behind-an-unmapped-operator"


def check(model: TfliteModel) -> Report:
    """Predict where each operator of an uncompiled model would run.

    An operator that needs results of one that does not map also runs on the CPU, unless the latter needs nothing
    from the chip (`rules.partition`).

    Args:
        model: as read by `tinytracker.model.tflite_file.read_tflite`.

    Raises:
        InputFileError: the file is already compiled.
    """
    if any(o.name == CUSTOM_OPERATOR for o in model.operators):
        raise InputFileError(
            model.source,
            "already compiled for the Edge TPU",
            f"Inspect it with: tinytracker edgetpu show {model.source}",
        )
    reports = _operator_reports(model)
    mapped = tuple(o for o, r in zip(model.operators, reports, strict=True) if r.maps)
    on_chip = replace(model, operators=mapped)
    graph = [r.apply(model, "the network") for r in GRAPH_RULES]
    graph += [r.apply(on_chip, "the network") for r in CHIP_RULES]
    return Report(
        target=TARGET,
        source=model.source,
        operators=reports,
        graph=tuple(v for v in graph if v is not None),
        facts={
            "parameter_bytes": predicted_bytes(on_chip),
            "parameter_bytes_error": MAX_ERROR_BYTES,
            "cache_bytes": CACHE_BYTES,
            "needs_runtime": max((OPERATORS[r.name].since for r in reports if r.maps), default=0),
        },
        remark="A prediction from documentation and public compiled files; only edgetpu_compiler decides.",
    )


def operator_findings(model: TfliteModel, operator: Operator) -> tuple[Finding, ...]:
    """Return all rules that one operator breaks."""
    node = Node(model, operator)
    rules = [*GENERAL_RULES, *(r for names, r in OPERATOR_RULES if operator.name in names)]
    found = (r.apply(node, operator.label) for r in rules)
    return tuple(v for v in found if v is not None)


def _operator_reports(model: TfliteModel) -> tuple[OperatorReport, ...]:
    """Return the operators that break a rule themselves, and those that they cut off."""
    macs = {row.index: row.macs for row in model_stats(model).operators}
    alone = [operator_findings(model, o) for o in model.operators]
    cuts = cut_by(model, [_maps(findings) for findings in alone])
    reports = []
    for o, findings, cut in zip(model.operators, alone, cuts, strict=True):
        if cut is not None:
            findings = (*findings, _behind(o, cut))
        reports.append(
            OperatorReport(o.index, o.name, o.version, _maps(findings), macs.get(o.index, 0), findings)
        )
    return tuple(reports)


def _maps(findings: tuple[Finding, ...]) -> bool:
    return all(v.level != "fails" for v in findings)


def _behind(operator: Operator, cut: Operator) -> Finding:
    return Finding(
        BEHIND, "fails", operator.label, f"it needs results of {cut.label}, which does not map",
        "The compiler maps one part of the graph, and stops at results that the CPU computes from it.",
        "Fix that operator, or move it to the end of the network.",
    )  # fmt: skip
