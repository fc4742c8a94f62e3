"""Images for boards that take them from the host, and what the network must answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.data.crops import centred_crop
from tinytracker.data.inputs import InputSpec, make_inputs_numpy
from tinytracker.errors import InputFileError, UsageError
from tinytracker.files import StrPath, opened_for_reading, sha256_bytes
from tinytracker.measure.board import Board
from tinytracker.quant.contract import Codes, IoContract
from tinytracker.quant.oracle import available_oracle
from tinytracker.quant.parity import patterns

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")

IMAGE = "image"
"""Name of the number in a frame's record that says which test image it saw."""

CM_PER_UNIT = "cm_per_unit"
"""Key of a session's description of its images."""

PATHS = "paths"
"""The same for a board with a gate: what must happen to each frame of a sequence."""

_LAYOUTS = {1: ("grey", "none"), 3: ("rgb", "none"), 5: ("rgb", "input")}
"""What the channels of an input of ours mean; grey with position planes looks like RGB and cannot be told apart."""


@dataclass(frozen=True)
class TestImages:
    """Inputs to send, packed as the network stores them.

    Attributes:
        packed: one per image.
        origin: what they are, for the record.
        oracle: what computed `expected`, or None. expected: packed outputs, one per image, empty without an oracle.
        cm_per_unit: of the network's answer for each image, where that is not 1: see `data.inputs.cm_per_unit`.
        is_sequence: whole frames of a scene, one after the other, for a board that aims: each is run once, in order,
            and the search begins anew with the first.
        paths: of a board with a gate: what must happen to each frame (`cascade.reference.Step.path`).
    """

    __test__ = False  # a name that pytest would collect

    packed: tuple[bytes, ...]
    origin: dict[str, Any]
    oracle: str | None = None
    expected: tuple[bytes, ...] = ()
    cm_per_unit: tuple[float, ...] = ()
    is_sequence: bool = False
    paths: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.packed)

    def as_json(self) -> dict[str, Any]:
        """For the session's header."""
        return {
            **self.origin, "count": len(self), "sha256": [sha256_bytes(p) for p in self.packed],
            "oracle": self.oracle, "expected": [e.hex() for e in self.expected],
            **({CM_PER_UNIT: list(self.cm_per_unit)} if self.cm_per_unit else {}),
            **({"is_sequence": True} if self.is_sequence else {}),
            **({PATHS: list(self.paths)} if self.paths else {}),
        }  # fmt: skip


def make_images(board: Board, codes: Codes, origin: dict[str, Any], model: bytes | None = None) -> TestImages:
    """Pack codes for a board, and compute what must come back.

    Args:
        board: says how inputs are stored.
        codes: uint8 (N, H, W, C) by input name.
        origin: what the images are.
        model: the .tflite file that runs on the board, for the expected outputs; None to expect nothing.

    Raises:
        UsageError: the codes do not fit the network.
    """
    refuse_float_inputs(board.io)
    if len(codes) != len(board.io.inputs):
        raise UsageError(
            f"Images for {len(codes)} inputs were given; the network has {len(board.io.inputs)}."
        )
    by_name = dict(zip((t.name for t in board.io.inputs), codes.values(), strict=True))
    for tensor in board.io.inputs:
        given = by_name[tensor.name].shape[1:]
        if given != tensor.frame_shape:
            raise UsageError(
                f"Images of shape {list(given)} do not fit the input {list(tensor.frame_shape)}."
            )
    inputs = board.io.encode_all(by_name)
    packed = _packed(inputs)
    oracle = None if model is None else available_oracle(model)
    if oracle is None:
        return TestImages(packed, origin)
    return TestImages(packed, origin, oracle.name, _packed(oracle.run(inputs)))


def _packed(arrays: Sequence[NDArray[Any]]) -> tuple[bytes, ...]:
    """The bytes of each frame, its tensors one after the other."""
    return tuple(b"".join(a[k].tobytes() for a in arrays) for k in range(len(arrays[0])))


