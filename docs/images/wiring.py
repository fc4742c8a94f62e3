"""Draws how meter and board are wired: `python docs/images/wiring.py` writes the SVG files of docs/measurement.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

FOLDER = Path(__file__).parent
WIDTH, HEIGHT = 960, 430

STYLE = """
text { font: 15px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1b1f24 }
.title { font-size: 19px; font-weight: 600 }
.small { font-size: 13px; fill: #57606a }
.box { fill: #f6f8fa; stroke: #57606a; stroke-width: 1.5; rx: 8 }
.wire { fill: none; stroke-width: 2.5; stroke-linejoin: round }
.power { stroke: #cf222e } .ground { stroke: #1b1f24 } .data { stroke: #0969da } .phase { stroke: #bc4c00 }
.pin { fill: #ffffff; stroke: #57606a; stroke-width: 1.5 }
"""


@dataclass(frozen=True)
class Wiring:
    """One picture.

    Attributes:
        file: name without suffix. title: above it.
        source: where the supply comes from. board: what is measured. connector: where its supply goes in.
        signals: phase pins as (name on the board, meter's input), top to bottom.
        level: of the signals.
        data: what the straight line between source and board is; "" for none.
        notes: lines below.
    """

    file: str
    title: str
    source: str
    board: str
    connector: str
    signals: tuple[tuple[str, str], ...]
    level: str
    data: str
    notes: tuple[str, ...]


WIRINGS = (
    Wiring(
        "wiring-spresense", "Spresense: supply through the meter, two phase pins", "Computer, USB",
        "Spresense main board", "micro USB, VBUS (5 V)",
        (("PWM0 (D06): phase bit 0", "D0"), ("PWM1 (D05): phase bit 1", "D1")),
        "1.8 V (extension board: 3.3 V)",
        "USB data: serial line",
        ("Cut VBUS only: a USB breakout with a jumper in the 5 V line leaves the data lines whole.",
         "Give the meter's logic reference the level of the pins; all grounds are one."),
    ),
    Wiring(
        "wiring-coralmicro", "Coral Dev Board Micro: supply through the meter, three phase pins", "Computer, USB",
        "Coral Dev Board Micro", "USB-C, VBUS (5 V)",
        (("UART6_CTS (J9-7): phase bit 0", "D0"), ("UART6_RTS (J9-8): phase bit 1", "D1"),
         ("I2C6_SCL (J9-11): phase bit 2", "D2")),
        "1.8 V, 12-pin headers",
        "USB data: serial line and Ethernet",
        ("The board draws several hundred mA in peaks: stay within the meter's range (PPK2: 1 A).",
         "Give the meter's logic reference 1.8 V from the header; all grounds are one."),
    ),
    Wiring(
        "wiring-imx500", "Raspberry Pi AI Camera: the whole Raspberry Pi, or the camera alone",
        "Power supply, 5 V", "Raspberry Pi + AI Camera", "USB-C, VBUS (5 V)",
        (("GPIO 17 (pin 11): frame step", "D0"),), "3.3 V; ground is pin 9", "",
        ("The pin changes with each frame, and in an uneven pattern before and after: it brings the clocks together.",
         "A Pi draws 1 to 3 A: a PPK2 (1 A) is too small. Wired so, --sync load does without the pin.",
         "Camera alone: an adapter in the flat cable, a meter in its 3.3 V wire (PPK2 is enough); wire the pin too."),
    ),
)  # fmt: skip


def text(x: float, y: float, content: str, style: str = "", anchor: str = "start") -> str:
    """A line of text."""
    kind = f' class="{style}"' if style else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{kind}>{escape(content)}</text>'


def box(x: float, y: float, width: float, height: float, label: str) -> str:
    """A rectangle with its name at the top."""
    return f'<rect class="box" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"/>' + text(
        x + width / 2, y + 26, label, anchor="middle"
    )


def wire(kind: str, *points: tuple[float, float]) -> str:
    """A line along points, with a round pin at each end."""
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    pins = "".join(f'<circle class="pin" cx="{x:g}" cy="{y:g}" r="4"/>' for x, y in (points[0], points[-1]))
    return f'<polyline class="wire {kind}" points="{path}"/>{pins}'


def draw(wiring: Wiring) -> str:
    """The SVG document."""
    source, meter, board = (30, 70, 190, 250), (350, 70, 220, 150), (690, 70, 240, 250)
    parts = [
        box(*source, wiring.source), box(*meter, "Power meter"), box(*board, wiring.board),
        wire("power", (220, 120), (350, 120)), text(285, 111, "5 V", "small", "middle"),
        wire("power", (570, 120), (690, 120)), text(630, 111, "5 V", "small", "middle"),
        text(340 + 20, 125, "IN +"), text(560, 125, "OUT +", anchor="end"), text(700, 125, wiring.connector, "small"),
        wire("ground", (220, 300), (690, 300)), wire("ground", (460, 220), (460, 300)),
        text(468, 240, "GND", "small"), text(210, 305, "GND", "small", "end"), text(700, 305, "GND", "small"),
    ]  # fmt: skip
    for k, (name, line) in enumerate(wiring.signals):
        y = 150 + 24 * k
        parts += [
            wire("phase", (690, y), (570, y)),
            text(560, y + 5, line, anchor="end"),
            text(700, y + 5, name, "small"),
        ]
    if wiring.level:
        parts.append(text(700, 150 + 24 * len(wiring.signals) + 5, wiring.level, "small"))
    if wiring.data:
        parts += [wire("data", (220, 268), (690, 268)), text(232, 259, wiring.data, "small")]
    notes = [text(30, 362 + 24 * k, note, "small") for k, note in enumerate(wiring.notes)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
            f"<title>{escape(wiring.title)}</title>", f"<style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>', text(30, 40, wiring.title, "title"),
            *parts, *notes, "</svg>", "",
        ]
    )  # fmt: skip


def main() -> None:
    """Write the files beside this one."""
    for wiring in WIRINGS:
        (FOLDER / f"{wiring.file}.svg").write_text(draw(wiring))


if __name__ == "__main__":
    main()
