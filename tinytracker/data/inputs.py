"""From a stored crop to a network's inputs: uint8 tensors by the name of the model's input.

All of them follow the contract x = p / 128 - 1 for the network's real input x and the uint8 code p, so the int8
input of the quantized network is exactly p - 128. There are two implementations: TensorFlow ops for training, and
numpy, which states the rules plainly and is the oracle of the first.

A box is resized by averaging: each output pixel is the mean of the part of the crop that it covers, with
fractions of pixels at the edges (the rule of `tf.image.resize(method="area")`, which accepts only whole
pixels), and black outside the crop. A camera or a microcontroller can compute this; bicubic interpolation it cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.finding import view_box
from tinytracker.arrays import Pixels
from tinytracker.data.crops import STRIPS_PER_LONGER_SIDE, eye_band, grow
from tinytracker.data.grid import (
    CELLS,
    GRID_IN_CODE,
    GRID_OUT_CODE,
    face_grid,
    grid_mask,
    position_planes,
    to_codes,
)
from tinytracker.errors import UnknownNameError, UsageError

KINDS = ("face", "eye_band", "itracker", "frame")
CHANNELS = {"rgb": 3, "grey": 1}
GRIDS = ("none", "baked", "input")

UNITS = ("cm", "reference_cm")

REFERENCE_CROP = 1 / STRIPS_PER_LONGER_SIDE
"""Width of the crop at the reference distance, as a fraction of the frame's longer side: the width of a strip with both
eyes at about 40 cm from a phone's front camera."""

LUMA = (77, 150, 29)
"""Grey = (77 R + 150 G + 29 B + 128) >> 8: ITU-R BT.601 in 8-bit integers, the same on every device."""


@dataclass(frozen=True)
class InputSpec:
    """The inputs of a network.

    Attributes:
        kind: "face" (the face box), "eye_band" (a strip with both eyes), "itracker" (face, both eyes and the 25 × 25
            face grid as four inputs), or "frame" (the whole frame as a finder sees it: `aim.finding.view_box`).
        width: of the image in px; for "itracker" of the face and of each eye.
        height: of the image in px.
        channels: "rgb" or "grey".
        grid: how the position of the face in the frame is given: "none", "baked" (a constant inside the graph,
            nothing is added here) or "input" (two more channels with the position of each pixel; for "itracker"
            the face grid).
        band_width: width of the eye band as a fraction of the face box's width; its height follows from the
            image's aspect ratio.
        margin: fraction of the box's size added on each side; width and height include it. Training uses it as
            room for rotating and shifting.
        unit: of the network's output: "cm", or "reference_cm": cm for a crop of the reference width.
            A crop shows the angle between gaze and camera, but not the distance of the eyes; the size of the crop
            gives the distance, and `cm_per_unit` converts the output to cm.
    """

    kind: str
    width: int
    height: int
    channels: str = "rgb"
    grid: str = "none"
    band_width: float = 0.75
    margin: float = 0.0
    unit: str = "cm"

    def __post_init__(self) -> None:
        known = (
            ("input kind", self.kind, KINDS),
            ("channels", self.channels, CHANNELS),
            ("grid", self.grid, GRIDS),
            ("unit", self.unit, UNITS),
        )
        for what, value, values in known:
            if value not in values:
                raise UnknownNameError(what, value, values)
        if self.width < 1 or self.height < 1:
            raise UsageError(
                f"The input size of {self.width} x {self.height} px is out of range.",
                "Both must be at least 1.",
            )
        if not 0 < self.band_width <= 2:
            raise UsageError(
                f"The eye band width of {self.band_width} face widths is out of range.",
                "It must be more than 0 and at most 2.",
            )

    @property
    def shapes(self) -> dict[str, tuple[int, int, int]]:
        """(height, width, channels) of each model input by name."""
        colours = CHANNELS[self.channels]
        if self.kind == "itracker":
            image = (self.height, self.width, colours)
            return {"face": image, "left_eye": image, "right_eye": image, "grid": (CELLS, CELLS, 1)}
        planes = 2 if self.grid == "input" else 0
        return {"image": (self.height, self.width, colours + planes)}


def cm_per_unit(spec: InputSpec, face_width: Any, longer_side: Any) -> Any:
    """Return the length on the screen, in cm, of one unit of a network's output.

    The crop shows the angle between gaze and camera. The dot lies distance · tan(angle) from the camera, and the
    distance is inversely proportional to the width of the face, and so of the crop, in the image.

    Args:
        spec: the network's inputs.
        face_width: of the face box in px of the frame; numbers, arrays (...) or tensors.
        longer_side: longer side of the frame in px, of the same shape.

    Returns:
        cm per unit, of the same shape; 1 for networks whose output is in cm.
    """
    if spec.unit == "cm":
        return face_width * 0 + 1
    part = spec.band_width if spec.kind == "eye_band" else 1.0
    return REFERENCE_CROP * longer_side / (part * face_width)


