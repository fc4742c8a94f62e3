import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinytracker.aim.placement import distance, misplaced, next_place


def column(low, high):
    return st.floats(low, high).map(lambda v: np.array([v]))


@given(column(-0.6, 0.6), column(-0.4, 0.4), column(-0.9, 1.9))
def test_the_ideal_answer_brings_a_misplaced_crop_back(dx, dy, ln):
    strip = np.array([[300.0, 200.0, 120.0]])
    place = misplaced(strip, dx, dy, ln)
    found = next_place(place, np.stack([dx, dy, -ln], -1))
    np.testing.assert_allclose(found, strip, atol=1e-9)
    np.testing.assert_allclose(distance(strip, found), 0, atol=1e-9)


def test_a_step_ends_at_the_range_of_the_codes():
    place = np.array([[0.0, 0.0, 100.0]])
    found = next_place(place, np.array([[9.0, -9.0, 9.0]]))
    np.testing.assert_allclose(found, [[64, -48, 100 * np.exp(0.96)]])


def test_distance_is_in_strip_widths():
    shift, ln = distance(np.array([[10.0, 20.0, 50.0]]), np.array([[13.0, 24.0, 100.0]]))
    np.testing.assert_allclose([shift[0], ln[0]], [0.1, np.log(2)])
