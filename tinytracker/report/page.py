"""Turns report.json into one self-contained HTML page: no scripts, no requests, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tinytracker.report import cascade_figures, event_figures, figures, spiking_figures
from tinytracker.report.event_part import Shown
from tinytracker.report.images import FaceImages
from tinytracker.words import counted

if TYPE_CHECKING:
    from markupsafe import Markup

FLOAT = "float"


@dataclass(frozen=True)
class Figure:
    """One figure: SVG, title, caption, and whether it takes the height of two."""

    svg: Markup
    title: str
    caption: str
    tall: bool = False


def render(document: dict[str, Any], images: list[FaceImages], shown: Sequence[Shown] = ()) -> str:
    """Return the page.

    Every number in its tables comes from the document through `n(path...)`, which writes the exact value and the path
    beside the displayed text.

    Args:
        document: content of report.json.
        images: faces, one entry per run.
        shown: events, one entry per clip or recording.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tinytracker.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals["n"] = _number_writer(document)
    return environment.get_template("report.html.jinja").render(
        d=document,
        images=images,
        about_gaze=bool(document["runs"] or document["cascades"])
        or any(p["is_gaze"] for p in document["packages"]),
        run_figures=[_run_figures(i, run) for i, run in enumerate(document["runs"])],
        spiking_figures=[_spiking_figures(i, run) for i, run in enumerate(document["runs"])],
        screens=[_screens(i, run) for i, run in enumerate(document["runs"])],
        overview=_overview(document["runs"]),
        memory=_figure(figures.memory_bars("memory", document["memory"]), "Memory per target", "")
        if document["memory"]
        else None,
        sessions=[_session_figure(i, s) for i, s in enumerate(document["sessions"])],
        aims=[_aim_figure(i, s) for i, s in enumerate(document["sessions"])],
        energies=[_energy_figure(i, e) for i, e in enumerate(document["energies"])],
        cascades=[_cascade_figures(i, c) for i, c in enumerate(document["cascades"])],
        event_figures=[_event_figures(i, e, shown[i]) for i, e in enumerate(document["events"])],
        hidden=[one.sentence for one in shown],
    )


def _number_writer(document: dict[str, Any]) -> Callable[..., Markup]:
    from markupsafe import Markup

    def write(*path: str | int, fmt: str = ".2f", factor: float = 1, unit: str = "") -> Markup:
        """Return the number at a path of the document as text, with its exact value and JSON pointer in attributes."""
        value: Any = document
        for key in path:
            value = value[key]
        if value is None:
            return Markup('<span class="none">–</span>')
        pointer = "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in path)
        shown = format(value * factor, fmt)
        return Markup('<data value="{}" data-key="{}" data-factor="{}">{}</data>{}').format(
            repr(value), pointer, repr(factor), shown.replace("-", "−"), unit
        )

    return write


def _figure(svg: str, title: str, caption: str, tall: bool = False) -> Figure:
    from markupsafe import Markup

    # svg.py has escaped its input.
    return Figure(Markup(svg), title, caption, tall)


def _overview(runs: list[dict[str, Any]]) -> Figure | None:
    """Return a figure with the errors of several runs."""
    curves = [
        (run["name"], run["models"][run["best"]]["percentiles_cm"])
        for run in runs
        if run["best"] and "percentiles_cm" in run["models"][run["best"]]
    ]
    if len(curves) < 2:
        return None
    return _figure(
        figures.error_cdf("cdf-all", curves),
        "Errors of all runs",
        "Share of test frames with at most this error.",
    )


def _run_figures(i: int, run: dict[str, Any]) -> list[Figure]:
    found = []
    best = run["models"][run["best"]] if run["best"] else None
    if run["history"]:
        constant = best["errors"]["overall"]["constant_cm"] if best else None
        svg = figures.learning_curve(f"learning-{i}", run["history"], constant)
        found.append(
            _figure(
                svg, "Learning", "Mean error per epoch; the large dot is the epoch whose weights were kept."
            )
        )
    curves = [(m, p["percentiles_cm"]) for m, p in run["models"].items() if "percentiles_cm" in p]
    if curves:
        svg = figures.error_cdf(f"cdf-{i}", curves)
        found.append(_figure(svg, "Errors", "Share of test frames with at most this error."))
    if best:
        svg = figures.groups(f"groups-{i}", best["errors"])
        caption = (
            "Mean error with its 95 % interval over people, and the constant predictor (dashes), which always answers "
            "the mean of the training labels."
        )
        found.append(
            _figure(svg, "By device and orientation", caption, tall=len(best["errors"]["by_device"]) > 4)
        )
    for model, table in run["calibration"].items():
        nine = [row for row in table["rows"] if row["method"] == "auto"]
        people = (
            f"{counted(table['subjects'], 'person', 'people')} unseen in training, tested on their other dots"
        )
        svg = figures.calibration_curve(f"calibration-{i}-{model}", table)
        caption = f"Error after calibration to each person; {people}." if nine else people
        found.append(_figure(svg, f"Calibration, {model}", caption))
    for pair in run["int8"]:
        svg = figures.int8_scatter(f"int8-{i}-{pair['model']}", pair)
        caption = "Gaze of the INT8 network against gaze of the float network, frame by frame."
        found.append(_figure(svg, f"Float against {pair['model']}", caption))
    return found


