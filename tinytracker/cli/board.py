"""Options shared by the verbs that talk to a board: how to reach it, its network, and the images it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tinytracker.cli.types import Number
from tinytracker.errors import UsageError
from tinytracker.targets import find_target, with_part

if TYPE_CHECKING:
    from tinytracker.measure.images import TestImages
    from tinytracker.measure.measurement import Source
    from tinytracker.measure.opening import Request
    from tinytracker.package.source import ModelSource

_F = TypeVar("_F", bound=Callable[..., Any])

_BOARDS = with_part("board")
_WITH_RPC = ", ".join(name for name, target in _BOARDS.items() if target.rpc)
_GATING = [name for name, target in _BOARDS.items() if target.gates]
_LOADING = {name: target.loads for name, target in _BOARDS.items() if target.loads}

_OPTIONS = (
    click.option(
        "--port", help="Serial port or socket://HOST:PORT; default: the only port with hardware behind it."
    ),
    click.option(
        "--rpc",
        help=f"URL of the board's command server; default for {_WITH_RPC}: its own, over USB Ethernet.",
    ),
    click.option(
        "--run",
        "run_folder",
        type=click.Path(path_type=Path),
        help="Run folder whose network the board runs.",
    ),
    click.option(
        "--model",
        type=click.Path(path_type=Path),
        help="Its network as a .tflite file; "
        + "; ".join(f"{n}: {file}" for n, file in _LOADING.items())
        + ".",
    ),
    click.option("--quantized", default="ptq-int8", help="Quantized model of the run."),
    click.option(
        "--images", type=click.Path(path_type=Path), help="Image, folder of images, or .npy file to send."
    ),
    click.option(
        "--finder",
        type=click.Path(path_type=Path),
        help="Finder as a .tflite file, to search with beside a network that aims.",
    ),
    click.option(
        "--cascade",
        type=click.Path(path_type=Path),
        help="File of `tinytracker cascade fit`: the network runs only when the gaze may have moved. For "
        f"{', '.join(_GATING)}; a board's firmware must have a gate.",
    ),
    click.option(
        "--little",
        type=click.Path(path_type=Path),
        help="Smaller network as a .tflite file that looks first behind the gate, with --cascade.",
    ),
    click.option(
        "--image-count", type=click.IntRange(1, 10_000), default=10, help="Largest number of images to send."
    ),
)


fps_option = click.option(
    "--fps",
    type=Number(0.1),
    help=f"Frame rate of the camera of {', '.join(_LOADING)}; default: the rate in the package.",
)


delay_option = click.option(
    "--region-delay",
    type=click.IntRange(0, 8),
    help=f"Frames until the camera of {', '.join(_LOADING)} applies a region; default: measured at the start.",
)


def board_options(command: _F) -> _F:
    """Add the options from --port to --image-count, in that order."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _refuse_rate(target: str, fps: float | None) -> None:
    """Refuse a frame rate that nothing would set."""
    if fps is not None and not find_target(target, "board").loads:
        raise UsageError(
            f"--fps {fps:g}: only the camera of {', '.join(_LOADING)} has a rate to set; {target} runs one frame after "
            "the other.",
            "Omit --fps.",
        )


@dataclass(frozen=True)
class OpenBoard:
    """A board that answers, and the network that it is claimed to run.

    Attributes:
        source: source of frames.
        network: the model that was named; None when none was named, and for a board that loads its own package.
        finder, little: contents of the finder, and of the network that looks first, that were named, or None.
    """

    source: Source
    network: ModelSource | None
    finder: bytes | None = None
    little: bytes | None = None


