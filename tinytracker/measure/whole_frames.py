"""Whole frames for boards that aim: a sequence in order, and what board and network must make of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.answer import read_aim
from tinytracker.aim.controller import Controller, State
from tinytracker.aim.cutting import cut
from tinytracker.aim.finding import read_finder
from tinytracker.aim.region import Region
from tinytracker.cascade.reference import follow_board
from tinytracker.errors import InputFileError, ModelError
from tinytracker.files import StrPath, opened_for_reading
from tinytracker.measure.board import Board
from tinytracker.measure.gate import require_little
from tinytracker.measure.images import IMAGE_SUFFIXES, TestImages, read_pixels
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.contract import IoContract
from tinytracker.quant.finder import reference_finder
from tinytracker.quant.oracle import available_oracle


@dataclass(frozen=True)
class Step:
    """One frame: the region that the network saw, the controller after it, and the network's packed output."""

    region: Region
    state: State
    has_eyes: bool
    output: bytes


def follow(model: bytes, frames: NDArray[np.uint8], finder: bytes | None = None) -> list[Step] | None:
    """Run a network that aims over whole frames as a board without delay does: integers and reference kernels only.

    Args:
        model: content of the .tflite file.
        frames: (N, H, W, 3) RGB.
        finder: content of the finder's .tflite file; None to search without one.

    Returns:
        one step per frame; None when no oracle for this network is installed.

    Raises:
        ModelError: the network has no aim, or the finder is not one.
    """
    contract = IoContract.of(read_tflite(model))
    aim, oracle = contract.aim, available_oracle(model)
    if aim is None:
        raise ModelError("This network has no aim: its output does not say where the eyes are.")
    if oracle is None:
        return None
    look = None if finder is None else reference_finder(finder)
    height, width = frames.shape[1:3]
    _, rows, columns, channels = contract.inputs[0].shape
    controller, steps = Controller(width, height), []
    for frame in frames:
        if look is not None and controller.wants_finder:
            controller.found(read_finder(look(frame), width, height))
        region = controller.region
        codes = {"image": cut(frame, region.box, columns, rows, channels)[None]}
        output = oracle.run(contract.encode_all(codes))[0]
        state = controller.update(read_aim(aim.of_raw(output)[0]), region)
        steps.append(Step(region, state, controller.has_eyes, output.tobytes()))
    return steps


def read_frames(path: StrPath, board: Board, count: int) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """Read the frames of a sequence in the order of their names.

    Args:
        path: a folder of pictures, one picture, or a .npy file of uint8 (N, H, W, 3) in the board's frame size.
        board: whose frames they are; pictures are cut to its aspect ratio and scaled to its size.
        count: how many at most.

    Returns:
        (N, H, W, 3) RGB, and what they are.

    Raises:
        InputFileError: missing, not a picture, or an array of another shape.
    """
    assert board.frame_px is not None
    path = Path(path)
    width, height = board.frame_px
    if path.suffix == ".npy":
        with opened_for_reading(path) as file:
            try:
                array = np.load(file, allow_pickle=False)
            except (ValueError, EOFError) as error:
                raise InputFileError(path, f"not a .npy file ({error})") from error
        if array.dtype != np.uint8 or array.shape[1:] != (height, width, 3) or not len(array):
            raise InputFileError(
                path,
                f"an array of {array.dtype} {list(array.shape)}",
                f"Frames of this board are uint8 (N, {height}, {width}, 3).",
            )
        return array[:count], {"from": "frames", "file": path.name}
    files = [path]
    if path.is_dir():
        files = sorted(f for f in path.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES)[:count]
        if not files:
            raise InputFileError(
                path, "no pictures are in this folder", f"Known: {', '.join(IMAGE_SUFFIXES)}."
            )
    frames = np.stack([_scaled(read_pixels(file), width, height) for file in files])
    return frames, {"from": "frames", "files": [f.name for f in files]}


def _scaled(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return the middle of a picture, with the frame's aspect ratio and in its size."""
    rows, columns = pixels.shape[:2]
    w = min(columns, rows * width // height)
    h = min(rows, columns * height // width)
    return cut(pixels, ((columns - w) // 2, (rows - h) // 2, max(w, 1), max(h, 1)), width, height, 3)


def make_frames(
    board: Board,
    frames: NDArray[np.uint8],
    origin: dict[str, Any],
    model: bytes | None,
    finder: bytes | None,
    little: bytes | None = None,
) -> TestImages:
    """Pack whole frames for a board that takes them, and compute what must come back.

    For a grey network the frames are sent in grey, which is a third of the bytes.

    Args:
        board: that takes frames.
        frames: (N, H, W, 3) RGB.
        origin: what they are.
        model: the .tflite file that runs on the board, for the expected outputs; None to expect nothing.
        finder: content of the finder's .tflite file that the board has.
        little: content of the network that looks first on a board with a gate.

    Raises:
        ModelError: the network has no aim, the finder is not one, or Little is not the board's.
    """
    if board.io.inputs[0].shape[3] == 1:
        grey = ((frames.astype(np.int64) @ np.array([77, 150, 29]) + 128) >> 8).astype(np.uint8)
        packed = tuple(frame.tobytes() for frame in grey)
        frames = np.repeat(grey[..., None], 3, axis=3)
    else:
        packed = tuple(frame.tobytes() for frame in frames)
    oracle = None if model is None else available_oracle(model)
    if model is None or oracle is None:
        return TestImages(packed, origin, is_sequence=True)
    if board.gate is not None:
        require_little(board.gate, little)
        gated = follow_board(model, frames, board.gate.thresholds, little, finder)
        outputs, paths = tuple(s.output for s in gated), tuple(s.path for s in gated)
        return TestImages(packed, origin, oracle.name, outputs, is_sequence=True, paths=paths)
    steps = follow(model, frames, finder) or []
    return TestImages(packed, origin, oracle.name, tuple(s.output for s in steps), is_sequence=True)
