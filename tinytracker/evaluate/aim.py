"""How well a network with an aim places its own crop, and whether it notices that there are no eyes.

Crops are cut from whole frames by the devices' rule. Three starts: at the true strip, misplaced by up to 20 % of the
crop's width sideways, 10 % in height and a third in size (mid), and by 40 %, 16 % and 60 % (far). A crop is "on it"
when its centre lies within 0.06 strip widths of the strip's and |ln| of the ratio of widths is below 0.15.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.placement import distance, misplaced, next_place
from tinytracker.arrays import Floats, Pixels
from tinytracker.data.area import area_strip
from tinytracker.data.examples import parse
from tinytracker.data.eye_marks import STRIP_ASPECT
from tinytracker.data.index import PreparedIndex
from tinytracker.data.inputs import REFERENCE_CROP, InputSpec
from tinytracker.data.pipeline import serialized_records
from tinytracker.data.surroundings import decode_whole
from tinytracker.evaluate.aim_numbers import AimNumbers

Answer = Callable[[NDArray[np.uint8]], tuple[Floats, Floats]]
"""Codes (N, H, W, C) -> gaze (N, 2) in units of the network's output, and aim (N, 5)."""

ON_IT, ON_IT_LN = 0.06, 0.15
MID, FAR = (0.2, 0.1, float(np.log(4 / 3))), (0.4, 0.16, float(np.log(1.6)))
"""Largest shift right and down in crop widths, and largest |ln| of the scale, of a start."""
MID_STEPS, FAR_STEPS = 3, 6
TRUE_SHARE = 0.995
"""Share of true strips that the threshold of presence lets pass."""

_ROOM_CROPS = 4
_CHUNK = 64


@dataclass
class AimTrace:
    """Everything that was measured, frame by frame; `summarize_aim` makes numbers of it.

    Attributes:
        subject: (N,) str. strip: (N, 3). roll, unit_px, closed, occluded: (N,); unit_px / width is cm per unit.
        gaze: (N, 2) cm.
        true_gaze, true_aim: answers at the true strip. own_place, own_gaze: after the steps from a mid start.
        mid, far: crops after 0, 1, ... steps, (steps + 1, N, 3).
        nothing: presence logits of crops without eyes. rooms: number of pictures without a person.
    """

    subject: NDArray[np.str_]
    strip: Floats
    roll: Floats
    unit_px: Floats
    occluded: Floats
    gaze: Floats
    true_gaze: Floats
    true_aim: Floats
    own_gaze: Floats
    mid: Floats
    far: Floats
    nothing: Floats
    rooms: int

    def error_cm(self, gaze: Floats, place: Floats) -> Floats:
        """Return the error in cm, (N,), of answers (N, 2) on crops (N, 3)."""
        error: Floats = np.linalg.norm(gaze * (self.unit_px / place[:, 2])[:, None] - self.gaze, axis=1)
        return error


@dataclass(frozen=True)
class _Frame:
    image: Pixels
    strip: Floats
    roll: float
    unit_px: float
    occluded: float
    gaze: Floats
    subject: str
    room: Pixels | None


def frames_of(index: PreparedIndex, split: str, every: int = 1) -> Iterator[_Frame]:
    """Yield every `every`-th frame of a split, with the strip in px of the stored frame."""
    records = serialized_records(index, split).shard(every, 0).map(lambda r: parse(r, aim=True))
    for r in records.as_numpy_iterator():
        image = decode_whole(r["whole"])
        scale = max(image.shape[:2]) / float(r["frame_size"].max())
        yield _Frame(
            image, r["strip"].astype(np.float64) * scale, float(r["roll"]),
            REFERENCE_CROP * max(image.shape[:2]) * float(r["focal"]), float(r["occluded"]),
            r["gaze"].astype(np.float64), r["subject"].decode(), decode_whole(r["room"]) if r["room"] else None,
        )  # fmt: skip


