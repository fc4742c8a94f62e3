"""The figures of a report, each from a part of report.json."""

from __future__ import annotations

from typing import Any

from tinytracker.report.svg import (
    WIDTH,
    Plot,
    dots,
    legend,
    line,
    nice_ticks,
    number,
    polyline,
    rectangle,
    svg,
    text,
)
from tinytracker.words import counted

SERIES = 4
"""Number of line colours; further series reuse them."""


def learning_curve(name: str, history: list[dict[str, float]], constant_cm: float | None) -> str:
    """Draw training loss and validation error by epoch."""
    epochs = [row["epoch"] for row in history]
    values = [row[k] for row in history for k in ("train_loss", "val_error_cm")]
    shown = min(
        max(values), 3 * sorted(values)[len(values) // 2]
    )  # a single outlier must not flatten the rest
    plot = Plot((min(epochs), max(max(epochs), min(epochs) + 1)), (0.0, 1.08 * shown), 230)
    parts = [plot.axes("epoch", "cm")]
    for key, classes in (("train_loss", "line s2"), ("val_error_cm", "line s1")):
        points = [plot.at(r["epoch"], min(r[key], plot.y[1])) for r in history]
        parts += [
            polyline(points, classes),
            dots(points, f"dot {classes.split()[1]}") if len(points) < 4 else "",
        ]
    best = min(history, key=lambda r: r["val_error_cm"])
    x, y = plot.at(best["epoch"], min(best["val_error_cm"], plot.y[1]))
    parts.append(dots([(x, y)], "dot s1 large"))
    entries = [("line s1", "validation"), ("line s2", "training (loss)")]
    if constant_cm is not None and constant_cm <= plot.y[1]:
        y = plot.at_y(constant_cm)
        parts += [line(48, y, WIDTH - 14, y, "line constant")]
        entries.append(("line constant", "constant (test)"))
    names, end = legend(entries, 250)
    return svg(name, f"Learning curve over {counted(len(history), 'epoch')}", end, *parts, names)


def error_cdf(name: str, curves: list[tuple[str, list[float]]]) -> str:
    """Draw the share of frames by largest error in cm; `curves` are names and percentiles 0 to 100."""
    last = max(percentiles[98] for _, percentiles in curves)
    plot = Plot((0.0, last), (0.0, 1.0), 230)
    parts, entries = [plot.axes("error, cm", "frames", percent=True)], []
    for i, (label, percentiles) in enumerate(curves):
        inside = [(e, p / 100) for p, e in enumerate(percentiles) if e <= last]
        classes = f"line s{i % SERIES + 1}{' dashed' if i >= SERIES else ''}"
        parts.append(polyline([plot.at(e, p) for e, p in inside], classes))
        entries.append((classes, label))
    names, end = legend(entries, 250)
    return svg(
        name, f"Cumulative distribution of errors of {counted(len(curves), 'model')}", end, *parts, names
    )


def groups(name: str, errors: dict[str, Any]) -> str:
    """Draw the error with 95 % interval by family, orientation and device, beside the constant predictor."""
    rows: list[tuple[str, dict[str, Any] | None]] = [("all", errors["overall"])]
    for key, prefix in (("by_family", ""), ("by_orientation", "orientation "), ("by_device", "")):
        rows.append(("", None))
        rows += [(prefix + label, row) for label, row in errors[key].items()]
    step, left, top = 24.0, 124.0, 4.0
    height = top + sum(step if row else step / 2 for _, row in rows) + 40
    highest = float(max(max(r["ci95_cm"][1], r["constant_cm"], r["error_cm"]) for _, r in rows if r))

    def at(value: float) -> float:
        return left + value / (1.04 * highest) * (WIDTH - left - 14)

    parts, y = [], top
    for label, row in rows:
        if row is None:
            y += step / 2
            continue
        y += step
        low, high = row["ci95_cm"]
        middle = y - step / 2
        parts += [
            text(left - 8, middle + 4.5, label, "label", "end"),
            line(left, middle, WIDTH - 14, middle, "grid"),
            line(at(low), middle, at(high), middle, "interval s1"),
            dots([(at(row["error_cm"]), middle)], "dot s1 large"),
            line(at(row["constant_cm"]), middle - 6, at(row["constant_cm"]), middle + 6, "line constant"),
        ]
    bottom = y + 6
    parts.append(line(left, bottom, WIDTH - 14, bottom, "axis"))
    parts += [text(at(t), bottom + 15, f"{t:g}", "tick", "middle") for t in nice_ticks(0, 1.04 * highest)]
    parts.append(text((left + WIDTH - 14) / 2, bottom + 31, "error, cm", "label", "middle"))
    return svg(name, "Error by family, orientation and device", height, *parts)


def screen_map(name: str, found: dict[str, Any], span: tuple[float, float]) -> str:
    """Draw the smoothed error over one screen, and arrows from dots to where the network sees them.

    Args:
        name: id of the figure.
        found: map from `tinytracker.report.screens`.
        span: errors in cm of the faintest and of the strongest colour.
    """
    x0, y0, x1, y1 = found["screen"]
    margin, height, widest = 8.0, 240.0, 230.0
    reach = [(v[2], v[3]) for v in found["arrows"]]
    left = max(min([x0, *(x for x, _ in reach)]), x0 - 0.4 * (x1 - x0))
    right = min(max([x1, *(x for x, _ in reach)]), x1 + 0.4 * (x1 - x0))
    low = max(min([y0, *(y for _, y in reach)]), y0 - 0.25 * (y1 - y0))
    high = min(max([y1, 0.3, *(y for _, y in reach)]), y1 + 0.25 * (y1 - y0))
    scale = min((widest - 2 * margin) / (right - left), (height - 2 * margin) / (high - low))
    shift = (widest - (right - left) * scale) / 2

    def at(x: float, y: float) -> tuple[float, float]:
        return shift + (x - left) * scale, margin + (high - y) * scale

    def inside(x: float, y: float) -> tuple[float, float]:
        return min(max(x, left), right), min(max(y, low), high)

    parts = []
    faint, full = span
    for x, y, width, tall, error, support in found["cells"]:
        strength = min(max((error - faint) / max(full - faint, 1e-6), 0.0), 1.0)
        place = at(x, y + tall)
        title = f"{error:.1f} cm" if support >= 0.3 else "too few frames"
        opacity = (0.06 + 0.84 * strength) * min(1.0, support / 0.6)
        parts.append(rectangle(*place, width * scale, tall * scale, "heat", opacity, title))
    corner = at(x0, y1)
    parts.append(rectangle(*corner, (x1 - x0) * scale, (y1 - y0) * scale, "screen"))
    parts.append(dots([at(0, 0)], "camera"))
    for x, y, seen_x, seen_y in found["arrows"]:
        start, end = at(x, y), at(*inside(seen_x, seen_y))
        parts.append(
            f'<path d="M{number(start[0])} {number(start[1])}L{number(end[0])} {number(end[1])}" class="arrow"/>'
        )
        parts.append(dots([start], "target"))
        parts.append(dots([end], "seen"))
    label = f"Error over the screen of {found['device']}, mean {found['error_cm']:.1f} cm"
    return svg(name, label, margin * 2 + (high - low) * scale, *parts, width=widest)


def int8_scatter(name: str, pair: dict[str, Any]) -> str:
    """Draw INT8 prediction against float prediction, x and y of gaze in two colours."""
    values = [v for point in pair["points_cm"] for xy in point for v in xy]
    span = min(values), max(values)
    margin = 0.04 * max(span[1] - span[0], 1.0)
    plot = Plot((span[0] - margin, span[1] + margin), (span[0] - margin, span[1] + margin), 320)
    first, second = plot.at(plot.x[0], plot.x[0]), plot.at(plot.x[1], plot.x[1])
    parts = [plot.axes("float, cm", "INT8, cm"), line(*first, *second, "line constant")]
    for axis, classes in ((0, "point s1"), (1, "point s3")):
        parts.append(
            dots([plot.at(exact[axis], rounded[axis]) for exact, rounded in pair["points_cm"]], classes)
        )
    names, end = legend([("line s1", "x"), ("line s3", "y"), ("line constant", "equal")], 340)
    return svg(
        name, f"{pair['model']} against float on {counted(pair['frames'], 'frame')}", end, *parts, names
    )


def calibration_curve(name: str, table: dict[str, Any]) -> str:
    """Draw the error against the number of calibration dots, by method."""
    rows = table["rows"]
    ks = sorted({row["dots"] for row in rows})
    auto = [row for row in rows if row["method"] == "auto"]
    low = min(min(row["error_cm"] for row in rows), *(row["ci95_cm"][0] for row in auto)) if auto else 0.0
    high = max(table["before_cm"], *(row["ci95_cm"][1] for row in auto)) if auto else table["before_cm"]
    plot = Plot((0.0, max(ks) + 1.0), (max(0.0, low - 0.1 * high), 1.05 * high), 230)
    parts = [plot.axes("calibration dots", "error, cm")]
    y = plot.at_y(table["before_cm"])
    parts.append(line(48, y, WIDTH - 14, y, "line constant"))
    entries = [("line constant", "none")]
    for row in auto:
        x = plot.at_x(row["dots"])
        parts.append(line(x, plot.at_y(row["ci95_cm"][0]), x, plot.at_y(row["ci95_cm"][1]), "interval s1"))
    for i, method in enumerate(("auto", "offset", "affine", "ridge")):
        points = [plot.at(r["dots"], r["error_cm"]) for r in rows if r["method"] == method]
        if points:
            points = [plot.at(0, table["before_cm"]), *points]
            classes = f"line s{i + 1}{' strong' if i == 0 else ''}"
            parts += [polyline(points, classes), dots(points[1:], f"dot s{i + 1}")]
            entries.append((classes, method))
    names, end = legend(entries, 250)
    return svg(name, "Error against the number of calibration dots", end, *parts, names)


def waterfall(name: str, session: dict[str, Any]) -> str:
    """Draw the median time of each phase, one after the other; thin lines from the 5th to the 95th percentile."""
    rows = [(phase, session["latency_us"][phase]) for phase in session["phases"]]
    whole = session["latency_us"].get("frame")
    total = sum(row["median"] for _, row in rows)
    highest = float(max(total, whole["p95"] if whole else 0.0, 1e-9))
    left, step, top = 92.0, 32.0, 2.0
    room = WIDTH - left - 72

    def at(value: float) -> float:
        return left + value / highest * room

    parts, begin, y = [], 0.0, top
    for i, (phase, row) in enumerate([*rows, ("whole frame", whole)]):
        if row is None:
            continue
        is_whole = phase == "whole frame"
        start = 0.0 if is_whole else begin
        classes = "bar whole" if is_whole else f"bar s{i % SERIES + 1}"
        parts += [
            text(left - 8, y + 15, phase, "label", "end"),
            rectangle(at(start), y + 3, at(start + row["median"]) - at(start), 16, classes),
            line(at(start + row["p5"]), y + 23, at(start + row["p95"]), y + 23, "interval thin"),
            text(at(start + row["median"]) + 5, y + 15, duration(row["median"]), "value"),
        ]
        if not is_whole:
            begin += row["median"]
        y += step
    label = f"Median latency of each phase, {session['source']}"
    return svg(name, label, y + 6, *parts)


def duration(us: float) -> str:
    """Return a time with three digits in a suitable unit."""
    unit, factor = next((u, f) for u, f in (("s", 1e6), ("ms", 1e3), ("µs", 1.0)) if us >= f or f == 1.0)
    value = us / factor
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} {unit}"


