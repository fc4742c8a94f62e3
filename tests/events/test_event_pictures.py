"""Event frames, time surfaces and rasters, and what a report shows of a clip."""

import json

import h5py
import numpy as np
import pytest
from support.cli import run as tinytracker
from support.event_clips import jumping_clip

from tinytracker.errors import UsageError
from tinytracker.events import Events, event_frame, raster, time_surface


def few():
    """Four events in a sensor of 6 x 4 px."""
    return Events(
        np.array([1, 2, 1, 5], np.uint16), np.array([0, 3, 0, 2], np.uint16), np.array([1, 0, 0, 1], np.uint8),
        np.array([0, 1000, 2000, 5000]), 6, 4,
    )  # fmt: skip


def test_a_frame_has_the_last_polarity_of_each_pixel():
    frame = event_frame(few(), 0, 5000)
    assert frame.dtype == np.int8
    assert (frame[0, 1], frame[3, 2], frame[2, 5]) == (-1, -1, 0)
    assert event_frame(few(), 0, 1000)[0, 1] == 1
    assert event_frame(few(), 0, 5001, (2, 1, 4, 3)).tolist() == [[0, 0, 0, 0], [0, 0, 0, 1], [-1, 0, 0, 0]]


def test_a_surface_fades_with_age():
    seen = time_surface(few(), 2000, 1000.0)
    assert seen[0, 1].tolist() == pytest.approx([1.0, np.exp(-2)], rel=1e-6)
    assert seen[3, 2, 0] == pytest.approx(np.exp(-1), rel=1e-6)
    assert seen[2, 5].tolist() == [0, 0]


def test_a_raster_counts_columns():
    counts = raster(few(), 0, 6000, 3)
    assert counts.shape == (6, 3, 2)
    assert counts.sum() == 4
    assert counts[1, 0, 1] == counts[1, 1, 0] == counts[2, 0, 0] == counts[5, 2, 1] == 1


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda e: event_frame(e, 5, 5), "The window 5 to 5 µs is empty."),
        (lambda e: raster(e, 0, 10, 0), "bins is 0."),
        (lambda e: time_surface(e, 0, 0.0), "tau is 0.0 µs."),
        (lambda e: event_frame(e, 0, 5, (4, 0, 3, 2)), "is not inside the sensor of 6 × 4 px."),
    ],
)
def test_wrong_windows_are_a_sentence(call, sentence):
    with pytest.raises(UsageError) as caught:
        call(few())
    assert sentence in str(caught.value)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return jumping_clip(tmp_path_factory.mktemp("clip"))


def test_a_report_shows_a_clip(clip, tmp_path):
    answer = tinytracker("report", clip, "--out", tmp_path / "page.html", "--json")
    assert answer.code == 0, answer.err
    page = (tmp_path / "page.html").read_text()
    for figure in ("frames-0", "surface-0", "columns-0"):
        assert f'<svg id="{figure}"' in page
    assert "synthetic people, modelled sensor" in page
    assert "<script" not in page
    assert page.count("data:image/png;base64,") >= 4
    assert page.count("<title>Gaze report") == 1
    numbers = json.loads((tmp_path / "page.json").read_text())["events"][0]
    assert numbers["name"] == "00007/clip-000"
    assert numbers["events"] == 1800
    assert numbers["gaze"]["fastest_s"] == pytest.approx(0.058, abs=0.003)
    assert numbers["gaze"]["moving_events_per_s"] > numbers["gaze"]["still_events_per_s"]


def test_recorded_people_are_shown_only_when_asked_for(tmp_path):
    with h5py.File(tmp_path / "events.h5", "w") as file:
        for name, values in {"x": [1, 2, 3], "y": [1, 2, 3], "p": [0, 1, 1], "t": [10, 20, 50_000]}.items():
            file[f"events/{name}"] = np.array(values, np.uint32)
    hidden = tinytracker("report", tmp_path / "events.h5", "--out", tmp_path / "a.html")
    assert hidden.code == 0, hidden.err
    assert "--allow-images" in (tmp_path / "a.html").read_text()
    assert "data:image/png" not in (tmp_path / "a.html").read_text()
    tinytracker("report", tmp_path / "events.h5", "--allow-images", "--out", tmp_path / "b.html")
    assert "data:image/png" in (tmp_path / "b.html").read_text()


def test_a_report_refuses_damaged_events(clip, tmp_path):
    (tmp_path / "cut.h5").write_bytes(clip.read_bytes()[:3000])
    answer = tinytracker("report", tmp_path / "cut.h5", "--out", tmp_path / "page.html")
    assert answer.code == 1
    assert "cut.h5: the HDF5 file is damaged or cut short" in answer.err
