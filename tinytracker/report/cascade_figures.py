"""The figures of a report about a cascade: error against energy and busy time, people, and some seconds over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinytracker.report.svg import WIDTH, Plot, dots, legend, line, number, polyline, rectangle, svg, text
from tinytracker.words import counted

STRATEGIES = ("flow", "every k-th frame", "still", "summed flow", "little", "flow, little")
_COLOURS = {"flow": 1, "every k-th frame": 2, "still": 3, "summed flow": 4, "little": 3, "flow, little": 4}
"""Of each strategy: those that need Little exist for Big alone, where the other two are left out."""


def tradeoff(name: str, part: dict[str, Any], network: str, key: str) -> str:
    """Draw error against energy or against busy time: each strategy's best settings, and the network run always.

    Args:
        name: id of the figure.
        part: of `cascade_part`.
        network: "big" or "little": whose answers.
        key: "microjoules" or "busy".
    """
    left_out = ("still", "summed flow") if network == "big" else ()
    curves = [
        c
        for strategy in STRATEGIES
        for c in part["curves"]
        if c["strategy"] == strategy and c["network"] == network and c["points"] and strategy not in left_out
    ]
    column = {"microjoules": "microjoules_per_frame", "busy": "busy"}[key]
    always = [
        (row[column], row["error_cm"], row["network"]) for row in part["rows"] if row["strategy"] == "always"
    ]
    factor = 100 if key == "busy" else 1
    points = [(factor * p[key], p["error_cm"]) for c in curves for p in c["points"]]
    marks = [(factor * x, y, whose) for x, y, whose in always if whose == network or key == "microjoules"]
    errors = [y for _, y in points] + [y for _, y, _ in marks]
    margin = 0.06 * (max(errors) - min(errors)) + 0.01
    across = max([x for x, _ in points] + [x for x, _, _ in marks])
    plot = Plot((0.0, 1.06 * across), (min(errors) - margin, max(errors) + margin), 250)
    parts = [
        plot.axes({"microjoules": "µJ per frame, modelled", "busy": "busy, % of frames"}[key], "error, cm")
    ]
    names = []
    for curve in curves:
        classes = f"s{_COLOURS[curve['strategy']]}"
        places = [plot.at(factor * p[key], p["error_cm"]) for p in curve["points"]]
        parts += [polyline(places, f"line {classes}"), dots(places, f"dot {classes}")]
        names.append((f"line {classes}", curve["strategy"]))
    for x, y, whose in marks:
        at, level = plot.at(x, y)
        parts += [
            line(at - 6, level, at + 6, level, "whisker"),
            line(at, level - 6, at, level + 6, "whisker"),
        ]
        parts.append(text(at + 6, level + 20, f"always, {whose.capitalize()}", "label", "end"))
    drawn, end = legend(names, 268)
    said = {"microjoules": "energy", "busy": "busy time"}[key]
    return svg(name, f"Error against {said}, answers of {network.capitalize()}", end, *parts, drawn)


def people(name: str, rows: Sequence[dict[str, Any]]) -> str:
    """Draw each person behind the eye flow's gate: busy time and error over that of the network run always."""
    busy, ratio = [100 * r["busy"] for r in rows], [100 * (r["against_always"] - 1) for r in rows]
    plot = Plot((0.0, 1.08 * max(*busy, 1.0)), (min(*ratio, 0.0) - 2, max(*ratio, 0.0) + 2), 230)
    level = plot.at_y(0.0)
    places = [plot.at(x, y) for x, y in zip(busy, ratio, strict=True)]
    return svg(
        name, f"{counted(len(rows), 'person', 'people')}: error over that of the network run always", 236,
        plot.axes("busy, % of frames", "error against always, %"), line(48, level, WIDTH - 14, level, "line constant"),
        dots(places, "dot s1"),
    )  # fmt: skip


_LEFT, _RIGHT, _TALL, _GAP, _BAR = 62.0, 14.0, 62.0, 12.0, 13.0


def timeline(name: str, found: dict[str, Any]) -> str:
    """Draw some seconds: the dot and the answer shown, across and down; the eye flow; and which network ran.

    Args:
        name: id of the figure.
        found: timeline of `cascade.results`.
    """
    count, room = len(found["dot"]), WIDTH - _LEFT - _RIGHT
    step = room / max(count, 1)
    y = 6.0
    parts: list[str] = []
    for axis, label in enumerate(("across", "down")):
        dot = [v[axis] for v in found["dot"]]
        shown = [None if v is None else v[axis] for v in found["shown"]]
        known = [*dot, *(v for v in shown if v is not None)]
        low, high = min(known) - 0.5, max(known) + 0.5
        parts += [
            *_shut(found["shut"], y, step), rectangle(_LEFT, y, room, _TALL, "screen"),
            text(_LEFT - 8, y + _TALL / 2, label, "label", "end"),
            text(_LEFT - 8, y + _TALL / 2 + 15, f"{high - low:.0f} cm", "tick", "end"),
            _stairs(dot, low, high, y, step, "line constant"), _stairs(shown, low, high, y, step, "line s1"),
        ]  # fmt: skip
        y += _TALL + _GAP
    flow, top = found["flow"], max(sorted(found["flow"])[int(0.99 * (count - 1))], 0.1)
    parts += [
        rectangle(_LEFT, y, room, _TALL, "screen"), text(_LEFT - 8, y + _TALL / 2, "flow", "label", "end"),
        text(_LEFT - 8, y + _TALL / 2 + 15, f"{top:.2g} px", "tick", "end"),
        _stairs([min(v, top) for v in flow], 0.0, top, y, step, "line s4"),
    ]  # fmt: skip
    y += _TALL + _GAP
    parts.append(text(_LEFT - 8, y + 11, "runs", "label", "end"))
    first = "s3" if "1" in found["path"] else ""
    for k, (path, busy) in enumerate(zip(found["path"], found["busy"], strict=True)):
        if busy == "1":
            parts.append(rectangle(_LEFT + k * step, y, step, _BAR, "room"))
        if path != "0":
            parts.append(rectangle(_LEFT + k * step, y, max(step, 1.6), _BAR, "s2" if path == "2" else "s3"))
    y += _BAR
    for second in range(0, count // found["rate"] + 1, 2):
        parts.append(text(_LEFT + second * found["rate"] * step, y + 15, f"{second} s", "tick", "middle"))
    network = found["network"].capitalize()
    entries = [
        ("line constant", "dot"),
        ("line s1", "shown"),
        ("line s4", "eye flow"),
        ("line s2", f"{network} starts"),
    ]
    entries += [("line s3", "Little looks")] if first else []
    drawn, end = legend(entries, y + 34, _LEFT)
    return svg(name, f"Gaze, eye flow and runs over {count / found['rate']:.0f} seconds", end, *parts, drawn)


def _shut(digits: str, top: float, step: float) -> list[str]:
    return [
        rectangle(_LEFT + k * step, top, step, _TALL, "band")
        for k, digit in enumerate(digits)
        if digit == "1"
    ]


def _stairs(
    values: Sequence[float | None], low: float, high: float, top: float, step: float, classes: str
) -> str:
    """Return a line that keeps each frame's value until the next one."""
    path, before = "", ""
    for k, value in enumerate(values):
        if value is None:
            continue
        x, y = number(_LEFT + k * step), number(top + _TALL * (1 - (value - low) / max(high - low, 1e-9)))
        if before != y:
            path += f"V{y}" if path else f"M{x} {y}"
        path += f"H{number(_LEFT + (k + 1) * step)}"
        before = y
    return f'<path d="{path}" class="{classes}"/>'
