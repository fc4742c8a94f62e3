"""A tiny GazeCapture folder of noise or shades: fast, no renderer, but consistent in every file."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tinytracker.data.devices import DEVICES, find_device
from tinytracker.data.gazecapture import Boxes, Recording, write_recording

FRAME_SIZE = (96, 128)  # width, height in portrait; the real data has 480 × 640
GRID_CELLS = 25
SPLIT_CYCLE = ("train", "val", "test", "train")


def make_recording(
    name: str,
    frames: int = 6,
    seed: int = 0,
    dataset: str = "train",
    device_name: str = "iPhone 6",
    orientation: int = 1,
    frame_size: tuple[int, int] = FRAME_SIZE,
) -> Recording:
    """A consistent recording: every frame is usable and the labels agree with the device table."""
    rng = np.random.default_rng([seed, int(name)])
    width, height = frame_size if orientation <= 2 else frame_size[::-1]
    device = find_device(device_name)
    screen_w, screen_h = device.screen_points(orientation)
    ones = np.ones(frames, bool)
    side = rng.uniform(0.4, 0.5, frames) * width
    face = Boxes(rng.uniform(0, width - side), rng.uniform(0, height - side), side, side, ones)
    eye_side = 0.3 * side
    x_pts, y_pts = rng.uniform(0, screen_w, frames), rng.uniform(0, screen_h, frames)
    gaze = device.to_camera_cm(x_pts, y_pts, screen_w, screen_h, orientation)
    low = [np.round(edge * GRID_CELLS / size) + 1 for edge, size in ((face.x, width), (face.y, height))]
    extent = [np.round(side * GRID_CELLS / size) for size in (width, height)]
    return Recording(
        name=name,
        dataset=dataset,
        device_name=device_name,
        frame_names=tuple(f"{i:05d}.jpg" for i in range(frames)),
        face=face,
        # the subject's left eye is on the right of the image
        left_eye=Boxes(0.55 * side, 0.25 * side, eye_side, eye_side, ones),
        right_eye=Boxes(0.15 * side, 0.25 * side, eye_side, eye_side, ones),
        face_grid=Boxes(low[0], low[1], extent[0], extent[1], ones),
        dot_num=np.arange(frames) // 3,
        x_pts=x_pts,
        y_pts=y_pts,
        x_cam=gaze[:, 0],
        y_cam=gaze[:, 1],
        dot_time=(np.arange(frames) % 3) / 10,
        screen_w=np.full(frames, screen_w),
        screen_h=np.full(frames, screen_h),
        orientation=np.full(frames, orientation),
        motion=({"DotNum": 0, "Time": 0.0, "GravityX": [0.0, -1.0, 0.0]},),
    )


def noise_jpegs(
    recording: Recording, seed: int = 0, frame_size: tuple[int, int] = FRAME_SIZE
) -> Iterator[bytes]:
    """One JPEG of smooth random noise per frame."""
    rng = np.random.default_rng([seed, int(recording.name), 1])
    for orientation in recording.orientation:
        size = frame_size if orientation <= 2 else frame_size[::-1]
        coarse = Image.fromarray(rng.integers(0, 256, (16, 12, 3), np.uint8))
        yield _jpeg(coarse.resize(size, Image.Resampling.BICUBIC))


def shaded_jpegs(
    recording: Recording, seed: int = 0, frame_size: tuple[int, int] = FRAME_SIZE
) -> Iterator[bytes]:
    """One JPEG per frame whose face box gets brighter towards the gaze: what any network learns in seconds."""
    rng = np.random.default_rng([seed, int(recording.name), 2])
    for i, orientation in enumerate(recording.orientation):
        width, height = frame_size if orientation <= 2 else frame_size[::-1]
        side = recording.face.w[i] / 2
        right = (np.arange(width)[None, :] - recording.face.x[i]) / side - 1
        up = 1 - (np.arange(height)[:, None] - recording.face.y[i]) / side
        grey = 128 + 6 * (recording.x_cam[i] * right + recording.y_cam[i] * up)
        grey = grey + rng.normal(0, 4, (height, width))
        yield _jpeg(Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert("RGB"))


def eyed_jpegs(
    recording: Recording, seed: int = 0, frame_size: tuple[int, int] = FRAME_SIZE
) -> Iterator[bytes]:
    """One JPEG per frame: grey, with a dark disc in the centre of each eye box."""
    for i, orientation in enumerate(recording.orientation):
        width, height = frame_size if orientation <= 2 else frame_size[::-1]
        grey = np.full((height, width), 160.0)
        for box in (recording.left_eye, recording.right_eye):
            x, y = (
                recording.face.x[i] + box.x[i] + box.w[i] / 2,
                recording.face.y[i] + box.y[i] + box.h[i] / 2,
            )
            away = np.hypot(np.arange(width)[None, :] + 0.5 - x, np.arange(height)[:, None] + 0.5 - y)
            grey -= 130 * np.clip(recording.face.w[i] / 12 - away, 0, 1)
        yield _jpeg(Image.fromarray(grey.astype(np.uint8)).convert("RGB"))


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def make_folder(
    root: Path,
    subjects: int = 4,
    frames: int = 6,
    seed: int = 0,
    frame_size: tuple[int, int] = FRAME_SIZE,
    jpegs: Callable[[Recording, int, tuple[int, int]], Iterator[bytes]] = noise_jpegs,
) -> list[Recording]:
    """Write `subjects` consistent subjects below `root`; splits cycle train, val, test, train.

    Devices and orientations vary with the subject. The same arguments always write the same bytes.
    """
    recordings = []
    names = list(DEVICES)
    for i in range(subjects):
        device = DEVICES[names[(7 * i) % len(names)]]
        orientation = (1, 3, 4, 2)[i % 4] if device.family == "tablet" else (1, 3, 4)[i % 3]
        recording = make_recording(
            f"{i:05d}", frames, seed, SPLIT_CYCLE[i % 4], device.name, orientation, frame_size
        )
        write_recording(root, recording, jpegs(recording, seed, frame_size))
        recordings.append(recording)
    return recordings
