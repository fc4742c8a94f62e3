"""Record the baselines of a camera with the network inside, and step a marker around and among its frames."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tinytracker.errors import UsageError
from tinytracker.measure.marks import GPIO, LOAD, Marker, gpio_marker, load_marker
from tinytracker.measure.measurement import header_of
from tinytracker.measure.opening import Request, open_board
from tinytracker.measure.session import SessionWriter
from tinytracker.measure.stretches import CAMERA_OFF, RUNNING, SECONDS, STREAMING, Stretch, watch
from tinytracker.targets import find_target

NONE = "none"
PIN = 17
"""GPIO 17 is pin 11 of the header; a ground is pin 9 beside it."""

_GPIO_PREFIX = f"{GPIO}:"


@contextmanager
def opened_marker(sync: str) -> Iterator[Marker | None]:
    """The marker that `--sync` names.

    Args:
        sync: "gpio", "gpio:NUMBER", "load" or "none".

    Raises:
        UsageError: `sync` is none of these.
        MissingDependencyError: gpiod is not installed.
        DeviceError: the pin cannot be used.
    """
    number = sync.removeprefix(_GPIO_PREFIX)
    if sync == NONE:
        yield None
    elif sync == LOAD:
        yield load_marker()
    elif sync == GPIO or (sync.startswith(_GPIO_PREFIX) and number.isdigit()):
        with gpio_marker(PIN if sync == GPIO else int(number)) as marker:
            yield marker
    else:
        raise UsageError(f"--sync {sync} is not known.", "Use gpio, gpio:NUMBER, load or none.")


def frame_marker(marker: Marker | None) -> Marker | None:
    """The marker for the frames: a load cannot follow them."""
    return marker if marker is not None and marker.channel == GPIO else None


def watch_without_network(
    target: str, wanted: Collection[str], seconds: float = SECONDS, fps: float | None = None
) -> list[Stretch]:
    """The baselines before the network is loaded.

    Args:
        target: a camera with the network inside.
        wanted: names of `BASELINES`; those with a network are left for later.
        seconds: of each.
        fps: of the camera.

    Raises:
        MissingDependencyError: picamera2 is not installed.
        DeviceError: no camera.
    """
    camera = find_target(target, "board").part("board")
    found = []
    for name in (CAMERA_OFF, STREAMING):
        if name in wanted:
            with camera.streaming(fps) if name == STREAMING else nullcontext():
                found.append(watch(name, seconds))
    return found


def record_baselines(
    target: str, request: Request, out: Path, wanted: Collection[str], seconds: float, marker: Marker
) -> Path:
    """A session of baselines alone, without frames.

    Args:
        target: a camera with the network inside.
        request: how it is opened.
        out: session file; must not exist.
        wanted: names of `BASELINES`.
        seconds: of each.
        marker: makes the steps that relate the meter's clock to this computer's.

    Raises:
        OutputError: the session cannot be written.
        DeviceError: no camera.
    """
    marker.pattern()
    stretches = watch_without_network(target, wanted, seconds, request.fps)
    with open_board(target, request) as source:
        if RUNNING in wanted:
            stretches.append(watch(RUNNING, seconds))
        source.stop()
    marker.pattern()
    metadata = {"baselines": [stretch.name for stretch in stretches]}
    with SessionWriter(out, header_of(source.board, 0, metadata)) as writer:
        for stretch in stretches:
            writer.stretch(stretch)
        for mark in marker.take():
            writer.mark(mark)
    return out
