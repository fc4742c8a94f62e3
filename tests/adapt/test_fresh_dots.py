"""Nine dots of each sitting, as `live` asks for them, and frames in another light."""

from pathlib import Path

import numpy as np
import pytest

from tinytracker.adapt.document import (
    ADAPT_FILE,
    ALL,
    BUNDLED,
    CALIBRATED,
    CANDIDATES,
    HEAD,
    AdaptDocument,
    Candidate,
    Gain,
)
from tinytracker.adapt.nine_dots import DOTS, calibrated, with_fresh_dots
from tinytracker.adapt.scores import Scores
from tinytracker.cli.adapt import _sentences
from tinytracker.cli.live_webcam import _advice
from tinytracker.requirements import require_tensorflow

PER_DOT = 3


@pytest.fixture
def sittings():
    """Two sittings of 30 dots whose gaze is off by another distance, and one of ten dots."""
    require_tensorflow("frames of a split")
    from tinytracker.adapt.frames import SplitFrames

    rng = np.random.default_rng(3)
    counts = {"00000": 30, "00001": 30, "00002": DOTS + 1}
    subject = np.concatenate([np.repeat(name, n * PER_DOT) for name, n in counts.items()])
    dot = np.concatenate([np.repeat(np.arange(n), PER_DOT) for n in counts.values()])
    gaze = np.concatenate(
        [np.repeat(rng.uniform((-15, -19), (15, 0), (n, 2)), PER_DOT, 0) for n in counts.values()]
    )
    off = {"00000": (4.0, 0.0), "00001": (-4.0, 3.0), "00002": (0.0, 6.0)}
    predicted = gaze + np.array([off[name] for name in subject]) + rng.normal(0, 0.3, gaze.shape)
    inputs = {"image": rng.integers(0, 256, (len(gaze), 8, 24, 3)).astype(np.uint8)}
    return predicted, SplitFrames(inputs, gaze, np.ones(len(gaze)), subject, dot)


def test_each_sitting_is_calibrated_with_nine_dots_of_its_own(sittings):
    predicted, part = sittings
    corrected = with_fresh_dots(predicted, part)
    known = np.isfinite(corrected).all(1)
    for name in ("00000", "00001"):
        of = part.subject == name
        assert np.isnan(corrected[of]).all(1).sum() == DOTS * PER_DOT  # they were learned from
        error = np.linalg.norm(corrected - part.gaze, axis=1)[of & known]
        assert error.mean() < 0.8
    assert not known[part.subject == "00002"].any()  # one dot would be left to measure


def test_people_with_few_dots_keep_the_bundled_answer(sittings):
    predicted, part = sittings
    found, calibration = calibrated(
        {"train": predicted, "test": predicted}, {"train": part, "test": part}, "people"
    )
    few = part.subject == "00002"
    assert calibration is None
    assert (found["test"][few] == predicted[few]).all()
    assert np.isnan(found["test"][~few]).any()
    assert (found["train"] == predicted).all()


def test_other_light_changes_pixels_and_not_the_gaze(sittings):
    from tinytracker.adapt.frames import in_other_light
    from tinytracker.data.inputs import InputSpec
    from tinytracker.train.config import AugmentConfig

    _, part = sittings
    spec, light = InputSpec("eye_band", 24, 8), AugmentConfig(mirror=False, focus=0.6, gamma=0.35, shade=0.25)
    one, other, again = (in_other_light(part, spec, light, seed) for seed in (1, 2, 1))
    assert one.inputs["image"].dtype == np.uint8
    assert one.inputs["image"].shape == part.inputs["image"].shape
    assert (one.gaze == part.gaze).all()
    assert (one.inputs["image"] == again.inputs["image"]).all()
    assert (one.inputs["image"] != other.inputs["image"]).mean() > 0.5


def document(
    fresh, test=(5.0, 4.5, 3.0, 3.2), kept=HEAD, interval=(-1.0, -0.2), measured=(-1.0, 1.0), **more
):
    gain = Gain(than=BUNDLED, ratio=0.8, difference_cm=-0.5, ci95_cm=interval)
    names = (BUNDLED, CALIBRATED, HEAD, ALL)
    candidates = tuple(
        Candidate(
            name=n, val_cm=t, test_cm=t, fresh_cm=f, fresh_gain=None if n == BUNDLED or f is None else gain,
            test_gains=() if n == BUNDLED else (gain.model_copy(update={"ci95_cm": measured}),),
        )
        for n, t, f in zip(names, test, fresh, strict=True)
    )  # fmt: skip
    return AdaptDocument(
        preset="tinytracker-v2", source="", sessions=("desk",), by="time", people=("ann",), frames={}, dots={},
        candidates=candidates, kept=kept, **more,
    )  # fmt: skip


