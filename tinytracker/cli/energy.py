"""`tinytracker energy`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from tinytracker.cli.output import Output, interval_text, verb
from tinytracker.cli.types import ANY_NUMBER, LINES, SPAN, Number

if TYPE_CHECKING:
    from tinytracker.energy.result import Energy, EnergyReport, Refusal
    from tinytracker.measure.baselines import Baselines
    from tinytracker.measure.power import Measured


@verb
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("--session", type=click.Path(path_type=Path), help="Session of the same run.")
@click.option("--format", "format_name", help="Format of the trace; default: detected from its content.")
@click.option("--voltage", type=ANY_NUMBER, help="Supply, V, for meters that record only the current.")
@click.option("--full-scale", type=ANY_NUMBER, help="End of the meter's range, A, to detect clipped samples.")
@click.option(
    "--lines",
    type=LINES,
    help="Meter's lines that carry the phases, lowest bit first, or none; default: 0,1 or 0,1,2.",
)
@click.option(
    "--phases",
    help="Names of the phases, separated by commas; default: the session's, or the boards' usual ones.",
)
@click.option("--offset", type=ANY_NUMBER, help="Meter's time at the start of the session's first frame, s.")
@click.option("--offset-bound", type=Number(0), help="Largest error of --offset, s.")
@click.option(
    "--warmup", type=click.IntRange(0), help="First frames to ignore; default: the number in the session."
)
@click.option(
    "--burst",
    type=click.IntRange(1),
    help="Inferences in each frame; default: the number in the session, or 1.",
)
@click.option("--idle", type=SPAN, help="FROM:TO, a stretch known to be idle, s of the meter's time.")
@click.option("--skip-damaged", is_flag=True, help="Skip frames with lost or clipped samples.")
@click.option("--seed", default=0, help="Random seed of the bootstrap.")
def command(
    trace: Path,
    session: Path | None,
    format_name: str | None,
    voltage: float | None,
    full_scale: float | None,
    lines: tuple[int, ...] | None,
    phases: str | None,
    offset: float | None,
    offset_bound: float | None,
    warmup: int | None,
    burst: int | None,
    idle: tuple[float, float] | None,
    skip_damaged: bool,
    seed: int,
) -> Output:
    """Energy per frame and phase of TRACE, the file of a power meter.

    Formats: ppk2, ppk2-csv, jls, energyrunner, sysfs, lpm01a, otii-csv, csv.
    """
    from tinytracker.measure.marked import measure_baselines
    from tinytracker.measure.power import measure_energy
    from tinytracker.measure.session_reader import read_session

    run = None if session is None else read_session(session)
    if run is not None and run.stretches and not len(run):
        found, meter, baselines = measure_baselines(
            trace, run, format_name=format_name, voltage_v=voltage, lines=lines, seed=seed
        )
        document = {
            "trace": {"meter": found.meter},
            "session": str(session),
            "baselines": baselines.as_json(),
        }
        return Output(document, (baselines_table(baselines), *baseline_remarks(baselines), meter.said))
    result = measure_energy(
        trace,
        run,
        format_name=format_name,
        voltage_v=voltage,
        full_scale_a=full_scale,
        lines=lines,
        phases=tuple(p.strip() for p in phases.split(",")) if phases else None,
        offset_s=offset,
        offset_bound_s=offset_bound,
        warmup=warmup,
        burst=burst,
        idle=idle,
        skip_damaged=skip_damaged,
        seed=seed,
    )
    title = f"{trace}: {result.trace.meter}, {result.trace.rate_hz:,.0f} samples/s, {result.trace.duration_s:.1f} s"
    return Output(result.as_json(), energy_text(title, result))


def energy_text(title: str, found: Measured) -> tuple[Table | str, ...]:
    """Tables of energies and baselines, and what a reader should know."""
    from tinytracker.measure.baselines import Power

    shown: list[Table | str] = [energy_table(title, found.report), *energy_remarks(found.report)]
    if found.baselines is not None and found.baselines.stretches:
        shown += [baselines_table(found.baselines), *baseline_remarks(found.baselines)]
        network = found.baselines.differences["network"]
        if isinstance(network, Power) and found.report.period_s is not None:
            energy = network.power_w * found.report.period_s * 1e3
            shown.append(f"Network alone: {energy:.4f} mJ per frame (its power over a period).")
    return (*shown, *found.remarks)


def baselines_table(found: Baselines) -> Table:
    """Powers of named stretches and their differences."""
    from tinytracker.measure.baselines import Power

    table = Table(title="Baselines", title_justify="left")
    table.add_column("")
    for column in ("s", "mW", "95 % interval"):
        table.add_column(column, justify="right")
    for part in (found.stretches, found.differences):
        table.add_section()
        for name, power in part.items():
            if isinstance(power, Power):
                interval = interval_text(power.ci95_w, ".2f", 1e3)
                table.add_row(name, f"{power.seconds:.1f}", f"{power.power_w * 1e3:.2f}", interval)
            else:
                table.add_row(name, "", "-", power.reason)
    return table


def baseline_remarks(found: Baselines) -> list[str]:
    """Why differences are missing."""
    from tinytracker.measure.baselines import Power

    every = (*found.stretches.values(), *found.differences.values())
    return sorted({f"No answer: {r.detail}." for r in every if not isinstance(r, Power)})


def energy_table(title: str, report: EnergyReport) -> Table:
    """Energy and power by phase."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for column in ("frames", "ms", "mW", "mJ total", "95 % interval", "mJ without idle", "95 % interval"):
        table.add_column(column, justify="right")
    for row in report.phases:
        if row.phase == report.phases[-1].phase:
            table.add_section()
        power = "" if row.power_w is None else f"{row.power_w * 1e3:.2f}"
        table.add_row(
            row.phase,
            f"{row.frames:,}",
            f"{row.duration_s * 1e3:.3f}",
            power,
            *_cells(row.total),
            *_cells(row.dynamic),
        )
    return table


def _cells(value: Energy | Refusal) -> tuple[str, str]:
    from tinytracker.energy.result import Refusal

    if isinstance(value, Refusal):
        return "-", value.reason
    return f"{value.mean_j * 1e3:.4f}", interval_text(value.ci95_j, ".4f", 1e3)


def energy_remarks(report: EnergyReport) -> list[str]:
    """What a reader of the table should know."""
    from tinytracker.energy.result import Refusal

    refusals = {r.detail for row in report.phases for r in (row.total, row.dynamic) if isinstance(r, Refusal)}
    said = sorted(f"No answer: {detail}." for detail in refusals)
    if not isinstance(report.idle, Refusal):
        interval = interval_text(report.idle.ci95_w, ".3f", 1e3)
        power = f"{report.idle.power_w * 1e3:.3f} mW (95 %: {interval})"
        said.append(f"Idle: {power} over {report.idle.seconds:.1f} s.")
    if report.per_inference is not None and not isinstance(report.per_inference, Refusal):
        each = report.per_inference
        interval = interval_text(each.ci95_j, ".4f", 1e3)
        how = f"{report.burst:,} back to back" if report.burst > 1 else "one in each frame, no burst"
        said.append(f"Energy per inference: {each.mean_j * 1e3:.4f} mJ (95 %: {interval}), {how}.")
    if not isinstance(report.window_per_frame_j, Refusal):
        whole = report.window_per_frame_j * 1e3
        said.append(f"Whole window, including sending and pauses: {whole:.4f} mJ per frame.")
    if report.damaged or report.partial:
        said.append(
            f"Frames skipped: {report.damaged} damaged, {report.partial} cut off by an end of the trace."
        )
    return [*said, *report.warnings]
