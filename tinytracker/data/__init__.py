"""From GazeCapture folders to prepared shards and network inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.data.index import PreparedIndex, read_index
    from tinytracker.data.preparation import PrepareReport, merge, prepare
    from tinytracker.data.reader import read_recording
    from tinytracker.data.source import Subject
    from tinytracker.data.survey import iter_subjects
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "index": ("PreparedIndex", "read_index"),
            "preparation": ("PrepareReport", "merge", "prepare"),
            "reader": ("read_recording",),
            "source": ("Subject",),
            "survey": ("iter_subjects",),
        },
    )

__all__ = [
    "PrepareReport",
    "PreparedIndex",
    "Subject",
    "iter_subjects",
    "merge",
    "prepare",
    "read_index",
    "read_recording",
]
