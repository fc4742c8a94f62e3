"""Misplaced crops with their truth, cut from whole frames. Importing this module imports TensorFlow.

A crop of width c is described by the strip that it should have been: the strip's centre lies (dx, dy) crop widths right
of and below the crop's centre, the strip is c / scale wide, and the crop is turned by an angle against the picture.
Each frame of a batch gives several crops of four modes: near the strip, misplaced within reach, several strips wide,
and elsewhere in the frame or in a picture of the room, where there are no eyes.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from tinytracker.data.eye_marks import STRIP_ASPECT, STRIP_PER_EYE_DISTANCE
from tinytracker.data.inputs import CHANNELS, REFERENCE_CROP, InputSpec

CROPS_PER_FRAME = 4
"""Crops cut from a frame each time it is decoded."""

NEAR, MID, WIDE, NONE = range(4)
MIX = (0.28, 0.40, 0.18, 0.14)
"""Share of each mode."""

TURNED_SHARE, LARGEST_TURN = 0.6, math.radians(20)
MASK_SHARE = 0.08
"""Share of frames in which a plain mask is painted over nose and mouth."""

COLUMNS = (
    "x", "y", "unit", "dx", "dy", "ln_scale", "roll", "presence", "gaze_weight", "place_weight", "presence_weight"
)  # fmt: skip
"""A crop's target: gaze in cm, cm per unit of the output, the numbers of the aim, and which of them count how much."""

_MIRRORED = [-1.0 if name in ("x", "dx", "roll") else 1.0 for name in COLUMNS]
"""What a target is multiplied by when its crop is mirrored."""

_HALF_EYES = 0.5 / STRIP_PER_EYE_DISTANCE
"""Distance of an eye from the middle of the strip, in strip widths."""
_LEVELS = 3
_ROOM_CROP_PX = (40.0, 400.0)


def decode_levels(content: tf.Tensor, spec: InputSpec) -> list[tf.Tensor]:
    """Decode an image at its size, at half and at a quarter of it: uint8 (h, w, channels).

    Each pixel of a smaller level is the mean of four pixels of the one before, so a crop that is reduced is averaged
    first, as on a device.
    """
    image = tf.io.decode_jpeg(content, channels=CHANNELS[spec.channels], dct_method="INTEGER_ACCURATE")
    return _levels(tf.cast(image, tf.float32))


def _levels(image: tf.Tensor) -> list[tf.Tensor]:
    levels = [image[None]]
    for _ in range(_LEVELS - 1):
        levels.append(tf.nn.avg_pool2d(levels[-1], 2, 2, "SAME"))
    return levels


def cut(levels: list[tf.Tensor], spec: InputSpec, place: tf.Tensor) -> tf.Tensor:
    """Cut one crop.

    Args:
        levels: from `decode_levels`.
        spec: size of the crop.
        place: (4,) centre x and y, width in px of the full size, and the angle, rad, by which the crop is turned.

    Returns:
        float32 codes (height, width, channels), bilinear, black outside the image.
    """
    level, transforms = _transforms(spec, place[None])
    return _taken(levels, level[0], transforms, spec)


