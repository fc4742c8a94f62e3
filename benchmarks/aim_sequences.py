"""Rendered sequences and a network that looks at parts of their frames, for benchmarks of the aim."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tinytracker.aim.answer import AimAnswer, read_aim
from tinytracker.aim.finding import Find, read_finder, view_box
from tinytracker.aim.layout import FINDER_HEIGHT, FINDER_WIDTH, Part, decode
from tinytracker.aim.region import Region
from tinytracker.arrays import Floats
from tinytracker.data.crops import cut
from tinytracker.data.inputs import LUMA, REFERENCE_CROP, area_weights
from tinytracker.interpreters import DefaultInterpreter
from tinytracker.model.output import LIMIT_CM
from tinytracker.model.tflite_file import read_tflite

Pixels = NDArray[np.uint8]
SEGMENTS = 8
GAZE = tuple(Part(axis, SEGMENTS, -LIMIT_CM, LIMIT_CM) for axis in "xy")


@dataclass(frozen=True)
class Recording:
    """A rendered sequence of one person.

    Attributes:
        folder: of the subject. movement: of the head. rate: frames per second.
        size: width and height of the frames, px.
        strips: (n, 3) true centre x, y and width, px. gaze: (n, 2) cm.
        closed: (n,) how far the lids are closed. visible: (n,) whether both eyes are well inside the frame.
        focal: focal length relative to a phone's camera.
    """

    folder: Path
    movement: str
    rate: int
    size: tuple[int, int]
    strips: Floats
    gaze: Floats
    closed: Floats
    visible: NDArray[np.bool_]
    focal: float

    def frame(self, number: int) -> Pixels:
        """Decode one frame, (height, width, 3)."""
        content = (self.folder / "frames" / f"{number:05d}.jpg").read_bytes()
        return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def read_sequence(folder: Path) -> Recording:
    """Read what `tinytracker synth --sequences` has written for one person."""
    eyes, course, dots = (
        json.loads((folder / name).read_text()) for name in ("eyes.json", "sequence.json", "dotInfo.json")
    )
    with Image.open(folder / "frames" / "00000.jpg") as image:
        size = image.size
    x, y = (np.mean([eyes[f"Left{axis}"], eyes[f"Right{axis}"]], axis=0) for axis in "XY")
    strips = np.stack([x, y, np.array(eyes["Width"])], 1)
    margin = 0.3 * strips[:, 2]
    visible = (x > margin) & (x < size[0] - margin) & (y > margin / 3) & (y < size[1] - margin / 3)
    gaze = np.stack([dots["XCam"], dots["YCam"]], 1)
    return Recording(
        folder,
        course["Movement"],
        course["Rate"],
        size,
        strips,
        gaze,
        np.array(eyes["Closed"]),
        visible,
        eyes["Focal"][0],
    )


def region_of(strip: Sequence[float]) -> Region:
    """Return the region in whole px nearest to a strip of centre x, y and width."""
    return Region(*(round(16 * float(v)) for v in strip)).snapped


def resized(
    image: Pixels, box: tuple[int, int, int, int], size: tuple[int, int], grey: bool
) -> NDArray[np.int8]:
    """Return a network's input from a part of a frame, by the rule of `tinytracker.data.inputs`: int8, (h, w, c)."""
    part = cut(image, box)
    rows = area_weights(0, part.shape[0], part.shape[0], size[1])
    columns = area_weights(0, part.shape[1], part.shape[1], size[0])
    halfway = (rows @ part.reshape(len(part), -1).astype(np.float64)).reshape(size[1], -1, 3)
    mean = np.einsum("iwc,jw->ijc", halfway, columns, optimize=True)
    rgb = np.floor(mean + 0.5).astype(np.int64)
    codes = ((rgb @ np.array(LUMA) + 128) >> 8)[..., None] if grey else rgb
    return (codes - 128).astype(np.int8)


class Eyes:
    """An INT8 network with an aim: where does it see eyes, and where do they look?"""

    def __init__(self, model: bytes) -> None:
        _, self._height, self._width, channels = read_tflite(model).input_tensors()[0].shape
        self._grey = channels == 1
        self._interpreter = DefaultInterpreter(model)

    def input(self, image: Pixels, region: Region) -> NDArray[np.int8]:
        """Return the network's input for a region of a frame."""
        return resized(image, region.box, (self._width, self._height), self._grey)

    def look(self, inputs: Sequence[NDArray[np.int8]]) -> list[tuple[Floats, AimAnswer]]:
        """Return gaze (2,) in reference cm and aim for each input."""
        (codes,) = self._interpreter.run([np.stack(inputs)[:, None]])
        plain = codes.reshape(len(inputs), -1).astype(np.int64) + 128
        gaze = decode(GAZE, plain[:, : 2 * SEGMENTS])
        return [(g, read_aim(c[2 * SEGMENTS :])) for g, c in zip(gaze, plain, strict=True)]


class Finder:
    """An INT8 finder: where in the whole frame is a face?"""

    def __init__(self, model: bytes) -> None:
        self._interpreter = DefaultInterpreter(model)

    def find(self, image: Pixels) -> Find:
        """Return the largest face that it claims."""
        height, width = image.shape[:2]
        view = resized(image, view_box(width, height), (FINDER_WIDTH, FINDER_HEIGHT), grey=True)
        (codes,) = self._interpreter.run([view[None, None]])
        return read_finder(codes.reshape(9, 12, 4).astype(np.int64) + 128, width, height)


def gaze_cm(reference_cm: Floats, region: Region, sequence: Recording) -> Floats:
    """Convert a gaze to cm by the width of the region that it was computed on."""
    return reference_cm * (REFERENCE_CROP * max(sequence.size) * 16 / region.width * sequence.focal)