def _spiking_figures(i: int, run: dict[str, Any]) -> list[Figure]:
    spiking = run["spiking"]
    if spiking is None:
        return []
    judged = spiking["validation"]
    frames = f"{counted(judged['frames'], 'frame')} of the validation split"
    caption = f"Mean error on {frames} if the readout is read after this step."
    found = []
    if judged["steps"]:
        found.append(
            _figure(spiking_figures.error_by_steps(f"steps-{i}", spiking), "Error by steps", caption)
        )
    if spiking["raster"] is not None:
        caption = (
            "One frame. Each row is a neuron, spread from the most active of its layer (on top) to the least; silent "
            "neurons are left out."
        )
        svg = spiking_figures.raster(f"raster-{i}", spiking["raster"])
        found.append(_figure(svg, "Spikes", caption, tall=True))
    return found


def _screens(i: int, run: dict[str, Any]) -> list[Figure]:
    found = []
    for family in ("phone", "tablet"):
        maps = [m for m in run["maps"] if m["family"] == family]
        errors = [cell[4] for m in maps for cell in m["cells"] if cell[5] >= 0.3]
        if not errors:
            continue
        span = min(errors), max(errors)
        for k, found_map in enumerate(maps):
            svg = figures.screen_map(f"screen-{i}-{family}-{k}", found_map, span)
            caption = (
                f"{family}, {counted(found_map['frames'], 'frame')}; colour {span[0]:.1f} to {span[1]:.1f} cm"
            )
            found.append(_figure(svg, found_map["device"], caption))
    return found


def _session_figure(i: int, session: dict[str, Any]) -> Figure | None:
    if not session["latency_us"]:
        return None
    svg = figures.waterfall(f"latency-{i}", session)
    return _figure(
        svg, "Latency", "Medians, one phase after the other; thin lines span the 5th to the 95th percentile."
    )


def _aim_figure(i: int, session: dict[str, Any]) -> Figure | None:
    if not session["aim"] or not session["aim"]["strip"]:
        return None
    caption = "The band is the region in the whole frame, left to right above, top to bottom below."
    return _figure(figures.aim_strip(f"aim-{i}", session["aim"]), "Aim", caption)


def _energy_figure(i: int, energy: dict[str, Any]) -> Figure | None:
    if not energy["phases"]:
        return None
    return _figure(
        figures.energy_bars(f"energy-{i}", energy), "Energy", "Mean per frame with its 95 % interval."
    )


def _cascade_figures(i: int, part: dict[str, Any]) -> list[Figure]:
    found = []
    best = "Each strategy's best settings, chosen and judged on the same people; the crosses are networks run always."
    for network in ("little", "big"):
        who = network.capitalize()
        known = cascade_figures.STRATEGIES
        if any(c["network"] == network and c["strategy"] in known and c["points"] for c in part["curves"]):
            for key, title in (("microjoules", "energy"), ("busy", "busy time")):
                svg = cascade_figures.tradeoff(f"cascade-{i}-{network}-{key}", part, network, key)
                found.append(_figure(svg, f"{who}: error against {title}", best))
        rows = part["by_person"][network]
        if rows:
            svg = cascade_figures.people(f"cascade-{i}-{network}-people", rows)
            caption = "The eye flow's gate: a dot for each person."
            found.append(_figure(svg, f"{who}: person by person", caption))
    for k, line in enumerate(part["timelines"]):
        svg = cascade_figures.timeline(f"cascade-{i}-timeline-{k}", line)
        caption = (
            f"{line['person']}, strategy {line['strategy']}; grey behind the runs: the network computes."
        )
        found.append(_figure(svg, f"{line['network'].capitalize()}: gaze and runs over time", caption))
    return found


def _event_figures(i: int, part: dict[str, Any], shown: Shown) -> list[Figure]:
    if shown.sentence:
        return []
    gaze = part["gaze"]
    colours = "Blue: the light rose; orange: it fell."
    frames = "The busiest moments in the order of time."
    if gaze is not None:
        frames += " Arrows: how far the gaze has turned since the clip's start."
        at = shown.start + int(gaze["fastest_s"] * 1e6)
        when = "when the eyes were fastest"
    else:
        at, when = (shown.start + shown.stop) // 2, "in the middle"
    around = " around the eyes" if gaze is not None else ""
    over = f"Each column{around} over time"
    return [
        _figure(event_figures.event_frames(f"frames-{i}", shown), "Events", f"{frames} {colours}", tall=True),
        _figure(
            event_figures.surface(f"surface-{i}", shown, at),
            "Time surface",
            f"The whole sensor {when}; events fade to 1/e in {event_figures.SURFACE_TAU_US / 1e3:.0f} ms.",
            tall=True,
        ),
        _figure(
            event_figures.gaze_raster(f"columns-{i}", shown, gaze),
            "Raster",
            f"{over}, above the exact gaze; grey where the eyes are closed."
            if gaze is not None
            else f"{over}.",
            tall=True,
        ),
    ]
