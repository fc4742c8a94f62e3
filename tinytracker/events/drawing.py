"""From a planned clip to events: light at each instant, then the sensor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinytracker.events.clip import Clip
from tinytracker.events.dvs import Dvs, Sensor, merged
from tinytracker.events.plan import ClipPlan
from tinytracker.events.stream import Events
from tinytracker.synth.instants import InstantRenderer, Window

WHITE_QUANTILE = 0.95
"""Of the first picture's luminance: what the scene's white surfaces reflect."""


def draw_clip(
    renderer: InstantRenderer,
    plan: ClipPlan,
    sensor: Sensor,
    rng: np.random.Generator,
    *,
    rate: int,
    subject: int,
    split: str,
    seed: int,
    roi: bool = False,
) -> Clip:
    """Draw one clip.

    Args:
        renderer: of the sitting that the plan belongs to.
        plan: from `plan_clips`.
        sensor: properties of the event sensor.
        rng: of the sensor.
        rate: instants and labels per second.
        subject: number of the person.
        split: of the person.
        seed: of the data set; noted only.
        roi: only pixels around the eyes are switched on.
    """
    course = plan.course
    events = draw_events(renderer, plan, sensor, rng, roi)
    return Clip(
        events,
        np.round(course.times * 1e6).astype(np.int64),
        course.gaze.astype(np.float32),
        plan.degrees,
        plan.eyes,
        course.blink.astype(np.float32),
        rate=rate,
        subject=subject,
        split=split,
        seed=seed,
        strip=plan.strip,
    )


def draw_events(
    renderer: InstantRenderer, plan: ClipPlan, sensor: Sensor, rng: np.random.Generator, roi: bool = False
) -> Events:
    """Draw the events of one clip: pixels around the eyes see every drawn instant, the others the whole pictures.

    With `roi` these others are switched off, as the region of interest of a sensor does.
    """
    times = plan.course.times
    numbers = [plan.first + i for i in plan.pictures]
    window = renderer.window(numbers)
    first = renderer.picture(numbers[0])
    white = float(np.quantile(first, WHITE_QUANTILE))
    height, width = first.shape
    parts = []
    if not roi:
        outside = Dvs((height, width), sensor, white, rng, skip=_inside(window, first.shape))
        outside.see(first, float(times[0]))
        for i, number in zip(plan.pictures[1:], numbers[1:], strict=True):
            outside.see(renderer.picture(number), float(times[i]))
        parts.append(outside.events(width, height))
    inside = Dvs(window.shape, sensor, white, rng)
    drawn = [plan.first + i for i in plan.drawn]
    for i, light in zip(plan.drawn, renderer.around_eyes(window, drawn, numbers), strict=True):
        inside.see(light, float(times[i]))
    return merged([*parts, inside.events(width, height, (window.left, window.top))])


def _inside(window: Window, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros(shape, np.bool_)
    mask[window.top : window.bottom, window.left : window.right] = True
    return mask
