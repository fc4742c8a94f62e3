"""The figures of a report about events: event frames with the gaze, a time surface, a raster over the gaze.

Events are pictures in the figures, transparent where nothing happened, so that they fit a light and a dark page.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats32
from tinytracker.events.clip import Clip
from tinytracker.events.pictures import Strip, event_frame, raster, time_surface
from tinytracker.report.event_part import MOMENT_US, MOMENTS, Shown
from tinytracker.report.svg import WIDTH, line, nice_ticks, number, polyline, rectangle, svg, text, tick_label
from tinytracker.words import counted

FALLING, RISING = (214, 106, 20), (44, 123, 229)
"""RGB of events where the light fell and rose; both are seen on white and on black."""
_LEFT, _RIGHT, _GAP = 48.0, 14.0, 6.0
ARROW_PX_PER_DEGREE = 0.9
SURFACE_TAU_US = 30_000.0
_HEADING = 20.0
"""Height of a line of text above a drawing."""


def event_frames(name: str, shown: Shown) -> str:
    """Draw frames of events around the eyes, at the moments when most happens and in their order, with the gaze."""
    strip = _strip(shown)
    starts = _moments(shown, strip)
    columns = 2
    width = (WIDTH - _GAP) / columns
    scale = width / strip[2]
    height = strip[3] * scale
    parts = []
    for k, start in enumerate(starts):
        x, y = (k % columns) * (width + _GAP), (k // columns) * (height + _HEADING + 8) + _HEADING
        frame = event_frame(shown.events, start, start + MOMENT_US, strip)
        said = f"{(start - shown.start) / 1e3:.0f} to {(start - shown.start + MOMENT_US) / 1e3:.0f} ms"
        parts += [text(x, y - 4, said, "tick"), rectangle(x, y, width, height, "band")]
        parts.append(_image(_coloured(frame == 1, frame == -1), x, y, width, height))
        if shown.clip is not None:
            parts += _gaze_marks(shown.clip, start, (x, y), strip, scale)
    rows = -(-len(starts) // columns)
    return svg(
        name,
        f"Events of {counted(len(starts), 'window')} of {MOMENT_US // 1000} ms",
        rows * (height + _HEADING + 8),
        *parts,
    )


def surface(name: str, shown: Shown, at: int) -> str:
    """Draw the time surface of the whole sensor at a time, µs."""
    seen = time_surface(shown.events, at, SURFACE_TAU_US)
    width = WIDTH * 0.72
    height = width * shown.events.height / shown.events.width
    x = (WIDTH - width) / 2
    parts = [
        rectangle(x, 0, width, height, "band"),
        _image(_coloured(seen[..., 1], seen[..., 0]), x, 0, width, height),
    ]
    if shown.clip is not None:
        scale = width / shown.events.width
        sx, sy, sw, sh = (v * scale for v in shown.clip.strip)
        outline = [(sx, sy), (sx + sw, sy), (sx + sw, sy + sh), (sx, sy + sh), (sx, sy)]
        parts.append(polyline([(x + px, py) for px, py in outline], "line constant"))
    return svg(name, f"Time surface at {(at - shown.start) / 1e3:.0f} ms", height, *parts)


def gaze_raster(name: str, shown: Shown, gaze: dict[str, Any] | None) -> str:
    """Draw the events of each column of the strip over time, above direction of the gaze and blinks."""
    strip = _strip(shown)
    seconds = (shown.stop - shown.start) / 1e6
    wide, tall = WIDTH - _LEFT - _RIGHT, 130.0
    counts = raster(shown.events, shown.start, shown.stop, 312, strip).astype(np.float32)
    # A few events in one column already stand out.
    strength = np.minimum(counts / 4, 1)
    parts = [text(2, _HEADING - 5, "column, px", "label"), rectangle(_LEFT, _HEADING, wide, tall, "band")]
    parts.append(_image(_coloured(strength[..., 1], strength[..., 0]), _LEFT, _HEADING, wide, tall))
    parts += [
        text(_LEFT - 6, _HEADING + 10, "0", "tick", "end"),
        text(_LEFT - 6, _HEADING + tall, str(strip[2]), "tick", "end"),
    ]
    bottom = _HEADING + tall
    if gaze is not None:
        bottom = _traces(parts, gaze["trace"], seconds, bottom + 26, 92.0)
    for tick in nice_ticks(0, seconds):
        x = _LEFT + tick / seconds * wide
        parts += [
            line(x, bottom, x, bottom + 4, "axis"),
            text(x, bottom + 17, tick_label(tick), "tick", "middle"),
        ]
    parts.append(text(_LEFT + wide / 2, bottom + 32, "time, s", "label", "middle"))
    return svg(name, f"Events by column over {seconds:.2f} s", bottom + 36, *parts)


def _traces(parts: list[str], trace: dict[str, Any], seconds: float, top: float, tall: float) -> float:
    """Add the direction of the gaze, and where the lids are closed; return the lower edge."""
    wide = WIDTH - _LEFT - _RIGHT
    values = [*trace["x_deg"], *trace["y_deg"]]
    low, high = min(values) - 1, max(values) + 1
    at_x = [_LEFT + s / seconds * wide for s in trace["s"]]
    step = wide / max(len(at_x) - 1, 1)
    for x, closed in zip(at_x, trace["closed"], strict=True):
        if closed > 0.5:
            parts.append(rectangle(x - step / 2, top, step, tall, "band"))
    for tick in nice_ticks(low, high, 4):
        y = top + (high - tick) / (high - low) * tall
        parts += [
            line(_LEFT, y, WIDTH - _RIGHT, y, "grid"),
            text(_LEFT - 6, y + 4, tick_label(tick), "tick", "end"),
        ]
    for key, classes in (("x_deg", "line s1 strong"), ("y_deg", "line s2 strong")):
        points = [(x, top + (high - v) / (high - low) * tall) for x, v in zip(at_x, trace[key], strict=True)]
        parts.append(polyline(points, classes))
    parts.append(text(2, top - 6, "gaze, °", "label"))
    for classes, label, x in (("line s1 strong", "to the right", 70), ("line s2 strong", "up", 190)):
        parts += [line(_LEFT + x, top - 10, _LEFT + x + 16, top - 10, classes)]
        parts.append(text(_LEFT + x + 21, top - 6, label, "label"))
    parts.append(line(_LEFT, top + tall, WIDTH - _RIGHT, top + tall, "axis"))
    return top + tall


def _strip(shown: Shown) -> Strip:
    return shown.clip.strip if shown.clip is not None else (0, 0, shown.events.width, shown.events.height)


def _moments(shown: Shown, strip: Strip) -> list[int]:
    """Return the starts, µs, of the windows in which most happens around the eyes, in the order of time."""
    bins = max((shown.stop - shown.start) // MOMENT_US, 1)
    counts = raster(shown.events, shown.start, shown.start + bins * MOMENT_US, bins, strip).sum(axis=(0, 2))
    busiest = np.sort(np.argsort(-counts.astype(int), kind="stable")[:MOMENTS])
    return [shown.start + int(k) * MOMENT_US for k in busiest]


def _gaze_marks(clip: Clip, start: int, corner: tuple[float, float], strip: Strip, scale: float) -> list[str]:
    """Draw an arrow from each eye by how far the gaze moves from the clip's first direction."""
    k = int(np.clip(np.searchsorted(clip.gaze_t, start + MOMENT_US // 2), 0, len(clip.gaze_t) - 1))
    turned = (clip.gaze_degrees[k] - clip.gaze_degrees[0]) * ARROW_PX_PER_DEGREE
    parts = []
    for eye in (clip.eyes[k, :2], clip.eyes[k, 2:]):
        x, y = corner[0] + (eye[0] - strip[0]) * scale, corner[1] + (eye[1] - strip[1]) * scale
        # The picture is not mirrored: what is on the user's right is on its left.
        tip = x - turned[0] * scale, y - turned[1] * scale
        parts.append(polyline([(float(x), float(y)), (float(tip[0]), float(tip[1]))], "line s3 strong"))
        parts.append(f'<path d="M{number(float(tip[0]))} {number(float(tip[1]))}h0" class="dot s3"/>')
    return parts


def _coloured(rising: NDArray[Any], falling: NDArray[Any]) -> NDArray[np.uint8]:
    """Return RGBA (h, w, 4) of two strengths (h, w) from 0 to 1."""
    up: Floats32 = np.asarray(rising, np.float32)[..., None]
    down: Floats32 = np.asarray(falling, np.float32)[..., None]
    share = up / np.maximum(up + down, 1e-6)
    colour = share * np.array(RISING, np.float32) + (1 - share) * np.array(FALLING, np.float32)
    alpha = 255 * np.maximum(up, down)
    pixels: NDArray[np.uint8] = np.concatenate([colour, alpha], -1).round().astype(np.uint8)
    return pixels


def _image(pixels: NDArray[np.uint8], x: float, y: float, width: float, height: float) -> str:
    """Return a picture in a figure, its pixels as squares."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(buffer, "PNG", optimize=True)
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'<image x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" '
        f'preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
    )
