"""UCI-HAR's layout, in files that are made up, and the published structures."""

import numpy as np
import pytest

from tinytracker.cascade.har import AXES, BIG, DUAL, LITTLE, SENSORS, macs_per_window, read_windows, reused
from tinytracker.errors import InputFileError

ACTIVITIES = [1] * 20 + [4] * 25 + [2] * 15


@pytest.fixture
def folder(tmp_path):
    """Three activities of two people, 60 windows: each activity has a level of its own."""
    rng = np.random.default_rng(0)
    base = tmp_path / "UCI HAR Dataset" / "test"
    (base / "Inertial Signals").mkdir(parents=True)
    np.savetxt(base / "y_test.txt", ACTIVITIES, fmt="%d")
    np.savetxt(base / "subject_test.txt", [2] * 30 + [4] * 30, fmt="%d")
    for sensor in SENSORS:
        for axis in AXES:
            rows = rng.normal(0, 0.1, (60, 128)) + 0.3 * np.array(ACTIVITIES)[:, None]
            np.savetxt(base / "Inertial Signals" / f"{sensor}_{axis}_test.txt", rows, fmt="%16.7e")
    return tmp_path / "UCI HAR Dataset"


def test_the_published_multiplications():
    assert (BIG.macs, LITTLE.macs, DUAL.macs) == (161_856, 8_512, 20_928)
    # 119 changes in 2,947 windows: Big on those alone, and a Little on every window, costs 9.3 % of Big.
    starts = np.zeros(2947, bool)
    starts[:120] = True
    assert macs_per_window(starts, LITTLE) / BIG.macs == pytest.approx(0.093, abs=0.001)


def test_windows_and_the_strategy_by_distance(folder):
    windows = read_windows(folder)
    assert windows.signals.shape == (60, 128, 9)
    assert np.flatnonzero(windows.changes).tolist() == [0, 20, 45]
    assert windows.subjects[[0, 59]].tolist() == [2, 4]
    starts = windows.distances > 300
    np.testing.assert_array_equal(starts, windows.changes)
    np.testing.assert_array_equal(reused(windows.labels, starts), windows.labels)
    assert macs_per_window(starts, None) == pytest.approx(BIG.macs / 20)


def test_damaged_files_are_refused(folder):
    signals = folder / "test" / "Inertial Signals" / "body_acc_x_test.txt"
    signals.write_text("1 2 3\n")
    with pytest.raises(InputFileError, match="rows of 3 numbers instead of 128"):
        read_windows(folder)
    np.savetxt(signals, np.zeros((59, 128)))
    with pytest.raises(InputFileError, match="tables of 60 and 59 windows"):
        read_windows(folder)
    signals.write_text("one\n")
    with pytest.raises(InputFileError, match="not a table of numbers"):
        read_windows(folder)
    with pytest.raises(InputFileError, match="not a table of numbers"):
        read_windows(folder, "train")
