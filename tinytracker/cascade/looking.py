"""Computes viewings: both networks and the gate look at every frame of a rendered sequence.

The crop is steered as on a device that saves inferences: a network's answer corrects it only every twelfth frame, three
frames late; between, the gate's registration of the face carries it (`cascade.steering`).
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tinytracker import progress
from tinytracker.aim.answer import AimAnswer
from tinytracker.aim.controller import AimSettings
from tinytracker.aim.finding import Find
from tinytracker.aim.fixed import Q4, Q12
from tinytracker.aim.region import Region
from tinytracker.arrays import Floats, Pixels
from tinytracker.cascade import flow
from tinytracker.cascade.steering import Steering
from tinytracker.cascade.strip_network import StripNetwork
from tinytracker.cascade.viewing import Viewing
from tinytracker.data.eye_marks import EYES_FILE, EyeMarks, read_eye_marks
from tinytracker.data.inputs import REFERENCE_CROP
from tinytracker.errors import InputFileError
from tinytracker.files import StrPath, read_bytes, sha256_bytes

SEQUENCE_FILE = "sequence.json"
_HINT = "Make sequences with `tinytracker synth OUT --sequences`."

CORRECTED_EVERY, CORRECTED_LATE = 12, 3
"""How often a network corrects the crop while a viewing is computed, and after how many frames."""
FIRST_OFFSET, FIRST_GROWTH = 0.08, 0.1
"""How far beside the true strip the first crop lies, in widths (standard deviation), and how much wider it is."""


_MOTION = tuple(field.name for field in fields(flow.Motion))
_NOTHING = flow.Motion(*(np.zeros((1, *shape), np.int64) for shape in ((2,), (4,), (), ())))


@dataclass(frozen=True)
class RenderedSequence:
    """What `tinytracker synth --sequences` has written for one person.

    Attributes:
        folder: of the subject. marks: where the eyes are. gaze: (n, 2) cm. flying: (n,) in a saccade.
        rate: frames per second. movement: of the head.
    """

    folder: Path
    marks: EyeMarks
    gaze: Floats
    flying: NDArray[np.bool_]
    rate: int
    movement: str

    @classmethod
    def read(cls, folder: StrPath) -> RenderedSequence:
        """Read one subject's folder.

        Raises:
            InputFileError: a file is missing or damaged.
        """
        folder = Path(folder)
        try:
            course, dots = (
                json.loads((folder / name).read_text()) for name in (SEQUENCE_FILE, "dotInfo.json")
            )
            gaze = np.stack([dots["XCam"], dots["YCam"]], 1).astype(np.float64)
            marks = read_eye_marks((folder / EYES_FILE).read_bytes(), len(gaze))
            flying = np.array(course["Saccade"], bool)
            return cls(folder, marks, gaze, flying, int(course["Rate"]), str(course["Movement"]))
        except OSError as error:
            missing = Path(str(error.filename)).name
            raise InputFileError(
                folder, f"not a rendered sequence ({missing}: {error.strerror})", _HINT
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise InputFileError(folder, f"not a rendered sequence ({error})", _HINT) from error

    def frame(self, number: int) -> Pixels:
        """Decode one frame, (height, width, 3).

        Raises:
            InputFileError: it is missing or damaged.
        """
        path = self.folder / "frames" / f"{number:05d}.jpg"
        content = read_bytes(path, _HINT)
        try:
            return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
        except (OSError, ValueError, SyntaxError) as error:
            raise InputFileError(path, f"not a picture, or cut off ({error})", _HINT) from error


def sequence_folders(folder: StrPath) -> list[Path]:
    """Return the folders of all people in a data set of sequences.

    Raises:
        InputFileError: there is none.
    """
    if not Path(folder).is_dir():
        raise InputFileError(Path(folder), "there is no such folder", _HINT)
    found = sorted(path.parent for path in Path(folder).glob(f"*/{SEQUENCE_FILE}"))
    if not found:
        raise InputFileError(Path(folder), "no sequence of a person is in this folder", _HINT)
    return found


def viewings(
    folders: list[Path], big: bytes, little: bytes, keep: StrPath, seed: int = 0
) -> Iterator[tuple[str, Viewing]]:
    """Compute or load the viewings of several people, in order.

    Args:
        folders: of `sequence_folders`.
        big: content of a .tflite file; see `StripNetwork`.
        little: likewise. It also corrects the crop.
        keep: folder for finished viewings, so that a stopped computation resumes; they belong to the two networks.
        seed: of the first crop's offset.

    Yields:
        name of the person and viewing.
    """
    mark = sha256_bytes(big + little)[:12]
    made: list[tuple[StripNetwork, StripNetwork]] = []
    with progress.bar("Looking", len(folders), "people") as advance:
        for folder in folders:
            path = Path(keep) / mark / f"{folder.name}-{_digest(folder)}.npz"
            if path.exists():
                viewing = Viewing.load(path)
            else:
                if not made:
                    made.append((StripNetwork(big, "Big"), StripNetwork(little, "Little")))
                viewing = look(RenderedSequence.read(folder), *made[0], seed=seed)
                viewing.save(path)
            advance(1)
            yield folder.name, viewing


def _digest(folder: Path) -> str:
    """Return a name for what a folder holds: people of several data sets are kept side by side."""
    files = (SEQUENCE_FILE, "dotInfo.json")
    return sha256_bytes(b"".join(read_bytes(folder / name, _HINT) for name in files))[:12]


def look(sequence: RenderedSequence, big: StripNetwork, little: StripNetwork, seed: int = 0) -> Viewing:
    """Compute one viewing."""
    course = _Course(sequence, little, seed)
    inputs: list[tuple[NDArray[np.int8], NDArray[np.int8]]] = []
    for number in range(len(sequence.gaze)):
        frame = sequence.frame(number)
        region = course.take(number, frame)
        inputs.append((big.input(frame, region), little.input(frame, region)))
    regions = course.regions
    answers = []
    for network, values in zip((big, little), zip(*inputs, strict=True), strict=True):
        gaze, aims = network.look(values)
        widths = np.array([region.width for region in regions]) / Q4
        unit = REFERENCE_CROP * max(course.size) * sequence.marks.focal / widths
        answers.append((gaze * unit[:, None], np.array([aim.presence for aim in aims])))
    strips = sequence.marks.strips
    return Viewing(
        gaze=sequence.gaze,
        flying=sequence.flying,
        closed=sequence.marks.closed,
        visible=_visible(strips, course.size),
        strips=strips,
        regions=np.array([(r.x, r.y, r.width) for r in regions]),
        big=answers[0][0],
        little=answers[1][0],
        big_presence=answers[0][1],
        little_presence=answers[1][1],
        grey=np.stack(course.grey),
        head=np.concatenate(course.head),
        **{name: np.concatenate([getattr(m, name) for m in course.motions]) for name in _MOTION},
        searching=np.array(course.searching),
        rate=np.array([sequence.rate]),
    )


class _Course:
    """Steers the crop through a sequence, and keeps what the gate saw."""

    def __init__(self, sequence: RenderedSequence, network: StripNetwork, seed: int) -> None:
        height, width = sequence.frame(0).shape[:2]
        self.size, self._network = (width, height), network
        self._steering = Steering(width, height, AimSettings(delay=0))
        self._steering.controller.found(_first(sequence.marks.strips[0], seed))
        self._pending: dict[int, tuple[int, AimAnswer]] = {}
        self._prepared: list[NDArray[np.int64]] = []
        self.regions: list[Region] = []
        self.grey: list[Pixels] = []
        self.motions: list[flow.Motion] = []
        self.head: list[NDArray[np.int64]] = []
        self.searching: list[bool] = []

    def take(self, number: int, frame: Pixels) -> Region:
        """Look at a frame; returns the region by which it was cut."""
        region = self._steering.region
        grey = flow.grey_strip(frame, region)
        self._prepared.append(flow.prepare(grey[None]))
        self.regions.append(region)
        self.grey.append(grey)
        if number in self._pending:
            self._steering.corrected(*self._pending.pop(number))
        search = self._steering.needs_network
        moved = None if search else self._motion(number)
        if moved is None:
            self.head.append(np.zeros((1, 4), np.int64))
        self.motions.append(moved or _NOTHING)
        self.searching.append(search)
        if moved is None:
            self._steering.seen(number, self._answer(frame, region), region)
        else:
            followed = self._crop if moved.lost[0] else moved.face[0]
            self._steering.moved(number, followed.tolist(), region)
            if number % CORRECTED_EVERY == 0 or moved.lost[0]:
                self._pending[number + CORRECTED_LATE] = (number, self._answer(frame, region))
        return region

    def _motion(self, number: int) -> flow.Motion:
        """Register a strip to the one before; the search begins where the head would go if it moved on as before."""
        crop = np.array([flow.guess(self.regions[number - 1], self.regions[number])])
        moved = flow.motion(self._prepared[-2], self._prepared[-1], crop + self.head[-1])
        self.head.append(np.zeros_like(crop) if moved.lost[0] else moved.face - crop)
        self._crop = crop[0]
        return moved

    def _answer(self, frame: Pixels, region: Region) -> AimAnswer:
        return self._network.look([self._network.input(frame, region)])[1][0]


def _first(strip: Floats, seed: int) -> Find:
    rng = np.random.default_rng(seed)
    offset = np.array([*rng.normal(0, FIRST_OFFSET, 2), FIRST_GROWTH])
    x, y, width = (round(Q4 * float(v)) for v in strip + strip[2] * offset)
    return Find(x, y, width, 4 * Q12)


def _visible(strips: Floats, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Whether both eyes are well inside the frame."""
    x, y, width = strips.T
    margin = 0.3 * width
    inside: NDArray[np.bool_] = (
        (x > margin) & (x < size[0] - margin) & (y > margin / 3) & (y < size[1] - margin / 3)
    )
    return inside