def _transforms(
    spec: InputSpec, place: tf.Tensor, taller: tf.Tensor | float = 1.0, side: tf.Tensor | float = 1.0
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return which level each crop is cut from, (K,), and the transforms into it, (K, 8).

    Args:
        spec: size of the crops.
        place: (K, 4) as for `cut`.
        taller: (K,) the factor by which the picture is made taller within the crop.
        side: (K,) 1, or -1 for crops that are mirrored.
    """
    step = place[:, 2] / spec.width
    level = tf.clip_by_value(
        tf.cast(tf.floor(tf.math.log(step / 0.9) / math.log(2.0)), tf.int32), 0, _LEVELS - 1
    )
    shrink = tf.pow(2.0, -tf.cast(level, tf.float32))
    cos, sin = step * shrink * tf.cos(place[:, 3]), step * shrink * tf.sin(place[:, 3])
    x, y = place[:, 0] * shrink - 0.5, place[:, 1] * shrink - 0.5
    u, v = (spec.width - 1) / 2, (spec.height - 1) / 2
    zero = tf.zeros_like(cos)
    # A row of the crop spans 1 / taller of a row's height.
    down_x, down_y = -sin / taller, cos / taller
    cos, sin = side * cos, side * sin
    rows = [cos, down_x, x - cos * u - down_x * v, sin, down_y, y - sin * u - down_y * v, zero, zero]
    return level, tf.stack(rows, 1)


def _taken(images: list[tf.Tensor], which: tf.Tensor, transforms: tf.Tensor, spec: InputSpec) -> tf.Tensor:
    """Return the pixels of one crop of one of several images (1, h, w, channels), by a transform (1, 8)."""
    image = tf.switch_case(which, [lambda value=value: value for value in images])
    found: tf.Tensor = tf.raw_ops.ImageProjectiveTransformV3(
        images=image, transforms=transforms, output_shape=[spec.height, spec.width],
        interpolation="BILINEAR", fill_mode="CONSTANT", fill_value=0.0,
    )[0]  # fmt: skip
    return found


def draw(
    record: dict[str, tf.Tensor],
    spec: InputSpec,
    seed: tf.Tensor,
    stretch: float = 0.0,
    near: float = MIX[NEAR],
    mirror: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draw the crops of one frame.

    Args:
        record: parsed with `aim`; its images still encoded.
        spec: the network's inputs.
        seed: (2,) int64, of this frame.
        stretch: half of the crops show a picture that is taller or flatter by at most 1 + this. It makes faces of other
            shapes, whose gaze is not known; so only their place counts.
        near: share of crops near the strip; the other modes share the rest as they do in `MIX`.
        mirror: whether half of the crops are mirrored, with their targets.

    Returns:
        uint8 codes (CROPS_PER_FRAME, height, width, channels), and targets (CROPS_PER_FRAME, COLUMNS).
    """
    levels = decode_levels(record["whole"], spec)
    size = tf.cast(tf.shape(levels[0])[1:3], tf.float32)
    to_stored = tf.reduce_max(size) / tf.reduce_max(record["frame_size"])
    strip = record["strip"] * to_stored
    masked = tf.random.stateless_uniform([], seed + [0, 90]) < MASK_SHARE
    levels = tf.cond(masked, lambda: _levels(_mask(levels[0][0], strip, seed)), lambda: levels)
    has_room = tf.strings.length(record["room"]) > 0
    room = tf.cond(has_room, lambda: decode_levels(record["room"], spec), lambda: levels)

    n = _numbers(seed)
    mode = tf.searchsorted(tf.constant(_cumulated(_mix(near)), tf.float32), n["mode"], side="right")
    is_none = mode == NONE
    # Every room is used by the crops of the frame that carries it.
    in_room = has_room & (is_none | (tf.range(CROPS_PER_FRAME) == 0))
    place, target = _positive(record, strip, to_stored, n, mode)
    place = tf.where(is_none[:, None], _elsewhere(strip, n), place)
    place = tf.where(in_room[:, None], _in_room(room[0], n), place)
    nobody = tf.one_hot(COLUMNS.index("presence_weight"), len(COLUMNS)) + tf.one_hot(2, len(COLUMNS))
    target = tf.where((is_none | in_room)[:, None], nobody, target)
    taller = tf.ones([CROPS_PER_FRAME])
    if stretch:
        taller = tf.where(
            n["taller"] < 0.5, tf.exp(_between(n["height"], -1, 1) * math.log(1 + stretch)), 1.0
        )
        target = _stretched(target, taller)

    side = tf.where(n["side"] < 0.5, -1.0, 1.0) if mirror else tf.ones([CROPS_PER_FRAME])
    target *= tf.where(side[:, None] < 0, tf.constant(_MIRRORED), 1.0)
    level, transforms = _transforms(spec, place, taller, side)
    source = level + _LEVELS * tf.cast(in_room, tf.int32)
    images = [*levels, *room]
    crops = [_taken(images, source[k], transforms[k : k + 1], spec) for k in range(CROPS_PER_FRAME)]
    return tf.cast(tf.clip_by_value(tf.round(tf.stack(crops)), 0, 255), tf.uint8), target


def gaze_targets(gaze: tf.Tensor) -> tf.Tensor:
    """Return the targets (N, COLUMNS) of strips of which only the gaze counts.

    Args:
        gaze: (N, 3) x and y in cm, and cm per unit of the network's output.
    """
    of_gaze = {"x": gaze[:, 0], "y": gaze[:, 1], "unit": gaze[:, 2], "gaze_weight": tf.ones_like(gaze[:, 0])}
    nothing = tf.zeros_like(gaze[:, 0])
    return tf.stack([of_gaze.get(name, nothing) for name in COLUMNS], 1)


def _stretched(target: tf.Tensor, taller: tf.Tensor) -> tf.Tensor:
    """Return the targets (K, COLUMNS) of crops whose pictures have become taller, by (K,), about their middles.

    The line between the eyes is e^-ln_scale long and turned by roll; its vertical part grows.
    """
    t = dict(zip(COLUMNS, tf.unstack(target, num=len(COLUMNS), axis=1), strict=True))
    across, down = tf.cos(t["roll"]), taller * tf.sin(t["roll"])
    is_same = tf.cast(tf.equal(taller, 1.0), tf.float32)
    dy = t["dy"] * taller
    leaves = (t["presence"] > 0) & (
        tf.abs(dy) > 0.9 * 0.5 / STRIP_ASPECT
    )  # whether the eyes may no longer be visible
    t |= {
        "dy": dy, "roll": tf.atan2(down, across),
        "ln_scale": t["ln_scale"] + tf.math.log(tf.sqrt(across**2 + down**2)),
        "gaze_weight": t["gaze_weight"] * is_same,
        "presence_weight": t["presence_weight"] * tf.where(leaves, is_same, 1.0),
    }  # fmt: skip
    return tf.stack([t[name] for name in COLUMNS], 1)


def _mix(near: float) -> tuple[float, ...]:
    """Return the share of each mode when that of `NEAR` is given."""
    rest = (1 - near) / (1 - MIX[NEAR])
    return tuple(near if mode == NEAR else rest * share for mode, share in enumerate(MIX))


def _cumulated(shares: tuple[float, ...]) -> list[float]:
    return [sum(shares[: i + 1]) for i in range(len(shares) - 1)]


def _numbers(seed: tf.Tensor) -> dict[str, tf.Tensor]:
    """Draw all random numbers of a frame's crops, (K,) each: uniform 0..1, and two normal ones."""
    names = ("mode", "scale", "x", "y", "turned", "turn", "u", "v", "taller", "height", "side")
    uniform = tf.random.stateless_uniform([len(names), CROPS_PER_FRAME], seed + [0, 1])
    normal = tf.random.stateless_normal([2, CROPS_PER_FRAME], seed + [0, 6])
    return {name: uniform[i] for i, name in enumerate(names)} | {"nx": normal[0], "ny": normal[1]}


def _between(share: tf.Tensor, low: float, high: float) -> tf.Tensor:
    return low + share * (high - low)


def _positive(
    record: dict[str, tf.Tensor],
    strip: tf.Tensor,
    to_stored: tf.Tensor,
    n: dict[str, tf.Tensor],
    mode: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return places (K, 4) and targets (K, COLUMNS): near the strip, within reach, or several strips wide."""
    ln = [
        _between(n["scale"], math.log(0.85), math.log(1.2)),
        _between(n["scale"], math.log(0.55), math.log(1.7)),
        _between(n["scale"], math.log(1.6), math.log(6.5)),
    ]
    dx = [0.05 * n["nx"], _between(n["x"], -0.42, 0.42), _between(n["x"], -0.45, 0.45)]
    dy = [0.03 * n["ny"], _between(n["y"], -0.2, 0.2), _between(n["y"], -0.16, 0.16)]
    ln, dx, dy = (tf.where(mode == NEAR, a, tf.where(mode == MID, b, c)) for a, b, c in (ln, dx, dy))
    scale = tf.exp(ln)
    turn = tf.where(n["turned"] < TURNED_SHARE, _between(n["turn"], -LARGEST_TURN, LARGEST_TURN), 0.0)
    cos, sin = tf.cos(turn), tf.sin(turn)
    width = strip[2] * scale
    x = strip[0] - (cos * dx - sin * dy) * width
    y = strip[1] - (sin * dx + cos * dy) * width
    roll = record["roll"] - turn
    visible = _visible_eyes(dx, dy, scale, roll)
    is_good = (
        (visible == 2) & (tf.abs(dx) < 0.2) & (tf.abs(dy) < 0.1) & (scale > 0.7) & (scale < 1.45)
    )  # fmt: skip
    # The picture's content turns by -turn, and the gaze with it (`tinytracker.train.warp`).
    gx, gy = record["gaze"][0], record["gaze"][1]
    unit = record["focal"] * REFERENCE_CROP * tf.reduce_max(record["frame_size"]) * to_stored / width
    counts = (visible > 0) & (record["occluded"] < 0.5)
    target = [
        cos * gx + sin * gy, cos * gy - sin * gx, unit, dx, dy, -ln, roll, tf.ones_like(scale),
        tf.cast(is_good, tf.float32), tf.sqrt(scale), tf.cast(counts, tf.float32),
    ]  # fmt: skip
    return tf.stack([x, y, width, turn], 1), tf.stack(target, 1)


def _visible_eyes(dx: tf.Tensor, dy: tf.Tensor, scale: tf.Tensor, roll: tf.Tensor) -> tf.Tensor:
    """Return how many of the two eyes' centres lie in each crop."""
    half = _HALF_EYES / scale
    count = tf.zeros_like(dx, tf.int32)
    for side in (-1.0, 1.0):
        x, y = dx + side * half * tf.cos(roll), dy + side * half * tf.sin(roll)
        count += tf.cast((tf.abs(x) < 0.5) & (tf.abs(y) < 0.5 / STRIP_ASPECT), tf.int32)
    return count


def _elsewhere(strip: tf.Tensor, n: dict[str, tf.Tensor]) -> tf.Tensor:
    """Return places (K, 4) near the face that do not reach the eyes: forehead, mouth, neck, wall.

    A crop is placed right of, left of, above or below the strip, at a distance that the turn cannot bridge.
    """
    scale = tf.exp(_between(n["scale"], math.log(0.6), math.log(2.5)))
    width = strip[2] * scale
    turn = tf.where(n["turned"] < TURNED_SHARE, _between(n["turn"], -LARGEST_TURN, LARGEST_TURN), 0.0)
    # Half sizes of the crop's bounding box, and the free space to the eyes, in px.
    half_x = width * (0.5 * tf.cos(turn) + tf.abs(tf.sin(turn)) / (2 * STRIP_ASPECT))
    half_y = width * (0.5 * tf.abs(tf.sin(turn)) + tf.cos(turn) / (2 * STRIP_ASPECT))
    beside = n["u"] < 0.35
    sign = tf.where(n["v"] < 0.5, -1.0, 1.0)
    free = _between(n["y"] * n["y"], 0.0, 1.6) * strip[2]
    along = _between(n["x"], -1.2, 1.2) * strip[2]
    dx = tf.where(beside, sign * (half_x + 0.36 * strip[2] + free), along)
    dy = tf.where(beside, along, sign * (half_y + 0.13 * strip[2] + free))
    return tf.stack([strip[0] + dx, strip[1] + dy, width, turn], 1)


def _in_room(room: tf.Tensor, n: dict[str, tf.Tensor]) -> tf.Tensor:
    """Return places (K, 4) in the picture of a room."""
    size = tf.cast(tf.shape(room)[1:3], tf.float32)
    width = tf.exp(_between(n["scale"], math.log(_ROOM_CROP_PX[0]), math.log(_ROOM_CROP_PX[1])))
    turn = _between(n["turn"], -LARGEST_TURN, LARGEST_TURN)
    return tf.stack([n["x"] * size[1], n["y"] * size[0], width, turn], 1)


def _mask(image: tf.Tensor, strip: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Paint a plain mask over nose and mouth of a frame (h, w, channels)."""
    n = tf.random.stateless_uniform([4 + 3], seed + [0, 91])
    x = (tf.range(tf.shape(image)[1], dtype=tf.float32)[None, :] - strip[0]) / strip[2]
    y = (tf.range(tf.shape(image)[0], dtype=tf.float32)[:, None] - strip[1]) / strip[2]
    top = 0.16 + 0.1 * n[0] + (0.1 + 0.3 * n[1]) * x * x  # higher at the nose
    half = 0.38 + 0.08 * n[2]
    covered = (y > top) & (y < 0.75) & (tf.abs(x) < half - 0.25 * tf.maximum(y - 0.4, 0.0))
    colour = (40 + 200 * n[3]) * (0.8 + 0.2 * n[4 : 4 + image.shape[-1]])
    return tf.where(covered[..., None], 0.15 * image + 0.85 * colour, image)


def as_record(serialized: Any) -> dict[str, tf.Tensor]:
    """Parse a record without its face crop."""
    from tinytracker.data.examples import parse

    record = parse(serialized, aim=True)
    names = ("whole", "room", "strip", "roll", "focal", "occluded", "frame_size", "gaze")
    return {name: record[name] for name in names}
