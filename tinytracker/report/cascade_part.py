"""The part of a report about a network that runs only when the gaze may have moved, as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinytracker.cascade.results import CascadeResults, StrategyRow
from tinytracker.cascade.strategies import ALWAYS, FLOW

IN_THE_PAPER = {
    "always": "Big alone",
    "still": "1BDD",
    "summed flow": "1B1D, by analogy",
    "little": "1B6S, by analogy",
}
"""Strategies of Shen, Howard, Nunez-Yanez, JLPEA 2022, 12(2):28; docs/cascade.md says what is analogous."""

_ROW = (
    "strategy", "label", "network", "thresholds", "people", "frames", "error_cm", "against_always", "calibrated_cm",
    "busy", "big_rate", "little_rate", "macs_per_frame", "core_load", "microjoules_per_frame", "saccades",
    "delay_mean", "delay_median", "delay_p95",
)  # fmt: skip


def cascade_part(name: str, path: Path, is_outdated: bool = False) -> dict[str, Any]:
    """Return all strategies, curves, timelines, and the eye flow's gate person by person.

    Args:
        name: for the reader.
        path: document that `tinytracker cascade evaluate` has written.
        is_outdated: whether the run that holds it has other networks now.

    Raises:
        InputFileError: it is not such a document.
    """
    found = CascadeResults.read(path)
    document = found.as_json()
    return {
        "name": name,
        "outdated": is_outdated,
        "evidence": found.evidence,
        "latency_frames": document["latency_frames"],
        "rate": found.rate,
        "networks": {"big": document["big"], "little": document["little"]},
        "people": len(found.people),
        "rows": [_row(row) for row in found.rows],
        "curves": document.get("curves", []),
        "timelines": document.get("timelines", []),
        "by_person": {network: _people(found, network) for network in ("little", "big")},
        "command": found.command,
    }


def _row(row: StrategyRow) -> dict[str, Any]:
    shown = row.as_json()
    return {**{key: shown[key] for key in _ROW}, "in_the_paper": IN_THE_PAPER.get(row.strategy, "")}


def _people(found: CascadeResults, network: str) -> list[dict[str, Any]]:
    """Return each person's error behind the eye flow's gate over that of the network run always, the best first."""
    flow, always = found.row(FLOW.name, network), found.row(ALWAYS.name, network)
    if flow is None or always is None:
        return []
    usual = {row.person: row.error_cm for row in always.by_person}
    rows = [
        {
            "person": row.person, "busy": row.busy, "error_cm": row.error_cm,
            "against_always": row.error_cm / usual[row.person], "delay_median": row.delay_median,
            "delay_p95": row.delay_p95, "saccades": row.saccades,
        }
        for row in flow.by_person
        if usual.get(row.person)
    ]  # fmt: skip
    return sorted(rows, key=lambda row: float(row["against_always"]))
