"""Pictures of a camera on this computer, to be shown with the region that the network sees."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, replace
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
        captured_ns: middle of the exposure of its first row, `host_clock.now_ns()`; 0 when it is not known.
        bound_ns: half of that exposure and of the read-out: when a row in the picture was exposed.
    """

    jpeg: bytes
    width: int
    height: int
    region: tuple[float, float, float, float]
    captured_ns: int = 0
    bound_ns: int = 0


class Pictures:
    """Takes a picture now and then from picamera2's requests.

    Args:
        imx500: picamera2's object of the sensor, which knows the region.
        every_s: time between two. widest: of the picture, px. quality: of the JPEG.
    """

    def __init__(
        self, imx500: Any, every_s: float = EVERY_S, widest: int = _WIDEST, quality: int = _QUALITY
    ) -> None:
        self._imx500 = imx500
        self._every_s, self._widest, self._quality = every_s, widest, quality
        self._due = 0.0
        self._newest: Picture | None = None

    def take(
        self,
        request: Any,
        region: tuple[float, float, float, float] | None = None,
        exposed: tuple[int, int] = (0, 0),
    ) -> None:
        """Keep this request's picture when one is due. Runs in the camera's thread.

        Args:
            request: picamera2's.
            region: left, top, width and height that the network saw, as shares of the whole frame; None for the region
                that is set now.
            exposed: begin of the exposure of the first row and end of its read-out, `host_clock.now_ns()`.
        """
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + self._every_s
        # Channels of picamera2's preview format XBGR8888 are red, green, blue and padding.
        pixels = request.make_array("main")[..., :3]
        height, width = pixels.shape[:2]
        if region is None:
            shown = self._imx500.get_roi_scaled(request)
        else:
            shown = tuple(share * side for share, side in zip(region, (width, height) * 2, strict=True))
        begun, ended = exposed
        picture = picture_of(pixels, shown, self._widest, self._quality)
        self._newest = replace(picture, captured_ns=(begun + ended) // 2, bound_ns=(ended - begun + 1) // 2)

    def newest(self) -> Picture | None:
        """The last picture, once."""
        found, self._newest = self._newest, None
        return found


def picture_of(pixels: Any, region: Any, widest: int = _WIDEST, quality: int = _QUALITY) -> Picture:
    """Encode a picture.

    Args:
        pixels: (H, W, 3) uint8, RGB.
        region: left, top, width, height in these pixels.
        widest: px; a wider picture is made smaller.
        quality: of the JPEG.
    """
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels, np.uint8))
    scale = min(1.0, widest / image.width)
    if scale < 1:
        image = image.resize((widest, round(image.height * scale)))
    content = io.BytesIO()
    image.save(content, "JPEG", quality=quality)
    left, top, width, height = (float(v) * scale for v in region)
    return Picture(content.getvalue(), image.width, image.height, (left, top, width, height))