def trace_aim(
    frames: Iterator[_Frame], spec: InputSpec, answer: Answer, advance: Callable[[int], None], seed: int = 0
) -> AimTrace:
    """Run a network over frames, letting it place its own crops.

    Args:
        frames: from `frames_of`.
        spec: the network's inputs.
        answer: the network.
        advance: called with the number of finished frames.
        seed: random seed of the starts.
    """
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    rooms = 0
    for chunk in _chunks(frames, _CHUNK):
        images, strip = [f.image for f in chunk], np.stack([f.strip for f in chunk])
        n = len(chunk)

        def on(places: Floats, pictures: Sequence[Pixels] = images) -> tuple[Floats, Floats]:
            return answer(np.stack([area_strip(i, p, spec) for i, p in zip(pictures, places, strict=True)]))

        def steps(
            start: tuple[float, float, float], count: int, of: Floats = strip, size: int = n
        ) -> list[Floats]:
            places = [misplaced(of, *(rng.uniform(-limit, limit, size) for limit in start))]
            for _ in range(count):
                places.append(next_place(places[-1], on(places[-1])[1]))
            return places

        true_gaze, true_aim = on(strip)
        mid, far = steps(MID, MID_STEPS), steps(FAR, FAR_STEPS)
        own_gaze, _ = on(mid[-1])
        elsewhere = np.stack([without_eyes(rng, f.strip) for f in chunk])
        nothing = [on(elsewhere)[1][:, 4]]
        pictures = [f.room for f in chunk if f.room is not None for _ in range(_ROOM_CROPS)]
        if pictures:
            nothing.append(on(np.stack([in_room(rng, p) for p in pictures]), pictures)[1][:, 4])
            rooms += len(pictures) // _ROOM_CROPS
        rows.append(
            {
                "subject": np.array([f.subject for f in chunk]), "strip": strip,
                "roll": np.array([f.roll for f in chunk]), "unit_px": np.array([f.unit_px for f in chunk]),
                "occluded": np.array([f.occluded for f in chunk]), "gaze": np.stack([f.gaze for f in chunk]),
                "true_gaze": true_gaze, "true_aim": true_aim, "own_gaze": own_gaze,
                "mid": np.stack(mid, 1), "far": np.stack(far, 1), "nothing": np.concatenate(nothing),
            }
        )  # fmt: skip
        advance(n)
    joined = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    joined["mid"], joined["far"] = joined["mid"].swapaxes(0, 1), joined["far"].swapaxes(0, 1)
    return AimTrace(**joined, rooms=rooms)


def summarize_aim(trace: AimTrace) -> AimNumbers:
    """Return the numbers of a trace."""
    error = np.abs(trace.true_aim[:, :4] - np.stack([*np.zeros((3, len(trace.roll))), trace.roll], -1))
    middle = np.median(error, axis=0)
    seen = trace.true_aim[trace.occluded < 0.5, 4]
    threshold = float(np.quantile(seen, 1 - TRUE_SHARE))
    return AimNumbers(
        frames=len(trace.roll), subjects=len(np.unique(trace.subject)), rooms=trace.rooms,
        dx=float(middle[0]), dy=float(middle[1]),
        distance=float(np.median(np.hypot(error[:, 0], error[:, 1]))), ln_scale=float(middle[2]), roll=float(middle[3]),
        mid_on_it=on_it(trace.strip, trace.mid), far_on_it=on_it(trace.strip, trace.far),
        gaze_true_cm=float(trace.error_cm(trace.true_gaze, trace.strip).mean()),
        gaze_own_cm=float(trace.error_cm(trace.own_gaze, trace.mid[-1]).mean()),
        presence_threshold=threshold, false_eyes=float((trace.nothing > threshold).mean()),
    )  # fmt: skip


def on_it(
    strip: Floats, places: Floats, limit: float = ON_IT, limit_ln: float = ON_IT_LN
) -> tuple[float, ...]:
    """Return the share of crops (steps + 1, N, 3) on their strips (N, 3) after 1, 2, ... steps.

    Args:
        strip: true strips.
        places: crops.
        limit: largest distance of the centres, in strip widths.
        limit_ln: largest |ln| of the ratio of widths.
    """
    shares = []
    for place in places[1:]:
        shift, ln = distance(strip, place)
        shares.append(float(((shift < limit) & (ln < limit_ln)).mean()))
    return tuple(shares)


def without_eyes(rng: np.random.Generator, strip: Floats) -> Floats:
    """Return a crop (3,) beside a strip that does not reach the eyes: forehead, mouth, neck, hands, wall."""
    width = strip[2] * np.exp(rng.uniform(np.log(0.6), np.log(2.5)))
    free = 1.6 * rng.random() ** 2 * strip[2]
    sign, along = rng.choice([-1.0, 1.0]), rng.uniform(-1.2, 1.2) * strip[2]
    beside = sign * (width / 2 + 0.36 * strip[2] + free)
    above = sign * (width / (2 * STRIP_ASPECT) + 0.13 * strip[2] + free)
    dx, dy = (beside, along) if rng.random() < 0.35 else (along, above)
    return np.array([strip[0] + dx, strip[1] + dy, width])


def in_room(rng: np.random.Generator, picture: Pixels) -> Floats:
    """Return a crop (3,) anywhere in a picture without a person."""
    height, width = picture.shape[:2]
    return np.array(
        [rng.uniform(0, width), rng.uniform(0, height), np.exp(rng.uniform(np.log(40), np.log(400)))]
    )


def _chunks(frames: Iterator[_Frame], size: int) -> Iterator[list[_Frame]]:
    chunk: list[_Frame] = []
    for frame in frames:
        chunk.append(frame)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
