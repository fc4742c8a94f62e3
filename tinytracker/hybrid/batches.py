"""Which windows training and validation see. Importing this module imports TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tinytracker.errors import TinyTrackerError
from tinytracker.hybrid.config import HybridConfig
from tinytracker.hybrid.presets import STEPS
from tinytracker.hybrid.streams import Stream, Windows, all_windows, joined, moved, spread


class Pool:
    """The windows that batches are drawn from."""

    def __init__(self, streams: tuple[Stream, ...]) -> None:
        self.all = all_windows(streams)
        self.moving = np.flatnonzero(moved(self.all))
        if not len(self.moving):
            raise TinyTrackerError(
                "The gaze moves in none of the windows of the split 'train'.",
                "Draw more clips, or longer ones.",
            )

    def draw(self, config: HybridConfig, rng: np.random.Generator) -> Windows:
        """Return the windows of a batch: `config.moving` of them move, and `config.early` end early."""
        count = config.batch_size
        moving = round(config.moving * count)
        chosen = np.concatenate(
            [rng.choice(self.moving, moving), rng.integers(0, len(self.all), count - moving)]
        )
        drawn = self.all.part(chosen)
        early = rng.random(count) < config.early
        length = np.where(early, rng.integers(1, STEPS + 1, count), STEPS)
        return Windows(drawn.streams, drawn.clip, drawn.start, length)


def batch(pool: Pool, config: HybridConfig, rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """Return events, lengths and changes in units: mirrored, played backwards and shifted at random."""
    windows = pool.draw(config, rng)
    events, target = windows.events(), windows.change_cm() / windows.unit_cm()[:, None]
    for i in np.flatnonzero(rng.random(len(windows)) < 0.5):
        events[i], target[i] = backwards(events[i], int(windows.length[i])), -target[i]
    mirrored = rng.random(len(windows)) < 0.5
    events[mirrored] = events[mirrored][:, :, :, ::-1]
    target[mirrored, 0] *= -1
    down, right = (int(n) for n in rng.integers(-config.shift, config.shift + 1, 2))
    events = np.roll(events, (down, right), (2, 3))
    events[:, :, slice(0, down) if down >= 0 else slice(down, None)] = 0
    events[:, :, :, slice(0, right) if right >= 0 else slice(right, None)] = 0
    return tf.constant(events), tf.constant(windows.length), tf.constant(target.astype(np.float32))


def backwards(events: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    """Return a window (STEPS, h, w, 2) of `length` steps played backwards: what grew lighter then grows darker.

    The change of the gaze is the opposite one, and a sensor sees nearly this: only its lag has a direction in time.
    """
    found = events.copy()
    found[:length] = events[:length][::-1, ..., ::-1]
    return found


def validation_windows(streams: tuple[Stream, ...], count: int) -> Windows:
    """Return the windows on which epochs are compared: half of them move, half are spread over all.

    Raises:
        TinyTrackerError: there are none.
    """
    everything = all_windows(streams, STEPS // 2)
    moving = everything.part(moved(everything))
    if not len(moving):
        raise TinyTrackerError(
            "The gaze moves in none of the windows of the split 'val'.", "Draw more clips, or longer ones."
        )
    a, b = spread(moving, count // 2), spread(everything, count - count // 2)
    return joined(a, b)
