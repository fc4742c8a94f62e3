"""sitting.json: what `tinytracker collect` writes beside a subject that GazeCapture's layout has no place for.

Who it was, with which camera and screen, the exact times of dots and frames, what was left out and why, and what went
wrong meanwhile. `prepare` does not need it; `adapt` reads whose subject it is and the order of the frames in time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from tinytracker.data.devices import add_device, all_devices, device_of_row, own_devices_file
from tinytracker.documents import Document, JsonValue, Part
from tinytracker.errors import InputFileError, UsageError
from tinytracker.progress import say

SITTING_FILE = "sitting.json"
UNFINISHED = ".dots.partial"
"""End of the name of a sitting's folder until it is finished: `.00003.dots.partial` becomes 00003."""


class SittingEvent(Part):
    """Something that happened: `at_s` since the sitting began, a word for programs, and the sentence that was shown."""

    at_s: float
    kind: str
    text: str


class SittingDot(Part):
    """One dot that was shown.

    Attributes:
        number: as in `dotInfo.json`; dots that were shown again have a number of their own.
        across, down: shares of the screen's width and height. x_cm, y_cm: the same from the camera.
        shown_s: since the sitting began. letter, typed: what was shown, and what the person answered.
        is_kept: whether frames of it are in the subject. left_out: frames that are not, by reason.
    """

    number: int
    across: float
    down: float
    x_cm: float
    y_cm: float
    shown_s: float
    letter: str = ""
    typed: str = ""
    is_kept: bool = True
    left_out: dict[str, int] = Field(default_factory=dict)


class SeenFrame(Part):
    """What is known of a frame that was kept, before and after its subject is written.

    Attributes:
        captured_s: since the sitting began.
        gaze_cm: what the network that aimed answered. openness, light: see `tinytracker.collect.eyes.Sight`.
        clock_ms: how far `captured_s` can be wrong beside the times of the dots; None where both are of one clock.
        region: left, top, width, height of what a board's own network saw, px of the frame. board_gaze_cm: what that
            network answered. Both only of boards.
    """

    captured_s: float
    gaze_cm: tuple[float, float]
    openness: float = 0.0
    light: float = 0.0
    clock_ms: float | None = None
    region: tuple[float, float, float, float] | None = None
    board_gaze_cm: tuple[float, float] | None = None


class SittingFrame(SeenFrame):
    """One frame of the subject.

    Attributes:
        name: in `frames/`. dot: number of the dot.
    """

    name: str
    dot: int


class SittingHead(Document):
    """What is known of a sitting before its first frame.

    Attributes:
        person: a label; the same in all sittings of a person. began, consented: ISO 8601, UTC.
        source: "webcam", the name of a board, or "video" and the film. network_sha256: of the network that placed the
            strip.
        device: the row of the device, as in devices.toml. screen_cm: x_min, y_min, x_max, y_max from the camera.
        points: width and height of the screen in points, as in `screen.json`.
    """

    person: str
    began: str
    consented: str = ""
    source: str = ""
    network_sha256: str = ""
    device: dict[str, JsonValue] = Field(default_factory=dict)
    screen_cm: tuple[float, float, float, float]
    points: tuple[int, int]


class SittingDocument(SittingHead):
    """One sitting of one person in front of one screen: a subject that `tinytracker collect` recorded.

    Attributes:
        frame_px: width and height of the frames. rate: frames per second of the camera, None when unknown.
        dots, frames: in the order of time. left_out: frames that were left out, by reason. events: what went wrong.
    """

    title: ClassVar[str] = "the description of a sitting"
    way_out: ClassVar[str] = "Record again with `tinytracker collect`."

    frame_px: tuple[int, int] = (0, 0)
    rate: float | None = None
    dots: tuple[SittingDot, ...] = ()
    frames: tuple[SittingFrame, ...] = ()
    left_out: dict[str, int] = Field(default_factory=dict)
    events: tuple[SittingEvent, ...] = ()


def read_sitting(subject: Path) -> SittingDocument | None:
    """Read the description in a subject's folder; None for a subject that `collect` did not record.

    Raises:
        InputFileError: it is damaged.
    """
    path = subject / SITTING_FILE
    return SittingDocument.read(path) if path.is_file() else None


def unfinished(session: Path) -> list[str]:
    """Return the numbers of a session's sittings that are not finished, whose frames nobody reads yet."""
    names = [path.name[1:6] for path in sorted(session.glob(f".*{UNFINISHED}"))]
    return [name for name in names if not (session / name).exists()]


def adopt_devices(session: Path) -> list[str]:
    """Add the screens of recorded sittings to one's own devices where this computer does not know them yet.

    A session that was recorded elsewhere brings its screens along. A screen that is known, also with other measures,
    stays as it is.

    Returns:
        The names that were added.

    Raises:
        InputFileError: the description of a sitting is damaged.
        OutputError: the file of own devices cannot be written.
        ConfigError: that file is damaged.
    """
    added = []
    for path in sorted(session.glob(f"*/{SITTING_FILE}")):
        sitting = SittingDocument.read(path)
        name = str(sitting.device.get("name", ""))
        if not name or name.lower() in (known.lower() for known in all_devices()):
            continue
        try:
            add_device(device_of_row(sitting.device))
        except (TypeError, ValueError, UsageError) as error:
            raise InputFileError(path, f"it describes no screen ({error})", SittingDocument.way_out) from None
        added.append(name)
    if added:
        say(f"New screens of {session}, kept in {own_devices_file()}: {', '.join(added)}")
    return added


def summary(sitting: SittingDocument) -> dict[str, Any]:
    """Return the numbers of a sitting for a report."""
    return {
        "person": sitting.person, "began": sitting.began, "source": sitting.source,
        "frames": len(sitting.frames), "dots": sum(dot.is_kept for dot in sitting.dots),
        "dots_left_out": sum(not dot.is_kept for dot in sitting.dots),
        "left_out": dict(sitting.left_out), "rate": sitting.rate, "frame_px": list(sitting.frame_px),
        "events": [event.as_json() for event in sitting.events],
    }  # fmt: skip
