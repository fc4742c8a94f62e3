"""What training sees: windows that are mirrored, played backwards and shifted, with the change to match."""

import numpy as np
import pytest
from support.toy_clips import write_toy_clips

from tinytracker.hybrid.config import hybrid_config
from tinytracker.hybrid.streams import MOVED_CM, UNIT_STRIP, moved, read_streams

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    from tinytracker.hybrid.batches import Pool

    return Pool(read_streams(write_toy_clips(tmp_path_factory.mktemp("clips"), 12), "train")[0])


def drawn(pool, **settings):
    from tinytracker.hybrid.batches import batch

    config = hybrid_config(batch_size=64, **settings)
    return [part.numpy() for part in batch(pool, config, np.random.default_rng(4))]


def test_a_window_played_backwards_shows_the_opposite_change(pool):
    """The disc leaves where it goes off and reaches where it goes on, in both directions of time."""
    from tinytracker.hybrid.batches import backwards

    windows = pool.all.part(np.flatnonzero(moved(pool.all, 3.0))[::20])
    rows, columns = np.mgrid[:32, :64]
    for window, change in zip(windows.events(), windows.change_cm(), strict=True):
        for events, sign in ((window, 1), (backwards(window, 16), -1)):
            went, came = events.sum(0)[..., 0].astype(float), events.sum(0)[..., 1].astype(float)
            way = [
                (part * came).sum() / came.sum() - (part * went).sum() / went.sum()
                for part in (columns, rows)
            ]
            assert np.dot(way, change) * sign > 0
    early = windows.events()[0]
    early[5:] = 0
    turned = backwards(early, 5)
    assert not turned[5:].any()
    np.testing.assert_array_equal(turned[0], early[4][..., ::-1])
    np.testing.assert_array_equal(backwards(turned, 5), early)


def test_a_batch_has_the_shares_that_were_asked_for(pool):
    events, length, target = drawn(pool, shift=0, moving=0.5, early=0.5)
    assert events.shape == (64, 16, 32, 64, 2)
    assert events.max() == 1
    assert 20 <= (length < 16).sum() <= 44
    for window, steps in zip(events, length, strict=True):
        assert not window[steps:].any()
    assert (np.linalg.norm(target, axis=1) > 1).sum() >= 16
    assert (drawn(pool, early=0)[1] == 16).all()
    change = drawn(pool, shift=0, moving=1, early=0)[2]
    assert np.linalg.norm(change, axis=1).min() * UNIT_STRIP * 96 / 64 >= MOVED_CM - 1e-3


def test_shifts_move_events_out_and_none_in(pool):
    still, shifted = drawn(pool, shift=0)[0], drawn(pool, shift=4)[0]
    assert 0 < shifted.sum() <= still.sum()
    assert not np.array_equal(still, shifted)
