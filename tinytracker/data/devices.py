"""Devices and their camera positions, GazeCapture's and one's own: conversion of screen points to centimetres.

Gaze is a point on the plane of the screen, in cm, origin at the centre of the front camera, x to the right
and y up as the user sees it in the current orientation. Source of the table and of the four formulas: the
GazeCapture release (`apple_device_data.csv`, `screen2cam.m`, `cam2screen.m`), Krafka et al., "Eye Tracking
for Everyone", CVPR 2016.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinytracker.arrays import Floats
from tinytracker.errors import ConfigError, UnknownNameError, UsageError
from tinytracker.files import read_bytes, write_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FAMILIES = ("phone", "tablet")


class Orientation(IntEnum):
    """How the device is held, as stored in `screen.json`."""

    PORTRAIT = 1
    UPSIDE_DOWN = 2
    LANDSCAPE_HOME_RIGHT = 3
    LANDSCAPE_HOME_LEFT = 4

    @property
    def is_landscape(self) -> bool:
        """True for the two orientations in which the screen is wider than high."""
        return self >= Orientation.LANDSCAPE_HOME_RIGHT


@dataclass(frozen=True)
class Device:
    """One device model, in portrait: screen size and offset from the camera to the screen's top-left corner.

    Attributes:
        name: DeviceName in `info.json`.
        family: "phone" or "tablet".
        camera_dx_mm: distance of the camera centre from the screen's left edge, to the right.
        camera_dy_mm: distance of the screen's top edge below the camera centre.
        width_mm: width of the active area. height_mm: height of the active area.
        width_pt: screen width in points. height_pt: screen height in points.
        zoomed_pt: (width, height) in points when display zoom is on, or None where the device lacks it.
    """

    name: str
    family: str
    camera_dx_mm: float
    camera_dy_mm: float
    width_mm: float
    height_mm: float
    width_pt: int
    height_pt: int
    zoomed_pt: tuple[int, int] | None = None

    def screen_points(self, orientation: int, zoomed: bool = False) -> tuple[int, int]:
        """Return (W, H) of the screen in points in this orientation, as `screen.json` records it."""
        w, h = self.zoomed_pt if zoomed and self.zoomed_pt else (self.width_pt, self.height_pt)
        return (h, w) if Orientation(orientation).is_landscape else (w, h)

    def screen_rectangle_cm(self, orientation: int) -> tuple[float, float, float, float]:
        """Return (x_min, y_min, x_max, y_max) of the active area, in cm from the camera."""
        corners = self.to_camera_cm([0.0, 1.0], [0.0, 1.0], 1.0, 1.0, orientation)
        (x_min, y_min), (x_max, y_max) = corners.min(0).tolist(), corners.max(0).tolist()
        return x_min, y_min, x_max, y_max

    def to_camera_cm(
        self,
        x_pt: ArrayLike,
        y_pt: ArrayLike,
        screen_w: ArrayLike,
        screen_h: ArrayLike,
        orientation: ArrayLike,
    ) -> Floats:
        """Convert points on the screen (origin top-left, y down) to gaze in cm from the camera.

        Args:
            x_pt: x in points, any shape S.
            y_pt: y in points.
            screen_w: width of the screen in points in this orientation, broadcast against the points.
            screen_h: height of the screen in points.
            orientation: 1 to 4.

        Returns:
            Float array S + (2,): x right, y up, in cm.
        """
        x, y, sw, sh, o = np.broadcast_arrays(
            *(np.asarray(a, float) for a in (x_pt, y_pt, screen_w, screen_h, orientation))
        )
        dx, dy, w, h = self.camera_dx_mm, self.camera_dy_mm, self.width_mm, self.height_mm
        landscape = o >= Orientation.LANDSCAPE_HOME_RIGHT
        x_mm = x / sw * np.where(landscape, h, w)
        y_mm = y / sh * np.where(landscape, w, h)
        which = [o == k for k in Orientation]
        cam_x = np.select(which, [x_mm - dx, dx - w + x_mm, dy + x_mm, -dy - h + x_mm], np.nan)
        cam_y = np.select(which, [-dy - y_mm, dy + h - y_mm, w - dx - y_mm, dx - y_mm], np.nan)
        gaze: Floats = np.stack([cam_x, cam_y], -1) / 10
        return gaze

    def to_screen_points(
        self, gaze_cm: ArrayLike, screen_w: ArrayLike, screen_h: ArrayLike, orientation: ArrayLike
    ) -> Floats:
        """Convert gaze in cm from the camera, shape S + (2,), to points on the screen; inverse of `to_camera_cm`."""
        gaze = np.asarray(gaze_cm, float) * 10
        cam_x, cam_y, sw, sh, o = np.broadcast_arrays(
            gaze[..., 0], gaze[..., 1], *(np.asarray(a, float) for a in (screen_w, screen_h, orientation))
        )
        dx, dy, w, h = self.camera_dx_mm, self.camera_dy_mm, self.width_mm, self.height_mm
        landscape = o >= Orientation.LANDSCAPE_HOME_RIGHT
        which = [o == k for k in Orientation]
        x_mm = np.select(which, [cam_x + dx, cam_x - dx + w, cam_x - dy, cam_x + dy + h], np.nan)
        y_mm = np.select(which, [-dy - cam_y, dy + h - cam_y, w - dx - cam_y, dx - cam_y], np.nan)
        points: Floats = np.stack(
            [x_mm * sw / np.where(landscape, h, w), y_mm * sh / np.where(landscape, w, h)], -1
        )
        return points


_PHONES = (
    # name, camera dx, camera dy, width mm, height mm, width pt, height pt, zoomed pt
    ("iPhone 6s Plus", 23.54, 8.66, 68.36, 121.54, 414, 736, (375, 667)),
    ("iPhone 6s", 18.61, 8.04, 58.49, 104.05, 375, 667, (320, 568)),
    ("iPhone 6 Plus", 23.54, 8.65, 68.36, 121.54, 414, 736, (375, 667)),
    ("iPhone 6", 18.61, 8.03, 58.5, 104.05, 375, 667, (320, 568)),
    ("iPhone 5s", 25.85, 10.65, 51.7, 90.39, 320, 568, None),
    ("iPhone 5c", 25.85, 10.64, 51.7, 90.39, 320, 568, None),
    ("iPhone 5", 25.85, 10.65, 51.7, 90.39, 320, 568, None),
    ("iPhone 4s", 14.96, 9.78, 49.92, 74.88, 320, 480, None),
)
_TABLETS = (
    ("iPad Mini", 60.7, 8.7, 121.3, 161.2, 768, 1024, None),
    ("iPad Air 2", 76.86, 7.37, 153.71, 203.11, 768, 1024, None),
    ("iPad Air", 74.4, 9.9, 149.0, 198.1, 768, 1024, None),
    ("iPad 4", 74.5, 10.5, 149.0, 198.1, 768, 1024, None),
    ("iPad 3", 74.5, 10.5, 149.0, 198.1, 768, 1024, None),
    ("iPad 2", 74.5, 10.5, 149.0, 198.1, 768, 1024, None),
    ("iPad Pro", 98.31, 10.69, 196.61, 262.15, 1024, 1366, (768, 1024)),
)

DEVICES: dict[str, Device] = {
    row[0]: Device(row[0], family, *row[1:])
    for family, rows in (("phone", _PHONES), ("tablet", _TABLETS))
    for row in rows
}
"""All 15 devices of GazeCapture by name."""

VARIABLE = "TINYTRACKER_DEVICES"
"""Environment variable that names another file of own devices."""

SQUARE = 0.05
"""Largest difference between a point's width and height; a larger one means exchanged or mistyped numbers."""


