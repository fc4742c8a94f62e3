"""The page of the table of platforms: self-contained HTML, no scripts, no requests, light and dark."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tinytracker.platforms.figure import Absent, Cell, Figure
from tinytracker.platforms.row import PlatformRow
from tinytracker.platforms.table import PlatformTable
from tinytracker.report.svg import WIDTH, line, number, svg, text

if TYPE_CHECKING:
    from markupsafe import Markup

COLUMNS = {
    "error_cm": "error, cm", "inference_ms": "inference, ms", "inference_mj": "inference, mJ",
    "frame_ms": "frame, ms", "frame_mj": "frame, mJ", "power_mw": "power, mW", "rate_mj": "at {rate:g} frames/s, mJ",
}  # fmt: skip

_LEFT, _RIGHT, _STEP, _TOP = 136.0, 60.0, 19.0, 8.0


@dataclass
class Sources:
    """The sources of a page's figures, numbered in the order of their first use."""

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, source: str) -> int:
        """Return the number of a source."""
        return self.numbers.setdefault(source, len(self.numbers) + 1)


def shown(value: float) -> str:
    """Return a number with three digits, without an exponent."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(value)))
    return f"{value:,.{min(digits, 4)}f}"


def render(table: PlatformTable) -> str:
    """Return the page."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    sources = Sources()
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("tinytracker.platforms"), PackageLoader("tinytracker.report")]),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals["cell"] = lambda cell: _cell(cell, sources)
    return environment.get_template("platforms.html.jinja").render(
        t=table,
        columns={name: label.format(rate=table.rate) for name, label in COLUMNS.items()},
        remarks=_remarks(table.rows),
        sources=sources,
        figures=[
            _figure("inference-ms", "One inference, ms", table.rows, "inference_ms"),
            _figure("inference-mj", "One inference, mJ", table.rows, "inference_mj"),
            _figure("rate-mj", f"A frame at {table.rate:g} frames/s, always on, mJ", table.rows, "rate_mj"),
        ],
    )


def _remarks(rows: tuple[PlatformRow, ...]) -> list[tuple[str, str]]:
    """Return labels and what to know about them; rows with the same remark share a line."""
    grouped: dict[str, list[str]] = {}
    for row in rows:
        said = [*row.remarks, *([f"Fit: {row.fit.why}"] if row.fit.why else [])]
        if said:
            labels = grouped.setdefault(" ".join(said), [])
            labels += [row.label] if row.label not in labels else []
    return [(", ".join(labels), remark) for remark, labels in grouped.items()]


def _cell(cell: Cell, sources: Sources) -> Markup:
    """Return a figure with its range, its mark and the numbers of its sources; or a dash whose title says why."""
    from markupsafe import Markup

    if isinstance(cell, Absent):
        return Markup('<span class="none" title="{}">–</span>').format(cell.reason)
    ends = (
        Markup('<span class="range">{} to {}</span>').format(shown(cell.low), shown(cell.high))
        if cell.is_range and shown(cell.low) != shown(cell.high)
        else Markup("")
    )
    links = Markup(" ").join(
        Markup('<a class="source" href="#source-{n}">{n}</a>').format(n=n)
        for n in sorted(sources.number(part) for part in cell.sources)
    )
    return Markup(
        '<data value="{}" title="{}">{}</data>{}<span class="from"><span class="mark {}">{}</span> {}</span>'
    ).format(repr(cell.value), cell.source, shown(cell.value), ends, cell.mark.value, cell.mark.value, links)


@dataclass(frozen=True)
class PageFigure:
    """A drawing and its title; platforms without a number are named below it."""

    svg: Markup
    title: str
    missing: str


def _figure(name: str, title: str, rows: tuple[PlatformRow, ...], column: str) -> PageFigure:
    """Draw one column on a logarithmic axis: a dot for each number, a bar for its range, coloured by mark."""
    from markupsafe import Markup

    drawn = [(row, cell) for row in rows if isinstance(cell := row.cells[column], Figure) and cell.low > 0]
    missing = ", ".join(dict.fromkeys(row.label for row in rows if isinstance(row.cells[column], Absent)))
    if not drawn:
        return PageFigure(Markup(""), title, missing)
    low = math.floor(math.log10(min(cell.low for _, cell in drawn)))
    high = max(math.ceil(math.log10(max(cell.high for _, cell in drawn))), low + 1)

    def at(value: float) -> float:
        return _LEFT + (math.log10(value) - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)

    bottom = _TOP + len(drawn) * _STEP
    parts = []
    # With more decades than that, the labels of neighbours such as 0.001 and 0.01 touch.
    labelled = 1 if high - low <= 4 else 2
    for power in range(low, high + 1):
        parts.append(line(at(10**power), _TOP, at(10**power), bottom, "grid"))
        if (power - low) % labelled == 0:
            parts.append(text(at(10**power), bottom + 16, f"{10.0**power:g}", "tick", "middle"))
    for k, (row, cell) in enumerate(drawn):
        y = _TOP + (k + 0.5) * _STEP
        parts.append(text(_LEFT - 8, y + 4, _short(row), "label", "end"))
        if cell.is_range:
            parts.append(line(at(cell.low), y, at(cell.high), y, f"span {cell.mark.value}"))
        parts.append(f'<path d="M{number(at(cell.value))} {number(y)}h0" class="dot {cell.mark.value}"/>')
        parts.append(text(WIDTH, y + 4, shown(cell.value), "value", "end"))
    # svg.py escapes texts; names of classes are our own.
    return PageFigure(Markup(svg(name, title, bottom + 22, *parts)), title, missing)


_SHORT = {"Raspberry Pi AI Camera (IMX500)": "IMX500", "Neural Compute Stick 2": "NCS 2"}


def _short(row: PlatformRow) -> str:
    """A label that fits beside a drawing; a computer's runtime tells its rows apart."""
    if row.platform.endswith("+gate"):
        return row.platform.replace("+", " + ")
    label = _SHORT.get(row.label, row.label).replace("Coral Dev Board", "Coral").replace("Accelerator", "")
    runtime = row.arithmetic.split(" (")[0].split(",")[0]
    return f"{label}, {runtime.split()[0]}" if row.platform == "pc" else label.strip()
