"""Light on the sensor at many instants of one person: only what changes between two of them is drawn anew.

A rectangle around the eyes (eyes, lids, brows, glasses) is drawn at every instant, with the pose of that instant. The
rest of the picture is drawn when the head has moved by a fraction of a pixel; a straight line in time connects two of
these pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinytracker.arrays import Floats32
from tinytracker.synth.background import fill_background, window_into_room
from tinytracker.synth.render import Renderer
from tinytracker.synth.scene import Camera, aim_eyes
from tinytracker.synth.shot import Singles, View

LUMINANCE: Floats32 = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of linear red, green and blue (ITU-R BT.709): event sensors have no colour filter."""

WIDEST_STRAND_PX = 3.0


@dataclass(frozen=True)
class Window:
    """A rectangle of the sensor, px: left and top are inside, right and bottom are not."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left


class InstantRenderer(Renderer):
    """Draws luminance of a sitting whose frames are instants, some milliseconds apart."""

    def window(self, numbers: Sequence[int]) -> Window:
        """Return the rectangle with both eyes and brows in all of these instants."""
        low, high = np.full(2, np.iinfo(np.int32).max), np.zeros(2, np.int64)
        for number in numbers:
            frame = self._sitting.frames[number]
            eyes = aim_eyes(self._sitting.identity, frame.pose, frame.dot_cm)
            strip = self._eye_strip(frame.camera, eyes)
            low, high = np.minimum(low, strip[:2]), np.maximum(high, strip[2:])
        return Window(int(low[0]), int(low[1]), int(high[0]), int(high[1]))

    def picture(self, number: int) -> Singles:
        """Return the luminance of the whole picture at one instant, (height, width) float32."""
        return luminance(self.light(number))

    def around_eyes(self, window: Window, drawn: Sequence[int], rooms: Sequence[int]) -> Iterator[Singles]:
        """Yield the luminance in a window, (height, width) float32, at each instant of `drawn`.

        Args:
            window: from `window`.
            drawn: rising numbers of instants.
            rooms: rising numbers at which the background behind the head is placed anew; from the first to the last
                instant of `drawn`. In between, it is mixed.
        """
        middle = drawn[len(drawn) // 2]
        camera = self._sitting.frames[middle].camera
        view = View(
            camera.focal,
            (camera.width / 2 - window.left, camera.height / 2 - window.top),
            window.right - window.left,
            window.bottom - window.top,
        )
        strip = np.array([0, 0, view.width, view.height], np.int32)
        # Shadows move with the head; placed once, they do not jump.
        self._cast_shadows(self._set_up(middle))
        backgrounds = np.stack([self._room_in(window, number) for number in rooms])
        hair, beard = self._scalp, self._beard
        self._keep_hair_near(view, middle)
        try:
            for number in drawn:
                image = _between(backgrounds, rooms, number)
                shot = self._set_up(number)
                self._draw_eyes(image, view, shot, strip)
                _, inverse = self._rasterize(view, shot)
                self._draw_in_front(image, inverse, view, shot)
                yield luminance(image)
        finally:
            self._scalp, self._beard = hair, beard

    def _room_in(self, window: Window, number: int) -> Singles:
        frame = self._sitting.frames[number]
        camera: Camera = frame.camera
        room = np.zeros((camera.height, camera.width, 3), np.float32)
        nobody = np.full(room.shape[:2], -1, np.int32)
        fill_background(room, nobody, self._room, *window_into_room(camera, frame.pose.position))
        return room[window.top : window.bottom, window.left : window.right].copy()

    def _keep_hair_near(self, view: View, number: int) -> None:
        """Leave out strands that are outside the view; a beard never reaches the eyes."""
        self._beard = None
        if self._scalp is None:
            return
        pose = self._sitting.frames[number].pose
        points = self._scalp.points @ pose.head.T + pose.position
        u = view.centre[0] - view.focal * points[..., 0] / points[..., 2]
        v = view.centre[1] - view.focal * points[..., 1] / points[..., 2]
        edge = WIDEST_STRAND_PX + view.width * 0.03  # the head moves a little during a clip
        inside = (u > -edge) & (u < view.width + edge) & (v > -edge) & (v < view.height + edge)
        near = inside.any(axis=1)
        hair = self._scalp
        self._scalp = (
            replace(hair, points=hair.points[near], colours=hair.colours[near], widths=hair.widths[near])
            if near.any()
            else None
        )


def luminance(light: Singles) -> Singles:
    """Return the luminance (h, w) of linear RGB (h, w, 3)."""
    seen: Singles = np.ascontiguousarray(light @ LUMINANCE, np.float32)
    return seen


def _between(pictures: Singles, numbers: Sequence[int], number: int) -> Singles:
    """Mix the two pictures (k, h, w, 3) whose numbers enclose `number`."""
    after = int(np.clip(np.searchsorted(numbers, number), 1, max(len(numbers) - 1, 1)))
    if len(numbers) == 1:
        only: Singles = pictures[0].copy()
        return only
    span = numbers[after] - numbers[after - 1]
    share = np.float32(np.clip((number - numbers[after - 1]) / span, 0, 1))
    mixed: Singles = pictures[after - 1] * (1 - share) + pictures[after] * share
    return mixed
