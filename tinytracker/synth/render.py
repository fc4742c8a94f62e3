"""Renders a planned frame: room, face, eyes, hair, glasses, and the camera's processing."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from tinytracker.synth import facial_hair, headwear
from tinytracker.synth.atlas import texture_coordinates
from tinytracker.synth.background import fill_background, paint_room, room_zoom, window_into_room
from tinytracker.synth.clothes import draped, fold_normals, shader_parameters, smoothed, stand_off
from tinytracker.synth.expression import face_units
from tinytracker.synth.eye_region import KEY_LOSS, hollow_field, lid_edge, openness
from tinytracker.synth.eyes import Eyeball, EyeLight, Globe, shade_eye
from tinytracker.synth.face_front import FaceFront
from tinytracker.synth.glasses import glasses_curves, lens_frames
from tinytracker.synth.hair import grow_lock, grow_scalp_hair
from tinytracker.synth.hands import draw_capsules, hand_capsules
from tinytracker.synth.head import SIDES, Side, load_head
from tinytracker.synth.jit import F
from tinytracker.synth.lens import draw_finger, draw_lens, soften_edges
from tinytracker.synth.lighting import key_shadow, lamps
from tinytracker.synth.noise import TABLE
from tinytracker.synth.paint import paint_skin
from tinytracker.synth.raster import rasterize
from tinytracker.synth.scene import Camera, EyePose, aim_eyes, pose_vertices
from tinytracker.synth.sensor import develop
from tinytracker.synth.shade import HEADWEAR, Lamps, Mesh, Surface, shade_mesh
from tinytracker.synth.shot import (
    BEARD_LOOK,
    BRIM_LOOK,
    BUZZ_LOOK,
    FRAME_LOOK,
    LASH_CM,
    LASH_LOOK,
    SCALP_LOOK,
    Shot,
    Singles,
    StrandLook,
    View,
    single,
)
from tinytracker.synth.sitting import Sitting
from tinytracker.synth.strands import Look, Strands, draw_strands, place_strands, splat_shadow
from tinytracker.synth.supersample import average_into, enlarged
from tinytracker.synth.surface import vertex_normals, vertex_shadows

EYE_SAMPLES = 2
"""Supersampling factor per axis of the strip with eyes and brows."""
STRIP_ABOVE_CM, STRIP_BELOW_CM, STRIP_ASIDE_CM = 2.7, 1.6, 2.4
SCREEN_RADIANCE = 5.0
"""Radiance of a bright screen relative to that of a lit face."""
KEY_ON_EYES = 0.8
SCARF_ROUNDS = 6
ROOM_SHIFT_PX = 60.0
"""Largest shift of the view in a picture of the room without the person, in px of the painted room."""


class Renderer:
    """Draws the frames of one sitting; everything constant over a sitting is computed once."""

    def __init__(self, sitting: Sitting, streams: dict[str, np.random.Generator]) -> None:
        self._sitting = sitting
        self._head = load_head()
        identity = sitting.identity
        self._texture = paint_skin(identity)
        self._room = paint_room(streams["background"], sitting.light)
        rng = streams["hair"]
        self._scalp = headwear.hide_hair(grow_scalp_hair(identity, rng), identity)
        front = FaceFront.of(identity.vertices)
        self._lock = grow_lock(identity, front, streams["texture"])
        self._brows = facial_hair.grow_brows(identity, rng)
        self._beard = facial_hair.grow_beard(identity, rng)
        self._lashes = facial_hair.grow_lashes(identity, rng)
        self._noise_key = int(streams["noise"].integers(1 << 20))
        base = self._head.vertices
        columns = [
            texture_coordinates(base),
            openness(self._head.occlusion, identity.region) * headwear.brim_shade(identity.extras.headwear),
            self._head.mouth,
            base,
            np.ones(len(base)),
        ]
        self._attributes = single(np.column_stack(columns))
        self._key_loss = single(KEY_LOSS * identity.region.hollow * hollow_field(base))
        cloth = headwear.cover(identity.extras.headwear, base)
        self._kinds = self._head.is_teeth.astype(np.int32)
        self._kinds[cloth[self._head.triangles].mean(1) > 0.5] = HEADWEAR
        orientations = {int(held) for held in sitting.dots.orientation}
        self._screens = {held: sitting.device.screen_rectangle_cm(held) for held in orientations}
        self._stand_off = stand_off(identity.clothes) + headwear.stand_off(identity.extras.headwear)
        self._vertices = draped(identity.vertices)
        if identity.extras.headwear == "headscarf":
            self._vertices = smoothed(self._vertices, cloth, SCARF_ROUNDS)
        self._brim = headwear.brim(identity) if identity.extras.headwear == "cap" else None
        self._hand = None
        if identity.extras.hand:
            self._hand = hand_capsules(front, identity.extras.hand, identity.extras.hand_side)
        self._folds = fold_normals(identity)
        self._cloth = shader_parameters(identity.clothes)
        globe = identity.globe
        self._globe = Globe(
            *(F(globe.sclera_radius), F(globe.cornea_radius), F(globe.cornea_offset), F(globe.iris_depth)),
            *(F(globe.iris_radius), F(globe.pupil_radius), F(globe.redness), F(identity.region.white)),
            F(bool(identity.extras.contact_lenses)),
        )
        self._iris = single([globe.iris_colour, globe.iris_inner])

    def render(self, number: int) -> NDArray[np.uint8]:
        """Render frame `number` as (height, width, 3) uint8 RGB."""
        sitting = self._sitting
        return develop(
            self.light(number), sitting.sensor, sitting.frames[number].exposure, self._noise_key + number
        )

    def light(self, number: int) -> Singles:
        """Return the linear light of frame `number` before the camera's processing, (height, width, 3) float32."""
        shot = self._set_up(number)
        camera = shot.frame.camera
        view = View(camera.focal, (camera.width / 2, camera.height / 2), camera.width, camera.height)
        self._cast_shadows(shot)
        strip = self._eye_strip(camera, shot.eyes)
        image = np.zeros((camera.height, camera.width, 3), np.float32)
        index, inverse = self._rasterize(view, shot)
        fill_background(image, index, self._room, *window_into_room(camera, shot.frame.pose.position))
        self._shade(image, index, inverse, view, shot, strip)
        soften_edges(image, inverse, strip)
        self._draw_eyes(image, view, shot, strip)
        self._draw_in_front(image, inverse, view, shot)
        if shot.frame.finger is not None:
            warm = self._sitting.identity.skin.tone * np.array([1.0, 0.45, 0.35]) * shot.light[:2].mean(0)
            draw_finger(image, single(shot.frame.finger), single(warm))
        return image

    def _cast_shadows(self, shot: Shot) -> None:
        """Write each vertex's share of the key light into the attributes of the mesh."""
        shadow, axes = key_shadow(
            self._sitting.light, shot.frame.pose, shot.positions, self._head.triangles, shot.scalp
        )
        if self._brim is not None:
            splat_shadow(shadow, axes, single(self._brim @ shot.frame.pose.head.T + shot.frame.pose.position))
        vertex_shadows(shadow, axes, shot.positions, self._attributes)
        self._attributes[:, 7] *= 1 - self._key_loss * self._from_above(shot)

    def _draw_in_front(self, image: Singles, inverse: Singles, view: View, shot: Shot) -> None:
        """Draw what hides parts of face and eyes: hand, hair, brim and glasses."""
        self._draw_over_face(image, inverse, view, shot)
        if self._beard is not None:
            beard = facial_hair.skin_points(self._beard, shot.scene, shot.frame.pose.head)
            self._draw(image, inverse, view, shot, beard, self._beard.colours, self._beard.widths, BEARD_LOOK)
        if self._scalp is not None and shot.scalp is not None:
            look = BUZZ_LOOK if self._sitting.identity.hair.style == "buzz" else SCALP_LOOK
            self._draw(image, inverse, view, shot, shot.scalp, self._scalp.colours, self._scalp.widths, look)
        self._draw_on_head(image, inverse, view, shot)
        self._draw_glasses(image, inverse, view, shot)

    def render_room(self, rng: np.random.Generator) -> tuple[NDArray[np.uint8], int]:
        """Render the room without the person, from a random place: (height, width, 3) uint8 RGB, and JPEG quality."""
        frame = self._sitting.frames[rng.integers(len(self._sitting.frames))]
        camera = frame.camera
        image = np.zeros((camera.height, camera.width, 3), np.float32)
        shift = rng.uniform(-ROOM_SHIFT_PX, ROOM_SHIFT_PX, 2)
        zoom = room_zoom(camera) * rng.uniform(0.4, 1)
        nobody = np.full(image.shape[:2], -1, np.int32)
        fill_background(image, nobody, self._room, F(shift[0]), F(shift[1]), F(zoom))
        noise = self._noise_key + int(rng.integers(1 << 19))
        return develop(image, self._sitting.sensor, frame.exposure, noise), frame.exposure.quality

    def _set_up(self, number: int) -> Shot:
        """Pose everything for one frame."""
        sitting, frame = self._sitting, self._sitting.frames[number]
        identity, pose = sitting.identity, frame.pose
        eyes = aim_eyes(identity, pose, frame.dot_cm)
        vertices = self._vertices.copy()
        for unit, weight in face_units(identity, frame, eyes).items():
            self._head.move(vertices, f"face/{unit}", weight)
        scene = pose_vertices(vertices, identity.neck, self._head.follows_head, pose)
        normals = vertex_normals(single(scene), self._head.triangles)
        scene = scene + self._stand_off[:, None] * normals
        normals += self._folds @ single(pose.torso.T)
        screen = self._screens[int(sitting.dots.orientation[number])]
        light, sources = lamps(sitting.light, pose, screen)
        scalp = None
        if self._scalp is not None:
            scalp = place_strands(self._scalp.points, single(pose.head), single(pose.position))
        glints = single([*sitting.light.glint, 1.0])
        return Shot(frame, scene, single(scene), normals, scalp, light, sources, glints, eyes, screen)

    def _project(self, view: View, shot: Shot) -> Singles:
        p = shot.scene
        scale = -view.focal / p[:, 2]
        return single(np.stack([view.centre[0] + scale * p[:, 0], view.centre[1] + scale * p[:, 1]], 1))

    def _rasterize(self, view: View, shot: Shot) -> tuple[NDArray[np.int32], Singles]:
        xy, depth = self._project(view, shot), single(shot.positions[:, 2])
        index, inverse = rasterize(xy, depth, self._head.triangles, view.width, view.height, -1)
        return index, inverse

    def _shade(
        self,
        image: Singles,
        index: NDArray[np.int32],
        inverse: Singles,
        view: View,
        shot: Shot,
        skip: NDArray[np.int32],
    ) -> None:
        inverse_depth = 1 / np.maximum(shot.positions[:, 2], np.float32(1))
        xy = self._project(view, shot)
        mesh = Mesh(xy, inverse_depth, shot.normals, self._attributes, self._head.triangles, self._kinds)
        surface = Surface(self._texture, self._cloth, TABLE)
        lamps = Lamps(shot.light, shot.sources)
        shade_mesh(image, index, inverse, view.array(), mesh, surface, lamps, skip)

    def _from_above(self, shot: Shot) -> np.float32:
        """Return how much key light the brow ridge keeps from the sockets: 0 when lit from below, 1 from above."""
        height = float(self._sitting.light.directions[0] @ shot.frame.pose.head[:, 1])
        return np.float32(np.clip(0.45 + 0.9 * height, 0, 1))

    def _eye_strip(self, camera: Camera, eyes: dict[Side, EyePose]) -> NDArray[np.int32]:
        """Return the rectangle x0, y0, x1, y1 around both eyes and brows, px; at least one pixel."""
        uv = camera.project(np.stack([e.centre for e in eyes.values()]))
        cm = camera.focal / min(e.centre[2] for e in eyes.values())
        size = np.array([camera.width, camera.height])
        low = np.clip(np.floor(uv.min(0) - cm * np.array([STRIP_ASIDE_CM, STRIP_ABOVE_CM])), 0, size - 1)
        high = np.clip(np.ceil(uv.max(0) + cm * np.array([STRIP_ASIDE_CM, STRIP_BELOW_CM])), low + 1, size)
        strip: NDArray[np.int32] = np.concatenate([low, high]).astype(np.int32)
        return strip

    def _draw_eyes(self, image: Singles, view: View, shot: Shot, strip: NDArray[np.int32]) -> None:
        """Draw eyes, lids, lashes and brows at `EYE_SAMPLES` times the resolution, averaged into the image."""
        n = EYE_SAMPLES
        x0, y0, x1, y1 = (int(v) for v in strip)
        fine_view = View(
            view.focal * n,
            ((view.centre[0] - x0) * n, (view.centre[1] - y0) * n),
            (x1 - x0) * n,
            (y1 - y0) * n,
        )
        index, inverse = self._rasterize(fine_view, shot)
        part = image[y0:y1, x0:x1]
        fine = enlarged(part, n)
        self._shade(fine, index, inverse, fine_view, shot, np.zeros(4, np.int32))
        up = single(shot.frame.pose.head[:, 1])
        screen_colour = single(self._sitting.light.screen * SCREEN_RADIANCE)
        region = self._sitting.identity.region
        key = KEY_ON_EYES * (1 - KEY_LOSS * region.hollow * float(self._from_above(shot)))
        around = shot.light.copy()
        around[:2] *= 1 - 0.7 * region.hollow
        light = EyeLight(around, shot.sources, shot.glints, F(key), single(shot.screen), screen_colour)
        for pose in shot.eyes.values():
            eye = Eyeball(single(pose.centre), single(pose.optical), up, self._globe, self._iris)
            shade_eye(fine, inverse, fine_view.array(), eye, light, TABLE)
        skin = self._sitting.identity.skin
        dark = single(np.minimum(skin.brow_colour * 0.5, 0.02))
        for lashes in self._lashes:
            points = facial_hair.lash_points(lashes, shot.scene)
            colours, widths = np.repeat(dark[None], len(points), 0), np.full(len(points), LASH_CM, np.float32)
            self._draw(fine, inverse, fine_view, shot, points, colours, widths, LASH_LOOK)
        self._draw_lid_edges(fine, inverse, fine_view, shot)
        brows = facial_hair.skin_points(self._brows, shot.scene, shot.frame.pose.head)
        look = StrandLook(0.8 * skin.brow_density, 0.2, 0.7, 0.35)
        self._draw(fine, inverse, fine_view, shot, brows, self._brows.colours, self._brows.widths, look)
        average_into(part, fine, n)

    def _draw_lid_edges(self, image: Singles, inverse: Singles, view: View, shot: Shot) -> None:
        """Draw the dark edges of the lids, where lashes are too dense to be drawn one by one."""
        region = self._sitting.identity.region
        dark = single(np.minimum(self._sitting.identity.skin.brow_colour * 0.4, 0.015))[None]
        for lid, strength in (("upper", region.lash_line), ("lower", region.lower_line)):
            wide = region.lash_line_cm * (1.0 if lid == "upper" else 0.6)
            for outward, opacity, width in ((0.35, 0.5, 2.1), (0.0, 1.0, 1.0)):
                look = StrandLook(strength * opacity, 0.0, 1.0, 0.25, taper=0.0)
                for side in SIDES:
                    edge = lid_edge(shot.scene, side, lid, outward * wide)[None]
                    self._draw(image, inverse, view, shot, edge, dark, single([wide * width]), look)

    def _draw_over_face(self, image: Singles, inverse: Singles, view: View, shot: Shot) -> None:
        """Draw a hand at the face."""
        if self._hand is None or not shot.frame.hand:
            return
        pose, hand = shot.frame.pose, self._hand
        ends = [hand[:, i : i + 3] @ pose.head.T + pose.position for i in (0, 3)]
        capsules = single(np.column_stack([*ends, hand[:, 6:]]))
        tone = single(self._sitting.identity.skin.tone)
        draw_capsules(image, inverse, view.array(), capsules, tone, shot.light, shot.sources)

    def _draw_on_head(self, image: Singles, inverse: Singles, view: View, shot: Shot) -> None:
        """Draw a lock of hair over an eye, and the brim of a cap."""
        pose, identity = shot.frame.pose, self._sitting.identity
        if self._lock is not None:
            points = place_strands(self._lock.points, single(pose.head), single(pose.position))
            self._draw(image, inverse, view, shot, points, self._lock.colours, self._lock.widths, SCALP_LOOK)
        if self._brim is not None:
            rows = self._brim @ pose.head.T + pose.position
            colours = np.repeat(single(0.6 * identity.extras.headwear_colour)[None], len(rows), 0)
            widths = np.full(len(rows), headwear.BRIM_ROW_CM, np.float32)
            self._draw(image, inverse, view, shot, rows, colours, widths, BRIM_LOOK)

    def _draw_glasses(self, image: Singles, inverse: Singles, view: View, shot: Shot) -> None:
        identity, pose, light = self._sitting.identity, shot.frame.pose, self._sitting.light
        if identity.glasses is None:
            return
        colour = single(identity.glasses.colour)[None]
        for axes, shape in lens_frames(identity, identity.glasses):
            frame = axes @ pose.head.T
            frame[0] += pose.position
            draw_lens(
                image,
                view.array(),
                single(frame),
                single(shape),
                shot.sources,
                shot.glints,
                single(light.sky * light.room),
                single(shot.screen),
                single(light.screen * SCREEN_RADIANCE),
            )
        for points, width in glasses_curves(identity, identity.glasses):
            curve = (points @ pose.head.T + pose.position)[None]
            self._draw(image, inverse, view, shot, curve, colour, single([width]), FRAME_LOOK)

    def _draw(
        self,
        image: Singles,
        inverse: Singles,
        view: View,
        shot: Shot,
        points: ArrayLike,
        colours: Singles,
        widths: Singles,
        look: StrandLook,
    ) -> None:
        """Draw strands (s, p, 3), far to near."""
        curves = single(points)
        order = np.argsort(-curves[:, curves.shape[1] // 2, 2], kind="stable")
        strands = Strands(curves, order, colours, widths)
        own = Look(F(look.opacity), F(look.shine), F(look.root_light), F(look.bias_cm), F(look.taper))
        draw_strands(image, inverse, view.array(), strands, own, shot.light, shot.sources)


def encode_jpeg(picture: NDArray[np.uint8], quality: int) -> bytes:
    """Encode an RGB image as baseline JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return buffer.getvalue()
