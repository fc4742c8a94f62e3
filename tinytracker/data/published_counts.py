"""The size of GazeCapture as published, to check a download against.

Source: reference_metadata.mat of the release (CSAILVision/GazeCapture), which the authors' splits come from; the sum of
the frames is the 1,490,959 of Krafka et al., "Eye Tracking for Everyone", CVPR 2016.
"""

from __future__ import annotations

from tinytracker.data.index import PreparedIndex

FRAMES = {"train": 1_251_983, "val": 59_480, "test": 179_496}
PEOPLE = {"train": 1271, "val": 50, "test": 150}

_WORTH_COMPARING = 1000
"""People from which on a data set is taken for GazeCapture."""


def compared_with_published(index: PreparedIndex) -> str:
    """Return one sentence that compares recorded data with GazeCapture's counts; "" for small or synthetic data."""
    people = {name: len(split.subjects) for name, split in index.splits.items()}
    if index.origin != "recorded" or sum(people.values()) < _WORTH_COMPARING:
        return ""
    differences = [
        f"{name}: {split.frames - FRAMES[name]:+,} frames, {people[name] - PEOPLE[name]:+} people"
        for name, split in index.splits.items()
        if (split.frames, people[name]) != (FRAMES[name], PEOPLE[name])
    ]
    if not differences:
        return "These are exactly the frames and people of GazeCapture as published."
    return f"Compared with GazeCapture as published: {'; '.join(differences)}."
