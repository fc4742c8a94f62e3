"""Boxes of all frames at once are where those of one frame would be."""

from dataclasses import replace

import numpy as np
import pytest
from support.gazecapture_folder import make_recording

from tinytracker.data.crops import eye_in_frame, grow, overlap, round_half_up, to_crop
from tinytracker.data.gazecapture import Boxes
from tinytracker.data.images import stored_size
from tinytracker.data.placement import LARGEST_BOX, Placement

FRAMES = 40


def recording_with_faces(rng):
    """Faces inside, across the edge and outside of a frame of 480 × 640 px, and one that is damaged."""
    recording = make_recording("00001", FRAMES, frame_size=(480, 640))
    corners = np.stack(
        [rng.uniform(-300, 600, FRAMES), rng.uniform(-300, 800, FRAMES), *rng.uniform(2, 700, (2, FRAMES))],
        -1,
    )
    corners[3] = 1e300
    corners[4] = np.nan
    return replace(recording, face=Boxes(*corners.T, np.ones(FRAMES, bool)))


@pytest.mark.parametrize("size", [(480, 640), (640, 480)])
def test_every_frame_has_the_boxes_that_it_would_have_alone(size):
    recording = recording_with_faces(np.random.default_rng(3))
    used = np.arange(FRAMES) != 4
    placement = Placement(recording, used, max_crop=200)
    kept = 0
    for i in np.flatnonzero(used):
        found = placement.of_frame(int(i), *size)
        face = recording.face.corners()[i]
        eyes = [eye_in_frame(face, eye.corners()[i]) for eye in (recording.left_eye, recording.right_eye)]
        wrong = [
            name
            for name, box in zip(("face", "left eye", "right eye"), (face, *eyes), strict=True)
            if box[2] > LARGEST_BOX * size[0] or box[3] > LARGEST_BOX * size[1] or overlap(box, *size) == 0
        ]
        assert found.outside.split(" at ")[0] == (wrong[0] if wrong else "")
        if wrong:
            assert found.outside.endswith(f" in {size[0]} x {size[1]}")
            continue
        kept += 1
        stored = round_half_up(grow(face))
        smaller, scale = stored_size(stored[2:], 200)
        assert found.stored == tuple(stored)
        assert found.size == tuple(smaller)
        assert max(smaller) <= 250
        assert found.face == tuple(face)
        assert found.in_crop == tuple(tuple(to_crop(box, stored, scale)) for box in (face, *eyes))
    assert 3 < kept < FRAMES


def test_frames_of_many_sizes_are_placed_each_in_its_own():
    recording = make_recording("00001", FRAMES, frame_size=(480, 640))
    placement = Placement(recording, np.ones(FRAMES, bool), max_crop=256)
    tiny = [placement.of_frame(0, 480 - k, 640).outside for k in range(0, 480, 40)]
    again = placement.of_frame(0, 480, 640)
    assert again.outside == tiny[0] == ""
    assert tiny[-1] != ""
