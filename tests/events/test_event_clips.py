"""Clips of synthetic people: exact labels, files that are complete or absent, and counts as networks see them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from support.cli import run as tinytracker

from tinytracker.errors import InputFileError, UnknownNameError, UsageError
from tinytracker.events import Clip, Events, clips, count_events, read_clip, read_events, write_clip
from tinytracker.events.plan import plan_clips
from tinytracker.synth.instants import InstantRenderer, luminance
from tinytracker.synth.scene import aim_eyes, visual_axis
from tinytracker.synth.sitting import subject_streams

SMALL = (96, 128)
OPTIONS = ("--subjects", 2, "--clips", 2, "--seconds", 0.1, "--rate", 500, "--size", "96x128", "--seed", 5)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Two people, two clips of 50 labels each."""
    out = tmp_path_factory.mktemp("events") / "set"
    answer = tinytracker("synth-events", out, *OPTIONS, "--jobs", 1, "--quiet", "--json")
    assert answer.code == 0, answer.err
    assert answer.document["made"] == 4
    assert answer.document["splits"] == {"train": 1, "val": 0, "test": 1}
    return out


def test_a_clip_has_events_and_labels_of_the_same_person(drawn):
    found = clips(drawn, "train")
    assert [str(p.relative_to(drawn)) for p in found] == ["00000/clip-000.h5", "00000/clip-001.h5"]
    assert [p.parent.name for p in clips(drawn, "test")] == ["00001", "00001"]
    assert clips(drawn, "val") == []
    for path in found:
        clip = read_clip(path)
        assert (clip.subject, clip.split, clip.seed, clip.rate) == (0, "train", 5, 500)
        assert {clip.events.width, clip.events.height} == set(SMALL)
        assert np.array_equal(clip.gaze_t, np.arange(50) * 2000)
        assert len(clip.events) > 200
        assert clip.events.t[-1] <= 98_000
        assert ((clip.blink >= 0) & (clip.blink <= 1)).all()
        x, y, w, h = clip.strip
        left, right = clip.eyes[0, :2], clip.eyes[0, 2:]
        assert left[0] > right[0]  # the picture is not mirrored: the person's left eye is on the right
        for eye in (left, right):
            assert x < eye[0] < x + w
            assert y < eye[1] < y + h


def test_labels_are_exact():
    """The drawn eyes' visual axes meet the plane of the screen in the label, and the direction is that of the label."""
    streams = subject_streams(5, 0)
    sitting, plans = plan_clips(streams, 2, 0.1, 500, None, SMALL)
    for plan in plans:
        for i in range(0, 50, 7):
            frame = sitting.frames[plan.first + i]
            poses = aim_eyes(sitting.identity, frame.pose, frame.dot_cm)
            for side, pose in poses.items():
                axis = visual_axis(sitting.identity.eyes[side], frame.pose, pose.optical)
                meets = pose.centre - axis * pose.centre[2] / axis[2]
                assert np.abs(meets[:2] - plan.course.gaze[i]).max() < 1e-6
            middle = np.mean([pose.centre for pose in poses.values()], axis=0)
            yaw, pitch = np.radians(plan.degrees[i].astype(float))
            toward = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), -np.cos(yaw) * np.cos(pitch)])
            meets = middle - toward * middle[2] / toward[2]
            assert np.abs(meets[:2] - plan.course.gaze[i]).max() < 1e-4


