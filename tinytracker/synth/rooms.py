"""Rooms and streets behind the user, painted once per sitting."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from tinytracker.arrays import Floats32

Colour = tuple[int, int, int]

SIDE = 192
_FINE = 2
_CANVAS = SIDE * _FINE
EMITTED = 3.0
"""Brightness of lamps and windows relative to white paper."""


class _Painter:
    """A canvas for reflectance and one for emitted light; positions are fractions of the canvas."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.paint = Image.new("RGB", (_CANVAS, _CANVAS))
        self.glow = Image.new("RGB", (_CANVAS, _CANVAS))
        self._saturation = rng.uniform(0.04, 0.4)

    def colour(self, low: float, high: float, saturation: float | None = None) -> Colour:
        """Return a display colour around a random grey between low and high (0..1)."""
        grey = self.rng.uniform(low, high)
        spread = self._saturation if saturation is None else saturation
        rgb = np.clip(grey * (1 + spread * self.rng.uniform(-1, 1, 3)) * 255, 3, 252)
        return int(rgb[0]), int(rgb[1]), int(rgb[2])

    def polygon(self, points: list[tuple[float, float]], colour: Colour, glow: bool = False) -> None:
        """Fill a polygon."""
        target = self.glow if glow else self.paint
        ImageDraw.Draw(target).polygon([(x * _CANVAS, y * _CANVAS) for x, y in points], fill=colour)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, glow: bool = False) -> None:
        """Fill an upright rectangle."""
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour, glow)

    def disc(self, x: float, y: float, rx: float, ry: float, colour: Colour, glow: bool = False) -> None:
        """Fill an ellipse."""
        target = self.glow if glow else self.paint
        corners = [(x - rx) * _CANVAS, (y - ry) * _CANVAS, (x + rx) * _CANVAS, (y + ry) * _CANVAS]
        ImageDraw.Draw(target).ellipse(corners, fill=colour)


def _shelf(p: _Painter) -> None:
    x, y, w = p.rng.uniform(0, 0.7), p.rng.uniform(0.1, 0.5), p.rng.uniform(0.15, 0.4)
    boards, height = int(p.rng.integers(2, 5)), p.rng.uniform(0.09, 0.14)
    wood = p.colour(0.2, 0.7, 0.3)
    p.box(x - 0.01, y - 0.01, x + w + 0.01, y + boards * height, p.colour(0.1, 0.5))
    for board in range(boards):
        left, top = x, y + board * height
        while left < x + w:
            thick, tall = p.rng.uniform(0.01, 0.03), height * p.rng.uniform(0.5, 0.85)
            if p.rng.random() < 0.85:
                p.box(
                    left, top + height - tall, min(left + thick, x + w), top + height, p.colour(0.1, 0.9, 0.6)
                )
            left += thick
        p.box(x - 0.01, top + height - 0.01, x + w + 0.01, top + height, wood)


