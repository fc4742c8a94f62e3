"""One person's clips on disk: a pure function of the parameters and the person's number."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.events.clip import write_clip
from tinytracker.events.dvs import Sensor
from tinytracker.locks import locked
from tinytracker.synth.subject import split_of, subject_name

EVENTS_VERSION = 1
"""Incremented whenever the same seed gives other events or labels."""
SENSOR_STREAM = 1000
"""First spawn key of the sensors' generators, beyond those of the person's own."""


@dataclass(frozen=True)
class EventParameters:
    """The parameters of a set of clips; people with equal parameters belong together.

    Attributes:
        clips: per person. seconds: of each. rate: instants and labels per second. seed: random seed.
        devices: names to choose from, () for all. size: (width, height) of the sensor held upright, px.
        sensor: of all clips. gaze: what the eyes are busy with, a name in `tinytracker.events.course.SCRIPTS`.
        roi: only pixels around the eyes are switched on.
    """

    clips: int
    seconds: float
    rate: int
    seed: int
    devices: tuple[str, ...] = ()
    size: tuple[int, int] = (240, 320)
    sensor: Sensor = field(default_factory=Sensor)
    gaze: str = "natural"
    roi: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the parameters as a JSON object, with the version."""
        return {"events_version": EVENTS_VERSION} | asdict(self)


def clip_path(out: Path, index: int, clip: int) -> Path:
    """Return the file of a clip."""
    return out / subject_name(index) / f"clip-{clip:03d}.h5"


def is_finished(out: Path, parameters: EventParameters, index: int) -> bool:
    """Return whether all clips of a person are there."""
    return all(clip_path(out, index, k).is_file() for k in range(parameters.clips))


def make_clips(out: Path, parameters: EventParameters, index: int) -> int:
    """Draw the clips of person `index` that are missing; each file is complete or absent.

    Returns:
        How many were drawn.

    Raises:
        OutputError: another process draws the same person, the disk is full, or permission is missing.
    """
    from tinytracker.events.drawing import draw_clip
    from tinytracker.events.plan import plan_clips
    from tinytracker.synth.instants import InstantRenderer
    from tinytracker.synth.sitting import subject_streams

    name = subject_name(index)
    with locked(out, f"synth-events, person {name}", f".{name}.lock"):
        missing = [k for k in range(parameters.clips) if not clip_path(out, index, k).is_file()]
        if not missing:
            return 0
        p = parameters
        streams = subject_streams(p.seed, index)
        sitting, plans = plan_clips(streams, p.clips, p.seconds, p.rate, p.devices or None, p.size, p.gaze)
        renderer = InstantRenderer(sitting, streams)
        for k in missing:
            rng = np.random.default_rng(np.random.SeedSequence(p.seed, spawn_key=(index, SENSOR_STREAM + k)))
            clip = draw_clip(
                renderer, plans[k], p.sensor, rng,
                rate=p.rate, subject=index, split=split_of(index), seed=p.seed, roi=p.roi,
            )  # fmt: skip
            write_clip(clip_path(out, index, k), clip)
    return len(missing)
