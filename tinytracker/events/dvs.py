"""A dynamic vision sensor: each pixel reports when the logarithm of its light has changed by a threshold.

The model is that of Lichtsteiner, Posch and Delbruck (IEEE JSSC 43, 2008) as v2e has it (Hu, Liu and Delbruck, CVPR
Workshops 2021): a photoreceptor that is slower in the dark, two thresholds per pixel with mismatch, a memory that leaks
towards ON events, shot noise, and a refractory time. Between two instants, the logarithm of the light is a straight
line, so that times are exact to the microsecond rather than to the instant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats, Floats32
from tinytracker.events.stream import Events


@dataclass(frozen=True)
class Sensor:
    """Properties of a sensor; docs/events.md names their sources.

    Attributes:
        threshold: change of the natural logarithm of light that makes an event.
        mismatch: standard deviation of the thresholds over the pixels, in the same unit.
        cutoff_hz: bandwidth of a photoreceptor in white light; 0 for an infinite one.
        leak_hz: ON events per second that the leak of the memory alone makes.
        shot_hz: noise events per second of a dark pixel; a white one has a quarter of them.
        refractory_s: a pixel is held in reset for this time after each event.
        dark: light that every pixel sees in addition, as a share of white (dark current).
    """

    threshold: float = 0.2
    mismatch: float = 0.03
    cutoff_hz: float = 300.0
    leak_hz: float = 0.1
    shot_hz: float = 0.5
    refractory_s: float = 0.0005
    dark: float = 0.001


IDEAL = Sensor(mismatch=0.0, cutoff_hz=0.0, leak_hz=0.0, shot_hz=0.0, refractory_s=0.0)
"""Without noise and delays: what is compared event by event with other models."""

SMALLEST_THRESHOLD = 0.05
SHOT_IN_WHITE = 0.25
"""Noise of a white pixel as a share of that of a dark one (v2e, `SHOT_NOISE_INTEN_FACTOR`)."""
SLOWEST = 0.07
"""A dark pixel's bandwidth as a share of a white one's: v2e's (0 + 20) / 275."""


class Dvs:
    """The pixels of a sensor, or of a rectangle of it, fed with one picture of light after the other.

    Equal arguments and pictures give equal events.

    Args:
        shape: height and width.
        sensor: properties.
        white: light of a white surface in the scene, in the unit of the pictures.
        rng: draws thresholds, the memories at the start, and noise.
        skip: (height, width) bool, pixels that stay silent; None for none.
        settled: start with all memories at the first picture's light rather than anywhere between both thresholds.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        sensor: Sensor,
        white: float,
        rng: np.random.Generator,
        skip: NDArray[np.bool_] | None = None,
        settled: bool = False,
    ) -> None:
        self._sensor, self._white, self._rng = sensor, max(white, 1e-6), rng
        self.shape = shape
        low = SMALLEST_THRESHOLD
        on, off = (np.maximum(rng.normal(sensor.threshold, sensor.mismatch, shape), low) for _ in range(2))
        self._on, self._off = on.astype(np.float32), off.astype(np.float32)
        self._phase = np.zeros(shape) if settled else rng.uniform(-self._off, self._on)
        self._skip = np.zeros(shape, np.bool_) if skip is None else skip
        self._level = self._memory = self._free = np.zeros(0)
        self._before = self._was_bright = np.zeros(0, np.float32)
        self._time: float | None = None
        self._found: list[tuple[Floats, NDArray[np.int32], NDArray[np.uint8]]] = []

    def see(self, light: Floats32, time: float) -> None:
        """Add a picture.

        Args:
            light: (height, width) float32, linear.
            time: s, later than that of the picture before.
        """
        from tinytracker.events.pixels import follow

        log = self._log(light)
        if self._time is None:
            self._level = log.astype(np.float64).ravel()
            self._memory = self._level - self._phase.ravel()
            self._free = np.full(log.size, -np.inf)
            self._before, self._was_bright, self._time = log, self._bright(light), time
            return
        bright = self._bright(light)
        noise_at, noise_when, noise_up = self._noise(bright, self._time, time)
        cutoff = 2 * np.pi * self._sensor.cutoff_hz
        result = follow(
            self._level, self._memory, self._free, self._before.ravel(), log.ravel(),
            self._was_bright.ravel(), bright.ravel(), self._on.ravel(), self._off.ravel(), self._skip.ravel(),
            float(self._time), float(time), cutoff, self._sensor.leak_hz, self._sensor.refractory_s,
            noise_at, noise_when, noise_up,
        )  # fmt: skip
        self._found.append(result)
        self._before, self._was_bright, self._time = log, bright, time

    def events(self, width: int, height: int, corner: tuple[int, int] = (0, 0)) -> Events:
        """Return all events so far, sorted by time and then by pixel, in a sensor of width and height px.

        `corner` is the x, y of this rectangle's first pixel.
        """
        parts = self._found or [(np.zeros(0), np.zeros(0, np.int32), np.zeros(0, np.uint8))]
        when, pixel, up = (np.concatenate(column) for column in zip(*parts, strict=True))
        micros = np.floor(when * 1e6).astype(np.int64)
        order = np.lexsort((pixel, micros))
        y, x = np.divmod(pixel[order], self.shape[1])
        return Events(
            (x + corner[0]).astype(np.uint16),
            (y + corner[1]).astype(np.uint16),
            up[order].astype(np.uint8),
            micros[order],
            width,
            height,
        )

    def _log(self, light: Floats32) -> Floats32:
        log: Floats32 = np.log(light + np.float32(self._sensor.dark * self._white), dtype=np.float32)
        return log

    def _bright(self, light: Floats32) -> Floats32:
        """Return the light relative to white, from `SLOWEST` to 1."""
        return np.clip(light / np.float32(self._white) + np.float32(SLOWEST), SLOWEST, 1).astype(np.float32)

    def _noise(
        self, bright: Floats32, start: float, stop: float
    ) -> tuple[NDArray[np.int64], Floats, NDArray[np.uint8]]:
        """Draw the shot noise of an interval: pixels, rising, and for each its time and polarity."""
        rng, size = self._rng, bright.size
        count = int(rng.poisson(self._sensor.shot_hz * size * (stop - start)))
        at = rng.integers(0, size, count)
        kept = rng.random(count) < 1 - (1 - SHOT_IN_WHITE) * bright.ravel()[at]
        when, up = rng.uniform(start, stop, count), rng.integers(0, 2, count).astype(np.uint8)
        at, when, up = at[kept], when[kept], up[kept]
        order = np.lexsort((when, at))
        return at[order], when[order], up[order]


def merged(parts: list[Events]) -> Events:
    """Return the events of several rectangles of one sensor, sorted by time, then by row and column."""
    x, y, p, t = (np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "y", "p", "t"))
    order = np.lexsort((x, y, t))
    return Events(x[order], y[order], p[order], t[order], parts[0].width, parts[0].height)
