"""Compares the sensor model with v2e's on the same light: event by event without noise, and within noise with it.

    python benchmarks/events_v2e.py --v2e FOLDER --python INTERPRETER

FOLDER is a clone of https://github.com/SensorsINI/v2e (measured with cac6384); INTERPRETER one that has what its
emulator imports (torch, opencv-python-headless, h5py, numba, easygui, engineering_notation, screeninfo, dv-processing,
tqdm). Both models see the logarithm of the light around the eyes of four people, at every drawn instant of a clip.
Writes benchmarks/results/events_v2e.csv.
"""

import argparse
import os
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from common import write_csv

PEOPLE, SECONDS, RATE, SEED, SEEDS = (0, 1, 2, 7), 0.4, 500, 3, 5


def lights():
    """Logarithm of the light in the window around the eyes, and times, of one clip of each person."""
    from tinytracker.events.plan import plan_clips
    from tinytracker.synth.instants import InstantRenderer
    from tinytracker.synth.sitting import subject_streams

    found = []
    for person in PEOPLE:
        streams = subject_streams(SEED, person)
        sitting, (plan,) = plan_clips(streams, 1, SECONDS, RATE, None, (240, 320))
        renderer = InstantRenderer(sitting, streams)
        window = renderer.window(plan.pictures)
        light = np.stack(list(renderer.around_eyes(window, plan.drawn, plan.pictures)))
        found.append((light, plan.course.times[list(plan.drawn)]))
    return found


def ours(light, times, sensor, seed):
    """Counts (h, w, 2) of this project's model."""
    from tinytracker.events.dvs import Dvs

    dvs = Dvs(light.shape[1:], sensor, 1.0, np.random.default_rng(seed), settled=True)
    for picture, time in zip(light, times, strict=True):
        dvs.see(picture, float(time))
    events = dvs.events(light.shape[2], light.shape[1])
    counts = np.zeros((*light.shape[1:], 2), np.int32)
    np.add.at(counts, (events.y, events.x, events.p), 1)
    return counts


def agreement(a, b):
    """Correlation of two maps (h, w, 2) of counts."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def rows(clips, theirs):
    from tinytracker.events.dvs import IDEAL, Sensor

    noisy = replace(Sensor(), cutoff_hz=0.0, shot_hz=0.0, refractory_s=0.0)
    for k, (light, times) in enumerate(clips):
        quiet, seeds = theirs[f"quiet{k}"], theirs[f"noisy{k}"]
        mine = ours(light, times, IDEAL, 0)
        mine_noisy = np.stack([ours(light, times, noisy, s) for s in range(SEEDS)])
        totals, own = seeds.sum((1, 2, 3)), mine_noisy.sum((1, 2, 3))
        pairs = [agreement(seeds[i], seeds[j]) for i in range(SEEDS) for j in range(i)]
        across = [agreement(a, b) for a in mine_noisy for b in seeds]
        yield {
            "person": PEOPLE[k],
            "instants": len(times),
            "v2e_events": int(quiet.sum()),
            "our_events": int(mine.sum()),
            "equal_counts_percent": round(100 * float((quiet == mine).mean()), 3),
            "v2e_noisy_events_mean": round(float(totals.mean()), 1),
            "v2e_noisy_events_sd": round(float(totals.std(ddof=1)), 1),
            "our_noisy_events_mean": round(float(own.mean()), 1),
            "our_noisy_events_sd": round(float(own.std(ddof=1)), 1),
            "map_correlation_v2e_v2e": round(float(np.mean(pairs)), 4),
            "map_correlation_ours_v2e": round(float(np.mean(across)), 4),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--v2e", type=Path, required=True)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--file", type=Path, help="HDF5 file that v2e writes of the first clip")
    arguments = parser.parse_args()
    clips = lights()
    with tempfile.TemporaryDirectory() as folder:
        light, out = Path(folder) / "light.npz", Path(folder) / "counts.npz"
        dark = np.float32(0.001)  # what `Sensor.dark` adds, of white at 1
        logs = {f"light{k}": np.log(pictures + dark) for k, (pictures, _) in enumerate(clips)}
        np.savez(light, **logs, **{f"times{k}": times for k, (_, times) in enumerate(clips)})
        worker = Path(__file__).with_name("v2e_worker.py")
        file = ["--file", str(arguments.file.resolve())] if arguments.file else []
        command = [str(arguments.python), str(worker), str(light), str(out), "--seeds", str(SEEDS), *file]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": str(arguments.v2e)})
        theirs = dict(np.load(out))
    write_csv("events_v2e", list(rows(clips, theirs)), ("numba", "numpy"))


if __name__ == "__main__":
    main()