def find_device(name: str) -> Device:
    """Return the device with this name, ignoring case: one of GazeCapture or one's own.

    Raises:
        UnknownNameError: no such device.
        ConfigError: the file of own devices is damaged.
    """
    known = all_devices()
    by_lower_name = {known_name.lower(): device for known_name, device in known.items()}
    try:
        return by_lower_name[name.strip().lower()]
    except KeyError:
        raise UnknownNameError(
            "device", name, known, "Describe a device of your own with: tinytracker devices add"
        ) from None


def all_devices() -> dict[str, Device]:
    """Return the devices of GazeCapture and one's own, by name; raises `ConfigError` when the file is damaged."""
    path = own_devices_file()
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return DEVICES
    return DEVICES | _read_own(path, changed)


def own_devices() -> dict[str, Device]:
    """Return one's own devices, by name; raises `ConfigError` when the file is damaged."""
    return {name: device for name, device in all_devices().items() if name not in DEVICES}


def own_devices_file() -> Path:
    """Return the file of own devices: the one that the environment names, or devices.toml in the user's settings."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    settings = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(settings) / "tinytracker" / "devices.toml"


def add_device(device: Device, replace: bool = False) -> Path:
    """Add a device to one's own; returns the file.

    Args:
        device: its name must not be one of GazeCapture's.
        replace: whether it may replace one's own device of the same name.

    Raises:
        UsageError: a number is out of range, or the name is taken.
        OutputError: the file cannot be written.
        ConfigError: the file is damaged.
    """
    path = own_devices_file()
    problem = _problem(device)
    if problem:
        raise UsageError(f"{device.name}: {problem}.")
    if device.name.lower() in (name.lower() for name in DEVICES):
        raise UsageError(f"{device.name!r} is one of GazeCapture's devices.", "Choose another name.")
    own = {name.lower(): known for name, known in own_devices().items()}
    if device.name.lower() in own and not replace:
        raise UsageError(f"{device.name!r} is in {path} already.", "Add --replace to change it.")
    own[device.name.lower()] = device
    write_text(path, "\n".join(_as_toml(own[key]) for key in sorted(own)))
    return path


@lru_cache(maxsize=4)
def _read_own(path: Path, changed: int) -> dict[str, Device]:
    """Read a file of own devices; `changed`, its time, makes an edited file another entry of the cache."""
    try:
        rows = tomllib.loads(read_bytes(path).decode()).get("device", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "", f"not valid TOML ({error})") from None
    found: dict[str, Device] = {}
    for i, row in enumerate(rows if isinstance(rows, list) else [rows]):
        try:
            device = device_of_row(row)
            problem = _problem(device)
        except (TypeError, ValueError, AttributeError) as error:
            problem = str(error)
        if problem:
            raise ConfigError(
                str(path), f"device {i + 1}", problem, "tinytracker devices add writes a valid entry."
            )
        found[device.name] = device
    return found


def device_of_row(row: Mapping[str, Any]) -> Device:
    """Return a device from a row of devices.toml.

    Raises:
        TypeError, ValueError: a key is missing, unknown or of another type.
    """
    zoomed = row.get("zoomed_pt")
    rest = {key: value for key, value in row.items() if key != "zoomed_pt"}
    return Device(**rest, zoomed_pt=tuple(zoomed) if zoomed else None)


def _problem(device: Device) -> str:
    """Return what is wrong with a device that a user described, or ""."""
    if not device.name.strip():
        return "the name is empty"
    if device.family not in FAMILIES:
        return f"the family is {device.family!r}, not one of {', '.join(FAMILIES)}"
    for key in ("width_mm", "height_mm", "width_pt", "height_pt"):
        value = getattr(device, key)
        if not 0 < value < 10_000:
            return f"{key} is {value}; it must be above 0 and below 10000"
    for key in ("camera_dx_mm", "camera_dy_mm"):
        if not abs(getattr(device, key)) < 1000:
            return f"{key} is {getattr(device, key)}; it must be between -1000 and 1000"
    ratio = device.width_mm / device.width_pt / (device.height_mm / device.height_pt)
    if abs(ratio - 1) > SQUARE:
        return (
            f"a point would be {ratio:.2f} times as wide as high; check width and height in mm and in points"
        )
    return ""


def _as_toml(device: Device) -> str:
    lines = ["[[device]]"]
    for key, value in asdict(device).items():
        if value is not None:
            lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join(lines) + "\n"
