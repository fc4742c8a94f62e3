"""Files of event sensors: layouts that others write, and what is wrong with a file in one sentence."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from tinytracker.errors import InputFileError, UsageError
from tinytracker.events import read_clip, read_events

RECORDINGS = Path(__file__).parent / "recordings"
T = np.array([1000, 1500, 1500, 9000])
COLUMNS = {"x": np.array([3, 0, 9, 4]), "y": np.array([1, 7, 2, 2]), "p": np.array([1, 0, 0, 1]), "t": T}


def dsec(path, offset=None, **changes):
    """A file with DSEC's layout."""
    types = {"x": "u2", "y": "u2", "p": "u1", "t": "u4"}
    with h5py.File(path, "w") as file:
        for name, values in (COLUMNS | changes).items():
            if values is not None:
                values = np.asarray(values)
                file[f"events/{name}"] = values.astype(types[name]) if values.dtype.kind in "iu" else values
        if offset is not None:
            file["t_offset"] = np.int64(offset) if isinstance(offset, int) else offset
    return path


def test_dsec_columns_with_their_offset(tmp_path):
    """Types and names of the DSEC data set (uint16, uint8, uint32, t_offset int64)."""
    events = read_events(dsec(tmp_path / "events.h5", 5_000_000_000))
    assert events.t.tolist() == (T + 5_000_000_000).tolist()
    assert events.x.tolist() == [3, 0, 9, 4]
    assert (events.width, events.height) == (10, 8)
    assert read_events(tmp_path / "events.h5", (640, 480)).width == 640


@pytest.mark.parametrize(
    "offset", [np.array([1, 2]), np.float64(0.5), np.bytes_(b"1"), np.zeros(0, np.int64)]
)
def test_an_offset_that_is_not_one_whole_number_is_refused(offset, tmp_path):
    with pytest.raises(InputFileError, match="t_offset is not a whole number"):
        read_events(dsec(tmp_path / "events.h5", offset))


def test_a_file_that_v2e_wrote():
    """Written by v2e (cac6384) from light of this project; the same file read row by row."""
    path = RECORDINGS / "v2e.h5"
    with h5py.File(path) as file:
        table = file["events"][()].astype(np.int64)
    events = read_events(path)
    assert len(events) == len(table) > 500
    assert events.t.tolist() == table[:, 0].tolist()
    assert events.x.tolist() == table[:, 1].tolist()
    assert events.y.tolist() == table[:, 2].tolist()
    assert set(events.p.tolist()) == {0, 1}


def test_records_as_metavision_writes_them(tmp_path):
    """Types of Prophesee's HDF5 event files, here without their compression."""
    records = np.zeros(4, np.dtype([("x", "<u2"), ("y", "<u2"), ("p", "<i2"), ("t", "<i8")]))
    for name, values in COLUMNS.items():
        records[name] = values
    with h5py.File(tmp_path / "prophesee.hdf5", "w") as file:
        file["CD/events"] = records
        file.attrs["geometry"] = "1280x720"
    events = read_events(tmp_path / "prophesee.hdf5")
    assert events.p.tolist() == [1, 0, 0, 1]
    assert (events.width, events.height) == (1280, 720)


def test_polarities_of_minus_one_and_one(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        table = np.stack([T, COLUMNS["x"], COLUMNS["y"], 2 * COLUMNS["p"] - 1], 1)
        file["events"] = table.astype(np.int64)
    assert read_events(tmp_path / "a.h5").p.tolist() == [1, 0, 0, 1]


def test_a_compression_that_is_not_installed_is_named():
    """Written with hdf5plugin's Blosc, as the DSEC data set is; this environment has no such filter."""
    assert not h5py.h5z.filter_avail(32001)
    with pytest.raises(InputFileError, match=r"events/p is compressed by Blosc, which this installation"):
        read_events(RECORDINGS / "blosc.h5")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"x": []}, "x, y, p and t differ in length"),
        ({"y": [1, 7, 2]}, "x, y, p and t differ in length (4 of x, 3 of y, 4 of p, 4 of t)"),
        ({"t": [1, 3, 2, 4]}, "time runs backwards at event 2. Sort the events by time first."),
        ({"p": [0, 1, 2, 0]}, "a polarity is 2, not 0 or 1"),
        ({"p": None}, "there is no data set events/p (the file holds events)"),
        ({"x": [[1, 2], [3, 4]]}, "events/x has the shape (2, 2), not (n,)"),
        ({"t": [0.1, 0.2, 0.3, 0.4]}, "which do not fit int64"),
        ({"x": [np.nan, 1, 2, 3]}, "which do not fit uint16"),
        ({name: np.zeros(0, int) for name in "xypt"}, "this recording holds no events"),
    ],
)
def test_what_no_sensor_writes_is_refused(changes, sentence, tmp_path):
    with pytest.raises(InputFileError) as caught:
        read_events(dsec(tmp_path / "a.h5", **changes))
    assert sentence in str(caught.value)


def test_a_sensor_that_is_too_small_for_its_events(tmp_path):
    with pytest.raises(InputFileError, match=r"x = 9, outside the sensor's 8 px"):
        read_events(dsec(tmp_path / "a.h5"), (8, 8))
    with pytest.raises(UsageError, match="The sensor's size is 0 × 8 px"):
        read_events(tmp_path / "a.h5", (0, 8))


@pytest.mark.parametrize("read", [read_events, read_clip])
def test_files_of_other_kinds_are_named(read, tmp_path):
    with pytest.raises(InputFileError, match="there is no such file"):
        read(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("x y p t\n")
    with pytest.raises(InputFileError, match="this is not an HDF5 file"):
        read(tmp_path / "text.h5")
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["weights"] = np.zeros(3)
    with pytest.raises(InputFileError, match=r"foreign\.h5") as caught:
        read(tmp_path / "foreign.h5")
    assert "weights" in str(caught.value) or "attribute" in str(caught.value)


def test_damaged_bytes_are_a_sentence_or_other_events(tmp_path):
    whole = dsec(tmp_path / "a.h5", 0).read_bytes()
    rng = np.random.default_rng(0)
    sentences = []
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[int(rng.integers(8, len(whole)))] ^= int(rng.integers(1, 256))
        (tmp_path / "damaged.h5").write_bytes(damaged)
        try:
            read_events(tmp_path / "damaged.h5")
        except InputFileError as error:
            sentences.append(str(error))
    assert len(sentences) > 10
    assert all(sentence.startswith(f"{tmp_path / 'damaged.h5'}: ") for sentence in sentences)


def test_a_file_is_refused_wherever_it_is_cut(tmp_path):
    """Never a crash, and never half of the events."""
    whole = dsec(tmp_path / "a.h5", 0).read_bytes()
    for size in [0, 4, 8, 40, 100, *np.linspace(200, len(whole) - 1, 12).astype(int).tolist()]:
        (tmp_path / "cut.h5").write_bytes(whole[:size])
        with pytest.raises(InputFileError, match=r"cut\.h5"):
            read_events(tmp_path / "cut.h5")
