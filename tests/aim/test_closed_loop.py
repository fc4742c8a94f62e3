"""The controller follows planned heads: the loop is closed by a network that is simulated, and says so.

The simulated network knows the true strip; its answers have noise that grows with the offset, and it sees no eyes
beyond its reach. benchmarks/aim_loop.py does the same with a real network on rendered frames.
"""

from __future__ import annotations

import math
from functools import cache, partial
from itertools import pairwise

import numpy as np
import pytest

from tinytracker.aim.answer import AimAnswer
from tinytracker.aim.controller import AimSettings, Controller, State
from tinytracker.aim.finding import Find
from tinytracker.aim.fixed import Q12
from tinytracker.aim.region import Region
from tinytracker.synth.eye_marks import mark_eyes
from tinytracker.synth.sequence import over_time
from tinytracker.synth.sitting import plan_sitting, subject_streams

FRAMES = 120
NOBODY = AimAnswer(0, 0, 0, 0, -6 * Q12)


@cache
def planned(index: int, movement: str):
    """True strips (n, 3) and the size of the frames of one person who moves."""
    streams = subject_streams(90, index)
    sitting, _ = over_time(
        plan_sitting(streams, FRAMES, None, (480, 640), 1.0), 30, movement, streams["sequence"]
    )
    camera = sitting.frames[0].camera
    return mark_eyes(sitting).strips, (camera.width, camera.height)


class SimulatedNetwork:
    """A stub of the network: exact offsets plus noise of a share of them."""

    def __init__(self, seed: int, noise: float = 0.1) -> None:
        self.rng, self.noise = np.random.default_rng(seed), noise

    def answer(self, strip, region: Region) -> AimAnswer:
        x, y, width = strip
        crop = region.width / 16
        dx, dy, ln = (x - region.x / 16) / crop, (y - region.y / 16) / crop, math.log(width / crop)
        distance = math.hypot(dx, dy)
        if abs(dx) > 0.5 or abs(dy) > 0.26 or not -1.85 < ln < 0.5:
            return AimAnswer(
                *self.rng.integers(-1000, 1000, 4).tolist(), round(Q12 * self.rng.normal(-5, 1.5))
            )
        e, spread = self.rng.normal(0, 1, 4), 0.01 * max(crop / width, 1) + self.noise * distance
        values = (dx + spread * e[0], dy + spread * e[1], ln + (0.02 + 0.15 * (distance + abs(ln))) * e[2])
        presence = float(np.clip(5 + e[3] - 3 * distance, -8, 8))
        return AimAnswer(*(round(Q12 * float(v)) for v in (*values, 0.0, presence)))


class Camera:
    """Frames whose regions take effect `delay` frames after they are chosen."""

    def __init__(self, size, delay: int = 0, **settings: int) -> None:
        self.controller = Controller(*size, AimSettings(delay=delay, **settings))
        self.under_way = [self.controller.region] * (delay + 1)

    def frame(self, answer) -> Region:
        """Take a frame whose answer is a function of its region; returns the region."""
        region = self.under_way.pop(0)
        self.controller.update(answer(region), region)
        self.under_way.append(self.controller.region)
        return region


def offset(strip, region: Region) -> float:
    return math.hypot(strip[0] - region.x / 16, strip[1] - region.y / 16) / strip[2]


def follow(index: int, movement: str, delay: int):
    """Offset of the crop from the eyes in strip widths, and state, per frame."""
    strips, size = planned(index, movement)
    camera, network = Camera(size, delay), SimulatedNetwork(index)
    camera.controller.found(Find(*(round(16 * v) for v in strips[0] * [1.02, 1.02, 1.1]), 4 * Q12))
    camera.under_way = [camera.controller.region] * (delay + 1)
    rows = []
    for strip in strips:
        region = camera.frame(partial(network.answer, strip))
        rows.append((offset(strip, region), camera.controller.state))
    return np.array(rows)


@pytest.mark.parametrize("delay", range(4))
def test_calm_and_moving_heads_stay_in_the_crop(delay):
    rows = np.concatenate([follow(i, m, delay) for m in ("calm", "moving") for i in range(6)])
    assert (rows[:, 0] < 0.2).mean() > 0.98
    assert (rows[:, 1] == State.FOLLOWING).mean() > 0.97


@pytest.mark.parametrize(("delay", "share"), [(0, 0.97), (1, 0.95), (2, 0.85), (3, 0.7)])
def test_wild_heads_are_found_again(delay, share):
    courses = [follow(i, "wild", delay) for i in range(8)]
    assert (np.concatenate(courses)[:, 0] < 0.2).mean() > share
    for rows in courses:
        outside = "".join("x" if far else " " for far in rows[:, 0] > 0.5)
        assert max(map(len, outside.split()), default=0) <= 12
        assert (rows[-10:, 0] < 0.5).any()


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (320, 240), (1280, 720)])
def test_a_scan_finds_eyes_anywhere(size):
    rng = np.random.default_rng(0)
    for _ in range(30):
        width = rng.uniform(0.2, 0.45) * min(size)
        strip = (rng.uniform(0.1, 0.9) * size[0], rng.uniform(0.1, 0.9) * size[1], width)
        camera, network = Camera(size), SimulatedNetwork(1)
        look = partial(network.answer, strip)
        for _ in range(60):
            region = camera.frame(look)
        assert camera.controller.state == State.FOLLOWING
        assert camera.controller.has_eyes
        assert offset(strip, region) < 0.1


