"""Parts of a frame are decoded with the same result as the whole frame, and damage is found alike."""

import io

import numpy as np
import pytest
from PIL import Image

from tinytracker.data.crops import cut
from tinytracker.data.images import Frame, SkipFrameError, decode

KINDS = {
    "4:2:0": {"subsampling": 2},
    "4:2:2": {"subsampling": 1},
    "4:4:4": {"subsampling": 0},
    "progressive": {"subsampling": 2, "progressive": True},
    "restarts": {"subsampling": 2, "restart_marker_rows": 1},
}


def encoded(rng, width, height, image_format="JPEG", mode="RGB", **options):
    """A picture of coarse shapes with fine noise."""
    blobs = Image.fromarray(rng.integers(0, 256, (9, 7, 3), np.uint8)).resize((width, height))
    noisy = np.clip(np.asarray(blobs) + rng.normal(0, 12, (height, width, 3)), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noisy).convert(mode).save(buffer, image_format, **options)
    return buffer.getvalue()


def boxes(rng, width, height, count):
    """Boxes inside, across the edges, and outside of a frame."""
    for _ in range(count):
        w, h = rng.uniform(1, 1.2 * width), rng.uniform(1, 1.2 * height)
        yield np.array([rng.uniform(-w, width), rng.uniform(-h, height), w, h])
    yield np.array([0.0, 0.0, width, height])
    yield np.array([width + 100.0, height + 100.0, 20.0, 20.0])


def result(work):
    """What a function returns, or the reason that it gives."""
    try:
        return work()
    except SkipFrameError as skip:
        return skip.reason, skip.detail


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_equals_the_same_part_of_the_whole(kind):
    rng = np.random.default_rng(5)
    for width, height in ((480, 640), (333, 251), (40, 17)):
        content = encoded(rng, width, height, quality=int(rng.integers(40, 97)), **KINDS[kind])
        whole = decode(content)
        for box in boxes(rng, width, height, 12):
            frame = Frame(content)
            part = frame.cut(box)
            assert (frame.width, frame.height) == (width, height)
            assert np.array_equal(part, cut(whole, box)), (kind, width, height, box)
        small = Frame(content)
        small.cut(np.array([2.0, 3.0, 9.0, 9.0]))
        assert ("pixels" in small.__dict__) == (kind == "progressive"), "decoded in whole, or not"


@pytest.mark.parametrize(
    "options", [{"image_format": "PNG"}, {"mode": "L"}, {"mode": "CMYK"}], ids=["png", "grey", "cmyk"]
)
def test_other_images_are_decoded_as_before(options):
    rng = np.random.default_rng(6)
    content = encoded(rng, 90, 70, **options)
    for box in boxes(rng, 90, 70, 5):
        assert np.array_equal(Frame(content).cut(box), cut(decode(content), box))


def test_damage_gives_the_same_pixels_or_the_same_reason():
    rng = np.random.default_rng(7)
    for kind, options in KINDS.items():
        content = encoded(rng, 120, 160, quality=85, **options)
        for attempt in range(60):
            damaged = bytearray(content)
            if attempt % 3 == 0:
                damaged = damaged[: int(rng.integers(0, len(content)))]
            elif attempt % 3 == 1:
                start = int(rng.integers(2, len(content) - 40))
                del damaged[start : start + int(rng.integers(1, 40))]
            else:
                for at in rng.integers(2, len(content) - 2, 3):
                    damaged[at] = rng.integers(256)
            box = np.array([30.0, 20.0, 50.0, 60.0])

            def whole(damaged=damaged, box=box):
                return cut(decode(bytes(damaged)), box)

            def part(damaged=damaged, box=box):
                return Frame(bytes(damaged)).cut(box)

            expected, found = result(whole), result(part)
            if isinstance(expected, np.ndarray) and isinstance(found, np.ndarray):
                same = np.array_equal(expected, found)
            else:
                same = type(expected) is type(found) and expected == found
            assert same, (kind, attempt, str(expected)[:200], str(found)[:200])
