"""`tinytracker live`."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tinytracker.cli.board import board_options, delay_option, fps_option, images_for, opened_board
from tinytracker.cli.live_webcam import refuse_board_options, watch
from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import ANY_NUMBER, SCREEN, Number
from tinytracker.errors import TinyTrackerError, UsageError
from tinytracker.targets import find_target, with_part
from tinytracker.words import counted

if TYPE_CHECKING:
    from tinytracker.live.frames import LiveFrame, Point
    from tinytracker.live.view import LiveView, Origin
    from tinytracker.measure.board import Board
    from tinytracker.package.source import ModelSource


@verb
@click.option(
    "--target",
    type=click.Choice(list(with_part("board", "live"))),
    help="Board to show; webcam: no board, the network runs on this computer.",
)
@click.option("--replay", type=click.Path(path_type=Path), help="A recorded session instead of a board.")
@click.option("--speed", type=Number(0.01, 1000), default=1.0, help="Speed of a replay; 2 is twice as fast.")
@click.option("--device", help="Show the screen of a device, such as 'iPhone 6'; default: --screen.")
@click.option(
    "--orientation", type=click.IntRange(1, 4), default=1, help="How the device is held; 1 is upright."
)
@click.option("--screen", type=SCREEN, default="34x19", help="Your screen below the camera, cm.")
@click.option(
    "--gap", type=ANY_NUMBER, default=0.0, help="From the camera down to the screen's upper edge, cm."
)
@click.option(
    "--calibration",
    type=click.Path(path_type=Path),
    default="calibration.json",
    help="Calibration to apply if the file exists; a new one is written to it, or beside it if it exists.",
)
@click.option(
    "--allow-host",
    multiple=True,
    metavar="HOST:PORT",
    help="Also accept requests to this HOST:PORT, for a tunnel.",
)
@click.option("--person", help="Label of the person in a new calibration.")
@click.option("--force", is_flag=True, help="Overwrite --calibration with a new calibration.")
@click.option(
    "--http", type=click.IntRange(0, 65535), default=8377, help="Port of the page; 0: any free port."
)
@click.option(
    "--seconds", type=Number(0, min_open=True), help="Time after which to stop; default: on Ctrl-C."
)
@board_options
@fps_option
@delay_option
def command(
    target: str | None, replay: Path | None, speed: float, device: str | None, orientation: int,
    screen: tuple[float, float], gap: float, calibration: Path, person: str | None, force: bool,
    http: int, seconds: float | None, allow_host: tuple[str, ...], **board: Any,
) -> Output:  # fmt: skip
    """Show on a local page where a person looks, from a board, a webcam or a recorded session; calibrate there.

    The page is served to this computer alone. Ctrl-C ends it.
    """
    from tinytracker.live.screen import own_screen, screen_of_device
    from tinytracker.live.server import serving
    from tinytracker.live.view import LiveView
    from tinytracker.progress import say

    if (target is None) == (replay is None):
        raise UsageError(
            "Frames come either from a board or from a session.", "Give either --target or --replay FILE."
        )
    shown = screen_of_device(device, orientation) if device else own_screen(*screen, gap)

    def view_of(origin: Origin) -> LiveView:
        return LiveView(origin, shown, calibration, person=person, force=force)

    if target is not None and find_target(target).live:
        refuse_board_options(target, board)
        return watch(
            target, view_of, http, allow_host, seconds,
            run=board["run_folder"], model=board["model"], quantized=board["quantized"], finder=board["finder"],
        )  # fmt: skip
    opened = _replayed(replay, speed) if replay is not None else _board(target or "", **board)
    with opened as stream:
        view = view_of(stream.origin)
        began = time.monotonic()
        stopped = False
        with serving(view, http, allow_host) as address:
            try:  # from when the address is known: Ctrl-C may come at once
                say(f"[bold]{address}[/bold] shows the gaze; Ctrl-C ends it.")
                with closing(stream.frames) as frames:
                    view.run(frames, lambda: seconds is not None and time.monotonic() - began >= seconds)
            except KeyboardInterrupt:
                stopped = True
            except TinyTrackerError as error:
                view.fail(error)
                raise
    lasted = time.monotonic() - began
    document = {
        "origin": stream.origin.as_json(), "screen": view.screen.as_json(), "frames": view.frames, "lost": view.lost,
        "seconds": round(lasted, 3), "stopped": stopped,
        "calibration": None if view.calibration is None else view.calibration.model_dump(mode="json"),
    }  # fmt: skip
    lost = f", {view.lost:,} lost" if view.lost else ""
    return Output(document, (f"{counted(view.frames, 'frame')} in {lasted:.0f} s{lost}.",))


@dataclass(frozen=True)
class _Stream:
    """Frames and where they come from."""

    origin: Origin
    frames: Generator[LiveFrame, None, None]


@contextmanager
def _replayed(path: Path, speed: float) -> Iterator[_Stream]:
    from tinytracker.live.frames import frames_of_session
    from tinytracker.live.view import Origin
    from tinytracker.measure.session_reader import read_session

    session = read_session(path)
    header = session.header
    origin = Origin(
        str(header.board.get("name", "?")), "replay", header.is_emulated, header.phases,
        str(header.model.get("sha256", "")),
    )  # fmt: skip
    yield _Stream(origin, frames_of_session(session, speed))


@contextmanager
def _board(
    target: str, *, port: str | None, rpc: str | None, run_folder: Path | None, model: Path | None,
    quantized: str, images: Path | None, finder: Path | None, cascade: Path | None, little: Path | None,
    image_count: int, fps: float | None,
    region_delay: int | None,
) -> Iterator[_Stream]:  # fmt: skip
    from tinytracker.live.frames import frames_of_board
    from tinytracker.measure.opening import Request

    request = Request(port, rpc, fps=fps, pictures=True, delay=region_delay)
    with opened_board(target, run_folder, model, quantized, request, finder, cascade, little) as opened:
        inputs = images_for(
            opened.source, opened.network, images, image_count, 0, opened.finder, opened.little
        )
        truth = _truth(opened.network, image_count) if inputs is not None and images is None else None
        yield _Stream(_origin(opened.source.board), frames_of_board(opened.source, inputs, truth))


def _origin(board: Board) -> Origin:
    from tinytracker.live.view import Origin

    source = "emulated" if board.is_emulated else "hardware"
    return Origin(board.name, source, board.is_emulated, board.phases, board.model_sha256)


def _truth(chosen: ModelSource | None, count: int) -> list[Point] | None:
    """Where the people in a run's first test images looked, or None for a model without a run."""
    if chosen is None or chosen.data is None or not chosen.preset:
        return None
    from tinytracker.data.index import read_index
    from tinytracker.evaluate.predict import truth

    return [(float(x), float(y)) for x, y in truth(read_index(chosen.data), "test").gaze[:count]]
