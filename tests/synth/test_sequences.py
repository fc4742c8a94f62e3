"""Sequences: the same person over time, with eye movements of the documented distributions and exact labels."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinytracker.data import prepare, read_recording
from tinytracker.data.eye_marks import read_eye_marks
from tinytracker.data.index import read_index
from tinytracker.data.labels import check_labels
from tinytracker.errors import OutputError, UnknownNameError, UsageError
from tinytracker.synth.eye_movements import BLINKS_PER_S, sample_blinks, sample_gaze
from tinytracker.synth.generation import generate
from tinytracker.synth.head import SIDES
from tinytracker.synth.head_movements import MOVEMENTS
from tinytracker.synth.scene import aim_eyes, visual_axis
from tinytracker.synth.sequence import movement_of, over_time
from tinytracker.synth.sitting import Sitting, plan_sitting, subject_streams

SMALL = (96, 128)
SCREEN = np.array([-3.0, -9.0, 3.0, -1.0])


def plan(index: int, movement: str, frames: int, rate: int = 30) -> Sitting:
    streams = subject_streams(7, index)
    sitting = plan_sitting(streams, frames, None, (480, 640), 1.0)
    return over_time(sitting, rate, movement, streams["sequence"])[0]


def test_fixations_and_saccades_last_as_long_as_documented():
    times = np.arange(0, 600, 0.001)
    track = sample_gaze(np.random.default_rng(1), times, SCREEN, 33.0)
    assert (track.gaze >= SCREEN[:2] - 1e-9).all()
    assert (track.gaze <= SCREEN[2:] + 1e-9).all()
    fixations, flights = [], []
    for target in range(1, track.target[-1]):
        here = track.target == target
        flight, fixed = here & track.flying, here & ~track.flying
        places = track.gaze[fixed]
        assert np.ptp(places, axis=0).max() < 1e-9
        fixations.append(fixed.sum() / 1000)
        degrees = np.degrees(np.linalg.norm(places[0] - track.gaze[np.flatnonzero(here)[0] - 1]) / 33.0)
        flights.append((flight.sum() / 1000, 0.021 + 0.0022 * degrees))
    measured, expected = np.array(flights).T
    assert np.abs(measured - expected).max() < 0.0021
    short = np.array([f for f in fixations if f < 0.8])
    assert abs(np.median(short) - 0.28) < 0.02
    assert 0.62 < np.mean((short > 0.2) & (short < 0.4)) < 0.74
    assert 0.04 < np.mean(np.array(fixations) >= 0.8) < 0.13


def test_blinks_close_completely_and_come_as_often_as_documented():
    times = np.arange(0, 1000, 0.02)
    closed = sample_blinks(np.random.default_rng(2), times)
    begins = np.flatnonzero((closed[1:] > 0) & (closed[:-1] == 0))
    assert closed.min() == 0
    assert closed.max() == 1
    assert abs(len(begins) / 1000 / (1 / (1 / BLINKS_PER_S + 0.4)) - 1) < 0.15


@pytest.mark.parametrize("movement", list(MOVEMENTS))
def test_the_eyes_look_at_the_label_in_every_frame(movement):
    sitting = plan(3, movement, 20)
    for frame in sitting.frames:
        for side, eye in aim_eyes(sitting.identity, frame.pose, frame.dot_cm).items():
            axis = visual_axis(sitting.identity.eyes[side], frame.pose, eye.optical)
            hit = eye.centre - axis * eye.centre[2] / axis[2]
            assert side in SIDES
            assert np.abs(hit[:2] - frame.dot_cm).max() < 1e-6


def speed(sitting: Sitting) -> float:
    """Mean way of the head between two frames, cm."""
    places = np.stack([f.pose.position for f in sitting.frames])
    return float(np.linalg.norm(np.diff(places, axis=0), axis=1).mean())


def test_heads_move_more_from_calm_to_wild_and_walk_away():
    calm, moving, wild = (
        np.mean([speed(plan(i, m, 60)) for i in range(3)]) for m in ("calm", "moving", "wild")
    )
    assert 2 * calm < moving
    assert 1.5 * moving < wild
    assert abs(speed(plan(0, "calm", 60, 60)) / speed(plan(0, "calm", 60, 30)) - 0.5) < 0.25
    for i in range(3):
        lost = np.array([f.lost for f in plan(i, "away", 200).frames])
        assert lost.any()
        assert not lost[:10].any()
        assert not lost[-10:].any()
        assert not any(f.lost for f in plan(i, "moving", 60).frames)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sequences") / "set"
    generate(out, subjects=4, frames=8, seed=5, jobs=1, size=SMALL, sequences=30)
    return out


def test_the_layout_is_gazecaptures_with_times(made: Path):
    for index in range(4):
        folder = made / f"{index:05d}"
        recording = read_recording(folder)
        assert check_labels(recording).error_cm.max() < 1e-3
        course = json.loads((folder / "sequence.json").read_text())
        assert course["Movement"] == movement_of("mixed", index)
        assert course["Rate"] == 30
        np.testing.assert_allclose(course["Time"], np.arange(8) / 30, atol=1e-6)
        assert len(course["Saccade"]) == 8
        marks = read_eye_marks((folder / "eyes.json").read_bytes(), 8)
        assert (marks.strips[:, 2] > 10).all()
        assert len(set(recording.orientation)) == 1
        assert (np.diff(recording.dot_num) >= 0).all()


def test_frames_follow_one_another_and_each_has_its_own_noise(made: Path):
    names = sorted((made / "00000" / "frames").iterdir())
    frames = [np.asarray(Image.open(name)).astype(float) for name in names]
    for before, after in pairwise(frames):
        difference = np.abs(after - before)
        assert 0 < difference.mean() < 0.3 * before.std()


def test_the_same_seed_gives_the_same_bytes(made: Path, tmp_path: Path):
    generate(tmp_path / "again", 1, 8, seed=5, jobs=1, size=SMALL, sequences=30, first=2)
    for file in sorted(p for p in (tmp_path / "again" / "00002").rglob("*") if p.is_file()):
        assert file.read_bytes() == (made / file.relative_to(tmp_path / "again")).read_bytes()


def test_prepare_takes_sequences(made: Path, tmp_path: Path):
    prepare(made, tmp_path / "data", jobs=1)
    index = read_index(tmp_path / "data")
    assert sum(split.frames for split in index.splits.values()) > 10


def test_other_sequences_do_not_mix_into_a_data_set(made: Path):
    with pytest.raises(OutputError, match="sequences is 30, not 60"):
        generate(made, 4, 8, seed=5, size=SMALL, sequences=60)
    with pytest.raises(OutputError, match="movement is mixed, not None"):
        generate(made, 4, 8, seed=5, size=SMALL)


def test_other_rates_and_movements_are_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="sequences is 25 frames per second"):
        generate(tmp_path / "set", 1, 1, sequences=25)
    with pytest.raises(UnknownNameError, match="walking"):
        generate(tmp_path / "set", 1, 1, sequences=30, movement="walking")
