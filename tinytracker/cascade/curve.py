"""Error against energy: every strategy as the curve of its best settings, with both networks run always beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

Point = tuple[float, float]
"""Modelled energy per frame, µJ, and error, cm."""

LEFT, TOP, WIDTH, HEIGHT = 62, 40, 640, 330

_STYLE = """<style>
  .page { fill: #ffffff } .edge { stroke: #aeb8c4; fill: none } .curve { stroke-width: 1.8; fill: none }
  text { font: 12.5px system-ui, sans-serif; fill: #2b3540 } .quiet { fill: #5b6876 }
  .title { font: 600 13px system-ui, sans-serif }
  .c0 { stroke: #0b7285; fill: #0b7285 } .c1 { stroke: #c2410c; fill: #c2410c } .c2 { stroke: #6741d9; fill: #6741d9 }
  .c3 { stroke: #2b8a3e; fill: #2b8a3e } .c4 { stroke: #a61e4d; fill: #a61e4d } .c5 { stroke: #5b6876; fill: #5b6876 }
  .c6 { stroke: #862e9c; fill: #862e9c } .curve { fill: none } .name { stroke: none }
  @media (prefers-color-scheme: dark) {
    .page { fill: #171c22 } .edge { stroke: #4d5967 } text { fill: #e3e8ee } .quiet { fill: #a3afbc }
    .c0 { stroke: #3bc9db; fill: #3bc9db } .c1 { stroke: #ffa94d; fill: #ffa94d } .c2 { stroke: #b197fc; fill: #b197fc }
    .c3 { stroke: #69db7c; fill: #69db7c } .c4 { stroke: #f783ac; fill: #f783ac } .c5 { stroke: #a3afbc; fill: #a3afbc }
    .c6 { stroke: #da77f2; fill: #da77f2 } .curve { fill: none }
  }
</style>"""


def front(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other one beats in both numbers, by rising energy.

    Example:
        >>> front([(1, 5), (2, 3), (3, 4), (4, 2)])
        [(1, 5), (2, 3), (4, 2)]
    """
    best: list[Point] = []
    for point in sorted(points):
        if not best or point[1] < best[-1][1]:
            best.append(point)
    return best


def draw_curve(curves: Mapping[str, Sequence[Point]], single: Mapping[str, Point], title: str) -> str:
    """Return the picture as SVG.

    Args:
        curves: by strategy: the numbers of all its settings.
        single: by name: what has no settings, such as a network run always.
        title: what was run.
    """
    fronts = {name: front(points) for name, points in curves.items()}
    every = [*single.values(), *(point for points in fronts.values() for point in points)]
    high_x = 1.05 * max(x for x, _ in every)
    low_y, high_y = min(y for _, y in every) - 0.05, max(y for _, y in every) + 0.05

    def at(point: Point) -> tuple[float, float]:
        return (
            LEFT + WIDTH * point[0] / high_x,
            TOP + HEIGHT * (high_y - point[1]) / (high_y - low_y),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 190} {TOP + HEIGHT + 48}">',
        _STYLE,
        f'<rect class="page" width="{LEFT + WIDTH + 190}" height="{TOP + HEIGHT + 48}"/>',
        f'<text class="title" x="{LEFT}" y="20">{escape(title)}</text>',
        f'<rect class="edge" x="{LEFT}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}"/>',
    ]
    for x in _ticks(0, high_x):
        parts.append(f'<text class="quiet" x="{at((x, 0))[0] - 10:.0f}" y="{TOP + HEIGHT + 18}">{x:g}</text>')
    for y in _ticks(low_y, high_y):
        parts.append(f'<text class="quiet" x="{LEFT - 34}" y="{at((0, y))[1] + 4:.0f}">{y:.2f}</text>')
    parts.append(
        f'<text class="quiet" x="{LEFT}" y="{TOP + HEIGHT + 38}">modelled energy of the processor per frame, µJ; '
        "upwards: error, cm</text>"
    )
    for k, (name, points) in enumerate(fronts.items()):
        places = [at(point) for point in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline class="curve c{k % 7}" points="{line}"/>')
        parts += [f'<circle class="c{k % 7}" cx="{x:.1f}" cy="{y:.1f}" r="2.4"/>' for x, y in places]
        parts.append(_name(name, k, k % 7))
    for k, (name, point) in enumerate(single.items(), len(fronts)):
        x, y = at(point)
        parts.append(
            f'<path class="c{k % 7}" d="M{x - 5:.1f} {y:.1f}h10M{x:.1f} {y - 5:.1f}v10" stroke-width="2.4"/>'
        )
        parts.append(_name(name, k, k % 7))
    return "\n".join([*parts, "</svg>\n"])


def _ticks(low: float, high: float) -> list[float]:
    """Return some round numbers from low to high."""
    step = 10.0 ** math.floor(math.log10((high - low) / 2))
    while (high - low) / step > 8:
        step *= 2
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _name(name: str, row: int, colour: int) -> str:
    x, y = LEFT + WIDTH + 16, TOP + 14 + 20 * row
    return (
        f'<rect class="c{colour}" x="{x}" y="{y - 10}" width="12" height="10"/>'
        f'<text x="{x + 18}" y="{y}">{escape(name)}</text>'
    )
