"""The calibration routine, with time and answers given."""

import numpy as np
import pytest

from tinytracker.errors import CalibrationError
from tinytracker.live.routine import LEAST_FRAMES, LOOK_S, SETTLE_S, Routine
from tinytracker.live.screen import own_screen

SCREEN = own_screen(30, 20)


def look(routine, answer, fps=20.0, seconds=600.0):
    """Frames until the routine ends; returns when."""
    for k in range(int(seconds * fps)):
        now = k / fps
        if routine.take(answer(routine, now), now):
            return now
    return None


@pytest.mark.parametrize("count", [5, 9, 13])
def test_a_person_whose_gaze_is_shifted_is_corrected(count):
    rng = np.random.default_rng(0)

    def answer(routine, now):
        """Before the eye has settled it is anywhere; then 2 cm to the right, 1 cm up, with noise."""
        if now - routine.began_s < SETTLE_S:
            return 20.0, 20.0
        x, y = routine.dot_cm
        return x + 2 + rng.normal(0, 0.2), y + 1 + rng.normal(0, 0.2)

    routine = Routine.start(SCREEN, count, 0.0)
    ended = look(routine, answer)
    assert ended == pytest.approx(count * (SETTLE_S + LOOK_S), abs=count * 0.11)
    calibration = routine.finish()
    assert calibration.evidence.dots == count
    assert calibration.evidence.frames <= count * (LOOK_S * 20 + 2)  # none from before the eye rested
    np.testing.assert_allclose(calibration.apply(np.array([5.0, -8.0])), [3.0, -9.0], atol=0.3)
    assert calibration.evidence.left_out_cm < 0.3 < calibration.evidence.before_cm


def test_answers_that_have_nothing_to_do_with_the_dots_do_little():
    rng = np.random.default_rng(1)
    routine = Routine.start(SCREEN, 9, 0.0)
    look(routine, lambda routine, now: tuple(np.array([0, -10]) + rng.normal(0, 6, 2)))
    calibration = routine.finish()
    assert calibration.evidence.left_out_cm > 5


def test_a_slow_board_takes_longer_rather_than_fewer_frames():
    routine = Routine.start(SCREEN, 5, 0.0)
    assert look(routine, lambda routine, now: routine.dot_cm, fps=0.5) > 5 * LEAST_FRAMES
    assert routine.finish().evidence.frames >= 5 * LEAST_FRAMES


def test_frames_without_an_answer_do_not_count():
    routine = Routine.start(SCREEN, 5, 0.0)
    assert look(routine, lambda routine, now: None) is None
    assert routine.index == 0
    assert routine.as_json(3.0)["progress"] == 0
    with pytest.raises(CalibrationError, match="0 of 5"):
        routine.finish()


def test_what_the_page_is_told():
    routine = Routine.start(SCREEN, 5, 10.0)
    told = routine.as_json(10.5)
    assert (told["dot"], told["dots"], told["across"], told["down"]) == (0, 5, 0.5, 0.5)
    assert not told["settled"]
    for k in range(LEAST_FRAMES):
        routine.take((0.0, 0.0), 10 + SETTLE_S + k * 0.1)
    assert routine.as_json(10 + SETTLE_S + LOOK_S / 2)["progress"] == pytest.approx(0.5)
