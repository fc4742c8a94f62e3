"""Errors by kind of person: every frame is in the right group, and a group that is served worse shows."""

from __future__ import annotations

import numpy as np
import pytest

from tinytracker.evaluate.metrics import Frames, summarize
from tinytracker.evaluate.traits import groups_of

PEOPLE = {
    "00000": {"glasses": True, "age": 29, "distance_cm": 29.9, "light": "lamp", "headwear": ""},
    "00001": {"glasses": False, "age": 30, "distance_cm": 30.0, "light": "window", "headwear": "cap"},
    "00002": {"glasses": False, "age": 75, "distance_cm": 61.0, "light": "lamp", "headwear": ""},
}
SUBJECT = np.array(["00002", "00000", "00001", "00003"])


@pytest.mark.parametrize(
    ("trait", "expected"),
    [
        ("glasses", ["no", "yes", "no", ""]),
        ("age", ["60 years and more", "below 30 years", "30 to 45 years", ""]),
        ("distance", ["50 cm and more", "below 30 cm", "30 to 40 cm", ""]),
        ("light", ["lamp", "lamp", "window", ""]),
        ("headwear", ["none", "none", "cap", ""]),
    ],
)
def test_groups(trait, expected):
    assert groups_of(PEOPLE, SUBJECT)[trait].tolist() == expected


def test_without_attributes_there_are_no_groups():
    assert groups_of({}, SUBJECT) == {}
    assert "eye shape" not in groups_of(PEOPLE, SUBJECT)


def test_the_worse_group_shows_and_unknown_people_are_in_none():
    subject = np.repeat(SUBJECT, 10)
    n = len(subject)
    frames = Frames(
        np.zeros((n, 2)), subject, np.full(n, "iPhone 6"), np.full(n, "phone"), np.ones(n, int), np.arange(n)
    )
    predicted = np.zeros((n, 2))
    predicted[subject == "00000"] = [3.0, 4.0]
    errors = summarize(predicted, frames, (0.0, 0.0), PEOPLE)
    glasses = errors.by_trait["glasses"]
    assert (glasses["yes"].error_cm, glasses["no"].error_cm) == (5.0, 0.0)
    assert (glasses["yes"].frames, glasses["no"].frames, glasses["no"].subjects) == (10, 20, 2)
    assert "by_trait" not in summarize(predicted, frames, (0.0, 0.0)).as_json()
