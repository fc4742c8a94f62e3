"""The pictures show what the plan says: depth, gaze, lids, and nothing that depends on the run."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytracker.synth.boxes import face_marks
from tinytracker.synth.clothes import draped
from tinytracker.synth.expression import lid_weights
from tinytracker.synth.eyes import Eyeball, EyeLight, Globe, shade_eye
from tinytracker.synth.head import load_head
from tinytracker.synth.jit import F, compiled
from tinytracker.synth.noise import TABLE
from tinytracker.synth.raster import rasterize
from tinytracker.synth.render import Renderer
from tinytracker.synth.scene import Camera, EyePose
from tinytracker.synth.sensor import blur, blur_kernel, expose, tone_curve
from tinytracker.synth.shade import Lamps, Mesh, Surface, shade_mesh
from tinytracker.synth.sitting import plan_sitting, subject_streams

SIZE = (120, 160)


def renderer(index: int, frames: int = 3, **changes: object) -> Renderer:
    streams = subject_streams(7, index)
    sitting = plan_sitting(streams, frames, None, SIZE, 1.0)
    if changes:
        sitting = replace(sitting, frames=tuple(replace(f, **changes) for f in sitting.frames))
    return Renderer(sitting, streams)


corner = st.tuples(st.floats(-5, 25), st.floats(-5, 25), st.floats(2, 50))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(corner, corner, corner), min_size=1, max_size=6))
def test_raster_shows_the_nearest_triangle(triangles):
    points = np.array(triangles, np.float32).reshape(-1, 3)
    index = np.arange(len(points), dtype=np.int32).reshape(-1, 3)
    shown, inverse = rasterize(
        np.ascontiguousarray(points[:, :2]), np.ascontiguousarray(points[:, 2]), index, 20, 20, 0
    )
    expected = np.zeros((20, 20))
    unsure = np.zeros((20, 20), bool)
    x, y = np.meshgrid(np.arange(20) + 0.5, np.arange(20) + 0.5)
    for a, b, c in points.astype(float).reshape(-1, 3, 3):
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if abs(area) < 1e-3:
            unsure[:] = True  # a sliver: where its edge runs is a matter of rounding
            continue
        u = ((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) / area
        v = ((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) / area
        w = 1 - u - v
        near = np.minimum(np.minimum(u, v), w)
        unsure |= np.abs(near) < 1e-3
        expected = np.where(near >= 0, np.maximum(expected, u / a[2] + v / b[2] + w / c[2]), expected)
    sure = ~unsure
    assert np.allclose(inverse[sure], expected[sure], rtol=1e-2, atol=1e-4)
    assert ((shown >= 0) == (inverse > 0)).all()


def test_facing_culls_one_side():
    xy = np.array([[2, 2], [15, 2], [2, 15]], np.float32)
    depth = np.full(3, 5, np.float32)
    triangle = np.array([[0, 1, 2]], np.int32)
    drawn = [(rasterize(xy, depth, triangle, 16, 16, side)[0] >= 0).any() for side in (-1, 0, 1)]
    assert drawn == [False, True, True]


@pytest.mark.parametrize("yaw", [-0.3, 0.0, 0.3])
@pytest.mark.parametrize("pitch", [-0.25, 0.2])
def test_pupil_is_where_the_optical_axis_points(yaw, pitch):
    """The bare eyeball, enlarged: the dark disc's centre lies on the axis, about as deep as the iris."""
    view = np.array([4000.0, 160.0, 160.0], np.float32)
    centre = np.array([0.0, 0.0, 40.0])
    axis = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), -np.cos(yaw) * np.cos(pitch)])
    image = np.zeros((320, 320, 3), np.float32)
    ambient = np.array([[1, 1, 1], [1, 1, 1], [0, 1, 0]], np.float32)
    eye = Eyeball(
        centre.astype(np.float32), axis.astype(np.float32), np.array([0, 1, 0], np.float32),
        Globe(F(1.21), F(0.78), F(0.565), F(0.985), F(0.585), F(0.2), F(0), F(1), F(0)),
        np.full((2, 3), 0.3, np.float32),
    )  # fmt: skip
    light = EyeLight(
        ambient, np.zeros((0, 7), np.float32), np.zeros(0, np.float32), F(1),
        np.array([1, 1, 0, 0], np.float32), np.zeros(3, np.float32),
    )  # fmt: skip
    shade_eye(image, np.zeros((320, 320), np.float32), view, eye, light, TABLE)
    ys, xs = np.nonzero((image.sum(2) < 0.12) & (image.sum(2) > 0))
    found = np.array([xs.mean() + 0.5, ys.mean() + 0.5])
    # Seen through the cornea the pupil is enlarged and lies a little nearer than it is.
    camera = Camera(320, 320, 4000.0)
    on_axis = [camera.project(centre + axis * depth) for depth in np.linspace(0.95, 1.15, 21)]
    assert min(np.linalg.norm(found - p) for p in on_axis) < 4  # px, of 100 per cm
    radius = np.sqrt(len(xs) / np.pi) / 100
    assert 0.2 < radius < 0.26


def test_gaze_changes_the_eyes_and_little_else():
    plain = renderer(1)
    pose = plain._sitting.frames[0].pose
    camera = plain._sitting.frames[0].camera
    looks = [renderer(1, dot_cm=np.array(dot)).render(0).astype(float) for dot in ([-6.0, -4.0], [6.0, -4.0])]
    change = np.abs(looks[0] - looks[1]).max(2)
    marks = face_marks(plain._sitting.identity, camera, pose)
    rows, columns = np.mgrid[0 : camera.height, 0 : camera.width]
    near = np.zeros(change.shape, bool)
    for x, y in (marks.left_eye, marks.right_eye):
        near |= np.hypot(columns - x, rows - y) < 2.5 * marks.px_per_cm
    assert change[near].max() > 20
    assert change[~near].mean() < 1