def following(size=(640, 480), **settings: int) -> tuple[Camera, tuple[float, ...], SimulatedNetwork]:
    """A camera that has followed eyes at rest for a while."""
    strip, network = (300.0, 200.0, 120.0), SimulatedNetwork(3)
    camera = Camera(size, **settings)
    for _ in range(60):
        camera.frame(lambda region: network.answer(strip, region))
    assert camera.controller.state == State.FOLLOWING
    return camera, strip, network


def test_a_blink_does_not_lose_the_eyes():
    camera, strip, network = following(delay=2)
    for _ in range(3):
        camera.frame(lambda region: NOBODY)
        assert camera.controller.state == State.FOLLOWING
        assert not camera.controller.has_eyes
    camera.frame(lambda region: network.answer(strip, region))
    assert camera.controller.has_eyes


def test_one_answer_does_not_move_the_crop_far_away():
    camera, strip, network = following()
    before = camera.controller.region
    camera.frame(lambda region: AimAnswer(2500, 1500, 0, 0, 7 * Q12))
    assert offset((before.x / 16, before.y / 16, before.width / 16), camera.controller.region) < 0.1
    camera.frame(lambda region: network.answer(strip, region))
    assert camera.controller.has_eyes


def test_a_head_that_jumps_is_followed_at_the_second_sight():
    camera, strip, network = following()
    strip = (strip[0] + 50, strip[1], strip[2])
    for _ in range(4):
        region = camera.frame(lambda region: network.answer(strip, region))
    assert offset(strip, region) < 0.1


def test_a_crop_at_rest_stays_where_it_is():
    camera, strip, network = following()
    regions = [camera.frame(lambda region: network.answer(strip, region)) for _ in range(40)]
    assert sum(a == b for a, b in pairwise(regions)) > 20
    assert max(offset(strip, region) for region in regions) < 0.04


def test_lost_eyes_are_sought_around_their_last_place_then_everywhere():
    camera, strip, _ = following(misses=2)
    for _ in range(2):
        camera.frame(lambda region: NOBODY)
    assert camera.controller.state == State.LOST
    assert not camera.controller.wants_finder
    looks = []
    while camera.controller.state == State.LOST:
        looks.append(camera.frame(lambda region: NOBODY))
    assert all(offset(strip, look) < 2.5 for look in looks)
    assert max(look.width for look in looks) > 2.8 * 16 * strip[2]
    assert camera.controller.wants_finder
    seen = np.zeros((480, 640), bool)
    for _ in range(30):
        x, y, width, height = camera.frame(lambda region: NOBODY).box
        seen[max(y, 0) : y + height, max(x, 0) : x + width] = True
    assert seen.all()


def test_answers_to_regions_elsewhere_say_nothing_about_the_track():
    camera, _, _ = following()
    controller = camera.controller
    for _ in range(20):
        controller.update(NOBODY, Region(16 * 600, 16 * 440, 16 * 100).snapped)
    assert controller.state == State.FOLLOWING


def test_a_find_that_nothing_confirms_leaves_the_scan_its_turn():
    camera = Camera((640, 480))
    controller = camera.controller
    assert controller.wants_finder
    controller.found(Find(16 * 100, 16 * 100, 16 * 90, 3 * Q12))
    assert not controller.wants_finder
    assert offset((100, 100, 90), controller.region) < 0.1
    camera.under_way = [controller.region]
    camera.frame(lambda region: NOBODY)
    assert not controller.wants_finder
    for _ in range(15):
        camera.frame(lambda region: NOBODY)
    assert controller.wants_finder


def test_regions_keep_their_centre_in_the_frame_and_sensible_widths():
    rng = np.random.default_rng(5)
    for size in ((640, 480), (33, 700)):
        camera = Camera(size)
        for _ in range(300):
            values = rng.integers(-9000, 9000, 4).tolist()
            region = camera.frame(
                lambda region, v=values: AimAnswer(*v, int(rng.integers(-9, 30)) * Q12 // 3)
            )
            assert -8 <= region.x <= 16 * size[0] + 8
            assert -8 <= region.y <= 16 * size[1] + 8
            assert max(size) // 24 * 16 - 16 <= region.width <= 16 * max(size)


@pytest.mark.parametrize(("width", "height"), [(0, 480), (640, 0), (9000, 480)])
def test_impossible_frames_are_refused(width, height):
    with pytest.raises(ValueError, match="sides must be 1 to 8192"):
        Controller(width, height)


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="delay is 9"):
        AimSettings(delay=9)
    with pytest.raises(ValueError, match="misses is 0"):
        AimSettings(misses=0)
