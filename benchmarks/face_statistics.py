"""Compare synthetic faces with photographs of real ones, as MediaPipe's face mesh sees both, and the gaze on them.

python benchmarks/face_draw.py CAMERA
python benchmarks/face_draw.py AROUND --looking around --seed 178 --subjects 250
python benchmarks/real_faces_truth.py FOLDER TRUTH.json       # of each folder, in the environment with MediaPipe
python benchmarks/face_statistics.py PHOTOS,TRUTH.json CAMERA,TRUTH.json AROUND,TRUTH.json

A face counts if its detection is sure, its strip is at least 90 px wide, and it faces the camera within 20°. It looks
into the camera if both irises are within 6 % of an eye's width of the middle, sideways. Photographs are not part of
this repository; `real_faces_found.csv` lists those of the set "found anew".

`face_statistics.csv` gets a line per measure, `face_gaze.csv` one per network (those of the package, or `--weights
PRESET=FILE ...`), both in place of the lines of the same `--photographs NAME`; `--plot` writes
docs/images/face-statistics.svg. The gaze of a photograph is not known: the proxy is a ridge
regression from landmarks of iris, lids and head to the gaze, fitted to AROUND.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from common import RESULTS, replace_in_csv
from PIL import Image, ImageOps

from tinytracker.arrays import Floats, Pixels
from tinytracker.data.area import area_strip
from tinytracker.data.eye_marks import STRIP_PER_EYE_DISTANCE
from tinytracker.data.inputs import InputSpec
from tinytracker.model.weight_file import packaged_weights

SUREST, NARROWEST_PX, NARROWEST_TURNED = 0.6, 90.0, 0.9
FRONTAL_DEG, LOOKING_ASIDE = 20.0, 0.06
OUTLINE = ([33, 133, 159, 145, 158, 153, 160, 144], [362, 263, 386, 374, 385, 380, 387, 373])
"""Landmarks on the outlines of the subject's right and left eye, as in real_faces_truth.py."""
SIDES: tuple[dict[str, Any], ...] = (
    {
        "outer": 33, "inner": 133, "upper": 159, "lower": 145, "iris": 468,
        "rim": [469, 470, 471, 472], "brow": [52, 65, 53],
    },
    {
        "outer": 263, "inner": 362, "upper": 386, "lower": 374, "iris": 473,
        "rim": [474, 475, 476, 477], "brow": [282, 295, 283],
    },
)  # fmt: skip
MEASURES = {
    "lid_opening": "lid opening / eye width",
    "iris_up": "iris above the line of the corners / eye width",
    "iris_size": "iris diameter / eye width",
    "brow": "lower edge of the brow above that line / eye width",
    "strip_offset": "line of the corners below the strip's centre / strip width",
    "eye_width": "eye width / strip width",
    "sclera": "light of the white / light of the cheek",
    "mean": "mean of the strip, 0 to 1",
    "contrast": "standard deviation / mean of the strip",
    "sharpness": "mean Laplacian / mean of the strip",
}
PRESETS = ("tinytracker-v2", "tinytracker-s2", "tinytracker-v2-aim", "tinytracker-s2-aim")
OUT = RESULTS.parent.parent / "docs" / "images" / "face-statistics.svg"


@dataclass(frozen=True)
class Face:
    """One face: where it is, its measures, and features of the gaze for the proxy.

    Attributes:
        name: of its picture. strip: (3,) x, y, width, px. yaw: of the head, degrees.
        aside: how far the irises are from the middle of the eyes, in eye widths, to the subject's left.
        measures: by name.
        features: of the gaze.
    """

    name: str
    strip: Floats
    yaw: float
    aside: float
    measures: dict[str, float]
    features: Floats


def load(path: Path) -> Pixels:
    """Read a picture as RGB, upright."""
    with Image.open(path) as opened:
        return np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))


def _sample(grey: Floats, points: Floats) -> Floats:
    """Return the values of a grey picture at points (..., 2), px, interpolated."""
    x = np.clip(points[..., 0] - 0.5, 0, grey.shape[1] - 1.01)
    y = np.clip(points[..., 1] - 0.5, 0, grey.shape[0] - 1.01)
    i, j = x.astype(int), y.astype(int)
    u, v = x - i, y - j
    top = grey[j, i] * (1 - u) + grey[j, i + 1] * u
    bottom = grey[j + 1, i] * (1 - u) + grey[j + 1, i + 1] * u
    between: Floats = top * (1 - v) + bottom * v
    return between


