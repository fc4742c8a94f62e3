"""A synthetic person in front of a webcam who looks at one dot after the other, for a browser's fake camera."""

from __future__ import annotations

import io
import itertools
import os
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from tinytracker.synth.habits import TORSO_CM
from tinytracker.synth.light import sample_light
from tinytracker.synth.render import Renderer, encode_jpeg
from tinytracker.synth.scene import Camera, HeadPose, rotation
from tinytracker.synth.sitting import plan_sitting, subject_streams

SEED = 90_137
"""People of no data set and no training."""

_OF_A_DAY = ("sitting", "frames", "background", "noise")
"""Random streams that belong to the day and the room; the others belong to the person."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Seat:
    """How a person sits in front of a screen.

    Attributes:
        width, height: of the camera's frames, px. view_deg: what the camera sees along the longer side.
        distance_cm: of the eyes. screen: x_min, y_min, x_max, y_max from the camera, cm.
        sway_cm: of the head from dot to dot and within one.
    """

    width: int = 1280
    height: int = 720
    view_deg: float = 62.0
    distance_cm: float = 50.0
    screen: tuple[float, float, float, float] = (-17.0, -20.0, 17.0, -1.0)
    sway_cm: float = 0.8

    @property
    def camera(self) -> Camera:
        """The camera as a pinhole."""
        longer = max(self.width, self.height)
        return Camera(self.width, self.height, longer / 2 / np.tan(np.radians(self.view_deg) / 2))


def draw_person(
    index: int,
    dots_cm: Sequence[Point | None],
    per_dot: int,
    seat: Seat | None = None,
    sitting: int = 0,
    blinks: float = 0.0,
    light: int = 0,
    lean_cm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    turned_deg: tuple[float, float] = (0.0, 0.0),
    before: int = 0,
) -> list[bytes]:
    """Draw JPEG frames of person `index` of `SEED`.

    Args:
        index: of the person.
        dots_cm: where the person looks, cm from the camera; None for an empty chair.
        per_dot: frames of each dot.
        seat: how the person sits.
        sitting: another number is another day: the same face at another place, in other light, in another room.
        blinks: share of frames with shut eyes.
        light: another number is another light.
        lean_cm: from where the person usually sits: right, up, away from the screen.
        turned_deg: how the head is held otherwise than usually, while the eyes stay on the dot: right, up.
        before: dots of this sitting that another call draws and that come before these.

    Returns:
        per_dot frames of each dot, in order.
    """
    seat = seat or Seat()
    streams = subject_streams(SEED, index)
    if sitting:
        streams |= {name: subject_streams(SEED, 1000 * sitting + index)[name] for name in _OF_A_DAY}
    first = before * per_dot
    dots_cm = [None] * before + list(dots_cm)
    count = len(dots_cm) * per_dot
    base = plan_sitting(streams, max(count, 1), None, (480, 640), 1.0)
    if light:
        base = replace(base, light=sample_light(np.random.default_rng([SEED, index, sitting, light, 2])))
    rng = np.random.default_rng([SEED, index, sitting] if sitting else [SEED, index])
    shut = np.random.default_rng([SEED, index, sitting, 1]).random(count) < blinks
    camera, scale = seat.camera, max(seat.width, seat.height) / 640
    centre = np.array([(seat.screen[0] + seat.screen[2]) / 2, (seat.screen[1] + seat.screen[3]) / 2])
    home = np.array([rng.normal(0, 2.0), rng.normal(-3.0, 1.5)])
    home = home + lean_cm[:2]
    distance = seat.distance_cm + lean_cm[2]
    highest = TORSO_CM - distance * camera.height / 2 / camera.focal - 3
    turn = rng.normal(0, [0.03, 0.05, 0.03])
    turn[:2] += np.radians(turned_deg[::-1])
    frames = []
    for k in range(count):
        dot = dots_cm[k // per_dot]
        if k % per_dot == 0:
            place = home + rng.normal(0, seat.sway_cm, 2)
        x, y = place + rng.normal(0, 0.15 * seat.sway_cm, 2)
        position = np.array([x, min(y, highest), distance + rng.normal(0, 0.5)])
        looked = centre if dot is None else np.asarray(dot)
        aim = np.array([*(centre + 0.3 * (looked - centre)), 0.0]) - position
        yaw = 0.85 * np.arctan2(aim[0], -aim[2]) + turn[0]
        pitch = 0.85 * np.arctan2(aim[1], -aim[2]) + turn[1]
        pose = HeadPose(
            position,
            rotation(float(pitch), float(yaw), float(turn[2] + rng.normal(0, 0.01))),
            rotation(0.2, 0.3 * float(yaw), 0.0),
        )
        planned = base.frames[k]
        rest = base.identity.lid_rest
        exposure = replace(
            planned.exposure, blur=planned.exposure.blur * 0.75 * scale, motion=(0.0, 0.0), quality=92
        )
        frames.append(
            replace(
                planned,
                camera=camera,
                dot_cm=looked,
                pose=pose,
                closed=(1.0, 1.0) if shut[k] else (rest, rest),
                exposure=exposure,
                lost=False,
                eyes_lost=False,
                finger=None,
            )
        )
    upright = replace(base.dots, orientation=np.full(count, 3))
    renderer = Renderer(replace(base, frames=tuple(frames), dots=upright), streams)
    return [encode_jpeg(renderer.render(k), frames[k].exposure.quality) for k in range(first, count)]


def i420(frame: bytes) -> bytes:
    """Return a JPEG frame as planar Y, Cb, Cr in video range (BT.601), chroma at half the size, as in Y4M files."""
    image = Image.open(io.BytesIO(frame)).convert("YCbCr")
    half = image.resize((image.width // 2, image.height // 2), Image.Resampling.BOX)
    luma = np.asarray(image.getchannel("Y"), np.float32)
    chroma = [np.asarray(half.getchannel(name), np.float32) for name in ("Cb", "Cr")]
    planes = [16 + luma * (219 / 255), *(128 + (c - 128) * (224 / 255) for c in chroma)]
    return b"".join(np.rint(p).astype(np.uint8).tobytes() for p in planes)


class Film:
    """A film of one picture, which the fake camera reads again for every frame: it shows what was written last.

    So the person can look at a dot as soon as the page shows it, however fast this computer is.
    """

    def __init__(self, path: Path, width: int, height: int, fps: int = 10) -> None:
        """Begin with a grey picture."""
        self.path = path
        header = f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420jpeg\nFRAME\n".encode()
        path.write_bytes(header + bytes([110]) * (width * height) + bytes([128]) * (width * height // 2))
        self._at = len(header)
        self._file = path.open("r+b", buffering=0)

    def show(self, picture: bytes) -> None:
        """Show a picture of `i420`."""
        os.pwrite(self._file.fileno(), picture, self._at)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Actor:
    """Plays a person in front of the page: looks at the calibration's dot, or else where it is told to.

    Args:
        film: what the camera sees.
        pictures: of `i420`, by where the person looks; the views of one place alternate.
        look_at: returns where the person looks now, a key of `pictures`.

    Attributes:
        shown: the key whose pictures the film has shown last.
    """

    def __init__(
        self, film: Film, pictures: Mapping[Hashable, Sequence[bytes]], look_at: Callable[[], Hashable]
    ) -> None:
        self._film, self._pictures, self._look_at = film, pictures, look_at
        self.shown: Hashable = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._play, daemon=True)

    def __enter__(self) -> Actor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _play(self) -> None:
        shown = None
        for number in itertools.count():
            place = self._look_at()
            views = self._pictures[place]
            picture = views[number // 5 % len(views)]
            if picture is not shown:
                self._film.show(picture)
                shown = picture
            self.shown = place
            if self._ended.wait(0.04):
                return
