"""Draw a sequence that the aim followed: `python docs/tools/aim_figure.py docs/images` (docs/aim.md).

The data are benchmarks/results/aim_trace.csv, written by `benchmarks/aim_loop.py --trace`.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEFT, WIDTH, PANEL, GAP, TOP = 72, 740, 150, 34, 40
STATES = ("searching", "following", "lost")
STYLE = """<style>
  .page { fill: #ffffff } .strip { fill: #b9c3cf } .edge { stroke: #aeb8c4; fill: none }
  .crop { stroke: #0b7285; stroke-width: 1.8; fill: none } .reach { fill: #0b7285; opacity: 0.14 }
  .searching { fill: #f2b134 } .following { fill: #3aa675 } .lost { fill: #d9534f } .shown { fill: #2b3540 }
  text { font: 12.5px system-ui, sans-serif; fill: #2b3540 } .quiet { fill: #5b6876 }
  .title { font: 600 13px system-ui, sans-serif }
  @media (prefers-color-scheme: dark) {
    .page { fill: #171c22 } .strip { fill: #55616f } .edge { stroke: #4d5967 } .shown { fill: #e3e8ee }
    .crop { stroke: #3bc9db } .reach { fill: #3bc9db } text { fill: #e3e8ee } .quiet { fill: #a3afbc }
  }
</style>"""

Row = dict[str, float]
Scale = Callable[..., tuple[float, float]]


def read(path: Path) -> tuple[list[Row], str]:
    """Return one row per frame, and a sentence that says what was run."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    numbers = ("time", "x", "y", "width", "crop_x", "crop_y", "crop_width", "state", "shown", "visible")
    first = rows[0]
    said = f"{first['movement']} head, delay {first['delay']}, {first['network']}, {first['evidence']}"
    return [{name: float(row[name]) for name in numbers} for row in rows], said


def _band(rows: list[Row], axis: str, prefix: str, css: str, scale: Scale) -> str:
    """Return the band of a strip or crop along one axis; a strip is a third as high as wide."""
    share = 1 / 2 if axis == "x" else 1 / 6
    upper = [scale(r["time"], r[prefix + axis] - share * r[prefix + "width"]) for r in rows]
    lower = [scale(r["time"], r[prefix + axis] + share * r[prefix + "width"]) for r in rows]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*upper, *lower[::-1]])
    return f'<polygon class="{css}" points="{points}"/>'


def draw(rows: list[Row], said: str, size: tuple[int, int]) -> str:
    """Return the picture as SVG."""
    seconds = rows[-1]["time"]
    height = TOP + 2 * (PANEL + GAP) + 62
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 20} {height}">',
        STYLE,
        f'<rect class="page" width="{LEFT + WIDTH + 20}" height="{height}"/>',
        f'<text class="title" x="{LEFT}" y="20">Eyes and crop: {said}</text>',
    ]
    for panel, (axis, name) in enumerate((("x", "across"), ("y", "down"))):
        top, length = TOP + panel * (PANEL + GAP), size[panel]

        def scale(time: float, value: float, top: int = top, length: int = length) -> tuple[float, float]:
            return LEFT + WIDTH * time / seconds, top + PANEL * min(max(value / length, 0), 1)

        parts += [_band(run, axis, "", "strip", scale) for run in _visible(rows)]
        parts.append(_band(rows, axis, "crop_", "reach", scale))
        line = [scale(r["time"], r[f"crop_{axis}"]) for r in rows]
        parts.append(f'<polyline class="crop" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in line)}"/>')
        parts.append(f'<rect class="edge" x="{LEFT}" y="{top}" width="{WIDTH}" height="{PANEL}"/>')
        parts.append(f'<text x="8" y="{top + 14}">{name}</text>')
        parts.append(f'<text class="quiet" x="8" y="{top + 30}">0–{length} px</text>')
    parts += _states(rows, TOP + 2 * (PANEL + GAP))
    return "\n".join([*parts, "</svg>\n"])


def _visible(rows: list[Row]) -> list[list[Row]]:
    """Return the runs of frames in which the eyes are in the picture."""
    runs: list[list[Row]] = [[]]
    for row in rows:
        if row["visible"]:
            runs[-1].append(row)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _states(rows: list[Row], top: int) -> list[str]:
    """Return the bar of states, the line of frames whose gaze is shown, the legend and the seconds."""
    step, seconds = WIDTH / (len(rows) - 1), rows[-1]["time"]
    parts = [f'<text x="8" y="{top + 12}">state</text>', f'<text x="8" y="{top + 30}">gaze</text>']
    for row in rows:
        x = f"{LEFT + WIDTH * row['time'] / seconds - step / 2:.1f}"
        css = STATES[int(row["state"])]
        parts.append(f'<rect class="{css}" x="{x}" y="{top}" width="{step + 0.3:.1f}" height="14"/>')
        if row["shown"]:
            parts.append(f'<rect class="shown" x="{x}" y="{top + 22}" width="{step + 0.3:.1f}" height="6"/>')
    for second in range(int(rows[-1]["time"]) + 1):
        at = LEFT + WIDTH * second / seconds - 6
        parts.append(f'<text class="quiet" x="{at:.1f}" y="{top - 8}">{second} s</text>')
    x = LEFT
    for name in STATES:
        parts.append(f'<rect class="{name}" x="{x}" y="{top + 40}" width="12" height="12"/>')
        parts.append(f'<text x="{x + 17}" y="{top + 51}">{name}</text>')
        x += 94
    legend = "grey: strip; coloured: crop and its centre; dark line: gaze is shown"
    return [*parts, f'<text class="quiet" x="{x}" y="{top + 51}">{legend}</text>']


def main() -> None:
    """Write aim-sequence.svg into the folder of the first argument."""
    path = ROOT / "benchmarks" / "results" / "aim_trace.csv"
    rows, said = read(path)
    with path.open(newline="", encoding="utf-8") as file:
        first = next(csv.DictReader(file))
    size = (int(first["frame_width"]), int(first["frame_height"]))
    (Path(sys.argv[1]) / "aim-sequence.svg").write_text(draw(rows, said, size), encoding="utf-8")


if __name__ == "__main__":
    main()
