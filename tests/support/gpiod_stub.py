"""A stand-in for gpiod 2: no chip and no pin; it remembers which level was set when. It measures nothing."""

import enum
import sys
import types
from dataclasses import dataclass

from tinytracker.measure import host_clock


class Value(enum.Enum):
    INACTIVE = 0
    ACTIVE = 1


class Direction(enum.Enum):
    OUTPUT = 3


@dataclass
class LineSettings:
    direction: Direction
    output_value: Value


def install(monkeypatch, busy=False):
    """Put it where `import gpiod` finds it; returns the list of (host ns, level) that it fills."""
    changes = []

    class Request:
        def __init__(self, path, consumer, config):
            if busy:
                raise OSError(16, "Device or resource busy")
            assert consumer == "tinytracker"
            (self.pin,) = config
            changes.append((host_clock.now_ns(), config[self.pin].output_value.value))

        def set_value(self, pin, value):
            assert pin == self.pin
            changes.append((host_clock.now_ns(), value.value))

        def release(self):
            pass

    gpiod = types.ModuleType("gpiod")
    gpiod.LineSettings = LineSettings
    gpiod.request_lines = Request
    line = types.ModuleType("gpiod.line")
    line.Value, line.Direction = Value, Direction
    monkeypatch.setitem(sys.modules, "gpiod", gpiod)
    monkeypatch.setitem(sys.modules, "gpiod.line", line)
    monkeypatch.setattr("tinytracker.measure.marks._header_chip", lambda module: "/dev/gpiochip0")
    return changes