def test_shares_of_light_below_zero_leave_no_holes():
    # One triangle over the whole picture, all of whose shares are below zero: what rounding does at a silhouette.
    size = 8
    xy = np.array([[-50, -50], [150, -50], [-50, 150]], np.float32)
    depth = np.full(3, 1 / 40, np.float32)
    normals = np.tile(np.array([0, 0, -1], np.float32), (3, 1))
    attributes = np.tile(np.array([5, 5, -1e-6, 0, 0, 0, 0, -1e-6], np.float32), (3, 1))
    image = np.full((size, size, 3), -1, np.float32)
    mesh = Mesh(xy, depth, normals, attributes, np.array([[0, 1, 2]], np.int32), np.zeros(1, np.int32))
    surface = Surface(np.full((16, 16, 6), 0.5, np.float32), np.full(9, -99, np.float32), TABLE)
    lamps = Lamps(np.eye(3, dtype=np.float32), np.array([[0, 0, -1, 1, 1, 1, 0]], np.float32))
    shade_mesh(
        image, np.zeros((size, size), np.int32), np.full((size, size), 1 / 40, np.float32),
        np.array([100, 4, 4], np.float32), mesh, surface, lamps, np.zeros(4, np.int32),
    )  # fmt: skip
    assert np.isfinite(image).all()
    assert image.min() >= 0


def test_a_pixel_that_is_no_number_stays_alone():
    size = 32
    image = np.full((size, size, 3), 0.2, np.float32)
    image[10, 12, 0] = np.nan
    ones, zero = np.ones(3, np.float32), F(0)
    tone = tone_curve(0.0)
    shown = expose(image, ones, zero, zero, zero, zero, np.zeros(6 * size, np.float32), 0, tone)
    image[10, 12, 0] = 0.2
    whole = expose(image, ones, zero, zero, zero, zero, np.zeros(6 * size, np.float32), 0, tone)
    assert (shown != whole).sum() <= 1


def test_a_frame_is_a_pure_function_of_its_number():
    forward, backward = renderer(2), renderer(2)
    first = [forward.render(i) for i in (0, 1, 2)]
    second = [backward.render(i) for i in (2, 1, 0)][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0], first[1])


def test_lids_follow_the_eye():
    down = lid_weights(EyePose(np.zeros(3), np.zeros(3), 0.2, -0.3), "left", 0.0)
    up = lid_weights(EyePose(np.zeros(3), np.zeros(3), 0.2, 0.3), "right", 0.7)
    assert down["eyeLookDownLeft"] > 0.2
    assert "eyeLookUpLeft" not in down
    assert down["eyeLookOutLeft"] > 0
    assert up["eyeLookUpRight"] > 0.2
    assert up["eyeLookInRight"] > 0
    assert up["eyeBlinkRight"] == 0.7


def test_draping_moves_the_chest_only():
    identity = renderer(3)._sitting.identity
    moved = np.abs(draped(identity.vertices) - identity.vertices).max(1)
    base = load_head().vertices
    assert moved[(base[:, 1] > 51) | (base[:, 1] < 29)].max() == 0
    assert 0.05 < moved.max() < 3


@given(st.floats(0.05, 4))
def test_blur_keeps_light(sigma):
    kernel = blur_kernel(sigma)
    assert np.isclose(2 * kernel.sum() - kernel[0], 1, atol=1e-6)
    assert (np.diff(kernel) <= 0).all()


def test_blur_equals_the_plain_sum():
    rng = np.random.default_rng(0)
    image = rng.random((9, 11, 3)).astype(np.float32)
    across, down = blur_kernel(0.8), blur_kernel(1.4)
    n, m = len(down) - 1, len(across) - 1
    padded = np.pad(image, ((n, n), (m, m), (0, 0)), "edge")
    expected = np.zeros_like(image)
    for i in range(-n, n + 1):
        for j in range(-m, m + 1):
            expected += down[abs(i)] * across[abs(j)] * padded[n + i : n + i + 9, m + j : m + j + 11]
    assert np.allclose(blur(image, across, down), expected, atol=1e-5)


@pytest.mark.parametrize("contrast", [-0.25, 0.0, 0.8])
def test_tone_curve_rises_from_black_to_white(contrast):
    tone = tone_curve(contrast)
    assert tone[0] == 0
    assert tone[-1] > 250
    assert (np.diff(tone) >= 0).all()


def test_contrast_darkens_shadows_and_brightens_lights():
    flat, steep = tone_curve(0.0), tone_curve(0.5)
    assert (steep - flat)[flat < 100].max() <= 0
    assert (steep - flat)[(flat > 160) & (flat < 240)].min() > 0


def test_code_is_cached_even_where_nothing_is_writable(monkeypatch, tmp_path):
    from numba.core import caching

    # The names differ between numba's versions; all but the one that obeys CACHE_DIR are switched off.
    for name, locator in vars(caching).items():
        if "CacheLocator" not in name or "UserProvided" in name or not hasattr(locator, "from_function"):
            continue
        monkeypatch.setattr(locator, "from_function", classmethod(lambda cls, *a: None))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")

    def double(x: float) -> float:
        return 2 * x

    assert compiled(double)(2.0) == 4.0
    assert list(tmp_path.rglob("*.nbi"))
