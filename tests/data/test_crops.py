"""Crops of boxes that lie inside, across and outside the frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytracker.data.crops import cut, eye_band, eye_in_frame, grow, overlap, round_half_up, to_crop

IMAGE = np.arange(1, 13).reshape(3, 4)
coordinate = st.floats(-40, 40, allow_nan=False)
extent = st.floats(1, 30, allow_nan=False)
boxes = st.tuples(coordinate, coordinate, extent, extent)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0, 0, 4, 3), IMAGE),
        ((1, 1, 2, 1), [[6, 7]]),
        ((-1, 0, 2, 2), [[0, 1], [0, 5]]),
        ((3, 2, 2, 2), [[12, 0], [0, 0]]),
        ((0.49, 0.5, 1.5, 1.49), [[5, 6]]),  # x 0, y 1 (half up), w 2, h 1
        ((-0.5, 0, 1, 1), [[1]]),  # -0.5 rounds up to 0
        ((9, 9, 1, 2), [[0], [0]]),
        ((-5, -5, 2, 1), [[0, 0]]),
    ],
)
def test_cut_by_hand(box: tuple[float, ...], expected: object) -> None:
    np.testing.assert_array_equal(cut(IMAGE, box), expected)


def test_cut_keeps_channels_and_dtype() -> None:
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    result = cut(image, (3, 0, 2, 1))
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, [[[9, 10, 11], [0, 0, 0]]])


@pytest.mark.parametrize("box", [(0, 0, 0.4, 3), (0, 0, 3, -2)])
def test_an_empty_box_cannot_be_cut(box: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="empty"):
        cut(IMAGE, box)


def test_halves_round_up() -> None:
    assert round_half_up([-1.5, -0.5, 0.5, 1.5, 2.5, 0.4999]).tolist() == [-1, 0, 1, 2, 3, 0]


@given(boxes)
def test_cut_equals_indexing_a_padded_frame(box: tuple[float, ...]) -> None:
    image = np.random.default_rng(0).integers(1, 255, (17, 23), np.uint8)
    pad = 100
    padded = np.pad(image, pad)
    x, y, w, h = round_half_up(box)
    np.testing.assert_array_equal(cut(image, box), padded[y + pad : y + pad + h, x + pad : x + pad + w])


@given(boxes)
def test_overlap_is_the_part_of_the_box_that_is_inside(box: tuple[float, ...]) -> None:
    x, y, w, h = box
    width, height = 20.0, 10.0
    samples = 200
    u = x + (np.arange(samples) + 0.5) / samples * w
    v = y + (np.arange(samples) + 0.5) / samples * h
    expected = np.mean((u > 0) & (u < width)) * np.mean((v > 0) & (v < height))
    assert overlap(box, width, height) == pytest.approx(expected, abs=2.1 / samples)


def test_overlap_is_vectorised_and_zero_for_empty_boxes() -> None:
    result = overlap([[0, 0, 10, 10], [-5, 0, 10, 10], [50, 0, 10, 10], [5, 5, 0, 3], [5, 5, -3, 3]], 20, 20)
    np.testing.assert_array_equal(result, [1, 0.5, 0, 0, 0])


@given(boxes, st.floats(0, 1))
def test_growing_keeps_the_centre(box: tuple[float, ...], margin: float) -> None:
    before, after = np.array(box), grow(box, margin)
    np.testing.assert_allclose(after[:2] + after[2:] / 2, before[:2] + before[2:] / 2, atol=1e-9)
    np.testing.assert_allclose(after[2:], before[2:] * (1 + 2 * margin), atol=1e-9)


@given(boxes, boxes, st.floats(0.1, 2))
def test_to_crop_maps_corners(box: tuple[float, ...], crop: tuple[float, ...], scale: float) -> None:
    x, y, w, h = to_crop(box, crop, scale)
    assert (x / scale + crop[0], y / scale + crop[1]) == pytest.approx(box[:2])
    assert (w / scale, h / scale) == pytest.approx(box[2:])


def test_eyes_are_relative_to_the_face() -> None:
    assert eye_in_frame([100, 50, 80, 80], [10, 20, 30, 30]).tolist() == [110, 70, 30, 30]


def test_eye_band_by_hand() -> None:
    band = eye_band([60, 30, 20, 20], [20, 34, 20, 20], [0, 0, 100, 100], width=0.75, aspect=3.0)
    np.testing.assert_allclose(band, [50 - 37.5, 42 - 12.5, 75, 25])


@given(st.lists(boxes, min_size=1, max_size=4))
def test_boxes_are_vectorised(many: list[tuple[float, ...]]) -> None:
    stacked = np.array(many)
    for function in (grow, lambda b: eye_band(b, b, b, 0.75, 3.0), lambda b: eye_in_frame(b, b)):
        np.testing.assert_array_equal(function(stacked), [function(b) for b in many])
