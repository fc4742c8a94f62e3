"""The pixels of one frame: decode, shrink and encode; damaged images raise an error with a reason.

Most of the time of `prepare` was the decoding of pixels that no crop shows. `Frame` decodes only the rows and columns
under a box, with the same result to the last bit (TensorFlow's libjpeg-turbo skips rows and columns; it is imported
where that happens). What is left is the work of libjpeg itself, so this file avoids calls and copies around it.
"""

from __future__ import annotations

import io
import re
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinytracker.arrays import Floats
from tinytracker.data.crops import MARGIN, Ints, cut_whole, round_half_up
from tinytracker.data.jpeg_header import plain_jpeg
from tinytracker.data.reasons import Reason

Pixels = NDArray[np.uint8]

JPEG_QUALITY = 95

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]")
"""In the data of a JPEG, after the headers: anything but a restart marker and the byte 255 itself."""

_END_OF_IMAGE = b"\xff\xd9"

_CONTEXT_PX = 2
"""What is decoded around a box and then left out: at the edge of what it decodes, libjpeg interpolates colours
otherwise. It needs the next sample of a colour, which covers two pixels at half resolution."""


class SkipFrameError(Exception):
    """A frame is unusable, as found when its pixels were read."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason)


def decode(content: bytes) -> Pixels:
    """Decode an image to RGB pixels, uint8 (height, width, 3).

    Raises:
        SkipFrameError: the image is truncated, or the bytes are not an image.
    """
    from PIL import Image, UnidentifiedImageError

    if not content:
        raise SkipFrameError(Reason.TRUNCATED_IMAGE, "the file is empty")
    try:
        with Image.open(io.BytesIO(content)) as image:
            return np.asarray(image.convert("RGB"))
    except UnidentifiedImageError as error:
        raise SkipFrameError(Reason.UNREADABLE_IMAGE, "not an image") from error
    except Exception as error:  # Pillow's codecs raise many types on damage, which must not stop the run
        truncated = "truncated" in str(error).lower()
        reason = Reason.TRUNCATED_IMAGE if truncated else Reason.UNREADABLE_IMAGE
        raise SkipFrameError(reason, str(error)[:80]) from error


class Frame:
    """An encoded frame whose parts are decoded when they are needed.

    Args:
        content: the encoded image.

    Attributes:
        width, height: px.

    Raises:
        SkipFrameError: the bytes are not an image.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._partly = False
        size = self._read_header()
        if size is None:
            height, width = self.pixels.shape[:2]
            size = width, height
        self.width, self.height = size

    def _read_header(self) -> tuple[int, int] | None:
        """Return the size that the header states, or None where only decoding tells more."""
        header = plain_jpeg(self.content)
        if header is not None:
            self._partly = self._one_scan(header.scan)
            return header.width, header.height
        from PIL import Image

        stream = io.BytesIO(self.content)
        try:
            with Image.open(stream) as image:
                if image.format == "JPEG" and image.mode == "RGB":
                    self._partly = self._one_scan(stream.tell())
                return image.size
        except Exception:  # `decode` finds the reason
            return None

    def _one_scan(self, start: int) -> bool:
        """Return whether one scan follows and nothing after it: what both decoders read alike.

        The rest goes through `decode`, which also finds damage behind the part.
        """
        marker = _MARKER.search(self.content, start)
        return marker is not None and marker[0] == _END_OF_IMAGE and marker.end() == len(self.content)

    @cached_property
    def pixels(self) -> Pixels:
        """The whole frame: uint8 (height, width, 3), RGB. Raises `SkipFrameError` as `decode` does."""
        return decode(self.content)

    def cut(self, box: ArrayLike) -> Pixels:
        """Return the pixels of one box, zero outside of the frame: `crops.cut(frame.pixels, box)`, only faster.

        Raises:
            SkipFrameError: the image is damaged.
        """
        x, y, w, h = (int(v) for v in round_half_up(box))
        return self.cut_whole(x, y, w, h)

    def cut_whole(self, x: int, y: int, w: int, h: int) -> Pixels:
        """Cut as `cut` does, with a box that is in whole px."""
        left, right = max(x - _CONTEXT_PX, 0), min(x + w + _CONTEXT_PX, self.width)
        top, bottom = max(y - _CONTEXT_PX, 0), min(y + h + _CONTEXT_PX, self.height)
        part = None
        if self._partly and "pixels" not in self.__dict__ and left < right and top < bottom:
            part = _decode_part(self.content, (top, left, bottom - top, right - left))
        if part is None:
            return cut_whole(self.pixels, x, y, w, h)
        return cut_whole(part, x - left, y - top, w, h)


def _decode_part(content: bytes, window: tuple[int, int, int, int]) -> Pixels | None:
    """Decode a window (top, left, height, width), px, of a JPEG; None where TensorFlow's decoder fails."""
    import tensorflow as tf

    try:
        decoded = tf.io.decode_and_crop_jpeg(
            content, np.array(window, np.int32), 3, dct_method="INTEGER_ACCURATE"
        )
    except tf.errors.InvalidArgumentError:
        return None
    part: Pixels = np.asarray(decoded)  # a view; .numpy() would copy
    return part


def stored_size(size: ArrayLike, max_crop: int) -> tuple[Ints, Floats]:
    """Return the sizes at which crops are stored: their face boxes then have at most `max_crop` px.

    Args:
        size: (..., 2), width and height of the crops, px.
        max_crop: px.

    Returns:
        Width and height, (..., 2), px, and the scales (x, y), (..., 2).
    """
    whole = np.asarray(size, np.float64)
    limit = max_crop * (1 + 2 * MARGIN)
    factor = np.minimum(1.0, limit / whole.max(-1, keepdims=True))
    smaller = np.maximum(1, round_half_up(whole * factor))
    scale: Floats = smaller / whole
    return smaller, scale


def shrink(crop: Pixels, width: int, height: int) -> Pixels:
    """Average a crop down to this size, px."""
    from PIL import Image

    if crop.shape[:2] == (height, width):
        return crop
    whole = Image.fromarray(np.ascontiguousarray(crop))
    return np.asarray(whole.resize((width, height), Image.Resampling.BOX))


def encode(crop: Pixels, image_format: str) -> bytes:
    """Encode a crop as "png" or "jpeg"; equal pixels give equal bytes."""
    from PIL import Image

    buffer = io.BytesIO()
    # Of a view, Pillow would take the bytes one by one (0.7 ms); numpy copies rows.
    image = Image.fromarray(np.ascontiguousarray(crop))
    if image_format == "png":
        image.save(buffer, "PNG", compress_level=1)
    else:
        # Subsampling 0 means 4:4:4: an iris is only a few pixels wide, so its colour needs full resolution.
        image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()
