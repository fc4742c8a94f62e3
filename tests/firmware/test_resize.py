"""The C resize against the specification in numpy: every output byte, whatever the box."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.area_resize import build_resize, resize
from support.host_c import COMPILER

from tinytracker.aim.cutting import cut
from tinytracker.data.inputs import InputSpec, make_inputs_numpy

pytestmark = pytest.mark.skipif(COMPILER is None, reason="needs a C compiler")
SPECS = [
    InputSpec(kind="face", width=w, height=h, channels=c, grid=g)
    for w, h, c, g in ((16, 16, "grey", "none"), (13, 9, "rgb", "input"), (5, 20, "rgb", "none"))
]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return build_resize(tmp_path_factory.mktemp("resize"))


def c_input(library, pixels, box, spec):
    height, width, channels = spec.shapes["image"]
    planes = spec.grid == "input"
    return resize(library, pixels, box, width, height, channels - 2 * planes, planes)


def expected(pixels, box, spec):
    boxes = np.array(box, float)
    return make_inputs_numpy(
        spec,
        {"image": pixels, "face": boxes, "face_in_crop": boxes, "left_eye_in_crop": boxes, "right_eye_in_crop": boxes,
         "frame_size": np.array([pixels.shape[1], pixels.shape[0]])},
    )["image"]  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(SPECS), st.integers(1, 60), st.integers(1, 60),
    st.tuples(st.integers(-40, 70), st.integers(-40, 70), st.integers(1, 90), st.integers(1, 90)),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_every_byte_follows_the_specification(library, spec, width, height, box, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    found = c_input(library, pixels, box, spec).astype(int)
    # Exact integers here, floats there: a mean that ends in one half may round differently.
    assert np.abs(found - expected(pixels, box, spec)).max() <= 1


@settings(deadline=None, max_examples=100)
@given(
    st.integers(1, 60), st.integers(1, 60),
    st.tuples(st.integers(-40, 70), st.integers(-40, 70), st.integers(1, 90), st.integers(1, 90)),
    st.tuples(st.integers(1, 30), st.integers(1, 30)), st.sampled_from([1, 3]), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_the_integers_in_numpy_are_the_same_to_the_last_bit(
    library, width, height, box, size, channels, seed
):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    found = resize(library, pixels, box, *size, channels, 0)
    np.testing.assert_array_equal(cut(pixels, box, *size, channels), found)
    grey = np.repeat(pixels[..., :1], 3, axis=2)
    np.testing.assert_array_equal(cut(pixels[..., 0], box, *size, channels), cut(grey, box, *size, channels))


def test_whole_factors_equal_tensorflow_area_exactly(library):
    """Against the float64 means rounded half up, which are exact for these sizes: no difference at all."""
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    spec = InputSpec(kind="face", width=16, height=16)
    found = c_input(library, pixels, (0, 0, 64, 64), spec)
    mean = pixels.reshape(16, 4, 16, 4, 3).astype(np.float64).mean((1, 3))
    assert (found == np.floor(mean + 0.5)).all()


def test_the_boards_own_size(library):
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (324, 324, 3)).astype(np.uint8)
    spec = InputSpec(kind="face", width=112, height=112, channels="rgb", grid="input")
    found = c_input(library, pixels, (0, 0, 324, 324), spec).astype(int)
    assert np.abs(found - expected(pixels, (0, 0, 324, 324), spec)).max() <= 1
    assert found[0, 0, 3] == 1
    assert found[0, -1, 3] == 255
    white = np.full((324, 324, 3), 255, np.uint8)
    assert (c_input(library, white, (0, 0, 324, 324), InputSpec("face", 96, 96, "grey")) == 255).all()


def test_what_lies_outside_is_black(library):
    white = np.full((8, 8, 3), 255, np.uint8)
    spec = InputSpec(kind="face", width=4, height=4)
    assert (c_input(library, white, (20, 20, 8, 8), spec) == 0).all()
    half = c_input(library, white, (4, 0, 8, 8), spec)
    assert (half[:, :2] == 255).all()
    assert (half[:, 2:] == 0).all()


@pytest.mark.parametrize("box", [(0, 0, 0, 5), (0, 0, 5, -1), (0, 0, 16384, 16384), (-20000, 0, 5, 5)])
def test_boxes_that_cannot_be_are_refused(library, box):
    assert c_input(library, np.zeros((8, 8, 3), np.uint8), box, SPECS[0]) is None


def test_the_largest_box_does_not_overflow(library):
    white = np.full((2, 2, 3), 255, np.uint8)
    found = c_input(library, white, (0, 0, 2896, 2896), InputSpec(kind="face", width=1, height=1))
    assert found.max() == 0  # 4 white pixels of 8.4 million
    wide = np.full((16, 16384, 3), 255, np.uint8)
    assert (c_input(library, wide, (0, 0, 16384, 16), InputSpec(kind="face", width=3, height=1)) == 255).all()


def test_grey(library):
    rgb = np.random.default_rng(3).integers(0, 256, (200, 3))
    for r, g, b in rgb.tolist():
        assert library.tt_grey(r, g, b) == (77 * r + 150 * g + 29 * b + 128) >> 8
