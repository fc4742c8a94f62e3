"""A planned frame to a picture: pose the mesh, draw face, eyes, hair and room, then what the camera makes of it."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tinytracker.synth import hair as hairs
from tinytracker.synth.atlas import texture_coordinates
from tinytracker.synth.background import SEEN_SHARE, SIDE, fill_background, paint_room
from tinytracker.synth.eyes import shade_eye
from tinytracker.synth.glasses import glasses_curves
from tinytracker.synth.head import SIDES, Head, load_head
from tinytracker.synth.identity import Identity
from tinytracker.synth.noise import TABLE
from tinytracker.synth.paint import paint_skin, smoothstep
from tinytracker.synth.raster import rasterize
from tinytracker.synth.scene import Camera, EyePose, aim_eyes, pose_vertices
from tinytracker.synth.sensor import NOISE, TONE, blur, blur_kernel, expose
from tinytracker.synth.session import Frame, Session
from tinytracker.synth.shade import shade_mesh, vertex_normals
from tinytracker.synth.strands import draw_strands, splat_shadow

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

EYE_SAMPLES = 2
"""The strip with eyes and brows is drawn at this many times the resolution, then averaged."""
SHADOW_SIDE, SHADOW_CM = 160, 17.0
COLLAR_CM = 56.5
FACE_LEVEL = 0.30
"""Linear signal that automatic exposure aims for on the middle of the picture."""


def _single(values: object) -> Singles:
    return np.ascontiguousarray(values, np.float32)


@dataclass(frozen=True)
class Strip:
    """A part of the picture at higher resolution: corner in px, size in its own px, samples per px."""

    x: int
    y: int
    width: int
    height: int
    samples: int


def lid_weights(eye: EyePose, side: str, closed: float) -> dict[str, float]:
    """Face units that make the lids follow the eye; the upper lid goes with the pupil (about 1:1 over 30°)."""
    name = side.capitalize()
    weights = {f"eyeLook{'Up' if eye.pitch > 0 else 'Down'}{name}": min(abs(eye.pitch) / np.radians(30), 1.3)}
    outward = eye.yaw if side == "left" else -eye.yaw
    weights[f"eyeLook{'Out' if outward > 0 else 'In'}{name}"] = min(abs(outward) / np.radians(35), 1.2)
    if closed > 0:
        weights[f"eyeBlink{name}"] = min(closed, 1.0)
    else:
        weights[f"eyeWide{name}"] = min(-closed, 0.5)
    return weights


def _face_units(identity: Identity, frame: Frame, eyes: dict[str, EyePose]) -> dict[str, float]:
    units: dict[str, float] = {}
    for source in (identity.neutral, frame.units):
        for name, weight in source.items():
            both = [name, name.replace("Left", "Right")] if name.endswith("Left") else [name]
            for unit in both:
                units[unit] = units.get(unit, 0.0) + weight
    for side, closed in zip(SIDES, frame.closed, strict=True):
        units |= lid_weights(eyes[side], side, closed)
    return units


class Renderer:
    """Draws the frames of one session; what stays the same over a session is made once."""

    def __init__(self, session: Session, streams: dict[str, np.random.Generator]) -> None:
        self._session = session
        self._head: Head = load_head()
        identity = session.identity
        self._texture = paint_skin(identity)
        self._room = paint_room(streams["background"], session.light)
        rng = streams["hair"]
        self._scalp = hairs.grow_scalp_hair(identity, rng)
        self._brows = hairs.grow_brows(identity, rng)
        self._beard = hairs.grow_beard(identity, rng)
        self._lashes = hairs.grow_lashes(identity, rng)
        self._noise_key = int(streams["noise"].integers(1 << 20))
        base = self._head.vertices
        self._attributes = _single(
            np.column_stack([texture_coordinates(base), self._head.occlusion, self._head.mouth, base])
        )
        self._kinds = self._head.is_teeth.astype(np.int32)
        self._clothed = self._cloth_offset(base)
        clothes = identity.clothes
        self._collar = COLLAR_CM + clothes.neckline
        self._cloth = _single(
            [
                *clothes.colour,
                *clothes.second,
                clothes.pattern,
                clothes.pattern_size,
                self._collar,
                0.28,
                0,
                0,
            ]
        )
        globe = identity.globe
        self._globe = _single(
            [globe.sclera_radius, globe.cornea_radius, globe.cornea_offset, globe.iris_depth, globe.iris_radius,
             globe.pupil_radius, globe.redness]
        )  # fmt: skip
        self._iris = _single([globe.iris_colour, globe.iris_inner])

    def _cloth_offset(self, base: Floats) -> Floats:
        """How far (n,) the shirt stands off the body, cm."""
        collar = COLLAR_CM + self._session.identity.clothes.neckline
        angle = np.arctan2(base[:, 0], base[:, 2] - 3.0)
        edge = collar - 2.6 * np.exp(-2.2 * angle**2)
        offset: Floats = self._session.identity.clothes.thickness * smoothstep(
            edge + 0.3, edge - 0.6, base[:, 1]
        )
        return offset

    def render(self, number: int) -> NDArray[np.uint8]:
        """Frame `number` as (height, width, 3) uint8 RGB."""
        session, frame = self._session, self._session.frames[number]
        camera, identity, light = frame.camera, session.identity, session.light
        eyes = aim_eyes(identity, frame.pose, frame.dot_cm)
        vertices = identity.vertices.copy()
        for unit, weight in _face_units(identity, frame, eyes).items():
            self._head.move(vertices, f"face/{unit}", weight)
        scene = pose_vertices(vertices, identity.neck, self._head.follows_head, frame.pose)
        positions = _single(scene)
        normals = vertex_normals(positions, self._head.triangles)
        scene = scene + self._clothed[:, None] * normals
        positions = _single(scene)
        screen = session.device.screen_rectangle_cm(int(session.dots.orientation[number]))
        lamps, sources = self._light(frame, screen)
        scalp = None
        if self._scalp is not None:
            scalp = self._scalp.points @ _single(frame.pose.head.T) + _single(frame.pose.position)
        shadow, axes = self._shadow(positions, frame, scalp)

        view = _single([camera.focal, camera.width / 2, camera.height / 2])
        depth = positions[:, 2]
        inverse_depth = 1 / np.maximum(depth, np.float32(1))
        xy = _single(camera.project(scene))
        strip = self._strip(camera, eyes)
        index, inverse = rasterize(xy, depth, self._head.triangles, camera.width, camera.height, -1)
        image = np.zeros((camera.height, camera.width, 3), np.float32)
        turn = np.arctan2(frame.pose.position[:2], frame.pose.position[2])
        zoom = SIDE * SEEN_SHARE / max(camera.width, camera.height)
        fill_background(image, index, self._room, 40 * turn[0], 40 * turn[1], zoom)
        n = EYE_SAMPLES
        skip = np.array([strip.x, strip.y, strip.x + strip.width // n, strip.y + strip.height // n], np.int32)
        shared = (inverse_depth, normals, self._attributes, self._head.triangles, self._kinds, self._texture, self._cloth,
                  TABLE, lamps, sources, shadow, axes)  # fmt: skip
        shade_mesh(image, index, inverse, view, xy, *shared, skip)
        self._draw_strip(image, strip, view, xy, depth, shared, scene, frame, eyes, screen, lamps, sources)
        beard = self._beard
        if beard is not None:
            self._draw(image, inverse, view, hairs.skin_points(beard, scene, frame.pose.head), beard.colours, beard.widths,
                       (0.85, 0.25, 0.6, 0.5), lamps, sources)  # fmt: skip
        if self._scalp is not None and scalp is not None:
            opacity = 0.75 if identity.hair.style == "buzz" else 0.85
            self._draw(image, inverse, view, scalp, self._scalp.colours, self._scalp.widths, (opacity, 0.7, 0.45, 0.35),
                       lamps, sources)  # fmt: skip
        if identity.glasses is not None:
            for points, width in glasses_curves(identity, identity.glasses):
                curve = _single(points @ frame.pose.head.T + frame.pose.position)[None]
                self._draw(image, inverse, view, curve, _single(identity.glasses.colour)[None], _single([width]),
                           (0.97, 0.8, 1.0, 0.6), lamps, sources)  # fmt: skip
        return self._develop(image, frame, number)

    def _light(self, frame: Frame, screen: tuple[float, float, float, float]) -> tuple[Singles, Singles]:
        """(3, 3) sky, ground, up and (k, 7) sources; the last source is the screen."""
        light = self._session.light
        up = frame.pose.torso[:, 1]
        toward = np.array([(screen[0] + screen[2]) / 2, (screen[1] + screen[3]) / 2, 0]) - frame.pose.position
        toward /= np.linalg.norm(toward)
        rows = [[*d, *c, s] for d, c, s in zip(light.directions, light.colours, light.softness, strict=True)]
        rows.append([*toward, *(light.screen * light.screen_share), 0.6])
        return _single([light.sky, light.ground, up]), _single(rows)

    def _shadow(self, positions: Singles, frame: Frame, scalp: Singles | None) -> tuple[Singles, Singles]:
        """Depth of the head as the key light sees it, and the way from the scene to that picture."""
        d = self._session.light.directions[0]
        side = np.cross(d, [0.0, 1.0, 0.0] if abs(d[1]) < 0.95 else [1.0, 0.0, 0.0])
        side /= np.linalg.norm(side)
        scale = SHADOW_SIDE / (2 * SHADOW_CM)
        origin = frame.pose.position + frame.pose.head @ [0, -3.0, -7.0]
        corner = origin - (side + np.cross(d, side)) * SHADOW_CM + d * 60
        axes = _single([side * scale, np.cross(d, side) * scale, -d, corner])
        local = (positions - axes[3]) @ axes[:3].T
        _, inverse = rasterize(
            _single(local[:, :2]), _single(local[:, 2]), self._head.triangles, SHADOW_SIDE, SHADOW_SIDE, 0
        )
        if scalp is not None:
            splat_shadow(inverse, axes, scalp)
        return inverse, axes

    def _strip(self, camera: Camera, eyes: dict[str, EyePose]) -> Strip:
        """The rectangle around both eyes and brows."""
        uv = camera.project(np.stack([e.centre for e in eyes.values()]))
        cm = camera.focal / min(e.centre[2] for e in eyes.values())
        low, high = uv.min(0) - cm * np.array([2.9, 2.9]), uv.max(0) + cm * np.array([2.9, 1.9])
        x0, y0 = (int(v) for v in np.clip(np.floor(low), 0, [camera.width - 1, camera.height - 1]))
        x1, y1 = (int(v) for v in np.clip(np.ceil(high), 1, [camera.width, camera.height]))
        return Strip(x0, y0, max(x1 - x0, 1) * EYE_SAMPLES, max(y1 - y0, 1) * EYE_SAMPLES, EYE_SAMPLES)

    def _draw_strip(
        self, image: Singles, strip: Strip, view: Singles, xy: Singles, depth: Singles, shared: tuple[object, ...],
        scene: Floats, frame: Frame, eyes: dict[str, EyePose], screen: tuple[float, ...], lamps: Singles, sources: Singles,
    ) -> None:  # fmt: skip
        """Eyes, lids, lashes and brows at `EYE_SAMPLES` times the resolution, averaged into the picture."""
        n = strip.samples
        fine_view = _single([view[0] * n, (view[1] - strip.x) * n, (view[2] - strip.y) * n])
        fine_xy = _single((xy - np.array([strip.x, strip.y], np.float32)) * n)
        index, inverse = rasterize(fine_xy, depth, self._head.triangles, strip.width, strip.height, -1)
        rows, columns = strip.height // n, strip.width // n
        part = image[strip.y : strip.y + rows, strip.x : strip.x + columns]
        fine = np.repeat(np.repeat(part, n, 0), n, 1)
        shade_mesh(fine, index, inverse, fine_view, fine_xy, *shared, np.zeros(4, np.int32))  # type: ignore[call-arg]
        light = self._session.light
        glints = _single([*light.glint, 1.0])
        up = _single(frame.pose.head[:, 1])
        for eye in eyes.values():
            shade_eye(fine, inverse, fine_view, _single(eye.centre), _single(eye.optical), up, self._globe, self._iris, TABLE,
                      lamps, sources, glints, _single(screen), _single(light.screen * 2.0), 0.8)  # fmt: skip
        dark = _single(np.minimum(self._session.identity.skin.brow_colour * 0.5, 0.02))
        for lashes in self._lashes:
            points = _single(hairs.lash_points(lashes, scene))
            count = len(points)
            self._draw(fine, inverse, fine_view, points, np.repeat(dark[None], count, 0), np.full(count, 0.016, np.float32),
                       (0.9, 0.2, 1.0, 0.25), lamps, sources)  # fmt: skip
        brows = self._brows
        self._draw(fine, inverse, fine_view, hairs.skin_points(brows, scene, frame.pose.head), brows.colours, brows.widths,
                   (0.8 * self._session.identity.skin.brow_density, 0.2, 0.7, 0.35), lamps, sources)  # fmt: skip
        part[:] = fine.reshape(rows, n, columns, n, 3).mean((1, 3))

    def _draw(
        self, image: Singles, inverse: Singles, view: Singles, points: NDArray[np.floating], colours: Singles, widths: Singles,
        look: tuple[float, float, float, float], lamps: Singles, sources: Singles,
    ) -> None:  # fmt: skip
        """Strands, far to near; `look` is opacity, shine, light at the roots, bias (cm)."""
        curves = _single(points)
        order = np.argsort(-curves[:, curves.shape[1] // 2, 2], kind="stable")
        draw_strands(
            image,
            inverse,
            view,
            curves,
            order,
            colours,
            widths,
            *(np.float32(v) for v in look),
            lamps,
            sources,
        )

    def _develop(self, image: Singles, frame: Frame, number: int) -> NDArray[np.uint8]:
        """What the camera makes of the light."""
        sensor, exposure = self._session.sensor, frame.exposure
        height, width, _ = image.shape
        # A short shake is a slightly wider blur along its direction.
        across = blur_kernel(float(np.hypot(exposure.blur, exposure.motion[0] / 2)))
        down = blur_kernel(float(np.hypot(exposure.blur, exposure.motion[1] / 2)))
        soft = blur(image, across, down)
        middle = soft[height // 4 : 3 * height // 4 : 4, width // 4 : 3 * width // 4 : 4]
        whole = soft[::8, ::8]
        level = 0.7 * float(np.minimum(middle, 3).mean()) + 0.3 * float(np.minimum(whole, 3).mean())
        gain = FACE_LEVEL / max(level, 0.02) ** 0.92 * exposure.gain * sensor.balance
        lift = max(float(gain.mean()), 1.0)
        return expose(
            soft, _single(gain), np.float32(sensor.vignette), np.float32(sensor.shot * lift), np.float32(sensor.read * lift**0.5),
            np.float32(sensor.sharpening), NOISE, self._noise_key + number, TONE,
        )  # fmt: skip


def encode_jpeg(picture: NDArray[np.uint8], quality: int) -> bytes:
    """Baseline JPEG bytes of an RGB picture."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return buffer.getvalue()
