"""`tinytracker collect`."""

from __future__ import annotations

import shlex
import time
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tinytracker.cli.output import Output, verb
from tinytracker.cli.types import ANY_NUMBER, SCREEN, SIZE, Number
from tinytracker.errors import InputFileError, OutputError, TinyTrackerError, UsageError
from tinytracker.targets import with_part
from tinytracker.words import counted

if TYPE_CHECKING:
    from tinytracker.collect.desk import Desk
    from tinytracker.collect.film import ShownDot
    from tinytracker.collect.shots import Shots
    from tinytracker.live.screen import Screen
    from tinytracker.live.webcam_finder import Finder
    from tinytracker.live.webcam_network import AimedNetwork

FILM = "video"
"""Source: a film of a person who looked at dots that another program showed."""

_BOARDS = [name for name, target in with_part("board").items() if target.camera]
_STEP_S = 0.1
_POINTS_WIDE = 1280


@verb
@click.option(
    "--source",
    type=click.Choice([*with_part("live"), FILM, *_BOARDS]),
    default=next(iter(with_part("live"))),
    help="Where frames come from: a webcam, a board with a camera, or a video that was recorded elsewhere.",
)
@click.option(
    "--out",
    "session",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the session; it may have sittings already.",
)
@click.option("--screen", type=SCREEN, default="34x19", help="Your screen below the camera, cm.")
@click.option(
    "--gap", type=ANY_NUMBER, default=0.0, help="From the camera down to the screen's upper edge, cm."
)
@click.option(
    "--across", type=ANY_NUMBER, default=0.0, help="From the screen's middle to the right to the camera, cm."
)
@click.option("--device", help="Name of the screen as a device; default: its measures.")
@click.option(
    "--dots", type=click.IntRange(1, 5000), default=230, help="Dots of a sitting; 230 take ten minutes."
)
@click.option(
    "--run", "run_folder", type=click.Path(path_type=Path), help="Run whose network finds the eyes."
)
@click.option("--model", type=click.Path(path_type=Path), help="Network that finds the eyes, a .tflite file.")
@click.option("--quantized", default="ptq-int8", help="Quantized model of the run.")
@click.option("--finder", type=click.Path(path_type=Path), help="Finder for the first look, a .tflite file.")
@click.option("--port", help="board: its serial port, or socket://HOST:PORT; default: the only one there is.")
@click.option("--rpc", help="board: URL for commands; default: the board's own.")
@click.option(
    "--network",
    type=click.Path(path_type=Path),
    help="board: package to load into it, for one whose sensor runs the network.",
)
@click.option(
    "--film", type=click.Path(path_type=Path), help="video: film, or a folder of frames with times.csv."
)
@click.option(
    "--shown", type=click.Path(path_type=Path), help="video: CSV file of when a dot was shown where."
)
@click.option(
    "--points",
    type=SIZE,
    help="video: the screen's width and height in points; default: 1280 wide, and as high as --screen says.",
)
@click.option("--person", help="video: label of the person; the same in every sitting.")
@click.option("--consent", is_flag=True, help="video: the person agreed to be recorded.")
@click.option(
    "--allow-host",
    multiple=True,
    metavar="HOST:PORT",
    help="Also accept requests to this HOST:PORT, for a tunnel.",
)
@click.option(
    "--http", type=click.IntRange(0, 65535), default=8377, help="Port of the page; 0: any free port."
)
@click.option(
    "--seconds", type=Number(0, min_open=True), help="Time after which to stop; default: on Ctrl-C."
)
def command(
    source: str, session: Path, screen: tuple[float, float], gap: float, across: float, device: str | None, dots: int,
    run_folder: Path | None, model: Path | None, quantized: str, finder: Path | None, port: str | None,
    rpc: str | None, network: Path | None, film: Path | None,
    shown: Path | None, points: tuple[int, int] | None, person: str | None, consent: bool, allow_host: tuple[str, ...],
    http: int, seconds: float | None,
) -> Output:  # fmt: skip
    """Record people who look at dots into a session: subjects in GazeCapture's layout, for `prepare` and `adapt`.

    A page shows the dots; nothing leaves this computer. Ctrl-C ends it, and finishes what was begun.
    """
    from tinytracker.collect.desk import Desk
    from tinytracker.collect.film import read_dots
    from tinytracker.collect.subject import write_report
    from tinytracker.live.screen import own_screen
    from tinytracker.live.webcam_source import open_finder, open_network
    from tinytracker.locks import locked
    from tinytracker.progress import say

    given = {"--film": film, "--shown": shown, "--person": person}
    if source == FILM:
        missing = [name for name, value in given.items() if value is None]
        if missing:
            raise UsageError(f"--source {FILM} needs {missing[0]}.", "See docs/one-evening.md.")
        if not str(person).strip():
            raise UsageError("The label of the person is empty.", "Give a name: --person ann.")
        if not consent:
            raise UsageError("Nothing is recorded without consent.", "Add --consent if the person agreed.")
        assert film is not None
        assert shown is not None
        if not film.exists():
            raise InputFileError(film, "there is no such film", "Give a video file, or a folder of frames.")
        table = read_dots(shown)
    place, points = own_screen(*screen, gap, across), _points(screen, points)
    with locked(session, "collect"):
        say("Preparing the network for this computer.")  # a compiler on a slow computer takes seconds
        eyes, first = open_network(run_folder, model, quantized), open_finder(finder)
        if source == FILM:
            assert film is not None
            _film(session, place, eyes, first, film, table, points, str(person).strip(), device)
        elif source in _BOARDS:
            from tinytracker.cli.collect_board import shots_of

            with shots_of(source, port, rpc, network) as shots:
                desk = Desk(session, place, eyes, first, dots, device, shots.name)
                _page(desk, http, allow_host, seconds, shots)
        else:
            _page(Desk(session, place, eyes, first, dots, device), http, allow_host, seconds)
        report = write_report(session)
    return _output(session, report)