def _window(p: _Painter) -> None:
    x, y, w, h = (
        p.rng.uniform(-0.1, 0.75),
        p.rng.uniform(0.0, 0.35),
        p.rng.uniform(0.18, 0.4),
        p.rng.uniform(0.25, 0.5),
    )
    p.box(x - 0.015, y - 0.015, x + w + 0.015, y + h + 0.015, p.colour(0.5, 0.95, 0.05))
    bright = int(p.rng.uniform(120, 255))
    p.box(x, y, x + w, y + h, (bright, bright, min(255, int(bright * 1.04))), glow=True)
    p.box(
        x,
        y + h * p.rng.uniform(0.5, 0.9),
        x + w,
        y + h,
        (bright // 3, int(bright / 2.6), bright // 3),
        glow=True,
    )
    bars = int(p.rng.integers(1, 4))
    for bar in range(1, bars):
        at = x + w * bar / bars
        p.box(at - 0.008, y, at + 0.008, y + h, p.colour(0.5, 0.95, 0.05))
        p.box(at - 0.008, y, at + 0.008, y + h, (0, 0, 0), glow=True)
    if p.rng.random() < 0.5:
        cloth = p.colour(0.3, 0.9)
        for side in (x - 0.06, x + w - 0.02):
            p.box(side, y - 0.03, side + 0.08, y + h + 0.1, cloth)
            p.box(side, y - 0.03, side + 0.08, y + h + 0.1, (0, 0, 0), glow=True)


def _door(p: _Painter) -> None:
    x, w, top = p.rng.uniform(0, 0.8), p.rng.uniform(0.14, 0.24), p.rng.uniform(0.1, 0.35)
    p.box(x - 0.015, top - 0.015, x + w + 0.015, 1.0, p.colour(0.4, 0.9, 0.1))
    leaf = p.colour(0.25, 0.9, 0.15)
    p.box(x, top, x + w, 1.0, leaf)
    inset = (int(leaf[0] * 0.85), int(leaf[1] * 0.85), int(leaf[2] * 0.85))
    p.box(x + 0.03, top + 0.05, x + w - 0.03, top + 0.25, inset)
    p.box(x + 0.03, top + 0.30, x + w - 0.03, top + 0.55, inset)


def _picture(p: _Painter) -> None:
    x, y, w, h = (
        p.rng.uniform(0, 0.85),
        p.rng.uniform(0.1, 0.5),
        p.rng.uniform(0.06, 0.22),
        p.rng.uniform(0.06, 0.2),
    )
    p.box(x, y, x + w, y + h, p.colour(0.05, 0.9))
    p.box(x + 0.01, y + 0.01, x + w - 0.01, y + h - 0.01, p.colour(0.6, 0.95, 0.05))
    p.box(x + 0.025, y + 0.025, x + w - 0.025, y + h - 0.025, p.colour(0.1, 0.8, 0.6))


def _plant(p: _Painter) -> None:
    x, y = p.rng.uniform(0.05, 0.95), p.rng.uniform(0.4, 0.8)
    for _ in range(int(p.rng.integers(15, 40))):
        green = int(p.rng.uniform(40, 130))
        dx, dy = p.rng.normal(0, 0.05, 2)
        p.disc(
            x + dx,
            y + dy,
            p.rng.uniform(0.006, 0.03),
            p.rng.uniform(0.01, 0.035),
            (green // 2, green, green // 3),
        )


def _sofa(p: _Painter) -> None:
    x, y, w = p.rng.uniform(-0.2, 0.6), p.rng.uniform(0.62, 0.85), p.rng.uniform(0.4, 0.9)
    cover = p.colour(0.1, 0.7)
    darker = (int(cover[0] * 0.8), int(cover[1] * 0.8), int(cover[2] * 0.8))
    p.box(x, y, x + w, 1.0, cover)
    p.disc(x, y + 0.06, 0.07, 0.06, darker)
    p.disc(x + w, y + 0.06, 0.07, 0.06, darker)
    for _ in range(int(p.rng.integers(0, 4))):
        p.disc(x + p.rng.uniform(0, w), y, 0.07, 0.05, p.colour(0.2, 0.8, 0.6))


def _lamp(p: _Painter) -> None:
    x, y = p.rng.uniform(0.05, 0.95), p.rng.uniform(0.05, 0.5)
    shade = int(p.rng.uniform(100, 255))
    p.box(x - 0.005, y, x + 0.005, 1.0, p.colour(0.1, 0.5))
    p.polygon(
        [(x - 0.03, y - 0.05), (x + 0.03, y - 0.05), (x + 0.06, y + 0.04), (x - 0.06, y + 0.04)],
        (shade, int(shade * 0.85), int(shade * 0.6)), glow=True,
    )  # fmt: skip


def _ceiling_lights(p: _Painter, horizon: float) -> None:
    for _ in range(int(p.rng.integers(1, 5))):
        x, y = p.rng.uniform(0, 1), horizon * p.rng.uniform(0.1, 0.85)
        size = p.rng.uniform(0.01, 0.06)
        p.disc(x, y, size, size * 0.35, (255, 250, 235), glow=True)


def _room(p: _Painter) -> None:
    wall = p.colour(0.3, 0.92)
    side = (int(wall[0] * 0.8), int(wall[1] * 0.8), int(wall[2] * 0.8))
    top, bottom = p.rng.uniform(-0.15, 0.35), p.rng.uniform(0.68, 1.1)
    corner = p.rng.uniform(0.05, 0.95)
    left = corner < 0.5
    edge = 0.0 if left else 1.0
    slope = p.rng.uniform(0.1, 0.35)
    p.box(0, 0, 1, 1, wall)
    p.polygon([(corner, top), (corner, bottom), (edge, bottom + slope), (edge, top - slope)], side)
    p.polygon(
        [(0, 0), (1, 0), (1 if left else corner, top), (corner if left else 0, top), (edge, top - slope)],
        p.colour(0.6, 0.95, 0.04),
    )
    p.polygon(
        [
            (0, 1),
            (1, 1),
            (1 if left else corner, bottom),
            (corner if left else 0, bottom),
            (edge, bottom + slope),
        ],
        p.colour(0.15, 0.7, 0.3),
    )
    if top > 0.05:
        _ceiling_lights(p, top)
    things = [_shelf, _window, _door, _picture, _picture, _plant, _sofa, _lamp]
    for thing in p.rng.permutation(len(things))[: int(p.rng.integers(1, 6))]:
        things[int(thing)](p)


def _street(p: _Painter) -> None:
    horizon = p.rng.uniform(0.45, 0.9)
    blue = p.rng.uniform(0, 1)
    bright = int(p.rng.uniform(140, 240))
    p.box(
        0, 0, 1, horizon, (int(bright * (1 - 0.3 * blue)), int(bright * (1 - 0.12 * blue)), bright), glow=True
    )
    p.box(0, horizon, 1, 1, p.colour(0.2, 0.6, 0.2))
    for _ in range(int(p.rng.integers(1, 5))):
        x, w, y = p.rng.uniform(-0.2, 0.9), p.rng.uniform(0.15, 0.5), horizon - p.rng.uniform(0.1, 0.5)
        p.box(x, y, x + w, horizon + 0.02, (0, 0, 0), glow=True)
        p.box(x, y, x + w, horizon + 0.02, p.colour(0.2, 0.7))
        panes = p.colour(0.1, 0.5, 0.1)
        for row in range(1, 9):
            for column in range(6):
                px, py = x + w * (column + 0.25) / 6, y + 0.06 * row
                if py < horizon - 0.03:
                    p.box(px, py, px + w / 12, py + 0.03, panes)
    for _ in range(int(p.rng.integers(0, 5))):
        x, y = p.rng.uniform(0, 1), horizon - p.rng.uniform(0.0, 0.3)
        for _ in range(45):
            green = int(p.rng.uniform(25, 110))
            dx, dy = p.rng.normal(0, 0.07, 2)
            size = p.rng.uniform(0.01, 0.04)
            p.disc(x + dx, y + dy, size, size, (0, 0, 0), glow=True)
            p.disc(x + dx, y + dy, size, size, (int(green * 0.6), green, int(green * 0.35)))


def paint_scenery(rng: np.random.Generator, outdoors: bool) -> tuple[Floats32, Floats32]:
    """Return reflectance and emitted light, each (SIDE, SIDE, 3) linear."""
    painter = _Painter(rng)
    (_street if outdoors else _room)(painter)

    def linear(canvas: Image.Image) -> Floats32:
        small = canvas.resize((SIDE, SIDE), Image.Resampling.BOX)
        return ((np.asarray(small, np.float32) / 255) ** np.float32(2.2)).astype(np.float32)

    return linear(painter.paint), linear(painter.glow) * np.float32(EMITTED)