def test_what_to_do_on_another_day_is_said():
    (line,) = document((2.5, None, 2.0, 2.1)).advice
    assert line.startswith("Calibrate with nine dots whenever you sit down: 3.0 cm off without, 2.0 cm with")
    (line,) = document((2.5, None, 3.1, 2.1)).advice
    assert "adds nothing on the recorded day" in line
    better = document((2.5, None, 2.9, 2.1), interval=(0.1, 0.6)).advice
    assert "the bundled weights are better (2.5 cm)" in better[1]
    assert document((None,) * 4).advice == ()


WORSE = (3.1, 4.5, 5.4, 5.6)


def test_a_choice_that_the_last_minutes_contradict_is_said_with_a_way_out():
    (line,) = document((2.4, None, 2.0, 2.1), WORSE, measured=(1.5, 3.2)).advice
    assert line == (
        "On the last minutes, which decided nothing, 'head only' is worse than the bundled weights (5.4 instead of "
        "3.1 cm). Calibrate with nine fresh dots before each use (then 2.0 instead of 2.4 cm), or record a second "
        "sitting on another day."
    )
    (line,) = document((2.4, None, 2.0, 2.1), WORSE, measured=(-0.1, 3.2)).advice
    assert "(5.4 instead of 3.1 cm; this may be chance)" in line
    (line,) = document((2.4, None, 2.6, 2.1), WORSE).advice
    assert "not better either (2.6 instead of 2.4 cm). Use the bundled weights, or record a second" in line
    (line,) = document((None,) * 4, WORSE).advice
    assert line.endswith(
        "Calibrate with nine fresh dots before each use, or record a second sitting on another day."
    )
    (line,) = document((2.4, None, 2.0, 2.1), (3.1, 5.0, 2.0, 2.0), kept=CALIBRATED).advice
    assert "'bundled + 9 dots' is worse than the bundled weights (5.0 instead of 3.1 cm" in line


def test_a_choice_that_was_taken_back_is_said():
    found = document((2.4, None, 2.6, 2.1), WORSE, kept=BUNDLED, withdrawn=HEAD)
    first, second = found.advice
    assert "'head only' is certainly worse than the bundled weights (5.4 instead of 3.1 cm)" in first
    assert "So the bundled weights are kept. Record a second sitting" in first
    assert second.startswith(
        "Calibrate with nine dots whenever you sit down: 3.1 cm off without, 2.4 cm with"
    )
    said = " ".join(_sentences(found, Path("my-run")))
    assert first in said
    assert "Nothing was certainly better" not in said
    assert "Nothing was certainly better" in " ".join(
        _sentences(document((None,) * 4, kept=BUNDLED), Path("my-run"))
    )


def test_the_minutes_that_measure_take_a_choice_back_or_let_it_be(sittings):
    # A head that is half as far off on the frames that choose, and much farther on those that measure.
    predicted, part = sittings
    shifted, nearer, farther = (part.gaze + k * (predicted - part.gaze) for k in (1.0, 0.5, 3.0))
    rng = np.random.default_rng(4)
    spoilt = part.gaze + rng.normal(0, 9.0, part.gaze.shape)  # nine dots do not help here

    def decide(of_head, choosing=nearer):
        scores = Scores({"train": part, "val": part, "test": part})
        for name in CANDIDATES:
            scores.predicted[name] = dict.fromkeys(("train", "val", "test"), shifted)
            scores.seconds[name] = 0.0
        scores.predicted[HEAD] = {"train": nearer, "val": choosing, "test": of_head}
        return scores.decide(CANDIDATES)

    assert decide(nearer) == (HEAD, "")
    assert decide(spoilt) == (BUNDLED, HEAD)
    assert decide(nearer, choosing=farther) == (BUNDLED, "")  # never a choice of what was not chosen
    # An offset that nine dots of the sitting take away: worse without them, better with them.
    assert decide(part.gaze + np.array([9.0, 0.0])) == (HEAD, "")


