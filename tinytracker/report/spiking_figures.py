"""The figures of a report about spiking networks."""

from __future__ import annotations

from typing import Any

from tinytracker.report.svg import WIDTH, Plot, dots, line, number, polyline, rectangle, svg, text
from tinytracker.words import counted


def error_by_steps(name: str, spiking: dict[str, Any]) -> str:
    """Draw the error after each step, before and after rounding, beside that of the ordinary network."""
    judged = spiking["validation"]
    rows = judged["steps"]
    # The first steps may be several times as bad; they leave the plot upwards.
    top = min(max(row["error_cm"] for row in rows), 2.2 * judged["network_cm"])
    low = 0.9 * min(judged["network_cm"], *(row["error_cm"] for row in rows))
    plot = Plot((0.0, max(2.0, 1.02 * rows[-1]["steps"])), (low, 1.02 * top), 240)
    parts = [plot.axes("steps", "error, cm")]
    y = plot.at_y(judged["network_cm"])
    parts.append(line(48, y, WIDTH - 14, y, "line constant"))
    for key, classes in (("float_error_cm", "line s2 dashed"), ("error_cm", "line s1 strong")):
        points = [
            plot.at(row["steps"], row[key]) for row in rows if row[key] is not None and row[key] <= plot.y[1]
        ]
        if points:
            parts.append(polyline(points, classes))
        if key == "error_cm" and len(rows) <= 24:
            parts.append(dots(points, "dot s1"))
    legend = (
        ("line s1 strong", "integers", 0),
        ("line s2 dashed", "real weights", 88),
        ("line constant", "network", 200),
    )
    for classes, label, x in legend:
        parts += [line(48 + x, 256, 64 + x, 256, classes), text(69 + x, 260, label, "label")]
    last = rows[-1]
    after = "1 step" if len(rows) == 1 else f"1 to {last['steps']} steps"
    said = f"Error after {after}; {last['error_cm']:.2f} cm after the last"
    return svg(name, said, 266, *parts)


_BAND, _LABEL, _GAP, _LEFT, _RIGHT = 76.0, 14.0, 8.0, 48.0, 14.0


def raster(name: str, found: dict[str, Any]) -> str:
    """Draw which neurons fire in which step, a band for each layer, and how many in all along the bottom of each."""
    steps = found["steps"]
    cell = (WIDTH - _LEFT - _RIGHT) / steps
    parts, y = [], 6.0
    for k, layer in enumerate(found["layers"]):
        share = sum(layer["by_step"]) / (steps * layer["neurons"])
        y += _LABEL + (_GAP if k else 0.0)
        parts.append(text(_LEFT, y - 3, layer["name"], "label"))
        said = f"{layer['neurons']:,} neurons, {100 * share:.0f} % fire in a step"
        parts.append(text(WIDTH - _RIGHT, y - 3, said, "tick", "end"))
        height = _BAND / max(1, layer["shown"])
        parts.append(rectangle(_LEFT, y, WIDTH - _LEFT - _RIGHT, _BAND, "band"))
        marks = "".join(
            f"M{number(_LEFT + (step + 0.12) * cell)} {number(y + (row + 0.5) * height)}h{number(0.76 * cell)}"
            for step, row in layer["spikes"]
        )
        parts.append(
            f'<path d="{marks}" class="spike s{k % 4 + 1}" stroke-width="{number(max(0.7, 0.8 * height))}"/>'
        )
        y += _BAND
    for step in range(0, steps, max(1, steps // 8)):
        parts.append(text(_LEFT + (step + 0.5) * cell, y + 13, str(step + 1), "tick", "middle"))
    parts.append(text((_LEFT + WIDTH - _RIGHT) / 2, y + 29, "step", "label", "middle"))
    return svg(name, f"Spikes of one frame in {counted(steps, 'step')}, by layer", y + 34, *parts)
