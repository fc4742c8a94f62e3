"""From a finished sitting to a subject in GazeCapture's layout, and the report about all sittings of a session."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.collect.journal import Journal, StoredDot, journals
from tinytracker.collect.marks import face_boxes, recording_boxes
from tinytracker.data.devices import Orientation
from tinytracker.data.gazecapture import SUBJECT_NAME, Recording, write_recording
from tinytracker.data.sitting import (
    SITTING_FILE,
    SeenFrame,
    SittingDocument,
    SittingFrame,
    read_sitting,
    summary,
)
from tinytracker.files import StrPath, json_bytes, read_bytes, write_json, writing

REPORT_FILE = "report.json"
_MOST_FRAMES = 100_000  # GazeCapture's frame names have five digits


def finish(journal: Journal) -> Path | None:
    """Make a subject of a sitting, completely or not at all, then remove its journal.

    The sitting may be finished again after a crash at any moment: until the subject is complete, the journal stays.

    Returns:
        The subject's folder; None when no frame was kept, and nothing was written.

    Raises:
        OutputError: the subject cannot be written.
        InputFileError: the journal is damaged.
    """
    dots = journal.dots()
    kept = [(folder, stored, frame) for folder, stored in dots for frame in stored.frames][:_MOST_FRAMES]
    if not kept:
        journal.delete()
        return None
    document = describe(journal, [stored for _, stored in dots])
    folders = [folder / frame.file for folder, _, frame in kept]
    recording = _recording(journal.name, document, [(stored, frame) for _, stored, frame in kept])
    extra = [(SITTING_FILE, json_bytes(document.as_json(), indent=1))]
    subject = write_recording(journal.path.parent, recording, (read_bytes(path) for path in folders), extra)
    journal.delete()
    return subject


def describe(journal: Journal, dots: list[StoredDot]) -> SittingDocument:
    """Return the document of a sitting, finished or not."""
    head = journal.head()
    left_out: Counter[str] = Counter()
    for stored in dots:
        left_out.update(stored.dot.left_out)
    rows = [(stored, frame) for stored in dots for frame in stored.frames]
    rates = [stored.rate for stored in dots if stored.rate is not None]
    frames = tuple(
        SittingFrame(
            name=f"{i:05d}.jpg", dot=stored.dot.number,
            **frame.model_dump(include=set(SeenFrame.model_fields)),
        )
        for i, (stored, frame) in enumerate(rows[:_MOST_FRAMES])
    )  # fmt: skip
    values = head.model_dump(exclude={"schema_version", "seed"})
    return SittingDocument(
        **values, frame_px=(rows[0][1].width, rows[0][1].height) if rows else (0, 0),
        rate=round(float(np.median(rates)), 2) if rates else None, dots=tuple(stored.dot for stored in dots),
        frames=frames, left_out=dict(sorted(left_out.items())), events=tuple(journal.events()),
    )  # fmt: skip


def _recording(name: str, sitting: SittingDocument, kept: list[tuple[StoredDot, Any]]) -> Recording:
    n = len(kept)
    dots = [stored.dot for stored, _ in kept]
    frames = [frame for _, frame in kept]
    boxes = [face_boxes(frame.strip, frame.roll) for frame in frames]
    found = recording_boxes(boxes, [(frame.width, frame.height) for frame in frames])
    width, height = sitting.points

    def column(values: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array(list(values), np.float64)

    return Recording(
        name=name, dataset="train", device_name=str(sitting.device["name"]),
        frame_names=tuple(f"{i:05d}.jpg" for i in range(n)),
face=found["face"], left_eye=found["left_eye"], right_eye=found["right_eye"], face_grid=found["face_grid"],
        dot_num=np.array([dot.number for dot in dots], np.int64),
        x_pts=column(dot.across * width for dot in dots), y_pts=column(dot.down * height for dot in dots),
        x_cam=column(dot.x_cm for dot in dots), y_cam=column(dot.y_cm for dot in dots),
        dot_time=column(frame.since_dot_s for frame in frames),
        screen_w=np.full(n, width, np.int64), screen_h=np.full(n, height, np.int64),
        orientation=np.full(n, int(Orientation.PORTRAIT), np.int64),
    )  # fmt: skip


def write_report(session: StrPath) -> dict[str, Any]:
    """Write report.json of a session: every sitting, what was kept, what was left out and why, and what went wrong.

    A session without sittings has no report.

    Raises:
        OutputError: it cannot be written.
        InputFileError: a sitting is damaged.
    """
    session = Path(session)
    rows = []
    for path in sorted(session.iterdir()) if session.is_dir() else []:
        sitting = read_sitting(path) if SUBJECT_NAME.fullmatch(path.name) else None
        if sitting is not None:
            rows.append({"subject": path.name, "finished": True, **summary(sitting)})
    for journal in journals(session):
        unfinished = describe(journal, [stored for _, stored in journal.dots()])
        rows.append({"subject": journal.name, "finished": False, **summary(unfinished)})
    rows.sort(key=lambda row: str(row["subject"]))
    total: Counter[str] = Counter()
    for row in rows:
        total.update(row["left_out"])
    document = {
        "schema_version": 1, "sittings": rows, "people": sorted({str(row["person"]) for row in rows}),
        "frames": sum(row["frames"] for row in rows), "left_out": dict(sorted(total.items())),
    }  # fmt: skip
    path = session / REPORT_FILE
    if rows:
        write_json(path, document)
    else:  # all was deleted: a report would still name what was there
        with writing(path):
            path.unlink(missing_ok=True)
    return document
