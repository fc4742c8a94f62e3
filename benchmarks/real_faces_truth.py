"""Find the eyes in a folder of pictures with MediaPipe's face mesh, for real_faces.py and face_statistics.py.

python benchmarks/real_faces_truth.py PHOTOS TRUTH.json

Needs `pip install mediapipe==0.10.21` in an environment of its own: it pins other versions than TensorFlow, and its
models are inside the wheel only up to this release. This file imports nothing of tinytracker.
"""

import json
import sys
from pathlib import Path

import mediapipe as mp
import numpy as np
from PIL import Image, ImageOps

RIGHT = [33, 133, 159, 145, 158, 153, 160, 144]
LEFT = [362, 263, 386, 374, 385, 380, 387, 373]
"""Landmarks on the outlines of the subject's eyes."""
MARGIN, MESH_PX = 0.6, 400


def faces_in(image, detector, mesh):
    """Return the eyes of every face of an RGB image (h, w, 3) on which detector and mesh agree."""
    height, width = image.shape[:2]
    faces = []
    for found in detector.process(image).detections or []:
        box = found.location_data.relative_bounding_box
        x, y, w, h = box.xmin * width, box.ymin * height, box.width * width, box.height * height
        grow = MARGIN * max(w, h)
        x0, y0 = int(max(0, x - grow)), int(max(0, y - grow))
        part = image[y0 : int(min(height, y + h + grow)), x0 : int(min(width, x + w + grow))]
        if min(part.shape[:2]) < 40:
            continue
        scale = MESH_PX / max(part.shape[:2])
        size = [round(part.shape[1] * scale), round(part.shape[0] * scale)]
        enlarged = np.asarray(Image.fromarray(part).resize(size, Image.Resampling.BICUBIC))
        meshes = mesh.process(enlarged).multi_face_landmarks or []
        points = [
            np.array([[p.x * size[0], p.y * size[1], p.z * size[0]] for p in m.landmark]) for m in meshes
        ]
        points = [p / scale + [x0, y0, 0] for p in points]
        points = [p for p in points if np.hypot(*(p[168, :2] - [x + w / 2, y + h / 2])) < w / 2]
        if not points:
            continue
        best = min(points, key=lambda p: np.hypot(*(p[168, :2] - [x + w / 2, y + h / 2])))
        left, right = best[LEFT].mean(0), best[RIGHT].mean(0)
        faces.append({
            "left": left[:2].tolist(), "right": right[:2].tolist(),
            "distance_3d": float(np.linalg.norm(left - right)), "score": float(found.score[0]),
            "mesh": best.round(2).tolist(),
        })  # fmt: skip
    return faces


def main():
    """Write the truth of all photographs of a folder."""
    photos, out = Path(sys.argv[1]), Path(sys.argv[2])
    detector = mp.solutions.face_detection.FaceDetection(model_selection=1, min_detection_confidence=0.5)
    mesh = mp.solutions.face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=4, refine_landmarks=True, min_detection_confidence=0.5
    )
    truth = {}
    for path in sorted(photos.iterdir()):
        if path.suffix.lower() not in (".jpg", ".jpeg", ".png"):
            continue
        with Image.open(path) as opened:
            image = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
        truth[path.name] = {
            "size": [image.shape[1], image.shape[0]],
            "faces": faces_in(image, detector, mesh),
        }
    out.write_text(json.dumps(truth))
    print(f"{out}: {sum(len(t['faces']) for t in truth.values())} faces in {len(truth)} photographs")


if __name__ == "__main__":
    main()
