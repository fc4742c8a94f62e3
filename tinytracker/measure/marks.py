"""Steps that both a power meter and this computer see, so that times on one clock can be converted to the other.

A step is made between two readings of the computer's clock, and the meter sees it between two samples: the same kind
of knowledge as an exchange of clocks over a serial line. A pin of a Raspberry Pi that changes with every frame, on a
digital input of the meter, gives it to some ten microseconds; bursts of load that show in the current, without any
wire, to a millisecond.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tinytracker.errors import DeviceError, MissingDependencyError
from tinytracker.measure.host_clock import now_ns

GPIO, LOAD = "gpio", "load"
CHANNELS = (GPIO, LOAD)

PATTERN_S = (0.10, 0.07, 0.13, 0.09, 0.16, 0.08, 0.12, 0.11, 0.06, 0.15, 0.09, 0.13, 0.07, 0.11, 0.10, 0.14)
"""Times between the steps before and after the frames: uneven, so that they fit in only one place."""

_CHIP_LABELS = ("pinctrl-bcm", "pinctrl-rp1")
"""Of the chips behind the 40 pins of a Raspberry Pi; the number of their device differs between models."""


@dataclass(frozen=True)
class Mark:
    """A step.

    Attributes:
        channel: "gpio", a line of the meter shows it, or "load", the current does.
        level: after the step, 0 or 1.
        before_ns, after_ns: host times between which it was made.
    """

    channel: str
    level: int
    before_ns: int
    after_ns: int


class Marker:
    """Makes steps and records their times. Steps of one channel come from one thread at a time.

    Args:
        channel: see `Mark`.
        put: makes a level; for a load, makes it while the level is 1.
    """

    def __init__(self, channel: str, put: Callable[[int], None]) -> None:
        self.channel = channel
        self._put = put
        self._level = 0
        self._made: deque[Mark] = deque()

    def step(self) -> None:
        """Change to the other level."""
        self._level ^= 1
        before = now_ns()
        self._put(self._level)
        self._made.append(Mark(self.channel, self._level, before, now_ns()))

    def pattern(self, seconds: Sequence[float] = PATTERN_S) -> None:
        """Steps at uneven distances; ends at the level where it began."""
        for length in seconds:
            self.step()
            _wait(length, self.channel == LOAD and self._level == 1)
        if len(seconds) % 2:
            self.step()

    def take(self) -> list[Mark]:
        """The steps since the last call."""
        return [self._made.popleft() for _ in range(len(self._made))]


def _wait(seconds: float, busy: bool) -> None:
    """Wait, with or without keeping a core busy."""
    if not busy:
        time.sleep(seconds)
        return
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def load_marker() -> Marker:
    """Steps of the computer's own load: visible in the current when the meter feeds the whole computer."""
    return Marker(LOAD, lambda level: None)


@contextmanager
def gpio_marker(pin: int, chip: str | None = None) -> Iterator[Marker]:
    """Steps on a pin of a Raspberry Pi.

    Args:
        pin: number of the GPIO (17 is pin 11 of the header).
        chip: its device; None for that of the 40 pins.

    Raises:
        MissingDependencyError: gpiod 2 is not installed.
        DeviceError: no such chip, or the pin is in use.
    """
    try:
        import gpiod
        from gpiod.line import Direction, Value
    except ImportError as error:
        raise MissingDependencyError(
            "gpiod 2",
            "a pin that marks frames (--sync load and none do not need it)",
            "pip install 'gpiod>=2.1'",
        ) from error
    device = chip or _header_chip(gpiod)
    try:
        settings = gpiod.LineSettings(direction=Direction.OUTPUT, output_value=Value.INACTIVE)
        request = gpiod.request_lines(device, consumer="tinytracker", config={pin: settings})
    except (OSError, ValueError) as error:
        raise DeviceError(
            device, f"GPIO {pin} cannot be used ({error})", "Choose a free pin with --sync gpio:NUMBER."
        ) from error
    try:
        yield Marker(GPIO, lambda level: request.set_value(pin, Value.ACTIVE if level else Value.INACTIVE))
    finally:
        request.release()


def _header_chip(gpiod: Any) -> str:
    from pathlib import Path

    for path in sorted(map(str, Path("/dev").glob("gpiochip*"))):
        if gpiod.is_gpiochip_device(path):
            with gpiod.Chip(path) as chip:
                if chip.get_info().label.startswith(_CHIP_LABELS):
                    return path
    raise DeviceError(
        "GPIO", "no GPIO chip of a Raspberry Pi's header was found", "Use --sync load, or none."
    )
