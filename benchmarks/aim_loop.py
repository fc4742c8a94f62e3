"""Close the loop: a network and the controller follow people in rendered sequences.

    tinytracker synth seq --sequences --subjects 32 --frames 160 --seed 31001
    python benchmarks/aim_loop.py --model s2-aim.tflite --sequences seq [--finder finder.tflite] [--trace 00003]

Ways: "true strip" (the exact one in every frame), "fixed crop" (the first frame's true strip, for ever), and "loop"
with regions that take effect 0 to 3 frames late. A loop begins with a find that is 8 % of a strip's width off. Without
--model, the network is simulated: the exact offset, plus noise that grows with it.
"""

from __future__ import annotations

import argparse
import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from aim_sequences import Eyes, Finder, Recording, gaze_cm, read_sequence, region_of
from common import write_csv

from tinytracker import progress
from tinytracker.aim.answer import AimAnswer
from tinytracker.aim.controller import AimSettings, Controller, State
from tinytracker.aim.finding import Find
from tinytracker.aim.fixed import Q12
from tinytracker.aim.region import Region

DELAYS = (0, 1, 2, 3)
ON_IT = 0.2
"""A crop whose centre is at most so many strip widths from the strip's is on it."""
AT_THE_END = 15
RESAMPLED = 2000
OPEN = 0.3
"""Frames whose lids are closed farther than this have no gaze to compare with."""


class Way(Protocol):
    """Decides where each frame's crop lies."""

    def region(self, number: int) -> Region:
        """Return the region of a frame."""

    def answered(self, answer: AimAnswer, region: Region) -> tuple[int, bool]:
        """Take the answer to the oldest frame; returns the state and whether its gaze may be shown."""


@dataclass
class Given:
    """Regions known beforehand."""

    regions: list[Region]

    def region(self, number: int) -> Region:
        """See `Way`."""
        return self.regions[number]

    def answered(self, answer: AimAnswer, region: Region) -> tuple[int, bool]:
        """See `Way`."""
        return State.FOLLOWING, True


@dataclass
class Loop:
    """The controller, with regions that take effect `delay` frames late."""

    controller: Controller
    delay: int
    under_way: list[Region] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.under_way = [self.controller.region] * (self.delay + 1)

    def region(self, number: int) -> Region:
        """See `Way`."""
        return self.under_way.pop(0)

    def answered(self, answer: AimAnswer, region: Region) -> tuple[int, bool]:
        """See `Way`."""
        self.controller.update(answer, region)
        self.under_way.append(self.controller.region)
        return self.controller.state, self.controller.has_eyes


@dataclass
class Course:
    """What happened in one sequence, per frame."""

    recording: Recording
    way: Way
    finder: bool = False
    rows: list[tuple[float, ...]] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)

    def add(self, number: int, region: Region, gaze: Any, state: int, shown: bool) -> None:
        """Note offset and width of the crop in strip widths, gaze error in cm, state, and whether it is shown."""
        self.regions.append(region)
        x, y, width = self.recording.strips[number]
        distance = math.hypot(x - region.x / 16, y - region.y / 16) / width
        error = np.linalg.norm(gaze_cm(gaze, region, self.recording) - self.recording.gaze[number])
        self.rows.append((distance, region.width / 16 / width, float(error), float(state), float(shown)))


class Simulated:
    """A network that knows the truth: exact offsets plus noise, and no eyes beyond its reach."""

    def __init__(self, noise: float) -> None:
        self._noise, self._rng = noise, np.random.default_rng(0)

    def answer(self, recording: Recording, number: int, region: Region) -> tuple[Any, AimAnswer]:
        """Return gaze in reference cm (exact) and aim."""
        x, y, width = recording.strips[number]
        crop = region.width / 16
        dx, dy, ln = (x - region.x / 16) / crop, (y - region.y / 16) / crop, math.log(width / crop)
        seen = recording.visible[number] and abs(dx) < 0.5 and abs(dy) < 0.26 and -1.85 < ln < 0.5
        distance = math.hypot(dx, dy)
        e, spread = self._rng.normal(0, 1, 4), 0.01 * max(crop / width, 1) + self._noise * distance
        presence = 5 + 1.2 * e[3] - 3 * distance if seen else -4 + 1.6 * e[3]
        values = (dx + spread * e[0], dy + spread * e[1], ln + (0.02 + 0.15 * (distance + abs(ln))) * e[2])
        numbers = [round(Q12 * float(v)) for v in (*values, 0.0, np.clip(presence, -8, 8))]
        to_reference = max(recording.size) / 4 / crop * recording.focal
        return recording.gaze[number] / to_reference, AimAnswer(*numbers)


