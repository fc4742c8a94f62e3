"""`tinytracker measure`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from rich.table import Table

from tinytracker.cli.baselines import NO_SYNC, Plan, baseline_options, marked, sync_of
from tinytracker.cli.board import (
    board_options,
    delay_option,
    fps_option,
    images_for,
    opened_board,
    refuse_gate,
)
from tinytracker.cli.evening import next_step
from tinytracker.cli.host import chosen_host, host_options
from tinytracker.cli.output import Output, interval_text, verb
from tinytracker.cli.power import Power, power_options
from tinytracker.cli.types import OUT, Number
from tinytracker.errors import UsageError
from tinytracker.progress import say
from tinytracker.targets import find_target, with_part
from tinytracker.words import counted

if TYPE_CHECKING:
    from tinytracker.evaluate.calibration import Calibration
    from tinytracker.measure.measurement import Measurement, Source
    from tinytracker.measure.statistics import Summary

REPLAY = "replay"
"""A recorded session in place of a board. Not in the table of targets: there is no device behind it."""

_STOPPED = 130


@verb
@click.argument("session", required=False, type=click.Path(path_type=Path))
@click.option(
    "--target",
    type=click.Choice([*with_part("board"), REPLAY]),
    required=True,
    help="Board to measure, or replay.",
)
@click.option(
    "--frames",
    type=click.IntRange(1, 1_000_000),
    default=200,
    help="Frames to measure after the warm-up; with fewer than 200, some medians have no interval.",
)
@click.option("--warmup", type=click.IntRange(0), default=10, help="Frames to run first and ignore.")
@click.option(
    "--burst", type=click.IntRange(1, 1_000_000), default=1, help="Inferences in each frame, back to back."
)
@click.option(
    "--bench", type=click.Choice(["memory"]), help="First measure how fast the board reads its memory."
)
@click.option("--out", type=OUT, help="Session file to write.")
@board_options
@host_options
@power_options
@click.option(
    "--calibration", type=click.Path(path_type=Path), help="Correction of the gaze for one person, JSON."
)
@click.option("--silence", type=Number(0.1), help="Timeout for a silent board, s.")
@fps_option
@delay_option
@baseline_options
@click.option(
    "--seed", type=click.IntRange(0), default=0, help="Random seed of the test patterns and the bootstrap."
)
def command(
    session: Path | None,
    power_file: Path | None,
    power_command: str | None,
    voltage: float | None,
    calibration: Path | None,
    **options: Any,
) -> Output:
    """Measure latency phase by phase on a board, into a session file, or evaluate SESSION again (--target replay).

    Ctrl-C keeps what was measured. Times of the emulated board are counted instructions and are labelled as such.
    """
    power = Power(power_file, power_command, voltage)
    correction = None
    if calibration is not None:
        from tinytracker.evaluate.calibration import read_calibration

        correction = read_calibration(calibration)
        if correction.needs_features:
            raise UsageError(
                f"{calibration}: this correction needs activations that a device does not send.",
                "Fit one on outputs: tinytracker calibrate fit POINTS --method affine --out FILE.",
            )
    if options["target"] == REPLAY:
        if session is None:
            raise UsageError("Which session?", "Use: tinytracker measure --target replay SESSION")
        _refuse_board_options(options)
        replayed = _replay(session, options["out"], options["seed"], correction)
        return _joined(power.recorded(session), replayed, session)
    if session is not None:
        raise UsageError(
            f"{session}: a session can only be read with --target replay.", "Write the new one with --out."
        )
    return _record(power, correction, **options)


_OF_REPLAY = ("target", "out", "seed")


def _refuse_board_options(options: Mapping[str, Any]) -> None:
    """Refuse what only a measurement would do; a replay would ignore it in silence."""
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name in options and name not in _OF_REPLAY:
            raise UsageError(
                f"{parameter.opts[0]} is for a measurement; --target {REPLAY} only reads a session that was recorded.",
                f"Omit {parameter.opts[0]}.",
            )


def _joined(power: Power, output: Output, session: Path) -> Output:
    """The output with the energy of the session's frames, once the meter's file is there."""
    from tinytracker.cli.energy import energy_text
    from tinytracker.errors import RefusedError
    from tinytracker.measure.power import measure_energy

    if power.file is None:
        return output
    if not power.file.exists():
        later = f"tinytracker energy {power.file} --session {session}"
        text = (*output.text, f"Stop the meter, save its recording as {power.file}, then: {later}")
        return Output(output.document, text, output.exit_code)
    try:
        found = measure_energy(power.file, session, voltage_v=power.voltage_v)
    except RefusedError as refused:
        document = {**output.document, "energy": {"refused": refused.reason, "detail": refused.message}}
        return Output(document, (*output.text, str(refused)), max(output.exit_code, 1))
    document = {**output.document, "energy": found.as_json()}
    text = energy_text(f"{power.file}: {found.trace.meter}", found)
    return Output(document, (*output.text, *text), output.exit_code)


def _record(
    power: Power,
    correction: Calibration | None,
    *,
    target: str,
    frames: int,
    warmup: int,
    burst: int,
    bench: str | None,
    out: Path | None,
    port: str | None,
    rpc: str | None,
    run_folder: Path | None,
    model: Path | None,
    quantized: str,
    images: Path | None,
    finder: Path | None,
    cascade: Path | None,
    little: Path | None,
    image_count: int,
    silence: float | None,
    fps: float | None,
    region_delay: int | None,
    runtime: str | None,
    threads: int | None,
    device: str | None,
    xnnpack: bool | None,
    baselines: tuple[str, ...],
    baseline_seconds: float,
    sync: str | None,
    seed: int,
) -> Output:
    from tinytracker.measure.measurement import measure
    from tinytracker.measure.opening import Request
    from tinytracker.runs import command_line

    if out is None:
        raise UsageError("No file for the session was named.", "Give --out, for example --out session.jsonl.")
    if find_target(target).is_emulated and power.file is not None:
        raise UsageError("An emulated board draws no current.", "Omit --power.")
    power = power.beside(out)
    metadata: dict[str, Any] = {"command": command_line(), "target": target}
    if correction is not None:
        metadata["calibration"] = correction.model_dump(mode="json")
    host = chosen_host(target, runtime, threads, device, xnnpack)
    request = Request(port, rpc, fps=fps, silence_s=silence, keep_raw=True, delay=region_delay, host=host)
    way = sync_of(target, sync, baselines, power.file is not None)
    if way != NO_SYNC or baselines:  # a camera, which works at its own rate
        if bench is not None:
            raise UsageError(f"{target} has no memory to measure.", "Omit --bench for this target.")
        if burst > 1:
            raise UsageError(
                f"{target} runs one inference per frame, not {burst}.", "Omit --burst for this target."
            )
        refuse_gate(target, cascade, little)
        if finder is not None:
            from tinytracker.model.tflite_file import read_network

            request = replace(request, finder=read_network(finder))
        options = (target, run_folder, model, quantized)
        plan = Plan(frames, warmup, out, metadata, baselines, baseline_seconds, way)
        with power.recording():
            result = marked(*options, request, plan, lambda sha256: _check_network(correction, sha256))
        return _joined(power, _shown(result, seed), out)
    with opened_board(target, run_folder, model, quantized, request, finder, cascade, little) as board:
        _check_network(correction, board.source.board.model_sha256)
        if bench is not None:
            metadata["memory"] = _memory(board.source, target)
        given = images_for(board.source, board.network, images, image_count, seed, board.finder, board.little)
        with power.recording():
            result = measure(
                board.source, out, frames, warmup=warmup, burst=burst, images=given, metadata=metadata
            )
    shown = _joined(power, _shown(result, seed), out)
    return replace(shown, text=(*shown.text, *next_step("measure", run_folder, quantized, out)))


def _memory(source: Source, target: str) -> list[dict[str, Any]]:
    """How fast the board reads each place of its memory, for the session's header."""
    from tinytracker.measure.link import Link

    if not isinstance(source, Link):
        raise UsageError(f"{target} has no memory to measure.", "Omit --bench for this target.")
    return [speed.model_dump() for speed in source.bench_memory()]


