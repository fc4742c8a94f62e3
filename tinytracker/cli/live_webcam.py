"""`tinytracker live --target webcam`: no board; a browser's camera and a network on this computer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tinytracker.cli.evening import next_step
from tinytracker.cli.output import Output
from tinytracker.errors import UsageError
from tinytracker.targets import find_target
from tinytracker.words import counted

if TYPE_CHECKING:
    from tinytracker.live.view import LiveView, Origin
    from tinytracker.live.webcam import Webcam

FOR_BOARDS = ("port", "rpc", "images", "fps", "region_delay", "cascade", "little")
"""Options of boards that a webcam does not have."""

_STEP_S = 0.1


def watch(
    target: str,
    view_of: Callable[[Origin], LiveView],
    http: int,
    allowed: tuple[str, ...],
    seconds: float | None,
    *,
    run: Path | None,
    model: Path | None,
    quantized: str,
    finder: Path | None,
) -> Output:
    """Serve the page until Ctrl-C, or for some seconds.

    Raises:
        TinyTrackerError: the network cannot be used, or the port is taken.
    """
    from tinytracker.live.server import serving
    from tinytracker.live.view import Origin
    from tinytracker.live.webcam import PHASES, Webcam
    from tinytracker.progress import say

    say("Preparing the network for this computer.")  # a compiler on a slow computer takes seconds
    source = find_target(target, "live").part("live")
    network = source.open_network(run, model, quantized)
    view = view_of(Origin(target, "camera", False, PHASES, network.sha256, _advice(run)))
    webcam = Webcam(view, network, source.open_finder(finder))
    uploads = {"/claim": webcam.claim, "/frame": webcam.frame}
    began, stopped = time.monotonic(), False
    with serving(view, http, allowed, "webcam.html", uploads) as address:
        try:  # from when the address is known: Ctrl-C may come at once
            say(f"[bold]{address}[/bold] asks for the camera and shows the gaze; Ctrl-C ends it.")
            while seconds is None or time.monotonic() - began < seconds:
                time.sleep(_STEP_S)
        except KeyboardInterrupt:
            stopped = True
    output = _output(view, webcam, network.runtime, time.monotonic() - began, stopped)
    return replace(output, text=(*output.text, *next_step("live", run, quantized)))


def _advice(run: Path | None) -> str:
    """Return what `adapt` found out about a run: whether to calibrate, and what that gains; "" for any other."""
    from tinytracker.adapt.document import ADAPT_FILE, AdaptDocument

    if run is None or not (run / ADAPT_FILE).is_file():
        return ""
    return " ".join(AdaptDocument.read(run / ADAPT_FILE).advice)


def _output(view: LiveView, webcam: Webcam, runtime: str, lasted: float, stopped: bool) -> Output:
    share = webcam.followed / view.frames if view.frames else None
    document = {
        "origin": view.origin.as_json(), "runtime": runtime, "screen": view.screen.as_json(), "frames": view.frames,
        "followed": webcam.followed, "lost": view.lost, "seconds": round(lasted, 3), "stopped": stopped,
        "calibration": None if view.calibration is None else view.calibration.model_dump(mode="json"),
    }  # fmt: skip
    eyes = "" if share is None else f", eyes in {share:.0%} of them"
    return Output(document, (f"{counted(view.frames, 'frame')} in {lasted:.0f} s{eyes}.",))


def refuse_board_options(target: str, given: dict[str, object]) -> None:
    """Refuse options that a board has and a webcam has not.

    Raises:
        UsageError: names the first of them.
    """
    for name in FOR_BOARDS:
        if given.get(name) is not None:
            raise UsageError(
                f"--{name} is for boards; the target {target} is the camera of a browser.", f"Omit --{name}."
            )
