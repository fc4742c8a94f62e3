"""Makes one shard: decodes, crops, encodes and writes the frames of a few subjects.

Runs in worker processes. A shard and its sidecar (`.json`: checksum, counts, skipped frames) are each renamed
into place when complete, the sidecar last, so a file under its final name is always complete.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.data.blocks import block_starts
from tinytracker.data.crops import round_half_up
from tinytracker.data.devices import Device, find_device
from tinytracker.data.examples import StoredFrame, serialize
from tinytracker.data.gazecapture import Recording
from tinytracker.data.images import Frame, SkipFrameError, encode, shrink
from tinytracker.data.labels import check_labels, known_orientation
from tinytracker.data.placement import Placement
from tinytracker.data.reader import finite_frames, read_recording
from tinytracker.data.reasons import Reason
from tinytracker.data.source import Subject
from tinytracker.data.surroundings import LONGEST_PX, SubjectSurroundings
from tinytracker.data.tensorflow_errors import writing_tensorflow
from tinytracker.errors import SubjectError
from tinytracker.files import json_bytes, sha256_file, write_bytes


@dataclass(frozen=True)
class ShardJob:
    """What a worker needs to make one shard.

    Attributes:
        path: the shard to write.
        split: "train", "val" or "test"; a subject of another split is rejected.
        subjects: the subjects whose frames it holds.
        max_crop: longest side of a face box in px; larger ones are averaged down.
        image_format: "jpeg" or "png".
        key: digest of everything that determines the content; equal keys mean equal shards.
        aim: whether records hold the whole frame, too.
        longest_px: longer side of a stored frame, px; larger ones are averaged down.
    """

    path: Path
    split: str
    subjects: tuple[Subject, ...]
    max_crop: int
    image_format: str
    key: str
    aim: bool = False
    longest_px: int = LONGEST_PX

    @property
    def sidecar(self) -> Path:
        """The JSON file beside the shard."""
        return self.path.with_suffix(".json")


@dataclass(frozen=True)
class Skip:
    """A skipped frame, or a skipped subject where `frame` is empty."""

    subject: str
    frame: str
    reason: str
    detail: str = ""


@dataclass
class ShardResult:
    """The content of a shard and what was skipped, as stored in the sidecar.

    Attributes:
        key: of the job. sha256: of the shard. bytes: size of the shard. frames: number of records.
        subjects: frames per subject. devices: frames per device. orientations: frames per orientation "1" to "4".
        gaze_sum: sum over all records, cm. gaze_low: smallest x and y. gaze_high: largest x and y.
        labels: by device: frames checked, frames that disagree, largest distance in cm.
        grid_disagreements: frames whose faceGrid.json disagrees with the boxes about validity.
        skips: skipped frames and subjects.
        block_starts: the byte at which each block of records starts, see `tinytracker.data.blocks`.
    """

    key: str
    sha256: str = ""
    bytes: int = 0
    frames: int = 0
    subjects: dict[str, int] = field(default_factory=dict)
    devices: dict[str, int] = field(default_factory=dict)
    orientations: dict[str, int] = field(default_factory=dict)
    gaze_sum: tuple[float, float] = (0.0, 0.0)
    gaze_low: tuple[float, float] = (0.0, 0.0)
    gaze_high: tuple[float, float] = (0.0, 0.0)
    labels: dict[str, dict[str, float]] = field(default_factory=dict)
    grid_disagreements: int = 0
    skips: list[Skip] = field(default_factory=list)
    block_starts: list[int] = field(default_factory=list)


def finished(job: ShardJob) -> ShardResult | None:
    """Return the result of an earlier run if its shard is complete and has the same key, else None."""
    result = read_result(job.sidecar)
    try:
        whole = result is not None and result.key == job.key and sha256_file(job.path) == result.sha256
    except OSError:
        return None
    return result if whole else None


def read_result(sidecar: Path) -> ShardResult | None:
    """Return the content of a sidecar, or None when it is missing or damaged."""
    try:
        document = json.loads(sidecar.read_bytes())
        return ShardResult(**{**document, "skips": [Skip(**skip) for skip in document["skips"]]})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def make_shard(job: ShardJob) -> ShardResult:
    """Make one shard and its sidecar. Damage in the source is recorded in `skips` and never raised.

    Raises:
        OutputError: the shard cannot be written.
    """
    result = ShardResult(job.key)
    records: list[tuple[bytes, bytes]] = []
    gaze: list[tuple[float, float]] = []
    for subject in job.subjects:
        try:
            frames = list(_stored_frames(subject, job, result))
        except SubjectError as error:
            result.skips = [skip for skip in result.skips if skip.subject != subject.name]
            result.skips.append(Skip(subject.name, "", str(error.reason), error.problem))
            continue
        for stored in frames:
            # The order looks random but depends only on the names: every run writes the same bytes.
            place = hashlib.sha256(f"{stored.subject}/{stored.frame}".encode()).digest()
            records.append((place, serialize(stored)))
            gaze.append(stored.gaze)
        _count(result, frames)
    records.sort()
    result.frames = len(records)
    if gaze:
        points = np.array(gaze, np.float64)
        result.gaze_sum = _pair(points[np.lexsort(points.T)].sum(axis=0))
        result.gaze_low, result.gaze_high = _pair(points.min(axis=0)), _pair(points.max(axis=0))
    result.skips.sort(key=lambda skip: (skip.subject, skip.frame))
    _write_records(job.path, [content for _, content in records])
    result.block_starts = block_starts([len(content) for _, content in records])
    result.bytes = job.path.stat().st_size
    result.sha256 = sha256_file(job.path)
    write_bytes(job.sidecar, json_bytes(asdict(result), indent=1))
    return result


def _stored_frames(subject: Subject, job: ShardJob, result: ShardResult) -> Iterator[StoredFrame]:
    """Yield the usable frames of one subject; the others are recorded in `result`."""
    recording = read_recording(subject, strict=False, motion=False)
    if recording.dataset != job.split:
        raise SubjectError(subject.path, Reason.BAD_SPLIT, "the subject's split changed during preparation")
    reasons = _reasons_before_decoding(recording)
    _check_labels(recording, reasons, result)
    wanted = {name: i for i, name in enumerate(recording.frame_names) if reasons[i] is None}
    placement = Placement(recording, np.array([reason is None for reason in reasons], bool), job.max_crop)
    device = find_device(recording.device_name)
    around = SubjectSurroundings(subject, recording, job.longest_px) if job.aim else None
    seen = set()
    for name, content in subject.frames(list(wanted)):
        i = wanted[name]
        seen.add(name)
        try:
            yield _store(recording, i, content, placement, device, job.image_format, around)
        except SkipFrameError as skip:
            reasons[i] = skip.reason
            result.skips.append(Skip(recording.name, name, skip.reason.value, skip.detail))
    for name, i in wanted.items():
        if name not in seen:
            reasons[i] = Reason.MISSING_FILE
            result.skips.append(Skip(recording.name, name, Reason.MISSING_FILE.value))


def _reasons_before_decoding(recording: Recording) -> list[Reason | None]:
    """Return why each frame is unusable according to the arrays; None where it is usable."""
    boxes = np.stack([b.corners() for b in (recording.face, recording.left_eye, recording.right_eye)], axis=1)
    with np.errstate(invalid="ignore"):
        empty = (round_half_up(np.nan_to_num(boxes[..., 2:], posinf=0, neginf=0)) < 1).any(axis=(1, 2))
    checks = (
        (~recording.usable, Reason.NOT_DETECTED),
        (~finite_frames(recording), Reason.NOT_FINITE),
        (~known_orientation(recording.orientation), Reason.UNKNOWN_ORIENTATION),
        (empty, Reason.EMPTY_BOX),
    )
    reasons: list[Reason | None] = [None] * len(recording)
    for i, rejected in recording.rejected:
        reasons[i] = Reason(rejected)
    for bad, reason in checks:
        for i in np.flatnonzero(bad):
            reasons[i] = reasons[i] or reason
    return reasons


def _check_labels(recording: Recording, reasons: list[Reason | None], result: ShardResult) -> None:
    """Compare labels with screen points in frames that are usable so far; record all skips so far."""
    check = check_labels(recording)
    considered = np.array([reason is None for reason in reasons], bool)
    for i in np.flatnonzero(considered & check.unusable):
        reasons[i] = Reason.LABEL_DISAGREES
    for i, reason in enumerate(reasons):
        if reason is not None:
            detail = f"{check.error_cm[i]:.2f} cm apart" if reason is Reason.LABEL_DISAGREES else ""
            result.skips.append(Skip(recording.name, recording.frame_names[i], reason.value, detail))
    errors = check.error_cm[considered]
    finite = errors[np.isfinite(errors)]
    entry = result.labels.setdefault(recording.device_name, {"frames": 0, "disagree": 0, "worst_cm": 0.0})
    entry["frames"] += len(errors)
    entry["disagree"] += int((check.disagrees & considered).sum())
    entry["worst_cm"] = max(entry["worst_cm"], round(float(finite.max(initial=0.0)), 4))
    result.grid_disagreements += int((recording.usable != recording.face_grid.valid).sum())


def _store(
    recording: Recording,
    i: int,
    content: bytes,
    placement: Placement,
    device: Device,
    image_format: str,
    around: SubjectSurroundings | None,
) -> StoredFrame:
    image = Frame(content)
    boxes = placement.of_frame(i, image.width, image.height)
    if boxes.outside:
        image.pixels  # noqa: B018 - that the image is damaged is the better reason
        raise SkipFrameError(Reason.BOX_OUTSIDE, boxes.outside)
    crop = shrink(image.cut_whole(*boxes.stored), *boxes.size)
    return StoredFrame(
        image=encode(crop, image_format),
        face_in_crop=boxes.in_crop[0],
        left_eye_in_crop=boxes.in_crop[1],
        right_eye_in_crop=boxes.in_crop[2],
        face=boxes.face,
        frame_size=(float(image.width), float(image.height)),
        gaze=(float(recording.x_cam[i]), float(recording.y_cam[i])),
        screen_size=(float(recording.screen_w[i]), float(recording.screen_h[i])),
        dot_time=float(recording.dot_time[i]),
        orientation=int(recording.orientation[i]),
        dot_num=int(recording.dot_num[i]),
        frame=int(recording.frame_names[i][:5]),
        subject=recording.name,
        device=device.name,
        family=device.family,
        surroundings=around.of_frame(i, image) if around else None,
    )


def _count(result: ShardResult, frames: list[StoredFrame]) -> None:
    if not frames:
        return
    result.subjects[frames[0].subject] = len(frames)
    result.devices = dict(Counter(result.devices) + Counter(stored.device for stored in frames))
    orientations = Counter(str(stored.orientation) for stored in frames)
    result.orientations = dict(Counter(result.orientations) + orientations)


def _write_records(path: Path, records: list[bytes]) -> None:
    import tensorflow as tf

    partial = path.with_name(f".{path.name}.partial")
    with writing_tensorflow(path):
        try:
            with tf.io.TFRecordWriter(str(partial)) as writer:
                for record in records:
                    writer.write(record)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def _pair(values: Any) -> tuple[float, float]:
    return float(values[0]), float(values[1])