def energy_bars(name: str, energy: dict[str, Any]) -> str:
    """Draw the energy of each phase, total and without idle; a refused number is stated, not drawn."""
    totals = [p["total"] for p in energy["phases"] if "mean_j" in p["total"]]
    highest = max([(p["ci95_j"] or [0.0, p["mean_j"]])[1] for p in totals] or [1e-9])
    left, step = 92.0, 40.0
    room = WIDTH - left - 70

    def bar(y: float, part: dict[str, Any], classes: str) -> list[str]:
        if "mean_j" not in part:
            return [text(left, y + 10, "refused: " + part["refused"]["reason"], "label")]
        width = max(0.0, part["mean_j"]) / highest * room
        low, high = ((max(end, 0) / highest * room) for end in part["ci95_j"] or (0.0, 0.0))
        whisker = [line(left + low, y + 5.5, left + high, y + 5.5, "whisker")] if part["ci95_j"] else []
        value = text(left + max(width, high) + 5, y + 10, f"{1e3 * part['mean_j']:.3g} mJ", "value")
        return [rectangle(left, y, width, 11, classes), *whisker, value]

    parts, y = [], 6.0
    for phase in energy["phases"]:
        parts.append(text(left - 8, y + 16, phase["phase"], "label", "end"))
        parts += bar(y, phase["total"], "bar s1") + bar(y + 14, phase["dynamic"], "bar s3")
        y += step
    names, end = legend([("line s1", "total"), ("line s3", "without idle")], y + 12, 92.0)
    return svg(name, "Energy per frame and phase", end, *parts, names)


