"""Measure the webcam's live view in Chromium: the dot's error for synthetic people, latency, and ways to send a frame.

A person (of no data set) is drawn in front of a 1280 x 720 camera, follows the nine dots of the calibration that the
page shows, and then looks at 16 other places. Chromium's fake camera shows the drawn pictures.

    python benchmarks/webcam.py people 8       # in the browser, in real time
    python benchmarks/webcam.py server 16      # the same people and dots, cut as the page cuts; no browser, no time
    python benchmarks/webcam.py transport
"""

from __future__ import annotations

import io
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import SUPPORT, write_csv
from PIL import Image

sys.path.insert(0, str(SUPPORT))

from support.webcam_page import ALLOWED, SIZE, Desk, desk, own_seat, person
from support.webcam_person import draw_person

from tinytracker.evaluate.calibration import fit
from tinytracker.live.screen import calibration_dots, own_screen
from tinytracker.live.view import LiveView, Origin
from tinytracker.live.webcam import PHASES, Webcam
from tinytracker.live.webcam_network import AimedNetwork
from tinytracker.live.webcam_source import open_finder, open_network
from tinytracker.progress import set_quiet

SCREEN = own_screen(34, 34 * SIZE[1] / SIZE[0], 1.0)
DOTS, PLACES, VIEWS = 9, 16, 3
SETTLED_S, DWELL_S = 1.5, 1.5
LIMIT_CM = 2.5
NAME = "webcam"


def places() -> dict[object, tuple[float, float]]:
    """Return the places to look at after calibration, one in each cell of a 4 x 4 grid, in an order without pattern."""
    rng = np.random.default_rng(137)
    side = round(PLACES**0.5)
    shares = [
        (0.06 + 0.88 * (i + rng.uniform(0.1, 0.9)) / side, 0.06 + 0.88 * (j + rng.uniform(0.1, 0.9)) / side)
        for i in range(side)
        for j in range(side)
    ]
    rng.shuffle(shares)
    return {f"place {k}": SCREEN.at(*share) for k, share in enumerate(shares)}


def look_around(found: Desk, targets: dict[object, tuple[float, float]]) -> list[dict[str, Any]]:
    """Let the person look at each place; return its answers with the true place."""
    rows = []
    for name, place in targets.items():
        found.gaze_at = name
        time.sleep(SETTLED_S)
        found.heard()
        time.sleep(DWELL_S)
        rows += [{**answer, "true": place} for answer in found.heard()]
    return rows


def error_cm(rows: list[dict[str, Any]], key: str) -> float:
    """Return the mean distance of a point from where the person looked."""
    return float(np.mean([np.linalg.norm(np.subtract(r[key], r["true"])) for r in rows if r[key]]))


def rested_cm(rows: list[dict[str, Any]]) -> float:
    """Return the mean error of each place's mean calibrated gaze: where the page's filtered dot comes to rest."""
    by_place: dict[Any, list[Any]] = {}
    for row in rows:
        by_place.setdefault(tuple(row["true"]), []).append(row["gaze"])
    return float(np.mean([np.linalg.norm(np.mean(g, axis=0) - place) for place, g in by_place.items()]))


def one(index: int, network: AimedNetwork) -> dict[str, Any]:
    """Calibrate one person and measure the dot."""
    targets = places()
    pictures = person(index, SCREEN, calibration_dots(DOTS), targets, views=VIEWS)
    with (
        tempfile.TemporaryDirectory() as folder,
        desk(Path(folder), network, pictures, ALLOWED, screen=SCREEN, finder=open_finder()) as found,
    ):
        began = time.monotonic()
        found.open()
        found.until("state === 'following'", 120)
        acquired = time.monotonic() - began
        found.calibrate(DOTS, 600)
        rows = look_around(found, targets)
        calibration = found.view.calibration
        assert calibration is not None
        assert calibration.evidence is not None
        middle = np.mean(list(targets.values()), axis=0)
        per_s = 1000 / np.median(np.diff([r["at"] for r in rows]))
        return {
            "person": index, "pictures": "synthetic, 1280x720, 62 degrees, 50 cm", "runtime": network.runtime,
            "network": network.sha256[:12], "start_s": round(acquired, 1), "kind": calibration.kind,
            "left_out_cm": round(calibration.evidence.left_out_cm, 2), "answers": len(rows),
            "followed": round(float(np.mean([bool(r["dot"]) for r in rows])), 4),
            "uncalibrated_cm": round(error_cm(rows, "raw"), 2), "calibrated_cm": round(error_cm(rows, "gaze"), 2),
            "dot_cm": round(error_cm(rows, "dot"), 2),
            "constant_cm": round(float(np.mean([np.linalg.norm(np.subtract(p, middle)) for p in targets.values()])), 2),
            "answers_per_s": round(float(per_s), 1), "latency_ms": round(float(np.median([r["ms"] for r in rows])), 1),
            "console_errors": len(found.page.errors), "within_limit": error_cm(rows, "dot") <= LIMIT_CM,
        }  # fmt: skip


