"""Pictures of a camera on this computer, to be shown with the region that the network sees."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

EVERY_S = 0.25
_WIDEST = 640
_QUALITY = 70


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
        jpeg: the file. width, height: in pixels.
        region: left, top, width, height of what the network sees, in pixels of this picture.
    """

    jpeg: bytes
    width: int
    height: int
    region: tuple[float, float, float, float]


class Pictures:
    """Takes a picture now and then from picamera2's requests.

    Args:
        imx500: picamera2's object of the sensor, which knows the region.
    """

    def __init__(self, imx500: Any) -> None:
        self._imx500 = imx500
        self._due = 0.0
        self._newest: Picture | None = None

    def take(self, request: Any, region: tuple[float, float, float, float] | None = None) -> None:
        """Keep this request's picture when one is due. Runs in the camera's thread.

        Args:
            request: picamera2's.
            region: left, top, width and height that the network saw, as shares of the whole frame; None for the region
                that is set now.
        """
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + EVERY_S
        # Channels of picamera2's preview format XBGR8888 are red, green, blue and padding.
        pixels = request.make_array("main")[..., :3]
        height, width = pixels.shape[:2]
        if region is None:
            shown = self._imx500.get_roi_scaled(request)
        else:
            shown = tuple(share * side for share, side in zip(region, (width, height) * 2, strict=True))
        self._newest = picture_of(pixels, shown)

    def newest(self) -> Picture | None:
        """The last picture, once."""
        found, self._newest = self._newest, None
        return found


def picture_of(pixels: Any, region: Any) -> Picture:
    """Encode a picture, at most 640 pixels wide.

    Args:
        pixels: (H, W, 3) uint8, RGB.
        region: left, top, width, height in these pixels.
    """
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels, np.uint8))
    scale = min(1.0, _WIDEST / image.width)
    if scale < 1:
        image = image.resize((_WIDEST, round(image.height * scale)))
    content = io.BytesIO()
    image.save(content, "JPEG", quality=_QUALITY)
    left, top, width, height = (float(v) * scale for v in region)
    return Picture(content.getvalue(), image.width, image.height, (left, top, width, height))