def memory_bars(name: str, rows: list[dict[str, Any]]) -> str:
    """Draw the memory that each package needs and its target has."""
    step, y, parts = 62.0, 4.0, []
    for row in rows:
        used, limit = sum(row["parts"].values()), row["limit_bytes"]
        end = max(limit or used, used, 1)
        parts.append(text(0, y + 11, f"{row['package']}: {row['what']}", "label"))
        share = f"{used / 1e3:,.0f} of {limit / 1e3:,.0f} kB" if limit else f"{used / 1e3:,.0f} kB"
        parts.append(text(WIDTH, y + 11, share, "value", "end"))
        if limit:
            parts.append(rectangle(0, y + 17, WIDTH * limit / end, 14, "room"))
        x = 0.0
        for i, (what, size) in enumerate(row["parts"].items()):
            width = WIDTH * size / end
            parts.append(
                rectangle(x, y + 17, width, 14, f"bar s{i % SERIES + 1}", title=f"{what}: {size:,} bytes")
            )
            x += width
        parts.append(
            text(
                0, y + 45, ", ".join(f"{w} {size / 1e3:,.0f} kB" for w, size in row["parts"].items()), "label"
            )
        )
        y += step
    return svg(name, "Memory of each target", y, *parts)


def aim_strip(name: str, aim: dict[str, Any]) -> str:
    """Draw where the network looked, frame by frame: across the picture above, down it below; coloured by state."""
    columns = aim["strip"]
    left, room, top, tall, gap = 52.0, WIDTH - 66.0, 4.0, 62.0, 14.0
    last = max(columns[-1]["frame"], 1)
    step = room / max(len(columns), 1)
    parts = []
    for row, (low, high, label) in enumerate((("left", "right", "across"), ("top", "bottom", "down"))):
        y = top + row * (tall + gap)
        parts += [
            rectangle(left, y, room, tall, "screen"),
            text(left - 8, y + tall / 2 + 4, label, "label", "end"),
        ]
        for k, column in enumerate(columns):
            begin, end = (min(max(column[side], 0.0), 1.0) for side in (low, high))
            classes = (
                "s1" if column["state"] == 1 and column["eyes"] else "s3" if column["state"] == 1 else "s4"
            )
            opacity = None if classes == "s1" else 0.55
            parts.append(
                rectangle(left + k * step, y + begin * tall, step, (end - begin) * tall, classes, opacity)
            )
    bottom = top + 2 * tall + gap
    parts.append(text(left, bottom + 15, "frame 0", "tick"))
    parts.append(text(left + room, bottom + 15, f"{last:,}", "tick", "end"))
    names, end = legend(
        [("line s1", "followed"), ("line s3", "followed, no eyes"), ("line s4", "searching or lost")],
        bottom + 30,
        left,
    )
    return svg(name, "Region that the network saw, over time", end, *parts, names)