def cut(pixels: np.ndarray[Any, Any], answer: dict[str, Any] | None) -> tuple[dict[str, str], bytes]:
    """Return the query and the bytes that the page would send for a frame (h, w, 3) after this answer."""
    height, width = pixels.shape[:2]
    x, y, w, h = (0, 0, width, height) if answer is None else answer["cut"]
    shrink = 1 if answer is None else answer["shrink"]
    part = Image.fromarray(pixels[y : y + h, x : x + w])
    if shrink > 1:
        part = part.resize((-(-w // shrink), -(-h // shrink)), Image.Resampling.BOX)
    numbers = {
        "frame_width": width,
        "frame_height": height,
        "x": x,
        "y": y,
        "width": w,
        "height": h,
        "shrink": shrink,
    }
    return {"tab": "benchmark", **{k: str(v) for k, v in numbers.items()}}, part.convert("RGBA").tobytes()


def without_browser(index: int, network: AimedNetwork) -> dict[str, Any]:
    """Show one person's pictures to the server, one after the other: nine dots, then the other places."""
    targets = list(places().values())
    dots = [SCREEN.at(*dot) for dot in calibration_dots(DOTS)]
    frames = draw_person(index, dots + targets, VIEWS, own_seat(SCREEN))
    images = [np.asarray(Image.open(io.BytesIO(f)).convert("RGB")) for f in frames]
    with tempfile.TemporaryDirectory() as folder:
        origin = Origin("webcam", "camera", False, PHASES, network.sha256)
        webcam = Webcam(LiveView(origin, SCREEN, Path(folder) / "none.json"), network, open_finder())
        answer: dict[str, Any] | None = None
        looks = 0
        while not (answer and answer.get("eyes")) and looks < 100:
            answer = webcam.frame(*cut(images[0], answer))
            looks += 1
        seen: list[list[list[float]]] = []
        for k in range(len(dots) + len(targets)):
            seen.append([])
            for image in images[k * VIEWS : (k + 1) * VIEWS] * 2:
                answer = webcam.frame(*cut(image, answer))
                if answer.get("raw"):
                    seen[-1].append(answer["raw"])
    told = [k for k in range(len(dots)) if seen[k]]
    calibration = fit(
        np.array([g for k in told for g in seen[k]]), np.array([dots[k] for k in told for _ in seen[k]]),
        dots=np.array([k for k in told for _ in seen[k]]),
    )  # fmt: skip
    rows = [
        {"raw": gaze, "gaze": calibration.apply(np.array(gaze)).tolist(), "true": target}
        for target, found in zip(targets, seen[len(dots) :], strict=True)
        for gaze in found
    ]
    middle = np.mean(targets, axis=0)
    assert calibration.evidence is not None
    return {
        "person": index, "pictures": "synthetic, 1280x720, 62 degrees, 50 cm", "network": network.sha256[:12],
        "looks_to_eyes": looks, "kind": calibration.kind, "left_out_cm": round(calibration.evidence.left_out_cm, 2),
        "followed": round(sum(map(len, seen)) / (2 * VIEWS * len(seen)), 4),
        "uncalibrated_cm": round(error_cm(rows, "raw"), 2), "calibrated_cm": round(error_cm(rows, "gaze"), 2),
        "rested_cm": round(rested_cm(rows), 2),
        "constant_cm": round(float(np.mean([np.linalg.norm(np.subtract(p, middle)) for p in targets])), 2),
        "within_limit": rested_cm(rows) <= LIMIT_CM,
    }  # fmt: skip


MEASURE = """
(async () => {
  const whole = [0, 0, video.videoWidth, video.videoHeight], strip = [500, 300, 162, 54], took = {}, bytes = {};
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d"); [canvas.width, canvas.height] = whole.slice(2);
  const ways = {
    strip: async () => pixels(strip).length,
    whole: async () => pixels(whole).length,
    jpeg: async () => { pen.drawImage(video, 0, 0); return (await new Promise(d => canvas.toBlob(d, "image/jpeg", .9))).size },
  };
  for (const [name, way] of Object.entries(ways)) {
    const times = [];
    for (let k = 0; k < 40; k++) { const t = performance.now(); bytes[name] = await way(); times.push(performance.now() - t) }
    took[name] = median(times);
  }
  return { took, bytes };
})()
"""  # noqa: E501


def transport(network: AimedNetwork) -> list[dict[str, Any]]:
    """Measure three ways to send a frame: browser's time, bytes, and the decoder's time."""
    pictures = person(1, SCREEN, [], {"middle": SCREEN.at(0.5, 0.5)}, views=1)
    with tempfile.TemporaryDirectory() as folder, desk(Path(folder), network, pictures, ALLOWED) as found:
        found.open()
        found.until("answers > 3", 120)
        found.page.run("release()")
        found.page.run(
            "navigator.mediaDevices.getUserMedia({video: true}).then(s => { video.srcObject = s; return video.play() })"
        )
        measured = found.page.run(MEASURE)
    jpeg = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(90, 160, (90, 160, 3), np.uint8)).resize(
        (1280, 720)
    ).save(jpeg, "JPEG", quality=90)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        np.asarray(Image.open(io.BytesIO(jpeg.getvalue())))
        times.append(1e3 * (time.perf_counter() - began))
    names = {
        "strip": "pixels of the strip, 162 x 54",
        "whole": "pixels of the frame",
        "jpeg": "JPEG of the frame, 0.9",
    }
    return [
        {
            "sent": names[way], "bytes": measured["bytes"][way], "browser_ms": round(measured["took"][way], 2),
            "decoder_ms": round(float(np.median(times)), 2) if way == "jpeg" else 0,
        }
        for way in names
    ]  # fmt: skip


def main() -> None:
    """Measure what the first argument says."""
    set_quiet(True)
    what, network = sys.argv[1], open_network()
    if what == "transport":
        write_csv("webcam_transport", transport(network))
        return
    measure, name = (one, NAME) if what == "people" else (without_browser, f"{NAME}_server")
    rows = []
    for index in range(int(sys.argv[2])):
        rows.append(measure(index, network))
        print(rows[-1], flush=True)
        write_csv(name, rows, ["numpy"])


if __name__ == "__main__":
    main()
