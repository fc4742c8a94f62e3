"""Camera frame to network input in C against the same rule in numpy."""

import ctypes

import numpy as np
import pytest
from support.host_c import Box, common_library


class Frame(ctypes.Structure):
    _fields_ = [("uyvy", ctypes.c_void_p), ("width", ctypes.c_int32), ("height", ctypes.c_int32)]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return common_library("tt_image.c", tmp_path_factory.mktemp("image"))


def reduce(library, uyvy, crop, size, channels, flip):
    height, width = uyvy.shape[:2]
    out = np.full((size[1], size[0], channels), 77, np.uint8)
    code = library.tt_image_reduce(
        ctypes.byref(Frame(uyvy.ctypes.data, width, height)), ctypes.byref(Box(*crop)),
        size[0], size[1], channels, ctypes.c_uint8(flip), ctypes.c_void_p(out.ctypes.data),
    )  # fmt: skip
    return code, out


def expected(uyvy, crop, size, channels, flip):
    x0, y0, width, height = crop
    y = uyvy[..., 1].astype(int)
    u = np.repeat(uyvy[:, 0::2, 0], 2, axis=1).astype(int)
    v = np.repeat(uyvy[:, 1::2, 0], 2, axis=1).astype(int)
    out = np.zeros((size[1], size[0], channels), np.uint8)
    for j in range(size[1]):
        rows = slice(y0 + j * height // size[1], y0 - (-(j + 1) * height // size[1]))
        for i in range(size[0]):
            columns = slice(x0 + i * width // size[0], x0 - (-(i + 1) * width // size[0]))
            means = [
                (p[rows, columns].sum() + p[rows, columns].size // 2) // p[rows, columns].size
                for p in (y, u, v)
            ]
            grey, cu, cv = means[0], means[1] - 128, means[2] - 128
            colour = [grey + 1.402 * cv, grey - 0.344136 * cu - 0.714136 * cv, grey + 1.772 * cu]
            values = [grey] if channels == 1 else [np.floor(np.clip(c + 0.5, 0, 255)) for c in colour]
            out[j, i] = np.array(values).astype(np.uint8) ^ flip
    return out


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("seed", range(8))
def test_equals_the_rule(library, channels, seed):
    rng = np.random.default_rng(seed)
    width, height = 2 * int(rng.integers(1, 24)), int(rng.integers(1, 40))
    uyvy = rng.integers(0, 256, (height, width, 2)).astype(np.uint8)
    x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
    crop = (x, y, int(rng.integers(1, width - x + 1)), int(rng.integers(1, height - y + 1)))
    size = (int(rng.integers(1, 30)), int(rng.integers(1, 30)))
    flip = int(rng.choice([0, 0x80]))
    code, out = reduce(library, uyvy, crop, size, channels, flip)
    assert code == 0
    difference = np.abs((out ^ flip).astype(int) - (expected(uyvy, crop, size, channels, flip) ^ flip))
    assert difference.max() <= (0 if channels == 1 else 1)  # colour factors are rounded to 1/65536
    assert (difference > 0).mean() < 0.02


@pytest.mark.parametrize("channels", [1, 3])
def test_outside_of_the_frame_it_is_black(library, channels):
    rng = np.random.default_rng(3)
    uyvy = rng.integers(0, 256, (20, 32, 2)).astype(np.uint8)
    wide = np.full((40, 64, 2), 128, np.uint8)  # the same frame in the middle of a black one
    wide[..., 1] = 0
    wide[10:30, 16:48] = uyvy
    for crop in ((-7, -3, 30, 18), (20, 11, 20, 12), (-12, -8, 50, 36), (-14, -9, 8, 5)):
        code, out = reduce(library, uyvy, crop, (12, 7), channels, 0)
        moved = (crop[0] + 16, crop[1] + 10, *crop[2:])
        _, inside = reduce(library, wide, moved, (12, 7), channels, 0)
        assert code == 0
        np.testing.assert_array_equal(out, inside)


def test_signed_input_is_the_pixel_minus_128(library):
    uyvy = np.arange(2 * 2 * 2, dtype=np.uint8).reshape(2, 2, 2) * 30
    _, out = reduce(library, uyvy, (0, 0, 2, 2), (2, 2), 1, 0x80)
    np.testing.assert_array_equal(out[..., 0].view(np.int8), uyvy[..., 1].astype(int) - 128)


@pytest.mark.parametrize(
    ("crop", "size", "channels"),
    [
        ((0, 0, 0, 4), (2, 2), 1),
        ((0, 0, 16385, 1), (2, 2), 1),
        ((0, 0, 16384, 1024), (2, 2), 1),
        ((-2147483648, 0, 4, 4), (2, 2), 1),
        ((2147483647, 0, 2147483647, 1), (2, 2), 1),
        ((0, 0, 4, 4), (0, 2), 1),
        ((0, 0, 4, 4), (2, 2), 2),
    ],
)
def test_impossible_arguments_are_refused(library, crop, size, channels):
    code, _ = reduce(library, np.zeros((4, 4, 2), np.uint8), crop, size, channels, 0)
    assert code == -1
