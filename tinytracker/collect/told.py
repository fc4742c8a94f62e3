"""What the page of `tinytracker collect` is told, as JSON: what a frame showed, the next dot, the session so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinytracker.collect.judging import DARK, SMALLEST_STRIP_PX, Taken
from tinytracker.collect.plan import POSTURES, patience, posture
from tinytracker.collect.recorder import Sitting

_REMARKED = 40
"""The last remarks of a sitting that the page shows."""


def as_seen(taken: Taken) -> dict[str, Any]:
    """Return what was seen in a frame, for the page."""
    sight = taken.sight
    return {
        "state": sight.state, "eyes": sight.strip is not None, "light": round(sight.light, 1),
        "dark": sight.light < DARK, "far": sight.strip is not None and sight.strip[2] < SMALLEST_STRIP_PX,
        "strip": None if sight.strip is None else [round(v, 1) for v in sight.strip],
        "frame": [taken.width, taken.height],
        "reason": None if taken.reason is None else taken.reason.value,
    }  # fmt: skip


def as_plan(sitting: Sitting, wanted: int) -> dict[str, Any]:
    """Return how far a sitting has come, and its next dot; `wanted` dots complete it."""
    dot, pose = sitting.next_dot(), posture(sitting.kept, wanted)
    return {
        "sitting": sitting.journal.name, "kept": sitting.kept, "wanted": wanted, "frames": sitting.frames,
        "done": sitting.kept >= wanted, "after_s": sitting.last_s, "person": sitting.head.person,
        "posture": POSTURES[pose], "patience": patience(pose),
        "dot": {"across": dot.across, "down": dot.down, "letter": dot.letter},
    }  # fmt: skip


def as_session(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was recorded in a session; see `tinytracker.collect.subject.write_report`."""
    rows = [
        {key: row[key] for key in ("subject", "finished", "person", "began", "frames", "dots", "left_out")}
        | {"events": [event["text"] for event in row["events"]][-_REMARKED:]}
        for row in report["sittings"]
    ]
    return {"sittings": rows, "frames": report["frames"], "left_out": report["left_out"]}
