"""Aiming a camera that applies regions late: a stand-in, whose answers are exact but for noise."""

from __future__ import annotations

import numpy as np
import pytest

from tinytracker.aim.answer import AimAnswer
from tinytracker.aim.controller import State
from tinytracker.aim.delayed import DEFAULT_DELAY, DelayedAim, inside
from tinytracker.aim.finding import Find
from tinytracker.aim.fixed import Q4, Q12
from tinytracker.aim.region import Region

SENSOR = (4056, 3040)


class SimulatedCamera:
    """A region that is set after frame k first reaches frame k + 1 + delay; the network sees eyes within reach."""

    def __init__(self, delay: int, seed: int = 0) -> None:
        self.delay = delay
        self.frame = 0
        self._pending: list[tuple[int, Region]] = []
        self.region = Region(0, 0, 16)
        self._rng = np.random.default_rng(seed)
        self._started = False

    def set_region(self, region: Region) -> None:
        assert region == inside(region, *SENSOR)
        # Before the first frame there is time enough for the region to arrive.
        at = self.frame + 1 + self.delay if self._started else 0
        self._pending.append((at, region))

    def answer(self, x: float, y: float, width: float) -> AimAnswer:
        """The next frame, with a strip of this centre and width in px in it."""
        self._started = True
        while self._pending and self._pending[0][0] <= self.frame:
            self.region = self._pending.pop(0)[1]
        across = self.region.width / Q4
        dx, dy = (x - self.region.x / Q4) / across, (y - self.region.y / Q4) / across
        scale = np.log(width / across)
        seen = abs(dx) < 0.45 and abs(dy) < 0.2 and -1.9 < scale < 0.7
        noise = self._rng.normal(0, 0.008, 3)
        numbers = [dx + noise[0], dy + noise[1], scale + noise[2]] if seen else [0.0, 0.0, 0.0]
        limited = np.clip(numbers, [-0.64, -0.48, -1.92], [0.64, 0.48, 0.96])
        return AimAnswer(*(int(v) for v in np.rint(Q12 * limited)), 0, (6 if seen else -6) * Q12)


def person(k: int, away: range = range(0)) -> tuple[float, float, float]:
    """A head that sways, 0.02 strip widths a frame; far outside while it is away."""
    if k in away:
        return -9000.0, 0.0, 800.0
    return 2300 + 500 * np.sin(k / 31), 1500 + 150 * np.sin(k / 23), 800 + 60 * np.sin(k / 50)


def run(aim, camera, frames, away=range(0), lost_results=0):
    sightings = []
    for k in range(frames):
        camera.frame = k
        answer = camera.answer(*person(k, away))
        drops = lost_results and k % lost_results == lost_results - 1
        sightings.append((aim.take(k, None if drops else answer), camera.region))
    return sightings


@pytest.mark.parametrize("delay", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("lost_results", [0, 3, 7])
def test_the_delay_is_measured_and_every_answer_matched_to_its_region(delay, lost_results):
    camera = SimulatedCamera(delay, seed=delay)
    aim = DelayedAim(SENSOR, camera.set_region)
    sightings = run(aim, camera, 500, lost_results=lost_results)
    assert (aim.delay, aim.is_measured) == (delay, True)
    began = next(k for k, (s, _) in enumerate(sightings) if s.state == State.FOLLOWING)
    assert began < 200
    assert all(s.region == cut for s, cut in sightings[began:])
    followed = [s.state == State.FOLLOWING for s, _ in sightings[began:]]
    assert np.mean(followed) > 0.95


@pytest.mark.parametrize("delay", [1, 2, 3])
def test_a_person_who_goes_away_is_found_again_without_measuring_again(delay):
    camera = SimulatedCamera(delay)
    aim = DelayedAim(SENSOR, camera.set_region)
    sightings = run(aim, camera, 700, away=range(300, 400))
    states = [s.state for s, _ in sightings]
    assert State.FOLLOWING not in states[320:400]
    assert not any(s.has_eyes for s, _ in sightings[320:400])
    assert states[500:] == [State.FOLLOWING] * 200


def test_without_anyone_the_default_is_assumed():
    camera = SimulatedCamera(2)
    aim = DelayedAim(SENSOR, camera.set_region)
    run(aim, camera, 400, away=range(0, 400))
    assert (aim.delay, aim.is_measured) == (DEFAULT_DELAY, False)


def test_a_finder_shortens_the_search():
    camera = SimulatedCamera(2)
    k = [0]

    def find() -> Find:
        x, y, width = person(k[0])
        return Find(*(int(Q4 * v) for v in (x + 100, y, 1.2 * width)), 4 * Q12)

    aim = DelayedAim(SENSOR, camera.set_region, delay=2, find=find)
    states = []
    for k[0] in range(40):
        camera.frame = k[0]
        states.append(aim.take(k[0], camera.answer(*person(k[0]))).state)
    assert State.FOLLOWING in states[:12]


def test_regions_stay_inside_the_sensor():
    assert inside(Region(Q4 * 4050, Q4 * 3030, Q4 * 800), *SENSOR).box == (3256, 2773, 800, 267)
    assert inside(Region(0, 0, Q4 * 9000), *SENSOR).box == (0, 844, 4056, 1352)
