"""Draw the map of docs/architecture.md from the layers of import-linter: `python docs/tools/floors.py docs/images`."""

from __future__ import annotations

import ast
import sys
from html import escape
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
GROUPS = {
    "cli": "what people use",
    "measure": "devices",
    "evaluate": "networks",
    "synth": "data",
    "runs": "foundation",
}
"""The top layer of each group; the layers below it belong to the group until the next one begins."""

ROW, GAP, TOP, LEFT, WIDTH, BAND, NAMES = 24, 14, 34, 10, 830, 142, 112
LONGEST = 76
"""Characters of a purpose."""
STYLE = """<style>
  .page { fill: #ffffff } .group { fill: #e9edf2; stroke: #aeb8c4 } .row { fill: #f8fafc; stroke: #c4ccd5 }
  text { font: 12.5px system-ui, sans-serif; fill: #2b3540 } .name { font: 600 12.5px ui-monospace, monospace }
  .title { font: 600 13px system-ui, sans-serif } .quiet { fill: #5b6876 } .arrow { stroke: #0b7285; stroke-width: 2 }
  .head { fill: #0b7285 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #171c22 } .group { fill: #2a323c; stroke: #4d5967 } .row { fill: #1f262e; stroke: #3c4753 }
    text { fill: #e3e8ee } .quiet { fill: #a3afbc } .arrow { stroke: #3bc9db } .head { fill: #3bc9db }
  }
</style>"""


def layers() -> list[str]:
    """Modules and packages below `tinytracker`, from the top down."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = settings["tool"]["importlinter"]["contracts"][0]
    return [layer.removeprefix("tinytracker.") for layer in contract["layers"]]


def purpose(layer: str) -> str:
    """What a module is for: the first sentence of its docstring, shortened by clauses until it fits."""
    path = ROOT / "tinytracker" / layer
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    text = docstring.partition("\n\n")[0].replace("\n", " ").partition(". ")[0].rstrip(".")
    while len(text) > LONGEST and (end := max(text.rfind(mark) for mark in (", ", ": ", " ("))) > 0:
        text = text[:end]
    return text


def draw() -> str:
    """The picture as SVG."""
    groups: list[tuple[str, list[str]]] = []
    for layer in layers():
        if layer in GROUPS:
            groups.append((GROUPS[layer], []))
        groups[-1][1].append(layer)
    parts, y = [], TOP
    for title, members in groups:
        height = ROW * len(members) + 12
        parts.append(
            f'<rect class="group" x="{LEFT}" y="{y}" width="{WIDTH - 60}" height="{height}" rx="6"/>'
        )
        parts.append(f'<text class="title" x="{LEFT + 12}" y="{y + 22}">{escape(title)}</text>')
        for k, layer in enumerate(members):
            row, x = y + 6 + ROW * k, LEFT + BAND
            width = WIDTH - 60 - BAND - 6
            parts.append(
                f'<rect class="row" x="{x}" y="{row + 1}" width="{width}" height="{ROW - 2}" rx="3"/>'
            )
            parts.append(f'<text class="name" x="{x + 8}" y="{row + 16}">{escape(layer)}</text>')
            parts.append(
                f'<text class="quiet" x="{x + NAMES}" y="{row + 16}">{escape(purpose(layer))}</text>'
            )
        y += height + GAP
    x, end = WIDTH - 24, y - GAP
    parts.append(f'<line class="arrow" x1="{x}" y1="{TOP}" x2="{x}" y2="{end - 10}"/>')
    parts.append(f'<path class="head" d="M {x - 6} {end - 12} L {x + 6} {end - 12} L {x} {end} Z"/>')
    parts.append(
        f'<text class="quiet" x="{LEFT}" y="22">Imports point down: a row uses only rows below it.</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{end + 14}" viewBox="0 0 {WIDTH} {end + 14}" '
        f'role="img"><title>The layers of the package, from the command line down</title>{STYLE}\n'
        f'<rect class="page" width="{WIDTH}" height="{end + 14}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


if __name__ == "__main__":
    (Path(sys.argv[1]) / "floors.svg").write_text(draw(), encoding="utf-8")