@contextmanager
def opened_board(
    target: str,
    run_folder: Path | None,
    model: Path | None,
    quantized: str,
    request: Request,
    finder: Path | None = None,
    cascade: Path | None = None,
    little: Path | None = None,
) -> Iterator[OpenBoard]:
    """Open a target's board with the network that --run or --model names.

    Raises:
        UsageError: both are given, or neither and the target needs one; or the target has no gate.
        InputFileError: a file is missing or damaged.
    """
    from tinytracker.measure.opening import open_board
    from tinytracker.model.tflite_file import read_network
    from tinytracker.package.source import load_source

    _refuse_rate(target, request.fps)
    request = _with_gate(target, request, cascade, little)
    if run_folder is not None and model is not None:
        raise UsageError("Both --run and --model were given.", "Give one of them.")
    if finder is not None:
        request = replace(request, finder=read_network(finder))
    named = run_folder or model
    chosen = None
    if find_target(target, "board").loads:
        request = replace(request, network=model)
    elif named is not None:
        chosen = load_source(named, quantized)
        request = replace(request, content=chosen.content)
    with open_board(target, request) as source:
        yield OpenBoard(source, chosen, request.finder, request.little)


def refuse_gate(target: str, cascade: Path | None, little: Path | None) -> None:
    """Refuse a gate for a target that has none.

    Raises:
        UsageError: one was named.
    """
    if target not in _GATING and (cascade, little) != (None, None):
        raise UsageError(
            f"{target} cannot run its network behind a gate; {', '.join(_GATING)} can.",
            "Omit --cascade and --little.",
        )


def _with_gate(target: str, request: Request, cascade: Path | None, little: Path | None) -> Request:
    """Add what --cascade and --little name.

    Raises:
        UsageError: the target has no gate, or --little without --cascade.
        InputFileError: a file is missing or damaged.
    """
    refuse_gate(target, cascade, little)
    if cascade is None and little is None:
        return request
    if cascade is None:
        raise UsageError("Without a gate, no network looks first.", "Give --cascade, or omit --little.")
    from tinytracker.cascade.document import CascadeSettings
    from tinytracker.model.tflite_file import read_network

    settings = CascadeSettings.read(cascade)
    return replace(request, cascade=settings, little=None if little is None else read_network(little))


def images_for(
    source: Source,
    chosen: ModelSource | None,
    images: Path | None,
    count: int,
    seed: int,
    finder: bytes | None = None,
    little: bytes | None = None,
) -> TestImages | None:
    """Return the images to send; None for a board that does not take any."""
    from tinytracker.errors import ModelError
    from tinytracker.interpreters.host_tflite import EDGE_TPU_OPERATOR
    from tinytracker.measure.images import make_images, noise, read_images

    board = source.board
    if chosen is not None and chosen.sha256 != board.model_sha256:
        raise ModelError(
            f"The board runs the network {board.model_sha256[:12]}, not {chosen.sha256[:12]}.",
            "Give the file that its firmware was built from, or flash the board again.",
        )
    if board.source == "camera":
        return None
    if images is not None and board.takes_frames:
        from tinytracker.measure.whole_frames import make_frames, read_frames

        frames, origin = read_frames(images, board, count)
        model = None if chosen is None else chosen.content
        return make_frames(board, frames, origin, model, finder, little)
    cm_per_unit: tuple[float, ...] = ()
    if images is not None:
        codes, origin = read_images(images, board, count)
    elif chosen is not None and chosen.data is not None and chosen.preset:
        from tinytracker.data.index import read_index
        from tinytracker.model.presets import find_preset
        from tinytracker.quant.parity import frames_with_target
        from tinytracker.requirements import require_tensorflow

        require_tensorflow("reading the run's test images")
        preset = find_preset(chosen.preset)
        codes, target = frames_with_target(read_index(chosen.data), preset, count)
        origin = {"from": "the run's test split"}
        if preset.input.unit != "cm":
            cm_per_unit = tuple(target[:, 2].tolist())
    else:
        codes, origin = noise(board, count, seed)
    # No interpreter of ours runs what was compiled for an Edge TPU.
    known = chosen is not None and EDGE_TPU_OPERATOR not in {o.name for o in chosen.model.operators}
    sent = make_images(board, codes, origin, chosen.content if chosen is not None and known else None)
    return replace(sent, cm_per_unit=cm_per_unit)