def test_people_who_are_calibrated_with_dots_of_their_own_are_compared(sittings):
    predicted, part = sittings
    splits = ("train", "val", "test")
    scores = Scores(dict.fromkeys(splits, part))
    for name in CANDIDATES:
        scores.predicted[name] = dict.fromkeys(splits, predicted)
        scores.seconds[name] = 0.0
    scores.predicted[CALIBRATED], _ = calibrated(scores.predicted[BUNDLED], scores.frames, "people")
    assert np.isnan(scores.predicted[CALIBRATED]["test"]).any()  # frames that it was made of
    rows = {row.name: row for row in scores.candidates()}
    assert rows[CALIBRATED].fresh_cm is None
    assert rows[CALIBRATED].test_cm < rows[BUNDLED].test_cm
    assert rows[BUNDLED].fresh_cm < rows[BUNDLED].test_cm


def test_the_live_view_is_told(tmp_path):
    found = document((2.5, None, 2.0, 2.1))
    assert _advice(tmp_path) == _advice(None) == ""
    found.write(tmp_path / ADAPT_FILE)
    assert _advice(tmp_path) == found.advice[0]
    found = document((2.4, None, 2.0, 2.1), WORSE)
    found.write(tmp_path / ADAPT_FILE)
    assert _advice(tmp_path).startswith("On the last minutes, which decided nothing, 'head only' is worse")


def test_weights_that_are_kept_with_a_calibration_are_judged_as_they_are():
    assert (
        document((2.5, None, 2.0, 2.1), kept=CALIBRATED)
        .advice[0]
        .endswith("2.5 cm with nine dots of the same sitting.")
    )


@pytest.mark.parametrize("preset", ["tinytracker-v2", "tinytracker", "itracker"])
def test_a_mirror_turns_pictures_places_and_gaze(preset):
    require_tensorflow("frames in a mirror")
    from tinytracker.adapt.frames import SplitFrames, in_a_mirror
    from tinytracker.model.presets import find_preset

    spec = find_preset(preset).input
    rng = np.random.default_rng(5)
    inputs = {name: rng.integers(1, 256, (3, *shape)).astype(np.uint8) for name, shape in spec.shapes.items()}
    part = SplitFrames(inputs, rng.uniform(-9, 9, (3, 2)), np.ones(3), np.array(["00000"] * 3), np.arange(3))
    turned = in_a_mirror(part, spec)
    np.testing.assert_array_equal(turned.gaze, part.gaze * [-1, 1])
    left = {"left_eye": "right_eye", "right_eye": "left_eye"} if spec.kind == "itracker" else {}
    for name, codes in inputs.items():
        seen = turned.inputs[left.get(name, name)]
        np.testing.assert_array_equal(seen[..., :3], codes[:, :, ::-1, :3])
    if spec.grid == "input" and spec.kind != "itracker":
        x, y = (turned.inputs["image"][..., k].astype(int) for k in (-2, -1))
        np.testing.assert_array_equal(x - 128, 128 - inputs["image"][:, :, ::-1, -2].astype(int))
        np.testing.assert_array_equal(y, inputs["image"][:, :, ::-1, -1])
    again = in_a_mirror(turned, spec)
    assert all((again.inputs[name] == codes).all() for name, codes in inputs.items())
    np.testing.assert_array_equal(again.gaze, part.gaze)


def test_the_new_last_layer_is_made_once_so_that_training_from_it_can_resume(tmp_path):
    require_tensorflow("a Keras model")
    import tensorflow as tf

    from tinytracker.adapt.new_head import made_once

    path = tmp_path / "head.keras"

    def stopped():
        raise KeyboardInterrupt

    def small(value):
        inputs = tf.keras.Input((2,))
        model = tf.keras.Model(inputs, tf.keras.layers.Dense(2)(inputs))
        model.set_weights([np.full((2, 2), value), np.zeros(2)])
        return model

    with pytest.raises(KeyboardInterrupt):
        made_once(path, stopped)
    assert not path.exists()
    made_once(path, lambda: small(3.0))
    before = path.read_bytes()
    again = made_once(path, lambda: small(4.0))
    assert (again.get_weights()[0] == 3.0).all()
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["head.keras"]
