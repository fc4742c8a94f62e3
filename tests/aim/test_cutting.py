"""The integer crop equals the boards' C, and the rule of the networks' inputs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.area_resize import build_resize, resize
from support.host_c import COMPILER

from tinytracker.aim.cutting import cut
from tinytracker.data.inputs import InputSpec, make_inputs_numpy

IMAGE = np.random.default_rng(18).integers(0, 256, (70, 110, 3), np.uint8)
BOXES = st.tuples(st.integers(-60, 120), st.integers(-60, 90), st.integers(1, 150), st.integers(1, 90))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    if COMPILER is None:
        pytest.skip("needs a C compiler")
    return build_resize(tmp_path_factory.mktemp("resize"))


@given(box=BOXES, size=st.tuples(st.integers(1, 40), st.integers(1, 30)), grey=st.booleans())
@settings(deadline=None, max_examples=150)
def test_it_is_what_the_boards_compute(library, box, size, grey):
    found = cut(IMAGE, box, *size, 1 if grey else 3)
    assert np.array_equal(found, resize(library, IMAGE, box, *size, 1 if grey else 3, 0))


def test_it_is_what_networks_were_trained_on():
    spec = InputSpec("face", 64, 32, unit="cm")
    for box in ((3, 5, 90, 45), (-20, 30, 64, 32), (40, -9, 200, 100)):
        frame = {"image": IMAGE, "face_in_crop": box, "face": box, "frame_size": (110, 70)}
        expected = make_inputs_numpy(spec, frame)["image"].astype(int)
        # In floating point a mean that lies on a half may fall to either side.
        assert np.abs(cut(IMAGE, box, 64, 32, 3) - expected).max() <= 1
        assert (cut(IMAGE, box, 64, 32, 3) == expected).mean() > 0.999


def test_a_box_outside_of_the_image_is_black():
    assert not cut(IMAGE, (500, 0, 30, 10), 12, 4, 3).any()
