"""Draw the figures of docs/gaze.md from the device table: `python docs/tools/gaze_figures.py docs/images`."""

from __future__ import annotations

import sys
from pathlib import Path

from tinytracker.data.devices import DEVICES, Device, Orientation

STYLE = """<style>
  .page { fill: #ffffff } .body { fill: #e9edf2; stroke: #aeb8c4 } .screen { fill: #f8fafc; stroke: #8794a4 }
  .line { stroke: #44515f; fill: none } .thin { stroke: #8794a4; fill: none; stroke-dasharray: 3 3 }
  text { font: 13px system-ui, sans-serif; fill: #2b3540 } .quiet { fill: #5b6876 }
  .dot { fill: #0b7285 } .guess { fill: #c2410c } .error { stroke: #c2410c; stroke-width: 1.5 } .lens { fill: #2b3540 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #171c22 } .body { fill: #2a323c; stroke: #4d5967 } .screen { fill: #1f262e; stroke: #7c8998 }
    .line { stroke: #c3ccd6 } .thin { stroke: #7c8998 } text { fill: #e3e8ee } .quiet { fill: #a3afbc }
    .dot { fill: #3bc9db } .guess { fill: #ffa06b } .error { stroke: #ffa06b } .lens { fill: #e3e8ee }
  }
</style>"""
DOT, GUESS = (1.2, -6.0), (-0.4, -4.6)


