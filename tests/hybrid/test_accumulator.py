"""The accumulator: its specification, and the C that computes the same."""

import ctypes

import numpy as np
import pytest
from support.host_c import COMPILER, common_library

from tinytracker.errors import UsageError
from tinytracker.hybrid.accumulator import EMPTY, FULL, SCALE, ZERO_POINT, accumulate, code_step

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler")


class Shape(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_int32) for name in ("height", "width", "channels", "slots", "interval"))


class Accumulator(ctypes.Structure):
    _fields_ = (("shape", Shape), *((name, ctypes.c_int32) for name in ("neurons", "code_step", "step")))


def spikes_of(interval: int, slots: int = 3, share: float = 0.5, n: int = 2) -> np.ndarray:
    rng = np.random.default_rng(interval)
    return (rng.random((slots * interval, n, 3, 5, 7)) < share).astype(np.uint8)


def place_of(array: np.ndarray) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)


@pytest.mark.parametrize("interval", [2, 4, 8])
def test_codes_are_counts_and_only_the_full_count_is_one_short(interval):
    spikes = spikes_of(interval, share=0.8)
    codes = accumulate(spikes, interval)
    counts = spikes.reshape(3, interval, *spikes.shape[1:]).astype(int).sum(1)
    for slot, channel in np.ndindex(3, 7):
        np.testing.assert_array_equal(
            codes[..., slot * 7 + channel],
            np.minimum(-128 + counts[slot, ..., channel] * 256 // interval, 127),
        )
    assert {EMPTY, FULL} <= set(accumulate(spikes_of(interval, slots=40), interval).ravel().tolist())
    real = (codes.astype(float) - ZERO_POINT) * SCALE
    shares = counts.transpose(1, 2, 3, 0, 4).reshape(real.shape) / interval
    assert np.abs(real - shares).max() == SCALE
    assert (real == shares)[shares < 1].all()


def test_an_interval_that_does_not_divide_the_steps():
    with pytest.raises(UsageError, match="An interval of 3 steps does not divide the 16 steps of a window"):
        code_step(3)
    with pytest.raises(UsageError, match="An interval of 16 steps is not one that the accumulator has"):
        code_step(16)
    with pytest.raises(UsageError, match="An interval of 4 steps does not divide 6 steps of spikes"):
        accumulate(spikes_of(2), 4)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return common_library("tt_accumulate.c", tmp_path_factory.mktemp("accumulate"))


def run_c(library: ctypes.CDLL, spikes: np.ndarray, interval: int, as_bits: bool) -> np.ndarray:
    steps, h, w, c = spikes.shape
    state = Accumulator()
    here = ctypes.byref(state)
    size = library.tt_accumulate_init(here, Shape(h, w, c, steps // interval, interval))
    cells = np.full(size, 55, np.int8)
    library.tt_accumulate_start(here, place_of(cells))
    completed = []
    for step in spikes:
        if as_bits:
            ignored = library.tt_accumulate_bits(here, place_of(cells), place_of(np.packbits(step.ravel())))
        else:
            given = np.flatnonzero(step).astype(np.uint16)
            ignored = library.tt_accumulate_addresses(here, place_of(cells), place_of(given), len(given))
        assert ignored == 0
        completed.append(bool(library.tt_accumulate_next(here)))
    assert completed == [(t + 1) % interval == 0 for t in range(steps)]
    return cells.reshape(h, w, -1)


@needs_compiler
@pytest.mark.parametrize("as_bits", [False, True])
@pytest.mark.parametrize("interval", [2, 4, 8])
def test_c_equals_the_specification(library, interval, as_bits):
    spikes = spikes_of(interval, share=0.9, n=1)
    mine = run_c(library, spikes[:, 0], interval, as_bits)
    np.testing.assert_array_equal(mine, accumulate(spikes, interval)[0])
    assert mine.max() == FULL


@needs_compiler
def test_c_ignores_and_counts_what_has_no_place(library):
    state = Accumulator()
    here = ctypes.byref(state)
    assert library.tt_accumulate_init(here, Shape(1, 3, 3, 1, 2)) == 9
    cells = np.zeros(9, np.int8)
    library.tt_accumulate_start(here, place_of(cells))
    addresses = np.array([0, 9, 65535, 8], np.uint16)
    assert library.tt_accumulate_addresses(here, place_of(cells), place_of(addresses), 4) == 2
    assert cells.tolist() == [0, *[-128] * 7, 0]
    bits = np.array([0, 0b10000011], np.uint8)  # neuron 8, and two behind the last
    assert library.tt_accumulate_bits(here, place_of(cells), place_of(bits)) == 2
    assert cells.tolist() == [0, *[-128] * 7, 127]
    for _ in range(2):
        library.tt_accumulate_next(here)
    # The window is over: nothing is written behind it.
    assert library.tt_accumulate_addresses(here, place_of(cells), place_of(addresses), 4) == 4
    assert library.tt_accumulate_bits(here, place_of(cells), place_of(bits)) == 3
    assert library.tt_accumulate_next(here) == 0
    assert cells.tolist() == [0, *[-128] * 7, 127]


@needs_compiler
@pytest.mark.parametrize(
    "shape",
    [
        (0, 1, 1, 1, 2),
        (1, 1, -3, 1, 2),
        (256, 256, 2, 1, 2),
        (1, 1, 1, 257, 2),
        (1, 1, 1, 1, 3),
        (1, 1, 1, 0, 2),
    ],
)
def test_c_refuses_shapes(library, shape):
    assert library.tt_accumulate_init(ctypes.byref(Accumulator()), Shape(*shape)) == 0
