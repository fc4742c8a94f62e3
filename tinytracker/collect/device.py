"""The screen of a session as a device of one's own, so that `prepare` knows it without being told."""

from __future__ import annotations

from tinytracker.data.devices import Device, add_device, all_devices
from tinytracker.errors import UsageError
from tinytracker.live.screen import Screen

_SAME_MM = 0.5


def device_of(screen: Screen, points: tuple[int, int], name: str | None = None) -> Device:
    """Return the device of a screen; added to one's own devices when it is not there yet.

    Args:
        screen: that the dots are shown on, cm.
        points: its width and height in points.
        name: of the device; None for one that follows from its measures.

    Raises:
        UsageError: a device of this name has other measures, or points would not be square.
        OutputError: the file of own devices cannot be written.
        ConfigError: that file is damaged.
    """
    width, height = 10 * (screen.x_max - screen.x_min), 10 * (screen.y_max - screen.y_min)
    right, above = -10 * screen.x_min, -10 * screen.y_max
    label = f"screen {width:.1f}x{height:.1f} mm, camera {right:.1f} right {above:.1f} above, {points[0]}x{points[1]}"
    device = Device(
        (name or label).strip(), "tablet", round(right, 2), round(above, 2), round(width, 2), round(height, 2),
        *points,
    )  # fmt: skip
    known = {other.name.lower(): other for other in all_devices().values()}.get(device.name.lower())
    if known is None:
        add_device(device)
        return device
    if not _agree(known, device):
        raise UsageError(
            f"{known.name!r} is described as a screen of {known.width_mm:g} x {known.height_mm:g} mm, with the camera "
            f"{known.camera_dx_mm:g} mm from its left edge and {known.camera_dy_mm:g} mm above it; here it measures "
            f"{width:.1f} x {height:.1f} mm, {right:.1f} and {above:.1f} mm.",
            "Choose another name, or change it with: tinytracker devices add --replace",
        )
    return known


def _agree(known: Device, measured: Device) -> bool:
    """Whether two descriptions mean the same screen; points are those of the browser's zoom, and may differ."""
    keys = ("camera_dx_mm", "camera_dy_mm", "width_mm", "height_mm")
    return all(abs(getattr(known, key) - getattr(measured, key)) <= _SAME_MM for key in keys)