def make_inputs_numpy(spec: InputSpec, example: dict[str, Any]) -> dict[str, Pixels]:
    """Compute the model inputs of one frame in numpy: the oracle of `make_inputs`.

    Args:
        spec: the network's inputs.
        example: `image` uint8 (h, w, 3), `face_in_crop`, `left_eye_in_crop`, `right_eye_in_crop` and `face`
            (4,), `frame_size` (2,), as in `tinytracker.data.examples.StoredFrame`; for kind "frame", only `image`: the
            whole frame.

    Returns:
        uint8 (height, width, channels) by input name; see `InputSpec.shapes`.
    """
    image = example["image"]
    if spec.kind == "frame":
        return {"image": _picture_numpy(spec, image, view_box(image.shape[1], image.shape[0]))}
    face, frame = example["face"], np.asarray(example["frame_size"], np.float64)
    if spec.kind == "itracker":
        inputs = {
            name: _picture_numpy(spec, image, example[f"{name}_in_crop"])
            for name in ("face", "left_eye", "right_eye")
        }
        mask = grid_mask(face_grid(face, frame[0], frame[1]))
        inputs["grid"] = np.where(mask, GRID_IN_CODE, GRID_OUT_CODE).astype(np.uint8)[..., None]
        return inputs
    box = _box_numpy(spec, example)
    picture = _picture_numpy(spec, image, box)
    if spec.grid != "input":
        return {"image": picture}
    planes = position_planes(_in_frame(box, example), frame[0], frame[1], spec.width, spec.height)
    return {"image": np.concatenate([picture, to_codes(planes)], axis=-1)}


def _box_numpy(spec: InputSpec, example: dict[str, Any]) -> NDArray[np.float64]:
    """Return the input box, in px of the crop."""
    face = np.asarray(example["face_in_crop"], np.float64)
    if spec.kind == "face":
        return grow(face, spec.margin)
    eyes = (example["left_eye_in_crop"], example["right_eye_in_crop"])
    return grow(eye_band(*eyes, face, spec.band_width, spec.width / spec.height), spec.margin)


def _in_frame(box: NDArray[np.float64], example: dict[str, Any]) -> NDArray[np.float64]:
    """Convert a box from px of the crop to px of the frame."""
    face, in_crop = (np.asarray(example[name], np.float64) for name in ("face", "face_in_crop"))
    scale = face[2:] / in_crop[2:]
    return np.concatenate([face[:2] + (box[:2] - in_crop[:2]) * scale, box[2:] * scale])


def _picture_numpy(spec: InputSpec, image: Pixels, box: Any) -> Pixels:
    x, y, w, h = np.asarray(box, np.float64)
    rows = area_weights(y, h, image.shape[0], spec.height)
    columns = area_weights(x, w, image.shape[1], spec.width)
    mean = np.einsum("ih,hwc,jw->ijc", rows, image.astype(np.float64), columns, optimize=True)
    rgb: Pixels = np.floor(mean + 0.5).astype(np.uint8)
    if spec.channels == "rgb":
        return rgb
    grey: Pixels = ((rgb.astype(np.int64) @ np.array(LUMA) + 128) >> 8).astype(np.uint8)
    return grey[..., None]


def area_weights(start: float, extent: float, size: int, n: int) -> NDArray[np.float64]:
    """Return the weight of each source pixel in each output pixel, along one axis.

    Args:
        start: start of the box, in px of the source.
        extent: length of the box, in px of the source.
        size: of the source in px.
        n: number of output pixels.

    Returns:
        (n, size): rows sum to 1 where the output pixel lies inside the source.
    """
    step = extent / n
    low = start + np.arange(n)[:, None] * step
    pixel = np.arange(size)[None, :]
    covered = np.minimum(low + step, pixel + 1) - np.maximum(low, pixel)
    weights: NDArray[np.float64] = np.clip(covered, 0, None) / step
    return weights


def make_inputs(spec: InputSpec, example: dict[str, Any]) -> dict[str, Any]:
    """Compute the model inputs of one frame with TensorFlow ops, for `tf.data`; see `make_inputs_numpy`."""
    import tensorflow as tf

    if spec.kind == "frame":
        whole = tf.io.decode_jpeg(example["whole"], channels=3, dct_method="INTEGER_ACCURATE")
        return {"image": crop_resize(whole, _view_box_tf(tf.shape(whole)), spec)}
    boxes = {
        name: tf.cast(example[name], tf.float64)
        for name in ("face", "face_in_crop", "left_eye_in_crop", "right_eye_in_crop", "frame_size")
    }
    if spec.kind == "itracker":
        inputs = {
            name: crop_resize(example["image"], boxes[f"{name}_in_crop"], spec)
            for name in ("face", "left_eye", "right_eye")
        }
        inputs["grid"] = _grid_tf(boxes["face"], boxes["frame_size"])
        return inputs
    box = boxes["face_in_crop"]
    if spec.kind == "eye_band":
        left, right = boxes["left_eye_in_crop"], boxes["right_eye_in_crop"]
        centre = (left[:2] + right[:2]) / 2 + (left[2:] + right[2:]) / 4
        w = spec.band_width * box[2]
        size = tf.stack([w, w * (spec.height / spec.width)])
        box = tf.concat([centre - size / 2, size], 0)
    if spec.margin:
        extra = spec.margin * box[2:]
        box = tf.concat([box[:2] - extra, box[2:] + 2 * extra], 0)
    picture = crop_resize(example["image"], box, spec)
    if spec.grid != "input":
        return {"image": picture}
    scale = boxes["face"][2:] / boxes["face_in_crop"][2:]
    corner = boxes["face"][:2] + (box[:2] - boxes["face_in_crop"][:2]) * scale
    planes = _positions_tf(corner, box[2:] * scale, boxes["frame_size"], spec)
    return {"image": tf.concat([picture, planes], -1)}


