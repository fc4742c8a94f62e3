"""The device table and the four orientations, against hand-made corners and against plain rotation."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.gazecapture_folder import make_recording

from tinytracker.data.devices import DEVICES, Device, Orientation, find_device
from tinytracker.data.labels import LIMIT_CM, TOLERANCE_CM, check_labels, known_orientation
from tinytracker.errors import UnknownNameError

devices = st.sampled_from(sorted(DEVICES.values(), key=lambda d: d.name))
orientations = st.sampled_from(list(Orientation))
unit = st.floats(0, 1)


def test_the_table_holds_the_fifteen_devices() -> None:
    assert len(DEVICES) == 15
    assert sum(d.family == "phone" for d in DEVICES.values()) == 8
    assert sum(d.family == "tablet" for d in DEVICES.values()) == 7


@given(devices)
def test_the_table_is_plausible(device: Device) -> None:
    # square points (within the table's rounding), portrait, the camera above the screen and within its width
    assert device.width_mm / device.width_pt == pytest.approx(device.height_mm / device.height_pt, rel=0.03)
    assert device.width_mm < device.height_mm
    assert 0 < device.camera_dx_mm < device.width_mm
    assert device.camera_dy_mm > 0
    if device.zoomed_pt:
        assert device.zoomed_pt[0] < device.width_pt


@pytest.mark.parametrize(
    ("name", "orientation", "top_left", "bottom_right"),
    [
        # iPhone 6: camera 18.61 mm right of and 8.03 mm above the screen's corner, screen 58.5 x 104.05 mm
        ("iPhone 6", 1, (-1.861, -0.803), (3.989, -11.208)),
        ("iPhone 6", 3, (0.803, 3.989), (11.208, -1.861)),
        ("iPhone 6", 4, (-11.208, 1.861), (-0.803, -3.989)),
        # iPad Air 2: 76.86 mm, 7.37 mm, 153.71 x 203.11 mm
        ("iPad Air 2", 2, (-7.685, 21.048), (7.686, 0.737)),
    ],
)
def test_corners_by_hand(
    name: str, orientation: int, top_left: tuple[float, float], bottom_right: tuple[float, float]
) -> None:
    device = find_device(name)
    w, h = device.screen_points(orientation)
    gaze = device.to_camera_cm([0, w], [0, h], w, h, orientation)
    np.testing.assert_allclose(gaze, [top_left, bottom_right], atol=2e-3)
    low, high = np.min(gaze, axis=0), np.max(gaze, axis=0)
    np.testing.assert_allclose(device.screen_rectangle_cm(orientation), [*low, *high])


@given(devices, orientations, unit, unit)
def test_every_orientation_is_a_rotation_of_portrait(
    device: Device, orientation: Orientation, u: float, v: float
) -> None:
    """The dot at (u, v) of the glass stays where it is on the glass; the device turns about the camera."""
    portrait = device.to_camera_cm(u, v, 1, 1, Orientation.PORTRAIT)
    # where this dot lies in the turned screen, and how a vector turns with the device
    seen, turn = {
        Orientation.PORTRAIT: ((u, v), [[1, 0], [0, 1]]),
        Orientation.UPSIDE_DOWN: ((1 - u, 1 - v), [[-1, 0], [0, -1]]),
        Orientation.LANDSCAPE_HOME_RIGHT: ((v, 1 - u), [[0, -1], [1, 0]]),  # counter-clockwise
        Orientation.LANDSCAPE_HOME_LEFT: ((1 - v, u), [[0, 1], [-1, 0]]),  # clockwise
    }[orientation]
    np.testing.assert_allclose(
        device.to_camera_cm(*seen, 1, 1, orientation), np.array(turn) @ portrait, atol=1e-9
    )


@given(devices, orientations, unit, unit, st.booleans())
def test_points_and_cm_are_inverse(
    device: Device, orientation: Orientation, u: float, v: float, zoomed: bool
) -> None:
    w, h = device.screen_points(orientation, zoomed)
    assert (w > h) == orientation.is_landscape
    points = np.array([u * w, v * h])
    gaze = device.to_camera_cm(points[0], points[1], w, h, orientation)
    np.testing.assert_allclose(device.to_screen_points(gaze, w, h, orientation), points, atol=1e-6)
    x0, y0, x1, y1 = device.screen_rectangle_cm(orientation)
    assert x0 - 1e-9 <= gaze[0] <= x1 + 1e-9
    assert y0 - 1e-9 <= gaze[1] <= y1 + 1e-9


@given(devices)
def test_the_screen_lies_beside_the_camera(device: Device) -> None:
    assert device.screen_rectangle_cm(1)[3] < 0  # below it
    assert device.screen_rectangle_cm(2)[1] > 0  # above it
    assert device.screen_rectangle_cm(3)[0] > 0  # right of it
    assert device.screen_rectangle_cm(4)[2] < 0  # left of it


def test_mixed_orientations_are_vectorised_and_unknown_ones_are_nan() -> None:
    device = find_device("iPhone 5")
    gaze = device.to_camera_cm([1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1], 100, 200, [1, 2, 3, 4, 0, 5])
    assert gaze.shape == (6, 2)
    for i, orientation in enumerate([1, 2, 3, 4]):
        np.testing.assert_array_equal(gaze[i], device.to_camera_cm(i + 1, 6 - i, 100, 200, orientation))
    assert np.isnan(gaze[4:]).all()
    assert known_orientation(np.array([0, 1, 4, 5])).tolist() == [False, True, True, False]


def test_an_unknown_device_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'iPhone 4s'"):
        find_device("iphone 4z")
    assert find_device(" IPAD mini ").name == "iPad Mini"


@given(devices, orientations, st.integers(0, 99))
def test_honest_labels_agree(device: Device, orientation: Orientation, seed: int) -> None:
    recording = make_recording("00001", 5, seed, device_name=device.name, orientation=int(orientation))
    assert check_labels(recording).error_cm.max() < 1e-9


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_the_label_error_is_the_distance(dx: float, dy: float) -> None:
    recording = make_recording("00001", 4)
    moved = dataclasses.replace(recording, x_cam=recording.x_cam + dx, y_cam=recording.y_cam + dy)
    check = check_labels(moved)
    # the plain reading of the screen is exact; another reading may only come closer
    assert (check.error_cm <= np.hypot(dx, dy) + 1e-9).all()
    np.testing.assert_array_equal(check.disagrees, check.error_cm > TOLERANCE_CM)
    np.testing.assert_array_equal(check.unusable, check.error_cm > LIMIT_CM)


def test_display_zoom_is_understood() -> None:
    device = find_device("iPhone 6s")
    recording = make_recording("00001", 4, device_name=device.name)
    w, h = device.screen_points(1, zoomed=True)
    zoomed = dataclasses.replace(
        recording,
        x_pts=recording.x_pts * w / device.width_pt,
        y_pts=recording.y_pts * h / device.height_pt,
        screen_w=np.full(4, w),
        screen_h=np.full(4, h),
    )
    assert check_labels(zoomed).error_cm.max() < 1e-9


def test_display_zoom_and_a_tall_status_bar_together() -> None:
    device = find_device("iPhone 6s")
    recording = make_recording("00001", 4, device_name=device.name)
    w, h = device.screen_points(1, zoomed=True)
    both = dataclasses.replace(
        recording,
        x_pts=recording.x_pts * w / device.width_pt,
        y_pts=recording.y_pts * h / device.height_pt,
        screen_w=np.full(4, w),
        screen_h=np.full(4, h - 20),
    )
    assert check_labels(both).error_cm.max() < 1e-9


def test_a_tall_status_bar_does_not_make_labels_wrong() -> None:
    recording = make_recording("00001", 4)
    shorter = dataclasses.replace(recording, screen_h=recording.screen_h - 20)
    assert check_labels(shorter).error_cm.max() < 1e-9


@pytest.mark.parametrize(
    "changes",
    [{"device_name": "iPad Pro"}, {"orientation": np.full(4, 3)}, {"orientation": np.full(4, 9)},
     {"screen_w": np.zeros(4, np.int64), "x_pts": np.full(4, np.nan)}, {"y_cam": np.full(4, 99.0)}],
)  # fmt: skip
def test_damaged_labels_disagree(changes: dict[str, object]) -> None:
    recording = dataclasses.replace(make_recording("00001", 4), **changes)
    assert check_labels(recording).disagrees.all()
