"""Draw the contact sheets of docs/synthetic-data.md with the current generator.

python benchmarks/synth_contact_sheets.py docs/images
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tinytracker.synth.boxes import detect, face_marks
from tinytracker.synth.render import Renderer
from tinytracker.synth.sitting import Sitting, plan_sitting, subject_streams

Picture = NDArray[np.uint8]
FRAMES = 40
QUALITY = 82


def subject(seed: int, index: int) -> tuple[Sitting, Renderer]:
    streams = subject_streams(seed, index)
    sitting = plan_sitting(streams, FRAMES, None, (480, 640), 1.0)
    return sitting, Renderer(sitting, streams)


def grid(pictures: Iterable[Picture], columns: int) -> Image.Image:
    """Return images of one size side by side, row by row."""
    tiles = list(pictures)
    rows = [np.concatenate(tiles[i : i + columns], 1) for i in range(0, len(tiles) - columns + 1, columns)]
    return Image.fromarray(np.concatenate(rows, 0))


def whole(picture: Picture, width: int, height: int) -> Picture:
    """Return the image in a box of this size, landscape images between black bars."""
    image = Image.fromarray(picture)
    image.thumbnail((width, height), Image.Resampling.LANCZOS)
    box = Image.new("RGB", (width, height))
    box.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return np.asarray(box)


def subjects_sheet(seed: int) -> Image.Image:
    """Return one frame of each of many subjects, in which a face was found."""
    tiles = []
    for i in range(24):
        sitting, renderer = subject(seed, i)
        found = [n for n, frame in enumerate(sitting.frames) if not frame.lost]
        tiles.append(whole(renderer.render(found[7]), 180, 240))
    return grid(tiles, 8)


def gaze_sheet(seed: int) -> Image.Image:
    """Return frames of four sittings, which show what varies within a subject."""
    return grid(
        (whole(subject(seed, i)[1].render(f), 180, 240) for i in (1, 9, 21) for f in range(0, 40, 5)), 8
    )


def crops_sheet(seed: int) -> Image.Image:
    """Return the 112 × 112 face crops that the network sees, at their own size."""
    tiles = []
    for i in range(30):
        sitting, renderer = subject(seed, i)
        face = detect(sitting.identity, sitting.frames, subject_streams(seed, i)["boxes"])["face"]
        number = int(np.flatnonzero(face.valid)[3])
        x, y, side = face.x[number], face.y[number], face.w[number]
        image = Image.fromarray(renderer.render(number))
        part = image.crop((int(x), int(y), int(x + side), int(y + side))).resize(
            (112, 112), Image.Resampling.BILINEAR
        )
        tiles.append(np.asarray(part))
    return grid(tiles, 10)


def eyes_sheet(seed: int) -> Image.Image:
    """Return eye regions of twelve subjects at 1:1."""
    tiles = []
    for i in range(12):
        sitting, renderer = subject(seed, i)
        marks = face_marks(sitting.identity, sitting.frames[7].camera, sitting.frames[7].pose)
        picture = renderer.render(7)
        height, width, _ = picture.shape
        x, y = np.clip((marks.left_eye + marks.right_eye) / 2, [130, 50], [width - 130, height - 50]).astype(
            int
        )
        tiles.append(picture[y - 50 : y + 50, x - 130 : x + 130])
    return grid(tiles, 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    sheets = {"subjects": subjects_sheet, "gaze": gaze_sheet, "crops": crops_sheet, "eyes": eyes_sheet}
    for name, draw in sheets.items():
        path = arguments.out / f"synth-{name}.jpg"
        draw(arguments.seed).save(path, quality=QUALITY, optimize=True)
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
