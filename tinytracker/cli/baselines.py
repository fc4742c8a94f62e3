"""`tinytracker baselines`, and what `tinytracker measure` shares with it: named stretches, and steps a meter sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tinytracker.cli.board import fps_option, opened_board
from tinytracker.cli.output import Output, verb
from tinytracker.cli.power import Power, power_options
from tinytracker.cli.types import NAMES, OUT, Number
from tinytracker.errors import UsageError
from tinytracker.targets import find_target, with_part

if TYPE_CHECKING:
    from tinytracker.measure.measurement import Measurement
    from tinytracker.measure.opening import Request

_F = TypeVar("_F", bound=Callable[..., Any])

NO_SYNC, _DEFAULT_SYNC = "none", "gpio"
_NAMES = "camera-off,streaming,running"
_CAMERAS = [name for name, target in with_part("board").items() if target.loads]
_WITH = ", ".join(_CAMERAS)

_SYNC = click.option(
    "--sync",
    help=f"How a meter's time is found ({_WITH}): gpio, gpio:NUMBER (a pin wired to it), load (steps of the computer's "
    "load), none; default: gpio when there is a meter or a baseline.",
)
_OPTIONS = (
    click.option(
        "--baselines",
        type=NAMES,
        default="",
        help=f"Stretches to record before the frames ({_WITH}): {_NAMES}.",
    ),
    click.option("--baseline-seconds", type=Number(1.5), default=6.0, help="Duration of each stretch."),
    _SYNC,
)


def baseline_options(command: _F) -> _F:
    """Add --baselines, --baseline-seconds and --sync."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def sync_of(target: str, sync: str | None, baselines: tuple[str, ...], has_meter: bool) -> str:
    """Return how the meter's time is found.

    Raises:
        UsageError: the target has no such way, or a baseline is not known.
    """
    is_camera = bool(find_target(target, "board").loads)
    if not is_camera and (sync not in (None, NO_SYNC) or baselines):
        raise UsageError(
            f"{target} shows its phases on its own pins.", f"--sync and --baselines are for {_WITH}."
        )
    _check_names(baselines)
    return sync or (_DEFAULT_SYNC if is_camera and (has_meter or baselines) else NO_SYNC)


def _check_names(names: tuple[str, ...]) -> None:
    from tinytracker.errors import UnknownNameError

    for name in names:
        if name not in _NAMES.split(","):
            raise UnknownNameError("baseline", name, _NAMES.split(","))


@dataclass(frozen=True)
class Plan:
    """What a camera's measurement is made of; see the options of `tinytracker measure`."""

    frames: int
    warmup: int
    out: Path
    metadata: dict[str, Any]
    baselines: tuple[str, ...]
    seconds: float
    sync: str


def marked(
    target: str,
    run_folder: Path | None,
    model: Path | None,
    quantized: str,
    request: Request,
    plan: Plan,
    check: Callable[[str], None] = lambda sha256: None,
) -> Measurement:
    """Measure with baselines before the frames, and with steps around and among them.

    `check` is asked whether the network with this hash may be measured.
    """
    from tinytracker.measure.baseline_recording import frame_marker, opened_marker, watch_without_network
    from tinytracker.measure.measurement import measure
    from tinytracker.measure.stretches import RUNNING, watch

    with opened_marker(plan.sync) as marker:
        if marker is not None:
            marker.pattern()
        stretches = watch_without_network(target, plan.baselines, plan.seconds, request.fps)
        asked = replace(request, marker=frame_marker(marker))
        with opened_board(target, run_folder, model, quantized, asked) as board:
            check(board.source.board.model_sha256)
            if RUNNING in plan.baselines:
                stretches.append(watch(RUNNING, plan.seconds))

            def afterwards() -> None:
                board.source.stop()
                if marker is not None:
                    marker.pattern()

            return measure(
                board.source, plan.out, plan.frames, warmup=plan.warmup, metadata=plan.metadata, stretches=stretches,
                marker=marker, afterwards=afterwards,
            )  # fmt: skip


@verb
@click.option("--target", type=click.Choice(_CAMERAS), default=_CAMERAS[0], help="Camera to measure.")
@click.option("--model", type=click.Path(path_type=Path), required=True, help="Network to load into it.")
@click.option("--out", type=OUT, required=True, help="Session file to write.")
@click.option("--names", type=NAMES, default=_NAMES, help="Which stretches.")
@click.option("--seconds", type=Number(1.5), default=6.0, help="Duration of each stretch.")
@power_options
@_SYNC
@fps_option
@click.option("--seed", type=click.IntRange(0), default=0, help="Random seed of the bootstrap.")
def command(
    target: str, model: Path, out: Path, names: tuple[str, ...], seconds: float, power_file: Path | None,
    power_command: str | None, voltage: float | None, sync: str | None, fps: float | None, seed: int,
) -> Output:  # fmt: skip
    """Record what a camera draws when it is off, streams, and runs the network, as a reference for energies."""
    from tinytracker.cli.energy import baseline_remarks, baselines_table
    from tinytracker.measure.baseline_recording import opened_marker, record_baselines
    from tinytracker.measure.marked import measure_baselines
    from tinytracker.measure.opening import Request
    from tinytracker.measure.session_reader import read_session

    way = sync_of(target, sync, names, True)
    if way == NO_SYNC:
        raise UsageError(
            "Without --sync, stretches cannot be found in the meter's file.", "Choose gpio or load."
        )
    power = Power(power_file, power_command, voltage).beside(out)
    with power.recording(), opened_marker(way) as marker:
        assert marker is not None
        record_baselines(target, Request(fps=fps, network=model), out, names, seconds, marker)
    document: dict[str, Any] = {"session": str(out), "names": list(names), "baselines": None}
    if power.file is None or not power.file.exists():
        later = f"tinytracker energy {power.file or 'TRACE'} --session {out}"
        return Output(document, (f"{out}. With the meter's file: {later}",))
    _, meter, found = measure_baselines(power.file, read_session(out), voltage_v=voltage, seed=seed)
    document["baselines"] = found.as_json()
    return Output(document, (baselines_table(found), *baseline_remarks(found), meter.said))
