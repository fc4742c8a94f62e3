"""Mutated files: the reader either understands them or refuses them with a reason; it never breaks."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.gazecapture_folder import make_recording, noise_jpegs

from tinytracker.data.gazecapture import write_recording
from tinytracker.data.labels import check_labels
from tinytracker.data.reader import finite_frames, read_recording
from tinytracker.data.reasons import Reason
from tinytracker.data.survey import as_subject
from tinytracker.errors import SubjectError

FILES = (
    "appleFace.json", "appleLeftEye.json", "appleRightEye.json", "dotInfo.json", "faceGrid.json",
    "frames.json", "info.json", "motion.json", "screen.json",
)  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
once = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    recording = make_recording("00042", frames=3)
    return write_recording(tmp_path, recording, noise_jpegs(recording))


def read_or_refuse(path: Path) -> None:
    """What is read must be usable by the next steps, what is refused must carry a reason."""
    try:
        recording = read_recording(path, strict=False)
    except SubjectError as error:
        Reason(error.reason)  # raises for a word outside the vocabulary
        return
    assert len(finite_frames(recording)) == len(check_labels(recording).error_cm) == len(recording)
    assert not np.isnan(check_labels(recording).error_cm).any()


@once
@given(st.sampled_from(FILES), st.integers(0), st.binary(max_size=3), st.integers(0, 3))
def test_mutated_bytes(folder: Path, file: str, at: int, inserted: bytes, removed: int) -> None:
    path = folder / file
    whole = path.read_bytes()
    at %= len(whole) + 1
    try:
        path.write_bytes(whole[:at] + inserted + whole[at + removed :])
        read_or_refuse(folder)
    finally:
        path.write_bytes(whole)


@once
@given(st.sampled_from(FILES), st.data())
def test_mutated_values(folder: Path, file: str, data: st.DataObject) -> None:
    path = folder / file
    whole = path.read_text()
    document: Any = json.loads(whole)
    if isinstance(document, dict):
        key = data.draw(st.sampled_from(sorted(document)))
        if isinstance(document[key], list) and data.draw(st.booleans()):
            document[key][data.draw(st.integers(0, len(document[key]) - 1))] = data.draw(json_values)
        else:
            document[key] = data.draw(json_values)
    else:
        document = data.draw(json_values)
    try:
        path.write_text(json.dumps(document))
        read_or_refuse(folder)
    finally:
        path.write_text(whole)


@once
@given(st.integers(0), st.integers(1, 255), st.booleans())
def test_mutated_archives(folder: Path, at: int, flip: int, compressed: bool) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz" if compressed else "w") as archive:
        archive.add(folder, arcname=folder.name)
    content = bytearray(buffer.getvalue())
    content[at % len(content)] ^= flip
    path = folder.parent / "00042.tar.gz"
    if compressed:
        path.write_bytes(content)
    else:  # damage inside the tar, in a whole gzip stream
        import gzip

        path.write_bytes(gzip.compress(bytes(content), 1))
    read_or_refuse(path)
    try:
        for name, frame in as_subject(path).frames(["00000.jpg", "00001.jpg"]):
            assert name.endswith(".jpg")
            assert isinstance(frame, bytes)
    except SubjectError as error:
        Reason(error.reason)  # raises for a word outside the vocabulary