def _linear(shown: Floats) -> Floats:
    """Return the light, 0 to 1, of display values 0..255 (sRGB)."""
    share = shown / 255
    return np.where(share < 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def measure(name: str, image: Pixels, mesh: Floats) -> Face:
    """Measure one face from its mesh (478, 3), px."""
    flat = mesh[:, :2]
    centres = [mesh[outline].mean(0) for outline in OUTLINE]
    right, left = centres
    distance = max(np.linalg.norm((left - right)[:2]), NARROWEST_TURNED * np.linalg.norm(left - right))
    middle, width = (left + right)[:2] / 2, STRIP_PER_EYE_DISTANCE * distance
    grey = image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    rows, asides = [], []
    for number, eye in enumerate(SIDES):
        outer, inner = flat[eye["outer"]], flat[eye["inner"]]
        size = np.linalg.norm(inner - outer)
        along = (inner - outer) / size
        up = np.array([along[1], -along[0]])
        up = -up if up[1] > 0 else up
        centre, iris = (outer + inner) / 2, flat[eye["iris"]]
        radius = np.linalg.norm(flat[eye["rim"]] - iris, axis=1).mean()
        cheek = _sample(
            grey, centre - 0.9 * size * up + np.linspace(-0.3, 0.3, 9)[:, None] * size * along
        ).mean()
        away = np.linspace(-0.42, 0.42, 43) * size
        spots = iris + away[:, None, None] * along + np.array([-0.35, -0.1, 0.1])[:, None] * radius * up
        inside = np.abs((spots - centre) @ along) < 0.38 * size
        white = _sample(grey, spots)[(np.abs(away) > 1.25 * radius)[:, None] & inside]
        rows.append([
            np.linalg.norm(flat[eye["upper"]] - flat[eye["lower"]]) / size,
            (iris - centre) @ up / size,
            2 * radius / size,
            (flat[eye["brow"]].mean(0) - centre) @ up / size,
            _linear(white).mean() / _linear(cheek) if len(white) > 4 else np.nan,
            size / width,
        ])  # fmt: skip
        asides.append((iris - centre) @ along / size * (1 if number == 0 else -1))
    opening, iris_up, iris_size, brow, sclera, eye_width = np.nanmean(rows, 0)
    shown = _strip(grey, middle, width)
    inner_part = shown[1:-1, 1:-1]
    edges = 4 * inner_part - shown[:-2, 1:-1] - shown[2:, 1:-1] - shown[1:-1, :-2] - shown[1:-1, 2:]
    corners = flat[[33, 133, 263, 362], 1].mean()
    upright, across = mesh[10] - mesh[152], left - right
    pitch, yaw = np.arctan2(upright[2], -upright[1]), np.arctan2(across[2], across[0])
    aside = float(np.mean(asides))
    measures = {
        "lid_opening": opening, "iris_up": iris_up, "iris_size": iris_size, "brow": brow,
        "strip_offset": (corners - middle[1]) / width, "eye_width": eye_width, "sclera": sclera,
        "mean": shown.mean() / 255, "contrast": shown.std() / shown.mean(),
        "sharpness": np.abs(edges).mean() / shown.mean(),
    }  # fmt: skip
    features = np.array([aside, asides[0] - asides[1], iris_up, opening, pitch, yaw, 1.0])
    return Face(
        name, np.array([*middle, width]), float(np.degrees(yaw)), aside,
        {key: float(value) for key, value in measures.items()}, features,
    )  # fmt: skip


def _strip(grey: Floats, middle: Floats, width: float) -> Floats:
    """Return the strip as 192 × 64 values, each the mean of what it covers."""
    finer = max(1, round(width / 192))
    grid = [(np.arange(n * finer) + 0.5 - n * finer / 2) * width / (192 * finer) for n in (192, 64)]
    values = _sample(grey, np.stack(np.meshgrid(*grid), -1) + middle)
    averaged: Floats = values.reshape(64, finer, 192, finer).mean((1, 3))
    return averaged


def faces_of(folder: Path, truth: dict[str, Any]) -> list[Face]:
    """Measure all faces of a folder that count."""
    faces = []
    for name, found in truth.items():
        for face in found["faces"]:
            mesh = np.array(face["mesh"])
            right, left = (mesh[outline, :2].mean(0) for outline in OUTLINE)
            if face["score"] < SUREST or np.linalg.norm(left - right) * STRIP_PER_EYE_DISTANCE < NARROWEST_PX:
                continue
            measured = measure(name, load(folder / name), mesh)
            if abs(measured.yaw) < FRONTAL_DEG:
                faces.append(measured)
    return faces


def looking(faces: list[Face]) -> list[Face]:
    """Return the faces that look into the camera."""
    return [face for face in faces if abs(face.aside) < LOOKING_ASIDE]


def compare(real: list[Face], drawn: list[Face]) -> list[dict[str, Any]]:
    """Return a row per measure: medians and deciles of both, and the distance of the medians."""
    rows = []
    for name, meaning in MEASURES.items():
        row: dict[str, Any] = {"measure": name, "meaning": meaning}
        values = {}
        for kind, faces in (("real", real), ("synthetic", drawn)):
            values[kind] = np.array([face.measures[name] for face in faces])
            low, middle, high = np.nanquantile(values[kind], [0.1, 0.5, 0.9])
            row |= {
                f"{kind}_faces": len(faces), f"{kind}_p10": round(low, 4), f"{kind}_median": round(middle, 4),
                f"{kind}_p90": round(high, 4), f"{kind}_sd": round(float(np.nanstd(values[kind])), 4),
            }  # fmt: skip
        apart = row["synthetic_median"] - row["real_median"]
        rows.append(row | {"medians_apart_in_real_sd": round(apart / row["real_sd"], 2)})
    return rows


@lru_cache
def _codes(folder: Path, strips: tuple[tuple[str, tuple[float, ...]], ...], spec: InputSpec) -> Pixels:
    """Return what a network sees of each strip (name of the picture, place): (n, h, w, c)."""
    codes: Pixels = np.stack([area_strip(load(folder / name), np.array(s), spec) for name, s in strips])
    return codes


def answers(preset: str, weights: Path, faces: list[Face], folder: Path) -> Floats:
    """Return the gaze (n, 2) that a network sees on the strips, in cm at the reference distance."""
    from tinytracker.model.keras_builder import build_keras
    from tinytracker.model.presets import find_preset
    from tinytracker.train.initial import load_initial

    chosen = find_preset(preset)
    model = build_keras(chosen.network())
    load_initial(model, weights)
    codes = _codes(folder, tuple((f.name, tuple(f.strip)) for f in faces), chosen.input)
    raw = model.predict(codes.astype(np.float32) / 128 - 1, batch_size=64, verbose=0)
    raw = np.concatenate(raw, -1) if isinstance(raw, (list, tuple)) else raw
    gaze: Floats = raw[:, :2].astype(np.float64)
    return gaze


def fit_proxy(faces: list[Face], labels: dict[str, list[float]]) -> tuple[Floats, list[float]]:
    """Fit the gaze to the features: weights (7, 2), and the correlations x, y with the labels of the other half."""
    features, gaze = np.stack([f.features for f in faces]), np.array([labels[f.name] for f in faces])

    def ridge(x: Floats, y: Floats) -> Floats:
        scale = np.diag((1e-2 * len(x) * x.var(0)) + 1e-9)
        weights: Floats = np.linalg.solve(x.T @ x + scale, x.T @ y)
        return weights

    half = np.arange(len(gaze)) % 2 == 0
    held_out = features[~half] @ ridge(features[half], gaze[half])
    quality = [float(np.corrcoef(held_out[:, k], gaze[~half, k])[0, 1]) for k in (0, 1)]
    return ridge(features, gaze), quality


def plot(real: list[Face], drawn: list[Face]) -> str:
    """Return an SVG with the distribution of every measure, real and synthetic, from the 2nd to the 98th percentile."""
    width, tall, left = 720, 46, 330
    font = 'font-family="system-ui, sans-serif" font-size="12"'
    parts = []
    for i, (name, meaning) in enumerate(MEASURES.items()):
        sets = [np.array([f.measures[name] for f in faces]) for faces in (real, drawn)]
        both = np.concatenate(sets)
        low, high = np.nanquantile(both, 0.02), np.nanquantile(both, 0.98)
        top = 40 + i * tall
        parts.append(f'<text x="8" y="{top + 20}" {font} fill="currentColor">{meaning}</text>')
        for k, (values, colour) in enumerate(zip(sets, ("#9a6a1f", "#2f6f9f"), strict=True)):
            grid = np.linspace(low, high, 60)
            wide = 0.35 * np.nanstd(values) + 1e-9
            density = np.exp(-0.5 * ((grid[:, None] - values[np.isfinite(values)]) / wide) ** 2).mean(1)
            x = left + (grid - low) / (high - low) * (width - left - 20)
            y = top + 34 - 30 * density / density.max()
            line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
            middle = left + (np.nanmedian(values) - low) / (high - low) * (width - left - 20)
            middle = float(np.clip(middle, left, width - 20))
            line = f'x1="{middle:.1f}" x2="{middle:.1f}" y1="{top + 30 + 2 * k}" y2="{top + 40}"'
            parts.append(f'<line {line} stroke="{colour}" stroke-width="2"/>')
    height = 50 + len(MEASURES) * tall
    legend = (
        f'<text x="{left}" y="20" {font} fill="#9a6a1f">real, {len(real)} faces</text>'
        f'<text x="{left + 160}" y="20" {font} fill="#2f6f9f">synthetic, {len(drawn)} faces</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Distributions of measures of real and synthetic faces"><style>svg{{color:#222;background:#fff}}'
        f"</style>{legend}{''.join(parts)}</svg>\n"
    )


def main() -> None:
    """Compare, and measure the gaze of each network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", help="FOLDER,TRUTH.json")
    parser.add_argument("camera", help="FOLDER,TRUTH.json of synthetic people who look into the camera")
    parser.add_argument("around", help="FOLDER,TRUTH.json of synthetic people who look around it")
    parser.add_argument(
        "--weights", nargs="*", default=[], metavar="PRESET=FILE", help="else those of the package"
    )
    parser.add_argument("--photographs", default="yours", help="name of the set, for the tables")
    parser.add_argument("--plot", action="store_true", help="write the plot of the documentation")
    arguments = parser.parse_args()
    folders, faces, rates = {}, {}, {}
    for kind in ("photos", "camera", "around"):
        folder, _, truth = getattr(arguments, kind).partition(",")
        found = json.loads(Path(truth).read_text())
        folders[kind] = Path(folder)
        faces[kind] = faces_of(folders[kind], found)
        rates[kind] = sum(bool(f["faces"]) for f in found.values()) / len(found)
    real, drawn = looking(faces["photos"]), looking(faces["camera"])
    named = {"photographs": arguments.photographs}
    found_share = {"synthetic_found": round((rates["camera"] + rates["around"]) / 2, 4)}
    rows = [named | row | found_share for row in compare(real, drawn)]
    print(replace_in_csv("face_statistics", rows, "photographs", ("pillow", "numpy")))
    if arguments.plot:
        OUT.write_text(plot(real, drawn))
    proxy, quality = fit_proxy(faces["around"], json.loads((folders["around"] / "labels.json").read_text()))
    guess = np.stack([f.features for f in faces["photos"]]) @ proxy
    chosen = dict(entry.split("=", 1) for entry in arguments.weights) or {
        p: str(packaged_weights(p)) for p in PRESETS
    }
    lines = []
    for preset, weights in chosen.items():
        gaze = answers(preset, Path(weights), faces["photos"], folders["photos"])
        at_camera = gaze[[abs(f.aside) < LOOKING_ASIDE for f in faces["photos"]]]
        on_drawn = answers(preset, Path(weights), drawn, folders["camera"])
        lines.append(named | {
            "preset": preset, "weights": "packaged" if not arguments.weights else Path(weights).name,
            "faces_at_camera": len(at_camera),
            "bias_x_cm": round(at_camera[:, 0].mean(), 2), "bias_y_cm": round(at_camera[:, 1].mean(), 2),
            "sd_x_cm": round(at_camera[:, 0].std(), 2), "sd_y_cm": round(at_camera[:, 1].std(), 2),
            "synthetic_bias_x_cm": round(on_drawn[:, 0].mean(), 2),
            "synthetic_bias_y_cm": round(on_drawn[:, 1].mean(), 2),
            "faces": len(gaze),
            "r_x": round(float(np.corrcoef(gaze[:, 0], guess[:, 0])[0, 1]), 3),
            "r_y": round(float(np.corrcoef(gaze[:, 1], guess[:, 1])[0, 1]), 3),
            "proxy_r_x": round(quality[0], 3), "proxy_r_y": round(quality[1], 3),
        })  # fmt: skip
    print(replace_in_csv("face_gaze", lines, "photographs", ("tensorflow",)))


if __name__ == "__main__":
    main()
