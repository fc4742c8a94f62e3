"""What a session says of a board's aim: shares, gaze in cm by the region's width, no gaze without eyes."""

import numpy as np
import pytest
from support.sessions import write_aimed_session, write_session

from tinytracker.live.frames import frames_of_session
from tinytracker.measure.following import following
from tinytracker.measure.results import session_gaze, summarize_session
from tinytracker.measure.session_reader import read_session
from tinytracker.report.measured import session_part


@pytest.fixture
def session(tmp_path):
    regions = [(160, 120, 320), (170, 118, 80), (172, 118, 40), (160, 120, 90)]
    return read_session(
        write_aimed_session(tmp_path / "s.jsonl", regions, [0, 1, 1, 2], [False, True, True, False])
    )


def test_the_gaze_is_in_cm_for_the_regions_width_and_missing_without_eyes(session):
    aim = following(session)
    assert aim.frame_px == (320, 240)
    np.testing.assert_array_equal(aim.state, [0, 1, 1, 2])
    gaze = session_gaze(session)
    # Half the reference width is twice the distance.
    np.testing.assert_allclose(gaze[1:3], [[1, -2], [2, -4]])
    assert np.isnan(gaze[[0, 3]]).all()


def test_shares_are_in_the_summary_the_report_and_the_replay(session):
    counts = summarize_session(session).as_json()["aim"]
    assert (counts["followed"], counts["without_eyes"], counts["lost"]) == (2, 2, 1)
    said = [s for s in summarize_session(session).sentences if s.startswith("Aim")]
    assert said == ["Aim: 50.0% of frames followed, 50.0% without eyes (no gaze), eyes lost 1 time."]
    part = session_part(session.path)["aim"]
    assert part["followed_share"] == 0.5
    assert [column["state"] for column in part["strip"]] == [0, 1, 1, 2]
    assert (part["strip"][0]["left"], part["strip"][0]["right"]) == (0, 1)
    shown = list(frames_of_session(session, sleep=lambda s: None, repeat=False))
    assert [(f.aim.state, f.aim.has_eyes, f.gaze_cm is None) for f in shown] == [
        ("searching", False, True), ("following", True, False), ("following", True, False), ("lost", False, True),
    ]  # fmt: skip


def test_other_boards_have_no_aim(tmp_path):
    edges = 1 + 0.04 * np.arange(20)[:, None] + np.array([0, 0.01, 0.02, 0.03])
    session = read_session(write_session(tmp_path / "s.jsonl", edges))
    assert following(session) is None
    assert summarize_session(session).as_json()["aim"] is None
    assert session_part(session.path)["aim"] is None


def test_a_header_that_says_nonsense_is_no_aim(tmp_path):
    session = read_session(
        write_aimed_session(tmp_path / "s.jsonl", [(1, 1, 1)], [1], [True], frame_px=(0, 240))
    )
    assert following(session) is None
