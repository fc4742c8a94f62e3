"""Which part of a frame a network sees: C against Python, and what the width means for the answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.host_c import Box, common_library

from tinytracker.data.crops import centred_crop
from tinytracker.data.inputs import cm_per_unit
from tinytracker.model.presets import PRESETS

SIDES = st.integers(1, 5000)


@pytest.fixture(scope="module")
def in_c(tmp_path_factory):
    loaded = common_library("tt_crop.c", tmp_path_factory.mktemp("crop"))
    loaded.tt_centred_crop.restype = Box

    def crop(*sides):
        box = loaded.tt_centred_crop(*sides)
        return box.x, box.y, box.width, box.height

    return crop


@given(SIDES, SIDES, SIDES, SIDES)
def test_c_equals_python_and_stays_in_the_frame(in_c, width, height, out_width, out_height):
    x, y, w, h = found = in_c(width, height, out_width, out_height)
    assert found == centred_crop(width, height, out_width, out_height)
    assert w >= 1
    assert h >= 1
    assert x >= 0
    assert y >= 0
    assert x + w <= width
    assert y + h <= height
    assert abs(2 * x + w - width) <= 1
    assert abs(2 * y + h - height) <= 1


def test_a_face_is_the_largest_square_and_a_strip_a_quarter_wide():
    assert centred_crop(320, 240, 96, 96) == (40, 0, 240, 240)
    assert centred_crop(240, 320, 112, 112) == (0, 40, 240, 240)
    assert centred_crop(640, 480, 192, 64) == (240, 213, 160, 53)


@pytest.mark.parametrize("name", ["tinytracker-v2", "tinytracker-s2"])
def test_a_network_for_strips_answers_in_cm_for_this_strip(name):
    spec = PRESETS[name].input
    _, _, width, _ = centred_crop(640, 480, spec.width, spec.height)
    assert cm_per_unit(spec, width / spec.band_width, 640) == pytest.approx(1)