def courses_of(recording: Recording, finder: bool) -> dict[str, Course]:
    """Return a course for each way in which a sequence can be seen."""
    true = [region_of(strip) for strip in recording.strips]
    ways: dict[str, Course] = {
        "true strip": Course(recording, Given(true)),
        "fixed crop": Course(recording, Given([true[0]] * len(true))),
    }
    rng = np.random.default_rng(5)
    for delay in DELAYS:
        controller = Controller(*recording.size, AimSettings(delay=delay))
        x, y, width = 16 * (
            recording.strips[0] + recording.strips[0, 2] * np.array([*rng.normal(0, 0.08, 2), 0.1])
        )
        controller.found(Find(round(x), round(y), round(width), 4 * Q12))
        ways[f"loop, delay {delay}"] = Course(recording, Loop(controller, delay), finder)
    return ways


def run(recording: Recording, eyes: Eyes | Simulated, finder: Finder | None) -> dict[str, Course]:
    """Follow all ways through a sequence, frame by frame."""
    ways = courses_of(recording, finder is not None)
    for number in range(len(recording.strips)):
        _frame(recording, number, list(ways.values()), eyes, finder)
    return ways


def kept(
    folder: Path | None, recording: Recording, work: Callable[[], dict[str, Course]]
) -> dict[str, Course]:
    """Return what is kept of a sequence in a folder, or do the work and keep it: a stopped run resumes."""
    if folder is None:
        return work()
    path = folder / f"{recording.folder.name}.npz"
    if path.exists():
        with np.load(path) as stored:
            ways = courses_of(recording, finder=False)
            for name, course in ways.items():
                course.rows = [tuple(row) for row in stored[name].tolist()]
                course.regions = [Region(*numbers) for numbers in stored[f"{name} regions"].tolist()]
            return ways
    ways = work()
    arrays = {name: np.array(course.rows) for name, course in ways.items()}
    regions = {f"{n} regions": np.array([(r.x, r.y, r.width) for r in c.regions]) for n, c in ways.items()}
    folder.mkdir(parents=True, exist_ok=True)
    partial_path = folder / f".{path.name}"
    np.savez(partial_path, **arrays, **regions)
    partial_path.rename(path)
    return ways


def _frame(
    recording: Recording, number: int, ways: list[Course], eyes: Eyes | Simulated, finder: Finder | None
) -> None:
    image = recording.frame(number) if isinstance(eyes, Eyes) else None
    regions = [course.way.region(number) for course in ways]
    if isinstance(eyes, Eyes) and image is not None:
        answers = eyes.look([eyes.input(image, region) for region in regions])
    else:
        answers = [eyes.answer(recording, number, region) for region in regions]  # type: ignore[union-attr]
    for course, region, (gaze, answer) in zip(ways, regions, answers, strict=True):
        if (
            isinstance(course.way, Loop)
            and finder
            and image is not None
            and course.way.controller.wants_finder
        ):
            course.way.controller.found(finder.find(image))
        state, shown = course.way.answered(answer, region)
        course.add(number, region, gaze, state, shown)


def trace(course: Course, delay: int, network: str) -> list[dict[str, Any]]:
    """Return one row per frame of a sequence, for docs/tools/aim_figure.py."""
    recording, rows = course.recording, []
    for number, (strip, row) in enumerate(zip(recording.strips, course.rows, strict=True)):
        region = course.regions[number]
        rows.append(
            {
                "time": round(number / recording.rate, 4),
                **dict(zip(("x", "y", "width"), strip.round(1).tolist(), strict=True)),
                "crop_x": region.x / 16,
                "crop_y": region.y / 16,
                "crop_width": region.width / 16,
                "state": int(row[3]),
                "shown": int(row[4]),
                "visible": int(recording.visible[number]),
                "movement": recording.movement,
                "delay": delay,
                "frame_width": recording.size[0],
                "frame_height": recording.size[1],
                "network": network,
                "evidence": "synthetic",
            }
        )
    return rows


def gaps(on_it: Any, visible: Any) -> list[int]:
    """Return the lengths of runs of visible frames whose crop was not on the eyes."""
    text = "".join("x" if v and not o else " " for o, v in zip(on_it, visible, strict=True))
    return [len(run) for run in text.split()]


def ratio_interval(chosen: list[Course], truths: list[Course]) -> tuple[float, float]:
    """Return the 95 % interval of the shown gaze error over the true strip's, by resampling whole sequences.

    Each person has a bias of their own, which a crop slightly beside the strip shifts one way or the other: from one
    sequence to the next the ratio varies by tens of per cent, and eight sequences do not average that out.
    """
    errors, true = [], []
    for course, truth in zip(chosen, truths, strict=True):
        rows, opened = np.array(course.rows), course.recording.visible & (course.recording.closed < OPEN)
        counted = opened & (rows[:, 4] > 0)
        errors.append(rows[counted, 2].sum())
        true.append(np.array(truth.rows)[counted, 2].sum())
    drawn = np.random.default_rng(0).integers(0, len(errors), (RESAMPLED, len(errors)))
    ratios = np.array(errors)[drawn].sum(1) / np.maximum(np.array(true)[drawn].sum(1), 1e-9)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(low), float(high)