def _check_network(correction: Calibration | None, model_sha256: str) -> None:
    """Refuse a correction that was made for another network, before anything is measured."""
    from tinytracker.evaluate.calibration_identity import remarks_on

    if correction is not None:
        for remark in remarks_on(correction.identity, model_sha256):
            say(remark)


def _shown(result: Measurement, seed: int) -> Output:
    """The session's table; the exit code tells how the measurement ended."""
    shown = show(result.path, seed)
    codes = {"done": shown.exit_code, "stopped": _STOPPED}
    return Output(shown.document, shown.text, codes.get(result.end, 1))


def _replay(session: Path, out: Path | None, seed: int, correction: Calibration | None) -> Output:
    """Evaluate a recorded session again: its numbers, and its bytes parsed with today's parser."""
    from tinytracker.measure.playback import replay, write_replay
    from tinytracker.measure.session_reader import read_raw

    output = show(session, seed, correction)
    document: dict[str, Any] = {**output.document, "replayed": None}
    if not read_raw(session):
        if out is not None:
            raise UsageError(f"{session}: this session holds no received bytes.", "Omit --out.")
        text = (*output.text, "It holds no received bytes to parse again.")
        return Output(document, text, output.exit_code)
    found = replay(session)
    counts = f"{counted(len(found.frames), 'frame')} and {counted(len(found.exchanges), 'clock exchange')}"
    said = [f"Its bytes parsed again: {counts}.", *found.differences]
    if out is not None:
        said.append(f"Written to {write_replay(found, out)}.")
    document["replayed"] = {
        "frames": len(found.frames), "exchanges": len(found.exchanges), "differences": list(found.differences),
    }  # fmt: skip
    return Output(document, (*output.text, *said), 1 if found.differences else output.exit_code)


def show(path: Path, seed: int, correction: Calibration | None = None) -> Output:
    """Table and numbers of a session; exit code 1 when there are none, or when outputs differ from the oracle."""
    from tinytracker.measure.latency import ARRIVAL, TRANSMIT
    from tinytracker.measure.results import summarize_session

    result = summarize_session(path, seed, correction)
    header = result.session.header
    emulated = " (emulated: counted instructions, not real time)" if header.is_emulated else ""
    table = Table(title=f"{header.board.get('name', '?')}{emulated}, times in µs", title_justify="left")
    table.add_column("")
    for column in ("n", "median", "95 % interval", "p5", "p95", "p99", "mean", "sd", "outliers"):
        table.add_column(column, justify="right")
    for name, row in result.rows.items():
        table.add_row(name, *_cells(row))
    if result.clock_unknown:
        for name in (TRANSMIT, ARRIVAL):
            table.add_row(name, "", "clock-unknown")
    failed = result.defective or not result.rows
    return Output(result.as_json(), (table, *result.sentences), 1 if failed else 0)


def _cells(row: Summary) -> tuple[str, ...]:
    p99 = "" if row.p99 is None else f"{row.p99:,.1f}"
    return (
        f"{row.n:,}", f"{row.median:,.1f}", interval_text(row.ci95, ",.1f"), f"{row.p5:,.1f}", f"{row.p95:,.1f}", p99,
        f"{row.mean:,.1f}", f"{row.sd:,.1f}", f"{row.outliers:,}",
    )  # fmt: skip