def _points(screen: tuple[float, float], given: tuple[int, int] | None) -> tuple[int, int]:
    """Return a screen's size in points, which are square."""
    from tinytracker.data.devices import SQUARE

    width, height = screen
    if given is None:
        return _POINTS_WIDE, max(round(_POINTS_WIDE * height / width), 1)
    ratio = (width / given[0]) / (height / given[1])
    if abs(ratio - 1) > SQUARE:
        raise UsageError(
            f"With --screen {width:g}x{height:g} and --points {given[0]}x{given[1]} a point would be {ratio:.2f} times "
            "as wide as high.",
            "Correct one of them, or leave out --points.",
        )
    return given


def _page(
    desk: Desk, http: int, allowed: tuple[str, ...], seconds: float | None, shots: Shots | None = None
) -> None:
    """Serve the page until Ctrl-C, or for some seconds; a board's frames go to the desk meanwhile.

    Raises:
        TinyTrackerError: the port is taken, or the board fails; the page says it, too.
    """
    from tinytracker.live.server import serving
    from tinytracker.progress import say

    began = time.monotonic()
    with serving(desk, http, allowed, "collect.html", {"/frame": desk.frame}) as address:
        try:  # from when the address is known: Ctrl-C may come at once
            say(f"[bold]{address}[/bold] shows the dots and records; Ctrl-C ends it.")
            while seconds is None or time.monotonic() - began < seconds:
                if shots is None:
                    time.sleep(_STEP_S)
                else:
                    desk.shot(shots.take())
        except KeyboardInterrupt:
            pass
        except TinyTrackerError as error:  # what was begun stays unfinished, and can be continued
            desk.fail(error)
            time.sleep(_STEP_S)  # the page gets it before the server ends
            raise
    desk.close()


def _film(
    session: Path, screen: Screen, network: AimedNetwork, finder: Finder | None, film: Path, dots: list[ShownDot],
    points: tuple[int, int], person: str, device: str | None,
) -> None:  # fmt: skip
    from tinytracker.collect.device import device_of
    from tinytracker.collect.eyes import Watcher
    from tinytracker.collect.film import film_frames, record_film, require_new
    from tinytracker.collect.journal import Head, as_row, journals
    from tinytracker.collect.recorder import Sitting
    from tinytracker.evaluate.calibration_identity import today

    frames = film_frames(film)
    first = next(frames, None)  # a film that cannot be read leaves no sitting and no device behind
    if first is None:
        raise InputFileError(film, "there are no frames in it", "Give a film, or a folder with times.csv.")
    watcher = Watcher(network, finder)
    label = f"{FILM} {film.name}"
    require_new(session, label, person, dots)
    begun = [j for j in journals(session) if j.head().source == label and j.head().person == person]
    if begun:
        sitting = Sitting.resume(begun[0], watcher)
    else:
        head = Head(
            person=person, began=today(), consented=today(), source=label, network_sha256=network.sha256,
            device=as_row(device_of(screen, points, device)), screen_cm=screen.edges, points=points,
        )  # fmt: skip
        sitting = Sitting.begin(session, head, watcher)
    record_film(sitting, dots, chain([first], frames))
    if sitting.finish() is None:
        raise OutputError(
            session,
            f"no frame of {film} could be used",
            "The times of film and dots must be those of one clock, and each dot must be shown for a second or more.",
        )


def _output(session: Path, report: dict[str, Any]) -> Output:
    from tinytracker.adapt.division import LEAST_DOTS

    lines = [
        f"{session}: {counted(report['frames'], 'frame')} of {', '.join(report['people']) or 'nobody'} in "
        f"{counted(len(report['sittings']), 'sitting')}."
    ]
    if report["left_out"]:
        lines.append("Left out: " + ", ".join(f"{n:,} {why}" for why, n in report["left_out"].items()) + ".")
    lines += sorted({event["text"] for row in report["sittings"] for event in row["events"]})
    dots = sum(row["dots"] for row in report["sittings"] if row["finished"])
    if 0 < dots < LEAST_DOTS:
        lines.append(
            f"{counted(dots, 'dot')} so far; `adapt` needs {LEAST_DOTS}. Record more into the same folder."
        )
    elif dots:
        given = shlex.quote(str(session))
        lines.append(f"Next: tinytracker adapt {given} --from tinytracker-v2-aim --out my-run")
    return Output({"folder": str(session), **report}, tuple(lines))