def noise(board: Board, count: int, seed: int = 0) -> tuple[Codes, dict[str, Any]]:
    """Test patterns that need no data, and what they are."""
    refuse_float_inputs(board.io)
    return patterns(board.io, count, seed), {"from": "patterns", "seed": seed}


def refuse_float_inputs(io: IoContract) -> None:
    """Raise UsageError when an input is not an 8-bit one."""
    for tensor in io.inputs:
        if tensor.dtype not in ("int8", "uint8"):
            raise UsageError(
                f"The input {tensor.name!r} is {tensor.dtype}; images can be made for int8 and uint8."
            )


def read_images(path: StrPath, board: Board, count: int) -> tuple[Codes, dict[str, Any]]:
    """Pictures as a camera would deliver them: centre crops as on the devices, scaled down as in training.

    Args:
        path: a picture, a folder of pictures (in the order of their names), or a .npy file with uint8 codes
            (N, H, W, C).
        board: whose input they are for.
        count: how many at most.

    Raises:
        InputFileError: it is missing, or not a picture.
        UsageError: the network's input is not an image.
    """
    path = Path(path)
    if path.suffix == ".npy":
        return _read_codes(path, board, count)
    files = [path]
    if path.is_dir():
        files = sorted(f for f in path.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES)[:count]
        if not files:
            raise InputFileError(
                path, "no pictures are in this folder", f"Known: {', '.join(IMAGE_SUFFIXES)}."
            )
    spec = _spec(board.io)
    codes = np.stack([_centre(read_pixels(file), spec) for file in files])
    return {board.io.inputs[0].name: codes}, {"from": "pictures", "files": [f.name for f in files]}


def _spec(io: IoContract) -> InputSpec:
    shape = io.inputs[0].shape
    layout = _LAYOUTS.get(shape[3]) if len(io.inputs) == 1 and len(shape) == 4 else None
    if layout is None:
        shapes = " and ".join(str(list(t.shape)) for t in io.inputs)
        raise UsageError(
            f"Pictures cannot be turned into inputs of shape {shapes}.", "Give a .npy file, or omit --images."
        )
    return InputSpec("face", shape[2], shape[1], *layout)


def read_pixels(file: Path) -> NDArray[np.uint8]:
    """Return a picture as (H, W, 3) RGB.

    Raises:
        InputFileError: missing, or not a picture.
    """
    from PIL import Image, UnidentifiedImageError

    with opened_for_reading(file) as stream:
        try:
            with Image.open(stream) as picture:
                return np.asarray(picture.convert("RGB"))
        except (UnidentifiedImageError, Image.DecompressionBombError, ValueError, SyntaxError) as error:
            raise InputFileError(file, f"not a picture ({error})") from error


def _centre(pixels: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    box = np.array(centred_crop(width, height, spec.width, spec.height), np.float64)
    example = {"image": pixels, "face_in_crop": box, "face": box, "frame_size": (width, height)}
    return make_inputs_numpy(spec, example)["image"]


def _read_codes(path: Path, board: Board, count: int) -> tuple[Codes, dict[str, Any]]:
    with opened_for_reading(path) as file:
        try:
            array = np.load(file, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise InputFileError(path, f"not a .npy file ({error})") from error
    if array.dtype != np.uint8 or array.ndim != 4 or not len(array):
        raise InputFileError(
            path,
            f"an array of {array.dtype} {list(array.shape)}",
            "Images are uint8 (N, H, W, C), p = 0 to 255.",
        )
    return {board.io.inputs[0].name: array[:count]}, {"from": "array", "file": path.name}


def compare_outputs(expected: Sequence[bytes], images: Sequence[int], outputs: Sequence[bytes]) -> int:
    """How many frames differ from what was expected.

    Args:
        expected: packed outputs per image.
        images: (N,) image of each frame.
        outputs: (N,) raw outputs of each frame; a record holds as many bytes as fit in a line.
    """
    return sum(
        not output or expected[image][: len(output)] != output
        for image, output in zip(images, outputs, strict=True)
    )