class Figure:
    """An SVG whose coordinates are cm around a camera, y up.

    Args:
        width, height: px. title: for those who do not see it.
    """

    def __init__(self, width: int, height: int, title: str) -> None:
        self.width, self.height, self.title = width, height, title
        self.parts: list[str] = []
        self.frame(0, 0, 1)

    def frame(self, x: float, y: float, scale: float) -> None:
        """Put the origin at (x, y) px from the top-left corner, with `scale` px per cm."""
        self.x, self.y, self.scale = x, y, scale

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Px of a place in cm."""
        return round(self.x + x * self.scale, 1), round(self.y - y * self.scale, 1)

    def line(
        self, start: tuple[float, float], end: tuple[float, float], kind: str, arrow: bool = False
    ) -> None:
        """A line in cm."""
        (x1, y1), (x2, y2) = self.at(*start), self.at(*end)
        head = ' marker-end="url(#head)"' if arrow else ""
        self.parts.append(f'<line class="{kind}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"{head}/>')

    def box(self, rectangle: tuple[float, float, float, float], kind: str, radius: float = 0) -> None:
        """A rectangle (x_min, y_min, x_max, y_max) in cm; radius in px."""
        (x1, y1), (x2, y2) = self.at(rectangle[0], rectangle[3]), self.at(rectangle[2], rectangle[1])
        size = f'width="{x2 - x1:.1f}" height="{y2 - y1:.1f}"'
        self.parts.append(f'<rect class="{kind}" x="{x1}" y="{y1}" {size} rx="{radius}"/>')

    def circle(self, place: tuple[float, float], radius: float, kind: str) -> None:
        """A circle at a place in cm; radius in px."""
        x, y = self.at(*place)
        self.parts.append(f'<circle class="{kind}" cx="{x}" cy="{y}" r="{radius}"/>')

    def text(self, place: tuple[float, float], words: str, anchor: str = "start", kind: str = "") -> None:
        """Words at a place in cm."""
        x, y = self.at(*place)
        self.parts.append(f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{words}</text>')

    def axes(self, length: float, names: tuple[str, str] = ("x", "y")) -> None:
        """The two axes from the origin."""
        self.line((0, 0), (length, 0), "line", arrow=True)
        self.line((0, 0), (0, length), "line", arrow=True)
        self.text((length + 12 / self.scale, -4 / self.scale), names[0])
        self.text((8 / self.scale, length - 4 / self.scale), names[1])

    def svg(self) -> str:
        """The whole file."""
        head = (
            '<marker id="head" markerWidth="8" markerHeight="8" refX="6" refY="4" orient="auto">'
            '<path class="line" d="M1,1 L7,4 L1,7"/></marker>'
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" role="img"><title>{self.title}</title>\n{STYLE}\n'
            f'<defs>{head}</defs>\n<rect class="page" width="100%" height="100%" rx="8"/>\n'
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )


def draw_device(figure: Figure, device: Device, orientation: int, margin: float = 0.6) -> None:
    """Body and screen, the camera at the origin."""
    x1, y1, x2, y2 = device.screen_rectangle_cm(orientation)
    ends = (min(x1, 0) - margin, min(y1, 0) - margin, max(x2, 0) + margin, max(y2, 0) + margin)
    figure.box(ends, "body", radius=10)
    figure.box((x1, y1, x2, y2), "screen", radius=2)


def front() -> Figure:
    """A phone from the front: axes, the dot, a prediction and its error."""
    figure = Figure(440, 425, "A phone from the front with the axes of gaze, a dot and a prediction")
    figure.frame(130, 105, 26)
    draw_device(figure, DEVICES["iPhone 6"], Orientation.PORTRAIT)
    figure.axes(3.2, ("x", "y (up)"))
    figure.circle((0, 0), 4.5, "lens")
    figure.text((-0.5, 0.85), "camera (0, 0)", "end")
    figure.line(DOT, GUESS, "error")
    figure.circle(DOT, 7, "dot")
    figure.circle(GUESS, 7, "guess")
    distance = ((DOT[0] - GUESS[0]) ** 2 + (DOT[1] - GUESS[1]) ** 2) ** 0.5
    for place, words in (
        (GUESS, f"answer ({GUESS[0]}, {GUESS[1]}) cm"),
        (((DOT[0] + GUESS[0]) / 2, (DOT[1] + GUESS[1]) / 2), f"error {distance:.1f} cm"),
        (DOT, f"dot ({DOT[0]}, {DOT[1]}) cm"),
    ):
        figure.line((place[0] + 0.4, place[1]), (4.7, place[1]), "thin")
        figure.text((4.85, place[1] - 0.17), words)
    return figure


def side() -> Figure:
    """The same from the side: the screen's plane, the eyes, and the ray of gaze."""
    figure = Figure(440, 205, "From the side: gaze is where the line of sight meets the plane of the screen")
    figure.frame(70, 80, 9)
    figure.box((-0.9, -11.5, 0, 0.9), "body", radius=4)
    figure.line((0, 0), (0, 5.0), "line", arrow=True)
    figure.text((0.9, 4.5), "y")
    figure.line((0, 0), (36.5, 0), "line", arrow=True)
    figure.text((36.0, -1.9), "z", "middle")
    figure.circle((0, 0), 4, "lens")
    eye = (33.0, 3.5)
    figure.line(eye, (0, DOT[1]), "error")
    figure.circle(eye, 11, "screen")
    figure.circle((eye[0] - 0.9, eye[1] - 0.25), 4, "lens")
    figure.circle((0, DOT[1]), 6, "dot")
    figure.text((1.4, -8.0), "gaze: where the line of sight meets the screen's plane")
    figure.text((16.5, -10.6), "drawn at 33 cm, as a phone is held", "middle", "quiet")
    figure.text((eye[0], eye[1] + 2.2), "eye", "middle")
    return figure


def orientations() -> Figure:
    """One phone held in four ways; the camera stays at the origin."""
    figure = Figure(440, 470, "Where the screen lies for each of the four orientations")
    names = {
        Orientation.PORTRAIT: "1 upright", Orientation.UPSIDE_DOWN: "2 upside down",
        Orientation.LANDSCAPE_HOME_RIGHT: "3 home button right", Orientation.LANDSCAPE_HOME_LEFT: "4 home button left",
    }  # fmt: skip
    places = {1: (110, 60), 2: (330, 185), 3: (60, 340), 4: (390, 340)}
    for orientation, name in names.items():
        figure.frame(*places[orientation], 13)
        draw_device(figure, DEVICES["iPhone 6"], orientation)
        figure.circle((0, 0), 3.5, "lens")
        figure.axes(1.8)
        x1, y1, x2, _ = DEVICES["iPhone 6"].screen_rectangle_cm(orientation)
        figure.text(((x1 + x2) / 2, min(y1, 0) - 2.0), name, "middle")
    return figure


FIGURES = {"gaze-front.svg": front, "gaze-side.svg": side, "gaze-orientations.svg": orientations}

if __name__ == "__main__":
    for name, draw in FIGURES.items():
        (Path(sys.argv[1]) / name).write_text(draw().svg(), encoding="utf-8")
