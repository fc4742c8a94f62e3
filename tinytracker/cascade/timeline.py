"""Draws a few seconds of a cascade: where the eyes looked, what was shown, what the gate saw, which network ran."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.cascade.simulation import BY_BIG, BY_LITTLE, Outcome, Prepared
from tinytracker.cascade.viewing import Viewing

LEFT, WIDTH, PANEL, GAP, TOP, BAR = 78, 740, 110, 22, 40, 16

_STYLE = """<style>
  .page { fill: #ffffff } .edge { stroke: #aeb8c4; fill: none }
  .dot { stroke: #5b6876; stroke-width: 2.2; fill: none } .shown { stroke: #0b7285; stroke-width: 1.8; fill: none }
  .flow { stroke: #6741d9; stroke-width: 1.3; fill: none } .little { fill: #f2b134 } .big { fill: #c92a2a }
  .busy { fill: #0b7285; opacity: 0.28 } .lids { fill: #aeb8c4; opacity: 0.5 }
  text { font: 12.5px system-ui, sans-serif; fill: #2b3540 } .quiet { fill: #5b6876 }
  .title { font: 600 13px system-ui, sans-serif }
  @media (prefers-color-scheme: dark) {
    .page { fill: #171c22 } .edge { stroke: #4d5967 } .dot { stroke: #a3afbc } .shown { stroke: #3bc9db }
    .flow { stroke: #b197fc } .big { fill: #ff8787 } .busy { fill: #3bc9db } .lids { fill: #55616f }
    text { fill: #e3e8ee } .quiet { fill: #a3afbc }
  }
</style>"""

_SHUT = 0.3


@dataclass(frozen=True)
class _Panel:
    top: int
    low: float
    high: float
    frames: int

    def at(self, frame: int, value: float) -> str:
        share = (value - self.low) / max(self.high - self.low, 1e-9)
        x, y = _x(frame, self.frames), self.top + PANEL * (1 - min(max(share, 0), 1))
        return f"{x:.1f},{y:.1f}"


def draw(prepared: Prepared, outcome: Outcome, title: str, frames: int = 240) -> str:
    """Return the picture as SVG.

    Args:
        prepared: one person's sequence.
        outcome: of a strategy on it.
        title: what was run.
        frames: how many to draw from the first one.
    """
    viewing = prepared.viewing
    count = min(frames, len(viewing))
    flow = np.hypot(prepared.x, prepared.y)[:count] / 256
    height = TOP + 3 * (PANEL + GAP) + BAR + 58
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 20} {height}">',
        _STYLE,
        f'<rect class="page" width="{LEFT + WIDTH + 20}" height="{height}"/>',
        f'<text class="title" x="{LEFT}" y="20">{escape(title)}</text>',
    ]
    for axis, name in enumerate(("across", "down")):
        top = TOP + axis * (PANEL + GAP)
        parts += _gaze(viewing, outcome, axis, name, top, count)
    parts += _flow(flow, TOP + 2 * (PANEL + GAP), count)
    parts += _bar(viewing, outcome, TOP + 3 * (PANEL + GAP), count)
    return "\n".join([*parts, "</svg>\n"])


def _x(frame: float, frames: int) -> float:
    return LEFT + WIDTH * frame / max(frames, 1)


def _gaze(viewing: Viewing, outcome: Outcome, axis: int, name: str, top: int, count: int) -> list[str]:
    truth, shown = viewing.gaze[:count, axis], outcome.shown[:count, axis]
    known = np.isfinite(shown)
    values = np.concatenate([truth, shown[known]])
    panel = _Panel(top, float(values.min()) - 0.5, float(values.max()) + 0.5, count)
    return [
        *_lids(viewing.closed[:count], top, PANEL, count),
        _stairs(panel, truth, np.ones(count, bool), "dot"),
        _stairs(panel, shown, known, "shown"),
        f'<rect class="edge" x="{LEFT}" y="{top}" width="{WIDTH}" height="{PANEL}"/>',
        f'<text x="8" y="{top + 14}">{name}</text>',
        f'<text class="quiet" x="8" y="{top + 30}">{panel.high - panel.low:.0f} cm</text>',
    ]


def _flow(flow: Floats, top: int, count: int) -> list[str]:
    panel = _Panel(top, 0.0, max(float(np.percentile(flow, 99)), 0.1), count)
    return [
        _stairs(panel, flow, np.ones(count, bool), "flow"),
        f'<rect class="edge" x="{LEFT}" y="{top}" width="{WIDTH}" height="{PANEL}"/>',
        f'<text x="8" y="{top + 14}">eye flow</text>',
        f'<text class="quiet" x="8" y="{top + 30}">{panel.high:.2f} px</text>',
    ]


def _bar(viewing: Viewing, outcome: Outcome, top: int, count: int) -> list[str]:
    step = WIDTH / count
    parts = [f'<text x="8" y="{top + 13}">network</text>']
    for i in range(count):
        x = _x(i, count)
        if outcome.busy[i]:
            parts.append(
                f'<rect class="busy" x="{x:.1f}" y="{top}" width="{step + 0.2:.1f}" height="{BAR}"/>'
            )
        path = int(outcome.path[i])
        if path in (BY_BIG, BY_LITTLE):
            css = "big" if path == BY_BIG else "little"
            parts.append(
                f'<rect class="{css}" x="{x:.1f}" y="{top}" width="{max(step, 2):.1f}" height="{BAR}"/>'
            )
    rate = int(viewing.rate[0])
    for second in range(count // rate + 1):
        at = _x(second * rate, count) - 6
        parts.append(f'<text class="quiet" x="{at:.1f}" y="{top + BAR + 16}">{second} s</text>')
    has_little = bool((outcome.path[:count] == BY_LITTLE).any())
    legend = (
        ("big", "Big starts" if has_little else "network starts", True),
        ("little", "Little starts", has_little),
        ("busy", "computes", True),
        ("lids", "lids closed", bool((viewing.closed[:count] > _SHUT).any())),
    )
    x, y = LEFT, top + BAR + 28
    for css, words, is_drawn in legend:
        if not is_drawn:
            continue
        parts.append(f'<rect class="{css}" x="{x}" y="{y}" width="12" height="12"/>')
        parts.append(f'<text x="{x + 17}" y="{y + 11}">{words}</text>')
        x += 30 + 7 * len(words)
    return [*parts, f'<text class="quiet" x="{x}" y="{y + 11}">grey line: truth; coloured line: shown</text>']


def _lids(closed: Floats, top: int, height: int, count: int) -> list[str]:
    step = WIDTH / count
    return [
        f'<rect class="lids" x="{_x(int(i), count):.1f}" y="{top}" width="{step + 0.2:.1f}" height="{height}"/>'
        for i in np.flatnonzero(closed > _SHUT)
    ]


def _stairs(panel: _Panel, values: Floats, known: NDArray[np.bool_], css: str) -> str:
    """Return a line that keeps each frame's value until the next frame."""
    points = [
        point
        for i in np.flatnonzero(known)
        for point in (panel.at(int(i), float(values[i])), panel.at(int(i) + 1, float(values[i])))
    ]
    return f'<polyline class="{css}" points="{" ".join(points)}"/>'