def test_what_is_drawn_anew_equals_the_whole_picture():
    """Around the eyes, at the instant whose shadows are used, both ways to draw give the same light."""
    streams = subject_streams(5, 1)
    sitting, (plan,) = plan_clips(streams, 1, 0.1, 500, None, SMALL)
    renderer = InstantRenderer(sitting, streams)
    window = renderer.window(plan.pictures)
    middle = plan.drawn[len(plan.drawn) // 2]
    (part,) = renderer.around_eyes(window, [middle], plan.pictures)
    whole = luminance(renderer.light(middle))[window.top : window.bottom, window.left : window.right]
    inner = np.abs(part - whole)[2:-2, 2:-2]
    assert np.median(inner) < 1e-4 * whole.max()
    assert np.quantile(inner, 0.98) < 0.02 * whole.max()
    assert np.corrcoef(part.ravel(), whole.ravel())[0, 1] > 0.995


def test_a_second_call_keeps_files_and_draws_missing_ones_with_equal_bytes(drawn):
    path = clips(drawn, "test")[1]
    before = path.read_bytes()
    path.unlink()
    answer = tinytracker("synth-events", drawn, *OPTIONS, "--jobs", 1, "--first", 0, "--quiet", "--json")
    assert (answer.document["made"], answer.document["kept"]) == (1, 3)
    assert path.read_bytes() == before
    other = tinytracker("synth-events", drawn, *OPTIONS[:-1], 6)
    assert other.code == 1
    assert "holds a set of synthetic clips with other parameters (seed is 5, not 6)" in other.err


def test_a_part_draws_its_people_only(drawn, tmp_path):
    answer = tinytracker(
        "synth-events", tmp_path / "part", *OPTIONS, "--part", "1/2", "--jobs", 1, "--json", "-q"
    )
    assert answer.document["made"] == 2
    made = sorted(tmp_path.glob("part/*/*.h5"))
    assert [p.read_bytes() for p in made] == [p.read_bytes() for p in clips(drawn, "test")]


def test_one_split_from_target_to_target_with_the_eyes_pixels_only(drawn, tmp_path):
    answer = tinytracker(
        "synth-events", tmp_path / "set", *OPTIONS, "--split", "test", "--gaze", "targets", "--roi", "--jobs", 1,
        "--json", "-q",
    )  # fmt: skip
    assert answer.document["splits"] == {"train": 0, "val": 0, "test": 1}
    made, others = clips(tmp_path / "set", "test"), clips(drawn, "test")
    assert [p.relative_to(tmp_path / "set") for p in made] == [p.relative_to(drawn) for p in others]
    for path, other in zip(made, others, strict=True):
        clip, whole = read_clip(path), read_clip(other)
        # The same person in the same place; only pixels around the eyes fire.
        assert np.abs(clip.eyes[0] - whole.eyes[0]).max() < 5
        assert 50 < len(clip.events) < len(whole.events)
        left, right = clip.eyes[0, :2], clip.eyes[0, 2:]
        reach = 1.5 * np.hypot(*(left - right))
        middle = (left + right) / 2
        assert (np.hypot(clip.events.x - middle[0], clip.events.y - middle[1]) < reach).all()
        assert len(np.unique(whole.events.y)) > 1.5 * len(np.unique(clip.events.y))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--split", "tests"), "Unknown split 'tests'. Did you mean 'test'?"),
        (("--split", "val", "--subjects", 2), "None of the 2 people is in the split 'val'."),
        (("--gaze", "target"), "Unknown script of the gaze 'target'. Did you mean 'targets'?"),
        (("--rate", 0), "rate is 0. It must be from 50 to 2000."),
        (("--seconds", 0), "seconds is 0.0. It must be from 0.1 to 60.0."),
        (("--clips", 0), "clips is 0."),
        (("--subjects", 0), "subjects is 0."),
        (
            ("--size", "320x240"),
            "size is 320x240, wider than high. Give the size of a sensor held upright: 240x320.",
        ),
        (("--part", "3/2"), "'3/2' is not a part."),
        (("--devices", "iPhone 7"), "Unknown device 'iPhone 7'."),
    ],
)
def test_wrong_numbers_are_a_sentence_and_leave_nothing(options, sentence, tmp_path):
    answer = tinytracker("synth-events", tmp_path / "set", *options)
    assert answer.code == 2
    assert sentence in answer.err
    assert not list(tmp_path.glob("set/[0-9]*"))


