"""Draw error against work for all presets in results/accuracy.csv: docs/images/error_macs.svg."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from xml.sax.saxutils import escape

from common import RESULTS

OUT = RESULTS.parent.parent / "docs" / "images" / "error_macs.svg"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 420, 64, 24, 52, 56
FONT = 'font-family="system-ui, sans-serif" font-size="13"'
COLOURS = {"face": "#9a6a1f", "eye_band": "#2f6f9f"}
"""Colour of a point by what its network sees."""


def _ticks(low: float, high: float, step: float) -> list[float]:
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def plot(rows: list[dict[str, str]], kinds: dict[str, str]) -> str:
    """Return the drawing.

    Args:
        rows: rows of accuracy.csv, one per preset and seed.
        kinds: what each preset sees, `InputSpec.kind`.
    """
    macs = [int(r["macs"]) / 1e6 for r in rows]
    errors = [float(r["int8_cm"]) for r in rows]
    right, top = math.ceil(max(macs) / 2) * 2 + 1, math.ceil(max(errors))

    def x(value: float) -> float:
        return LEFT + value / right * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<line x1="{LEFT}" y1="{y(v):.1f}" x2="{WIDTH - RIGHT}" y2="{y(v):.1f}" stroke="#e3e6ea"/>'
        f'<text x="{LEFT - 8}" y="{y(v) + 4:.1f}" text-anchor="end" {FONT}>{v:g}</text>'
        for v in _ticks(0, top, 1)
    ]
    parts += [
        f'<text x="{x(v):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle" {FONT}>{v:g}</text>'
        for v in _ticks(0, right, 2)
    ]
    named = set()
    for row, work, error in zip(rows, macs, errors, strict=True):
        colour = COLOURS[kinds[row["preset"]]]
        title = f"{row['preset']}, seed {row['seed']}: {error:.2f} cm in INT8, {row['float_cm']} cm in float"
        parts.append(
            f'<circle cx="{x(work):.1f}" cy="{y(error):.1f}" r="5" fill="{colour}" fill-opacity="0.6">'
            f"<title>{escape(title)}</title></circle>"
        )
        if row["preset"] not in named:
            named.add(row["preset"])
            parts.append(
                f'<text x="{x(work) - 10:.1f}" y="{y(error) - 10:.1f}" text-anchor="end" {FONT} fill="{colour}">'
                f"{escape(row['preset'])}</text>"
            )
    one = rows[0]
    people = (
        f"{int(one['test_frames']):,} synthetic frames of {one['test_subjects']} people unseen in training"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
        f'<text x="16" y="26" font-weight="600" font-family="system-ui, sans-serif" font-size="15">'
        f"INT8 error in cm on {people}"
        f'</text><text x="{WIDTH - RIGHT}" y="{HEIGHT - 14}" text-anchor="end" {FONT}>'
        "millions of multiply-accumulates per frame; a dot is a seed</text>" + "\n".join(parts) + "</svg>\n"
    )


def main() -> None:
    from tinytracker.model.presets import PRESETS

    with (RESULTS / "accuracy.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    OUT.write_text(plot(rows, {name: preset.input.kind for name, preset in PRESETS.items()}))
    print(Path("docs/images") / OUT.name)


if __name__ == "__main__":
    main()
