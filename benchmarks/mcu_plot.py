"""Draw instructions per MAC as bars in SVG: our kernels beside those of the microcontroller interpreter."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from tinytracker.emulate.yardstick import CMSIS_NN

WIDTH, LEFT, BAR, GAP, GROUP, TOP = 760, 300, 20, 5, 26, 58
COLOURS = {"other": "#9aa5b1", "portable": "#c9a66b", "ours": "#2f6f9f"}
FONT = 'font-family="system-ui, sans-serif" font-size="13"'


def bars(rows: list[dict[str, Any]], name: str) -> list[tuple[str, float, str]]:
    """Return (label, instructions per MAC, colour) of one published network."""
    yardstick = CMSIS_NN[name]
    lines = [
        ("TFLM, its own kernels", yardstick.reference_instructions / yardstick.macs, COLOURS["other"]),
        ("TFLM with CMSIS-NN", yardstick.instructions_per_mac, COLOURS["other"]),
    ]
    for row in rows:
        if row["network"] == name:
            portable = row["kernels"] == "portable"
            label = (
                "generated, portable" if portable else f"generated, Cortex-M4, budget {row['weights_budget']}"
            )
            lines.append(
                (label, float(row["instructions_per_mac"]), COLOURS["portable" if portable else "ours"])
            )
    return lines


def plot(rows: list[dict[str, Any]]) -> str:
    """Return the drawing; rows as in mcu.csv."""
    groups = {name: bars(rows, name) for name in CMSIS_NN}
    scale = (WIDTH - LEFT - 70) / max(value for group in groups.values() for _, value, _ in group)
    parts, y = [], TOP
    for name, group in groups.items():
        parts.append(f'<text x="16" y="{y + 4}" font-weight="600" {FONT}>{escape(name)}</text>')
        y += 14
        for label, value, colour in group:
            middle = y + BAR / 2 + 5
            parts.append(
                f'<text x="{LEFT - 10}" y="{middle:g}" text-anchor="end" {FONT}>{escape(label)}</text>'
            )
            parts.append(
                f'<rect x="{LEFT}" y="{y}" width="{value * scale:.1f}" height="{BAR}" fill="{colour}"/>'
            )
            parts.append(f'<text x="{LEFT + value * scale + 7:.1f}" y="{middle:g}" {FONT}>{value:.2f}</text>')
            y += BAR + GAP
        y += GROUP
    height = y - GROUP + 16
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
        f'<text x="16" y="26" font-weight="600" font-family="system-ui, sans-serif" font-size="15">'
        "Instructions per multiply-accumulate, Cortex-M4 emulated by QEMU</text>"
    )
    return head + "\n".join(parts) + "</svg>\n"
