from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytracker.quant.calibration import CalibrationSet, choose_positions

GROUPS = st.lists(
    st.tuples(st.sampled_from(["iPhone 6/1", "iPad Air/3", "iPad Air/4"]), st.sampled_from("abcdef")),
    min_size=1,
)


@given(GROUPS, st.integers(1, 60), st.integers(0, 5))
def test_chosen_frames_are_distinct_sorted_and_as_many_as_asked(groups, count, seed):
    chosen = choose_positions(groups, count, seed)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(count, len(groups))
    assert chosen == choose_positions(groups, count, seed)


@given(GROUPS, st.integers(1, 60))
def test_no_stratum_gives_two_more_than_another_unless_it_ran_out(groups, count):
    chosen = Counter(groups[i][0] for i in choose_positions(groups, count, 0))
    there = Counter(stratum for stratum, _ in groups)
    most = max(chosen.values())
    assert all(chosen[s] >= most - 1 or chosen[s] == there[s] for s in there)


def test_subjects_take_turns_within_a_stratum():
    groups = [("d", "a")] * 1000 + [("d", "b")] * 10 + [("d", "c")] * 10
    chosen = Counter(groups[i][1] for i in choose_positions(groups, 15, 0))
    assert chosen == {"a": 5, "b": 5, "c": 5}


def test_the_first_sample_pins_the_input_range_and_no_other_changes():
    codes = {"image": np.full((3, 4, 4, 1), 100, np.uint8)}
    samples = list(CalibrationSet(codes, "", 1, 1).samples())
    assert samples[0]["image"].min() == -1.0
    assert samples[0]["image"].max() == np.float32(127 / 128)
    assert (samples[0]["image"] == np.float32(100 / 128 - 1)).sum() == 14
    for sample in samples[1:]:
        np.testing.assert_array_equal(sample["image"], codes["image"][:1] / np.float32(128) - 1)
    low, high = samples[0]["image"].min(), samples[0]["image"].max()
    assert (np.float32(high) - np.float32(low)) / np.float32(255) == pytest.approx(1 / 128, abs=0)