def summary(movement: str, way: str, courses: list[dict[str, Course]], network: str) -> dict[str, Any]:
    """Return one line of the table."""
    of_movement = [c for c in courses if movement in ("all", c[way].recording.movement)]
    chosen, truths = [c[way] for c in of_movement], [c["true strip"] for c in of_movement]
    truth = np.concatenate([course.rows for course in truths])
    low, high = ratio_interval(chosen, truths)
    rows = np.concatenate([course.rows for course in chosen])
    visible = np.concatenate([course.recording.visible for course in chosen])
    opened = visible & (np.concatenate([course.recording.closed for course in chosen]) < OPEN)
    on_it, shown = rows[:, 0] < ON_IT, rows[:, 4] > 0
    all_gaps = [g for c in chosen for g in gaps(np.array(c.rows)[:, 0] < ON_IT, c.recording.visible)]
    lost = [
        c.recording.visible[-AT_THE_END:].all() and np.mean(np.array(c.rows)[-AT_THE_END:, 0] > 0.5) > 0.5
        for c in chosen
    ]
    return {
        "movement": movement,
        "way": way,
        "sequences": len(chosen),
        "frames": int(visible.sum()),
        "within_0.2": round(float(on_it[visible].mean()), 4),
        "median_offset": round(float(np.median(rows[visible, 0])), 4),
        "mean_crop_width": round(float(rows[visible & on_it, 1].mean()), 3),
        "gaze_cm": round(float(rows[opened, 2].mean()), 3),
        "gaze_vs_true_strip": round(float(rows[opened, 2].mean() / truth[opened, 2].mean()), 4),
        "shown": round(float(shown[opened].mean()), 4),
        "shown_gaze_vs_true_strip": round(
            float(rows[opened & shown, 2].mean() / truth[opened & shown, 2].mean()), 4
        ),
        "shown_gaze_low": round(low, 4),
        "shown_gaze_high": round(high, 4),
        "shown_without_eyes": round(float(shown[~visible].mean()), 4) if (~visible).any() else "",
        "longest_gap": max(all_gaps, default=0),
        "p95_gap": float(np.percentile(all_gaps, 95)) if all_gaps else 0.0,
        "lost_at_the_end": int(np.sum(lost)),
        "network": network,
        "evidence": "synthetic",
    }


def _fingerprint(network: str, *files: Path | None) -> str:
    """Return a name for what followed the sequences, so that another network does not get its results."""
    digest = hashlib.sha256(network.encode())
    for file in files:
        digest.update(file.read_bytes() if file else b"none")
    return digest.hexdigest()[:12]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--finder", type=Path)
    parser.add_argument(
        "--noise", type=float, default=0.1, help="of a simulated network, share of the offset"
    )
    parser.add_argument(
        "--keep", type=Path, help="folder for finished sequences, with one folder in it per pair of networks"
    )
    parser.add_argument("--name", default="aim_loop")
    parser.add_argument("--trace", help="also write aim_trace.csv: this person at --trace-delay")
    parser.add_argument("--trace-delay", type=int, default=2)
    options = parser.parse_args()
    folders = sorted(p for p in options.sequences.iterdir() if (p / "sequence.json").exists())
    recordings = [read_sequence(folder) for folder in folders]
    eyes: Eyes | Simulated = Simulated(options.noise)
    network = f"simulated, noise {options.noise:g} of the offset"
    if options.model:
        eyes, network = Eyes(options.model.read_bytes()), options.model.name
    finder = Finder(options.finder.read_bytes()) if options.finder else None
    network += f", {options.finder.name}" if options.finder else ""
    keep = options.keep and options.keep / _fingerprint(network, options.model, options.finder)
    courses = []
    with progress.bar("Following", len(recordings), "sequences") as advance:
        for recording in recordings:
            courses.append(kept(keep, recording, partial(run, recording, eyes, finder)))
            advance(1)
    movements = sorted({r.movement for r in recordings})
    rows = [summary(m, way, courses, network) for m in movements for way in courses[0]]
    write_csv(options.name, rows, ["numpy", "tensorflow"])
    for ways, folder in zip(courses, folders, strict=True):
        if folder.name == options.trace:
            delay = options.trace_delay
            write_csv("aim_trace", trace(ways[f"loop, delay {delay}"], delay, network), ["numpy"])


if __name__ == "__main__":
    main()
