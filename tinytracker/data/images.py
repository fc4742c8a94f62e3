"""The pixels of one frame: decode, shrink and encode; damaged images raise an error with a reason."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.data.crops import MARGIN, round_half_up
from tinytracker.data.reasons import Reason

Pixels = NDArray[np.uint8]

JPEG_QUALITY = 95


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


def shrink(crop: Pixels, max_crop: int) -> tuple[Pixels, Floats]:
    """Average a crop down until its face box has at most `max_crop` px; returns it and the scale (x, y)."""
    from PIL import Image

    height, width = crop.shape[:2]
    limit = max_crop * (1 + 2 * MARGIN)
    factor = min(1.0, limit / max(width, height))
    size = np.maximum(1, round_half_up([width * factor, height * factor]))
    scale = size / np.array([width, height], np.float64)
    if factor == 1.0:
        return crop, scale
    shrunk = Image.fromarray(crop).resize((int(size[0]), int(size[1])), Image.Resampling.BOX)
    return np.asarray(shrunk), scale


def encode(crop: Pixels, image_format: str) -> bytes:
    """Encode a crop as "png" or "jpeg"; equal pixels give equal bytes."""
    from PIL import Image

    buffer = io.BytesIO()
    if image_format == "png":
        Image.fromarray(crop).save(buffer, "PNG", compress_level=1)
    else:
        # Subsampling 0 means 4:4:4: an iris is only a few pixels wide, so its colour needs full resolution.
        Image.fromarray(crop).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()
