"""Screens around the camera, and where dots lie on them."""

import numpy as np
import pytest

from tinytracker.data.devices import DEVICES
from tinytracker.errors import UnknownNameError, UsageError
from tinytracker.live.screen import (
    DOT_COUNTS,
    calibration_dots,
    device_names,
    own_screen,
    screen_of_device,
)


@pytest.mark.parametrize("name", sorted(DEVICES))
@pytest.mark.parametrize("orientation", [1, 2, 3, 4])
def test_a_devices_corners_are_those_of_the_formulas(name, orientation):
    device, screen = DEVICES[name], screen_of_device(name.upper(), orientation)
    width, height = device.screen_points(orientation)
    for across, down in ((0, 0), (1, 0), (0.3, 1)):
        expected = device.to_camera_cm(across * width, down * height, width, height, orientation)
        np.testing.assert_allclose(screen.at(across, down), expected, atol=1e-9)


def test_ones_own_screen_lies_below_the_camera():
    screen = own_screen(34, 19, 1.5)
    assert screen.at(0, 0) == pytest.approx((-17, -1.5))
    assert screen.at(1, 1) == pytest.approx((17, -20.5))
    assert screen.as_json() == {"name": "this screen", "orientation": None, "edges": [-17, -20.5, 17, -1.5]}


@pytest.mark.parametrize("size", [(0, 10), (10, 501), (float("nan"), 10), (10, 10, float("inf"))])
def test_sizes_that_no_screen_has_are_refused(size):
    with pytest.raises(UsageError):
        own_screen(*size)


def test_unknown_devices_and_orientations_are_refused():
    with pytest.raises(UnknownNameError, match="iPhone 6"):
        screen_of_device("iPhone 66")
    with pytest.raises(UsageError, match="Orientation 5"):
        screen_of_device("iPhone 6", 5)
    assert len(device_names()) == len(DEVICES)


@pytest.mark.parametrize("count", DOT_COUNTS)
def test_dots_are_apart_symmetric_and_begin_in_the_middle(count):
    dots = np.array(calibration_dots(count))
    assert len(dots) == count
    assert dots[0].tolist() == [0.5, 0.5]
    np.testing.assert_allclose(dots.mean(0), 0.5)
    distance = np.linalg.norm(dots[:, None] - dots[None], axis=-1) + np.eye(count)
    assert distance.min() > 0.19
    assert dots.min() >= 0.1
    assert dots.max() <= 0.9
    assert calibration_dots(count) == calibration_dots(count)
    assert calibration_dots(count) != calibration_dots(count, seed=1)


def test_other_counts_are_refused():
    with pytest.raises(UsageError, match="5, 9 or 13"):
        calibration_dots(7)
