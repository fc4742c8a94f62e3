"""What the Edge TPU compiler would make of a model: a prediction, operator by operator."""

from __future__ import annotations

from tinytracker.errors import InputFileError
from tinytracker.model.tflite_model import Operator, TfliteModel
from tinytracker.model.tflite_stats import model_stats
from tinytracker.package.coralmicro import TARGET
from tinytracker.package.coralmicro.edgetpu.compiled import CUSTOM_OPERATOR
from tinytracker.package.coralmicro.rules.general import GENERAL_RULES
from tinytracker.package.coralmicro.rules.graph import GRAPH_RULES
from tinytracker.package.coralmicro.rules.node import Node
from tinytracker.package.coralmicro.rules.operators import OPERATOR_RULES
from tinytracker.package.coralmicro.rules.parameters import CACHE_BYTES, MAX_ERROR, predicted_bytes
from tinytracker.package.coralmicro.rules.table import OPERATORS
from tinytracker.package.graph_rules import Finding, GraphReport, OperatorReport

BEHIND = "behind-an-unmapped-operator"


def check(model: TfliteModel) -> GraphReport:
    """Predict where each operator of an uncompiled model would run.

    The compiler cuts the graph at the first operator that does not map; that one and all behind it run on the
    CPU. Only a QUANTIZE of the model's own input may stand in front of what maps.

    Args:
        model: as `tinytracker.model.tflite_file.read_tflite` gives it.

    Raises:
        InputFileError: the file is compiled already.
    """
    if any(o.name == CUSTOM_OPERATOR for o in model.operators):
        raise InputFileError(
            model.source,
            "compiled for the Edge TPU already",
            f"See it with: tinytracker edgetpu show {model.source}",
        )
    macs = {row.index: row.macs for row in model_stats(model).operators}
    reports: list[OperatorReport] = []
    cut: Operator | None = None
    for operator in model.operators:
        findings = operator_findings(model, operator)
        maps = all(v.level != "fails" for v in findings)
        if maps and cut is not None:
            findings, maps = (*findings, _behind(operator, cut)), False
        elif not maps and cut is None and not _converts_input(model, operator):
            cut = operator
        reports.append(
            OperatorReport(
                operator.index, operator.name, operator.version, maps, macs.get(operator.index, 0), findings
            )
        )
    graph = (r.apply(model, "the network") for r in GRAPH_RULES)
    return GraphReport(
        target=TARGET,
        source=model.source,
        operators=tuple(reports),
        graph=tuple(v for v in graph if v is not None),
        facts={
            "parameter_bytes": predicted_bytes(model),
            "parameter_bytes_error": MAX_ERROR,
            "cache_bytes": CACHE_BYTES,
            "needs_runtime": max((OPERATORS[r.name].since for r in reports if r.maps), default=0),
        },
        remark="A prediction from the documented operator table; only edgetpu_compiler decides.",
    )


def operator_findings(model: TfliteModel, operator: Operator) -> tuple[Finding, ...]:
    """All rules that one operator breaks."""
    node = Node(model, operator)
    rules = [*GENERAL_RULES, *(r for names, r in OPERATOR_RULES if operator.name in names)]
    found = (r.apply(node, operator.label) for r in rules)
    return tuple(v for v in found if v is not None)


def _converts_input(model: TfliteModel, operator: Operator) -> bool:
    return operator.name == "QUANTIZE" and set(operator.inputs) <= set(model.inputs)


def _behind(operator: Operator, cut: Operator) -> Finding:
    return Finding(
        BEHIND, "fails", operator.label, f"it comes after {cut.label}, which does not map",
        "The compiler maps one part of the graph: all up to the first operator that does not map.",
        "Repair that operator, or move it to the end of the network.",
    )  # fmt: skip
