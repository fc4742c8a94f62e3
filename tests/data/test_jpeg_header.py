"""The short reader of JPEG headers agrees with Pillow, or leaves the header to it."""

import io

import numpy as np
import pytest
from PIL import Image

from tinytracker.data.jpeg_header import plain_jpeg

PLAIN = {"4:2:0": {"subsampling": 2}, "4:4:4": {"subsampling": 0}, "restarts": {"restart_marker_rows": 1}}
OTHER = {
    "progressive": {"progressive": True},
    "Exif": {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"},
    "a comment": {"comment": b"made by hand"},
    "a profile": {"icc_profile": b"profile"},
}


def encoded(mode="RGB", size=(37, 23), **options):
    buffer = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(noise).convert(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def pillows(content):
    """Size and start of the scan, as Pillow reads them; None where it refuses."""
    stream = io.BytesIO(content)
    try:
        with Image.open(stream) as image:
            return (*image.size, stream.tell()) if (image.format, image.mode) == ("JPEG", "RGB") else None
    except Exception:
        return None


@pytest.mark.parametrize("kind", PLAIN)
def test_a_plain_header_is_read_as_pillow_reads_it(kind):
    for size in ((37, 23), (640, 480), (1, 1)):
        content = encoded(size=size, **PLAIN[kind])
        assert tuple(plain_jpeg(content)) == pillows(content)


@pytest.mark.parametrize("kind", OTHER)
def test_other_segments_are_left_to_pillow(kind):
    assert plain_jpeg(encoded(**OTHER[kind])) is None


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_colours_are_left_to_pillow(mode):
    assert plain_jpeg(encoded(mode)) is None


def test_a_picture_that_would_fill_the_memory_is_left_to_pillow():
    content = bytearray(encoded())
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    assert plain_jpeg(bytes(content)) is None


def test_damaged_headers_are_read_as_pillow_reads_them_or_left_to_it():
    """In whatever this reader accepts, Pillow finds the same; what it refuses is not looked at."""
    rng = np.random.default_rng(2)
    content = encoded()
    start = plain_jpeg(content).scan
    accepted = 0
    for attempt in range(3000):
        damaged = bytearray(content)
        if attempt % 3 == 0:
            at = int(rng.integers(2, start))
            del damaged[at : at + int(rng.integers(1, 9))]
        elif attempt % 3 == 1:
            damaged = damaged[: int(rng.integers(0, start + 2))]
        for at in rng.integers(2, start, int(rng.integers(1, 4))):
            if at < len(damaged):
                damaged[at] = rng.integers(256)
        found = plain_jpeg(bytes(damaged))
        if found is not None:
            accepted += 1
            assert tuple(found) == pillows(bytes(damaged)), attempt
    assert accepted > 300