def _view_box_tf(shape: Any) -> Any:
    """Return the view of a finder in an image of this shape (h, w, ...): `aim.finding.view_box` in TensorFlow."""
    import tensorflow as tf

    height, width = shape[0], shape[1]
    wide = tf.maximum(width, 4 * ((height + 2) // 3))
    high = 3 * wide // 4
    return tf.cast(tf.stack([(width - wide) // 2, (height - high) // 2, wide, high]), tf.float64)


def crop_resize(image: Any, box: Any, spec: InputSpec) -> Any:
    """Resize one box of a crop to the spec's size and channels with TensorFlow ops.

    Args:
        image: uint8 (h, w, 3) tensor.
        box: (4,) x, y, w, h in px of the image; may be fractional and may extend beyond the image.
        spec: gives width, height and channels.

    Returns:
        uint8 (height, width, channels) tensor.
    """
    import tensorflow as tf

    box = tf.cast(box, tf.float64)
    size = tf.shape(image)[:2]
    top, rows = _area_weights_tf(box[1], box[3], size[0], spec.height)
    left, columns = _area_weights_tf(box[0], box[2], size[1], spec.width)
    # Only the pixels under the box, and two plain matrix products: rows first, then columns.
    n_rows, n_columns = tf.shape(rows)[1], tf.shape(columns)[1]
    part = tf.cast(image[top : top + n_rows, left : left + n_columns], tf.float32)
    tall = tf.matmul(rows, tf.reshape(part, [n_rows, n_columns * 3]))
    by_column = tf.transpose(tf.reshape(tall, [spec.height, n_columns, 3]), [1, 0, 2])
    mean = tf.matmul(columns, tf.reshape(by_column, [n_columns, spec.height * 3]))
    mean = tf.transpose(tf.reshape(mean, [spec.width, spec.height, 3]), [1, 0, 2])
    rgb = tf.cast(tf.floor(mean + 0.5), tf.uint8)
    if spec.channels == "rgb":
        return rgb
    weighted = tf.reduce_sum(tf.cast(rgb, tf.int32) * tf.constant(LUMA, tf.int32), -1, keepdims=True)
    return tf.cast(tf.bitwise.right_shift(weighted + 128, 8), tf.uint8)


def _area_weights_tf(start: Any, extent: Any, size: Any, n: int) -> tuple[Any, Any]:
    """Return the first source pixel under the box, and `area_weights` from there to the last one."""
    import tensorflow as tf

    step = extent / n
    low = start + tf.range(n, dtype=tf.float64)[:, None] * step
    end = tf.cast(size, tf.float64)
    first = tf.clip_by_value(tf.floor(start), 0, end)
    last = tf.maximum(first, tf.clip_by_value(tf.math.ceil(start + extent), 0, end))
    pixel = tf.range(first, last, dtype=tf.float64)[None, :]
    covered = tf.minimum(low + step, pixel + 1) - tf.maximum(low, pixel)
    return tf.cast(first, tf.int32), tf.cast(tf.maximum(covered, 0) / step, tf.float32)


def _positions_tf(corner: Any, size: Any, frame_size: Any, spec: InputSpec) -> Any:
    import tensorflow as tf

    planes = []
    for axis, n in ((0, spec.width), (1, spec.height)):
        centres = corner[axis] + (tf.range(n, dtype=tf.float64) + 0.5) * size[axis] / n
        codes = tf.floor(128 * (2 * centres / frame_size[axis] - 1) + 0.5) + 128
        codes = tf.cast(tf.clip_by_value(codes, 0, 255), tf.uint8)
        planes.append(codes[None, :] if axis == 0 else codes[:, None])
    shape = [spec.height, spec.width]
    return tf.stack([tf.broadcast_to(plane, shape) for plane in planes], -1)


def _grid_tf(face: Any, frame_size: Any) -> Any:
    import tensorflow as tf

    inside = []
    cell = tf.range(1, CELLS + 1, dtype=tf.float64)
    for axis in (0, 1):
        first = tf.floor(face[axis] * CELLS / frame_size[axis] + 0.5) + 1
        last = first + tf.floor(face[axis + 2] * CELLS / frame_size[axis] + 0.5) - 1
        first, last = (tf.clip_by_value(edge, 1, CELLS) for edge in (first, last))
        inside.append((cell >= first) & (cell <= last))
    mask = inside[1][:, None] & inside[0][None, :]
    return tf.cast(tf.where(mask, GRID_IN_CODE, GRID_OUT_CODE), tf.uint8)[..., None]
