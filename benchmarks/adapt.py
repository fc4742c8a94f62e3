"""Measure what `collect` and `adapt` gain: ten minutes of a person, and the next session of the same person.

A person (of no data set) is drawn in front of a 1280 x 720 camera, looks at the dots that `collect` shows, and blinks
now and then. The collector's own code takes the frames: it finds the eyes, judges every frame, and writes the sitting.
`prepare` and `adapt` follow as on the command line, and for the first people `quantize`, `package` and `emulate`.
Another day the same person sits at another place, in another room and other light: those frames were neither trained on
nor chosen by.

    python benchmarks/adapt.py FOLDER 5             # five people, 230 dots of 3 frames each, then 40 dots of 3
    python benchmarks/adapt.py FOLDER 5 --dots 96 --per-dot 2 --next-dots 30 --next-per-dot 2 --epochs 4
    python benchmarks/adapt.py FOLDER 5 --model tinytracker-v2-aim

Results: `adapt.csv`, a line per person; `adapt_ratios.csv`, ratios over people with intervals. What is there already is
used again: a person who was recorded, a run that was finished. One person of full size takes about 130 s of one core to
draw and record, of the small size 40 s.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import SUPPORT, write_csv

sys.path.insert(0, str(SUPPORT))

from support.webcam_page import own_seat
from support.webcam_person import draw_person

from tinytracker.adapt import AdaptDocument, adapt
from tinytracker.adapt.comparing import gain
from tinytracker.adapt.document import BUNDLED, CALIBRATED
from tinytracker.collect.device import device_of
from tinytracker.collect.eyes import Watcher
from tinytracker.collect.film import ShownDot, record_film
from tinytracker.collect.journal import Head, as_row, journals
from tinytracker.collect.plan import LIGHT, POSTURES, block, planned_dot
from tinytracker.collect.recorder import Sitting
from tinytracker.files import sha256_file
from tinytracker.live.screen import Screen, own_screen
from tinytracker.live.webcam_source import open_finder, open_network
from tinytracker.model.presets import find_preset
from tinytracker.progress import set_quiet
from tinytracker.train.initial import source_file

DOT_S, SHOWN_S = 2.6, 1.7
FRAME_S = (0.65, 0.3)
"""First frame of a dot after it appeared, when the eyes have arrived, and the time between frames."""
BLINKS = 0.03
LEANS = (
    ((0, 0, 0), (0, 0)), ((1, 1, 3), (0, 0)), ((0, 0, 0), (0, 6)), ((0, 0, -6), (0, 0)),
    ((-5, 0, 1), (0, 0)), ((0, 0, 0), (0, -6)), ((0, 1, 7), (0, 0)), ((5, -1, -1), (-6, 0)),
)  # fmt: skip
"""How the person follows the page's sentences (`POSTURES`): cm right, up, away; degrees that the head turns right, up.
In the second round nobody sits exactly as in the first (`AGAIN`). With `LIGHT` the light changes, and stays so."""
AGAIN = (1.0, 2.0)
"""Standard deviation of what differs when a posture is taken again, cm and degrees."""
POINTS = (1280, 720)


def weights(preset: str) -> str:
    """Return which bundled weights these are: the beginning of their hash."""
    return sha256_file(source_file("synthetic", preset))[:12]


def screen_of(index: int) -> Screen:
    """Return the screen of a person: of another size for each, the camera not always in the middle."""
    rng = np.random.default_rng([177, index])
    width = float(rng.uniform(29, 52))
    return own_screen(
        width, width * POINTS[1] / POINTS[0], float(rng.uniform(0.6, 1.8)), float(rng.uniform(-2, 2))
    )


def record(session: Path, index: int, sitting: int, dots: int, per_dot: int, follows: bool) -> dict[str, Any]:
    """Record one sitting, unless it is there; the person `follows` what the page asks for, or sits still."""
    folder = session / "00000"
    began = time.process_time()
    if folder.is_dir():
        return {}
    rng = np.random.default_rng([178, index, sitting])
    screen = screen_of(index)
    seat = own_seat(
        screen, view_deg=float(np.random.default_rng([179, index]).uniform(58, 76)),
        distance_cm=float(rng.uniform(44, 58)), sway_cm=1.2,
    )  # fmt: skip
    network = open_network()
    seed = 100 * index + sitting
    places = [planned_dot(seed, k, k) for k in range(dots)]
    places_cm = [screen.at(p.across, p.down) for p in places]
    assert len(LEANS) == len(POSTURES)
    jpegs: list[bytes] = []
    blocks = [block(k, dots) if follows else 0 for k in range(dots)]
    light = 0
    for number in range(blocks[-1] + 1):
        of_block = [place for place, b in zip(places_cm, blocks, strict=True) if b == number]
        pose = number % len(POSTURES)
        light += follows and POSTURES[pose] == LIGHT
        again = np.random.default_rng([180, index, sitting, number]) if number >= len(POSTURES) else None
        lean, turned = (
            tuple(np.array(of, float) + (again.normal(0, spread, len(of)) if again else 0))
            for of, spread in zip(LEANS[pose], AGAIN, strict=True)
        )
        drawn_dots = len(jpegs) // per_dot
        jpegs += draw_person(index, of_block, per_dot, seat, sitting, BLINKS, light, lean, turned, drawn_dots)
    drawn = time.process_time()
    for journal in journals(session) if session.is_dir() else ():
        journal.delete()
    head = Head(
        person=f"person {index}", began=f"2026-01-{1 + sitting:02d}T12:00:00+00:00", source="video",
        network_sha256=network.sha256, device=as_row(device_of(screen, POINTS)), screen_cm=screen.edges,
        points=POINTS, seed=seed,
    )  # fmt: skip
    recorder = Sitting.begin(session, head, Watcher(network, open_finder()))
    shown = [ShownDot(DOT_S * k, DOT_S * k + SHOWN_S, *place) for k, place in enumerate(places_cm)]
    first, step = FRAME_S
    frames = [
        (DOT_S * k + first + step * j, jpegs[per_dot * k + j]) for k in range(dots) for j in range(per_dot)
    ]
    record_film(recorder, shown, frames, 30.0)
    recorder.finish()
    return {"drawn_s": round(drawn - began, 1), "recorded_s": round(time.process_time() - drawn, 1)}


def resampled(rows: list[dict[str, Any]], above: str, below: str) -> dict[str, float]:
    """Return the ratio of two mean errors over people, and its 95 % interval when people are drawn."""
    rng = np.random.default_rng(0)
    pairs = np.array([[row[above], row[below]] for row in rows])
    drawn = pairs[rng.integers(len(pairs), size=(4000, len(pairs)))].mean(1)
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5])
    ratio = pairs[:, 0].mean() / pairs[:, 1].mean()
    return {"ratio": round(float(ratio), 3), "low": round(float(low), 3), "high": round(float(high), 3)}


def errors_on(run: Path, preset: str, next_session: Path, out: Path) -> dict[str, Any]:
    """Return the errors on the next session: adapted, bundled, and both with nine dots.

    Nine fresh dots are of the next session itself, nine old ones of the recorded one: a calibration that is kept.
    """
    from tinytracker.adapt.frames import Reader, load
    from tinytracker.adapt.nine_dots import nearest_dots
    from tinytracker.data.index import read_index
    from tinytracker.data.preparation import prepare
    from tinytracker.evaluate.calibration import fit, read_calibration
    from tinytracker.model.keras_builder import build_keras, load_trained
    from tinytracker.train.initial import load_initial

    prepare(next_session, out, jobs=1)
    found = find_preset(preset)
    frames = load(read_index(out), "train", found.input)
    bundled = build_keras(found.network())
    load_initial(bundled, source_file("synthetic", preset))
    nine = np.isin(frames.clusters, nearest_dots(frames.gaze, frames.clusters))
    predicted = {
        BUNDLED: Reader(bundled).read(frames)[1],
        "adapted": Reader(load_trained(run / "model.keras")).read(frames)[1],
    }
    head = run / "candidates" / "head.keras"  # whatever was kept
    predicted["head"] = Reader(load_trained(head)).read(frames)[1]
    predicted["all layers"] = Reader(load_trained(run / "candidates" / "all-layers" / "model.keras")).read(
        frames
    )[1]
    for of in (BUNDLED, "adapted", "head", "all layers"):
        name = f"{of} + 9 fresh dots"
        calibration = fit(predicted[of][nine], frames.gaze[nine], dots=frames.clusters[nine])
        predicted[name] = calibration.apply(predicted[of])
    if AdaptDocument.read(run / "adapt.json").kept == CALIBRATED:  # then `live` applies it
        predicted["adapted"] = read_calibration(run / "calibration.json").apply(predicted["adapted"])
    before = load(read_index(run / "prepared"), "train", found.input)
    was, old = (
        Reader(bundled).read(before)[1],
        np.isin(before.clusters, nearest_dots(before.gaze, before.clusters)),
    )
    calibration = fit(was[old], before.gaze[old], dots=before.clusters[old])
    predicted["bundled + 9 old dots"] = calibration.apply(predicted[BUNDLED])
    errors = {name: np.linalg.norm(p - frames.gaze, axis=1)[~nine] for name, p in predicted.items()}
    clusters = frames.clusters[~nine]
    row: dict[str, Any] = {"next_frames": len(clusters)}
    for name in predicted:
        row[f"next {name} cm".replace(" ", "_")] = round(float(errors[name].mean()), 3)
    fresh = "adapted + 9 fresh dots"
    for short, mine, name in (
        ("bundled", "adapted", BUNDLED),
        ("9_old", "adapted", "bundled + 9 old dots"),
        ("9_fresh", fresh, "bundled + 9 fresh dots"),
    ):
        compared = gain(name, errors[mine], errors[name], clusters)
        low, high = compared.ci95_cm
        row |= {f"of_{short}": compared.ratio, f"than_{short}_cm": compared.difference_cm}
        row |= {f"than_{short}_low": low, f"than_{short}_high": high}
    return row


def shipped(run: Path, later: Path, out: Path) -> dict[str, Any]:
    """Take the run to a board: quantize, package for Spresense as generated C, run on the emulated Cortex-M4."""
    from tinytracker.emulate import emulate
    from tinytracker.evaluate import evaluate
    from tinytracker.package import package
    from tinytracker.package.spresense.options import Options
    from tinytracker.quant import quantize

    quantized = quantize(run)
    packaged = package(run, "spresense", out, options=Options(runtime="c"))
    counted = emulate(quantized.model, images=1)
    parity = packaged.document.parity
    return {
        "next_int8_cm": round(evaluate(run, later, "train", quantized.name).errors.overall.error_cm, 3),
        "next_float_cm": round(evaluate(run, later, "train").errors.overall.error_cm, 3),
        "package": "" if parity is None else f"{parity.runtime} = {parity.oracle} on {parity.images} images",
        "emulated": "equal bit for bit" if counted.equal else "differs",
    }


def one(folder: Path, index: int, options: argparse.Namespace) -> dict[str, Any]:
    """Record, adapt, and measure the next session of one person."""
    cpu, preset, dots = time.process_time(), options.model, options.dots
    session, later = folder / f"person-{index}", folder / f"person-{index}-next"
    times = record(session, index, 0, dots, options.per_dot, True)
    record(later, index, 1, options.next_dots, options.next_per_dot, False)
    began, wall = time.process_time(), time.monotonic()
    run = folder / f"run-{index}-{preset}"
    is_new = not (
        run / "adapt.json"
    ).is_file()  # of a run that was there, the times would be those of looking at it
    document: AdaptDocument = adapt([session], preset, run, options.epochs).document
    later_prepared = folder / f"prepared-{index}-next"
    row = {
        "person": index, "pictures": "synthetic, 1280x720", "preset": preset, "weights": weights(preset),
        "kept": document.kept, "epochs": options.epochs or "as many as 20 minutes allow",
        "frames": sum(document.frames.values()), "dots": sum(document.dots.values()),
        **{f"held_out {c.name} cm".replace(" ", "_"): c.test_cm for c in document.candidates},
        **errors_on(run, preset, later, later_prepared), **times,
        "adapt_cpu_s": round(time.process_time() - began, 1) if is_new else "",
        "adapt_wall_s": round(time.monotonic() - wall, 1) if is_new else "",
        "cpu_s": round(time.process_time() - cpu, 1) if is_new else "",
    }  # fmt: skip
    if index < options.first + options.chain:
        row |= shipped(run, later_prepared, folder / f"package-{index}-{preset}")
    return row


def main() -> None:
    """Measure person after person; the results are written after each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("people", type=int)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--model", default="tinytracker-v2")
    parser.add_argument("--dots", type=int, default=230)
    parser.add_argument("--per-dot", type=int, default=3)
    parser.add_argument("--next-dots", type=int, default=40)
    parser.add_argument("--next-per-dot", type=int, default=3)
    parser.add_argument(
        "--epochs", type=int, help="of training all layers; default: as many as adapt chooses"
    )
    parser.add_argument("--chain", type=int, default=1, help="people whose run is taken to a board, too")
    parser.add_argument("--out", default="adapt")
    options = parser.parse_args()
    set_quiet(True)
    options.folder.mkdir(parents=True, exist_ok=True)
    os.environ["TINYTRACKER_DEVICES"] = str(options.folder / "devices.toml")
    rows = []
    for index in range(options.first, options.first + options.people):
        rows.append(one(options.folder, index, options))
        print(rows[-1], flush=True)
        if options.out:
            every = dict.fromkeys(key for row in rows for key in row)
            write_csv(
                options.out,
                [{key: row.get(key, "") for key in every} for row in rows],
                ["tensorflow", "numpy"],
            )
    ratios = []
    for text, mine, other in (
        ("adapted / bundled", "next_adapted_cm", "next_bundled_cm"),
        ("adapted / bundled, both with nine fresh dots", "next_adapted_+_9_fresh_dots_cm",
         "next_bundled_+_9_fresh_dots_cm"),
        ("adapted with nine fresh dots / bundled", "next_adapted_+_9_fresh_dots_cm", "next_bundled_cm"),
        ("adapted / bundled with nine dots of the recorded day", "next_adapted_cm", "next_bundled_+_9_old_dots_cm"),
    ):  # fmt: skip
        ratios.append(
            {
                "weights": rows[0]["weights"], "pictures": "synthetic", "people": len(rows), "what": text,
                **resampled(rows, mine, other),
            }
        )  # fmt: skip
        print(ratios[-1], flush=True)
    if options.out:
        write_csv(f"{options.out}_ratios", ratios, ["tensorflow", "numpy"])


if __name__ == "__main__":
    main()
