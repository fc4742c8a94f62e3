"""Draw latencies as SVG: published ones as bars, ours, which are modelled, as ranges with the median."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

WIDTH, LEFT, BAR, GAP, GROUP, TOP = 760, 300, 18, 6, 22, 78
PUBLISHED, MODELLED = "#9aa5b1", "#2f6f9f"
FONT = 'font-family="system-ui, sans-serif" font-size="13"'
OURS = "tinytracker, budget 1.15"


def plot(rows: list[dict[str, Any]], names: dict[str, str]) -> str:
    """Return the drawing.

    Args:
        rows: as in mlperf_tiny.csv; benchmarks without published results are left out.
        names: titles of the benchmarks.
    """
    parts, y = [], TOP
    for short, name in names.items():
        group = [row for row in rows if row["benchmark"] == short]
        others = [row for row in group if row["kind"] == "published"]
        if not others:
            continue
        mine = [row for row in group if row["software"] == OURS]
        scale = (WIDTH - LEFT - 160) / max(float(row["ms"]) for row in others)
        parts.append(f'<text x="16" y="{y + 2}" font-weight="600" {FONT}>{escape(name)}</text>')
        y += 12
        for row in [*others, *mine]:
            parts += _line(row, y, scale)
            y += BAR + GAP
        y += GROUP
    height = y - GROUP + 8
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
        f'<text x="16" y="26" font-weight="600" font-family="system-ui, sans-serif" font-size="15">'
        "MLPerf Tiny on a Cortex-M4 at 120 MHz: ms per inference</text>"
        f'<text x="16" y="46" {FONT}>Grey: published, measured on a NUCLEO-L4R5ZI. '
        "Blue: ours, modelled, not measured; range and median.</text>\n"
    )
    return head + "\n".join(parts) + "</svg>\n"


def _line(row: dict[str, Any], y: int, scale: float) -> list[str]:
    modelled = row["kind"] == "modelled"
    middle, ms = y + BAR / 2 + 5, float(row["ms"])
    label = f"{row['software'].split(',')[0]} ({row['kind']})"
    drawn = [f'<text x="{LEFT - 10}" y="{middle:g}" text-anchor="end" {FONT}>{escape(label)}</text>']
    if not modelled:
        drawn.append(_bar(LEFT, y, ms * scale, PUBLISHED))
        return [*drawn, f'<text x="{LEFT + ms * scale + 7:.1f}" y="{middle:g}" {FONT}>{ms:g}</text>']
    low, high = float(row["ms_low"]), float(row["ms_high"])
    drawn.append(_bar(LEFT + low * scale, y, (high - low) * scale, MODELLED))
    drawn.append(_bar(LEFT + ms * scale - 1, y - 2, 2, "#12324a", BAR + 4))
    text = f"{_number(low)} to {_number(high)}, median {_number(ms)}"
    return [*drawn, f'<text x="{LEFT + high * scale + 7:.1f}" y="{middle:g}" {FONT}>{text}</text>']


def _number(ms: float) -> str:
    return f"{ms:.0f}" if ms >= 20 else f"{ms:.1f}"


def _bar(x: float, y: float, width: float, colour: str, height: int = BAR) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" fill="{colour}"/>'
