"""Measure how fast clips of events are drawn, in processor time of one process.

An instant counts when it has a label; those at which nothing has moved by a tenth of a pixel are not drawn. Drawn ones
are counted and timed by themselves: `draw_ms` is a drawing of the eyes, `picture_ms` one of the whole sensor.
"""

from __future__ import annotations

import argparse
import time
from itertools import pairwise

import numpy as np
from common import write_csv

from tinytracker.events.drawing import draw_events
from tinytracker.events.dvs import Sensor
from tinytracker.events.plan import plan_clips
from tinytracker.synth.instants import InstantRenderer
from tinytracker.synth.sitting import subject_streams

SEED = 3


def measure(person: int, clips: int, seconds: float, rate: int) -> dict[str, object]:
    marks = [time.process_time()]
    streams = subject_streams(SEED, person)
    sitting, plans = plan_clips(streams, clips, seconds, rate, None, (240, 320))
    renderer = InstantRenderer(sitting, streams)
    marks.append(time.process_time())
    events = [draw_events(renderer, plan, Sensor(), np.random.default_rng(SEED)) for plan in plans]
    marks.append(time.process_time())
    plan = plans[0]
    window = renderer.window([plan.first + i for i in plan.pictures])
    for i in plan.pictures:
        renderer.picture(plan.first + i)
    marks.append(time.process_time())
    numbers = [plan.first + i for i in plan.drawn]
    for _ in renderer.around_eyes(window, numbers, [plan.first + i for i in plan.pictures]):
        pass
    marks.append(time.process_time())
    start, clip, pictures, eyes = (b - a for a, b in pairwise(marks))
    instants = clips * len(plan.course.times)
    return {
        "person": person,
        "glasses": sitting.identity.glasses is not None,
        "clips": clips,
        "seconds": seconds,
        "rate": rate,
        "instants": instants,
        "drawn": sum(len(p.drawn) for p in plans),
        "pictures": sum(len(p.pictures) for p in plans),
        "events": sum(len(e) for e in events),
        "start_s": round(start, 2),
        "clips_s": round(clip, 2),
        "instants_per_cpu_s": round(instants / (start + clip), 1),
        "drawn_per_cpu_s": round(len(plan.drawn) / eyes, 1),
        "draw_ms": round(1e3 * eyes / len(plan.drawn), 2),
        "picture_ms": round(1e3 * pictures / len(plan.pictures), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--clips", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--rate", type=int, default=500)
    arguments = parser.parse_args()
    measure(100, 1, 0.1, 500)  # compiles, or reads the compiled code from its cache
    rows = [
        measure(person, arguments.clips, arguments.seconds, arguments.rate)
        for person in range(arguments.people)
    ]
    write_csv("events", rows, ("numba", "numpy"))


if __name__ == "__main__":
    main()