def made_up(n=500, seed=0):
    """A clip of random events and a gaze that stands still."""
    rng = np.random.default_rng(seed)
    events = Events(
        rng.integers(0, 240, n).astype(np.uint16), rng.integers(0, 320, n).astype(np.uint16),
        rng.integers(0, 2, n).astype(np.uint8), np.sort(rng.integers(0, 100_000, n)), 240, 320,
    )  # fmt: skip
    two = np.zeros((50, 2), np.float32)
    return Clip(
        events, np.arange(50) * 2000, two, two, np.zeros((50, 4), np.float32), np.zeros(50, np.float32),
        rate=500, subject=3, split="train", seed=1, strip=(20, 100, 97, 48),
    )  # fmt: skip


def test_writing_and_reading_are_inverse_and_equal_clips_give_equal_bytes(tmp_path):
    clip = made_up()
    a, b = write_clip(tmp_path / "a.h5", clip), write_clip(tmp_path / "b.h5", clip)
    assert a.read_bytes() == b.read_bytes()
    back = read_clip(a)
    assert back.strip == clip.strip
    for name in ("x", "y", "p", "t"):
        found, expected = getattr(back.events, name), getattr(clip.events, name)
        assert found.dtype == expected.dtype
        assert np.array_equal(found, expected)
    assert np.array_equal(read_events(a).t, clip.events.t)
    assert read_events(a).width == 240


@pytest.mark.parametrize("shape", [(32, 64), (1, 1), (7, 5)])
def test_counts_are_those_of_a_plain_loop(shape):
    clip = made_up()
    e, (x0, y0, w, h) = clip.events, clip.strip
    expected = np.zeros((4, *shape, 2), int)
    for x, y, p, t in zip(e.x.tolist(), e.y.tolist(), e.p.tolist(), e.t.tolist(), strict=True):
        if 10_000 <= t < 90_001 and x0 <= x < x0 + w and y0 <= y < y0 + h:
            part = (t - 10_000) * 4 // 80_001
            expected[part, (y - y0) * shape[0] // h, (x - x0) * shape[1] // w, p] += 1
    counts = count_events(clip, 10_000, 90_001, 4, shape)
    assert counts.dtype == np.uint16
    assert np.array_equal(counts, expected)
    assert counts.sum() > 20


def test_counts_of_an_empty_window_or_grid_are_refused():
    for arguments in ((5, 5, 4), (0, 100, 0)):
        with pytest.raises(UsageError, match="is empty"):
            count_events(made_up(), *arguments)


def test_a_split_or_folder_without_clips_is_named(tmp_path, drawn):
    with pytest.raises(UnknownNameError, match=r"'tests'\. Did you mean 'test'"):
        clips(drawn, "tests")
    with pytest.raises(InputFileError, match="there are no clips here"):
        clips(tmp_path, "train")


def test_folders_that_are_not_a_person_s_are_not_looked_into(tmp_path):
    for name in ("00000", "00000-old", "notes"):
        write_clip(tmp_path / name / "clip-000.h5", made_up())
    found = [path for split in ("train", "val", "test") for path in clips(tmp_path, split)]
    assert found == [tmp_path / "00000" / "clip-000.h5"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"strip": (200, 100, 97, 48)}, "is not inside the sensor of 240 × 320 px"),
        ({"rate": 0}, "the rate is 0 labels per second; the least is 1"),
        ({"split": "all"}, "the split is 'all', not one of train, val, test"),
        ({"gaze_t": np.arange(49) * 2000}, "gaze/cm has 50 rows, but gaze/t has 49"),
        ({"gaze_t": np.zeros(50, np.int64)}, "gaze/t does not rise"),
        ({"blink": np.full(50, np.nan, np.float32)}, "gaze/blink holds NaN or infinity"),
    ],
)
def test_damaged_labels_are_refused(change, sentence, tmp_path):
    write_clip(tmp_path / "a.h5", replace(made_up(), **change))
    with pytest.raises(InputFileError, match=r"a\.h5") as caught:
        read_clip(tmp_path / "a.h5")
    assert sentence in str(caught.value)


def test_parameters_are_kept_beside_the_clips(drawn):
    noted = json.loads((drawn / "events.json").read_text())
    assert noted["sensor"]["threshold"] == 0.2
    assert (noted["clips"], noted["rate"], noted["size"]) == (2, 500, [96, 128])
