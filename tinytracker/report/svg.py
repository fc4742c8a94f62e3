"""Small drawings as SVG text: scales, axes, lines. Colours are classes, defined in the page's style sheet.

All figures are 360 units wide, about a phone's screen, so that their text keeps its size on every device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH = 360.0
_MARGIN_LEFT, _MARGIN_RIGHT, _MARGIN_TOP, _MARGIN_BOTTOM = 48.0, 14.0, 28.0, 38.0


def number(value: float) -> str:
    """Return a coordinate to a tenth of a unit, without trailing zeros."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return about `count` round numbers from `low` to `high`."""
    span = max(high - low, 1e-9)
    step = 10 ** np.floor(np.log10(span / count))
    for factor in (1, 2, 5, 10):
        if span / (step * factor) <= count:
            step *= factor
            break
    first = np.ceil(low / step - 1e-9) * step  # may be a negative zero; adding zero makes it positive
    return [float(round(v, 10)) + 0.0 for v in np.arange(first, high + step * 1e-6, step)]


def tick_label(value: float) -> str:
    """Return a number on an axis, with a real minus sign."""
    return f"{value:g}".replace("-", "−")


def text(x: float, y: float, content: str, classes: str = "", anchor: str = "start") -> str:
    """Return a line of text; `y` is its baseline."""
    return (
        f'<text x="{number(x)}" y="{number(y)}" class="{classes}" text-anchor="{anchor}">'
        f"{escape(content)}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, classes: str) -> str:
    """Return a straight line."""
    return f'<path d="M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}" class="{classes}"/>'


def rectangle(
    x: float,
    y: float,
    width: float,
    height: float,
    classes: str,
    opacity: float | None = None,
    title: str = "",
) -> str:
    """Return a filled rectangle, with a title that shows on hovering."""
    faint = "" if opacity is None else f' fill-opacity="{opacity:.2f}"'
    inner = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<rect x="{number(x)}" y="{number(y)}" width="{number(max(width, 0))}" height="{number(max(height, 0))}" '
        f'class="{classes}"{faint}>{inner}</rect>'
    )


def polyline(points: Sequence[tuple[float, float]], classes: str) -> str:
    """Return an open line through points."""
    path = "L".join(f"{number(x)} {number(y)}" for x, y in points)
    return f'<path d="M{path}" class="{classes}"/>'


def dots(points: Sequence[tuple[float, float]], classes: str) -> str:
    """Return round dots as one path of zero-length strokes, a tenth of the size of circles."""
    path = "".join(f"M{number(x)} {number(y)}h0" for x, y in points)
    return f'<path d="{path}" class="{classes}"/>'


def legend(names: list[tuple[str, str]], y: float, x: float = 48.0) -> tuple[str, float]:
    """Return short lines with their names, side by side while there is room, and the lower end of the figure."""
    parts, at = [], x
    for classes, name in names:
        width = 27 + 7.2 * len(name)
        if at + width > WIDTH and at > x:
            at, y = x, y + 16
        parts += [line(at, y - 4, at + 16, y - 4, classes), text(at + 21, y, name, "label")]
        at += width + 6
    return "".join(parts), y + 6


@dataclass(frozen=True)
class Plot:
    """A rectangle with two linear axes.

    Attributes:
        x, y: lowest and highest value on each axis. height: height of the whole figure.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    height: float = 220.0

    def at_x(self, value: float) -> float:
        """Return the position of a value along x."""
        low, high = self.x
        return _MARGIN_LEFT + (value - low) / (high - low) * (WIDTH - _MARGIN_LEFT - _MARGIN_RIGHT)

    def at_y(self, value: float) -> float:
        """Return the position of a value along y, upwards."""
        low, high = self.y
        return (
            self.height
            - _MARGIN_BOTTOM
            - (value - low) / (high - low) * (self.height - _MARGIN_TOP - _MARGIN_BOTTOM)
        )

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the position of a point."""
        return self.at_x(x), self.at_y(y)

    def axes(self, x_label: str, y_label: str, percent: bool = False) -> str:
        """Return grid, numbers and names of both axes; `percent` for shares along y."""
        left, right = _MARGIN_LEFT, WIDTH - _MARGIN_RIGHT
        bottom = self.height - _MARGIN_BOTTOM
        parts = []
        for tick in nice_ticks(*self.y):
            y = self.at_y(tick)
            label = f"{100 * tick:g} %" if percent else tick_label(tick)
            parts += [line(left, y, right, y, "grid"), text(left - 6, y + 4, label, "tick", "end")]
        for tick in nice_ticks(*self.x):
            x = self.at_x(tick)
            parts += [
                line(x, bottom, x, bottom + 4, "axis"),
                text(x, bottom + 17, tick_label(tick), "tick", "middle"),
            ]
        parts.append(line(left, bottom, right, bottom, "axis"))
        parts.append(text((left + right) / 2, self.height - 2, x_label, "label", "middle"))
        if y_label:
            parts.append(text(2, 13, y_label, "label"))
        return "".join(parts)


def svg(name: str, description: str, height: float, *content: str, width: float = WIDTH) -> str:
    """Return the finished figure.

    Args:
        name: id of the element.
        description: text for screen readers.
        height: height in units.
        content: elements.
        width: width in units.
    """
    return (
        f'<svg id="{escape(name)}" role="img" aria-label="{escape(description)}" '
        f'viewBox="0 0 {number(width)} {number(height)}" preserveAspectRatio="xMidYMid meet">'
        f"{''.join(content)}</svg>"
    )
