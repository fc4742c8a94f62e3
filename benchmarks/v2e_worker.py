"""Runs v2e's sensor model on pictures of light; in the environment of v2e, started by `events_v2e.py`.

Reads an .npz with light{k} (n, h, w) and times{k} (n,), and writes one with counts (seeds, h, w, 2) per clip and kind.
With --file, also lets v2e write its own HDF5 file of the first clip.
"""

import argparse
import logging
import sys
from pathlib import Path

import numpy as np

logging.disable(logging.CRITICAL)


def emulate(light, times, seed, quiet, folder=None):
    from v2ecore.emulator import EventEmulator

    own = {"sigma_thres": 0.0, "leak_rate_hz": 0.0} if quiet else {"sigma_thres": 0.03, "leak_rate_hz": 0.1}
    files = {"output_folder": str(folder.parent), "dvs_h5": folder.name} if folder else {}
    height, width = light.shape[1:]
    # hdr: the pictures are logarithms already.
    emulator = EventEmulator(
        pos_thres=0.2, neg_thres=0.2, cutoff_hz=0, shot_noise_rate_hz=0, refractory_period_s=0, hdr=True,
        device="cpu", seed=seed, output_width=width, output_height=height, **own, **files,
    )  # fmt: skip
    counts = np.zeros((*light.shape[1:], 2), np.int32)
    for picture, time in zip(light, times - times[0], strict=True):
        events = emulator.generate_events(picture.astype(np.float32), float(time))
        if events is not None and len(events):
            np.add.at(
                counts,
                (events[:, 2].astype(int), events[:, 1].astype(int), (events[:, 3] > 0).astype(int)),
                1,
            )
    if folder:
        emulator.cleanup()
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("light", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--file", type=Path)
    arguments = parser.parse_args()
    data = np.load(arguments.light)
    found = {}
    for k in range(sum(name.startswith("light") for name in data.files)):
        light, times = data[f"light{k}"], data[f"times{k}"]
        found[f"quiet{k}"] = emulate(light, times, 1, quiet=True)
        found[f"noisy{k}"] = np.stack(
            [emulate(light, times, s + 1, quiet=False) for s in range(arguments.seeds)]
        )
        print(k, found[f"quiet{k}"].sum(), found[f"noisy{k}"].sum((1, 2, 3)), file=sys.stderr, flush=True)
    if arguments.file:
        emulate(data["light0"], data["times0"], 1, quiet=False, folder=arguments.file)
    np.savez(arguments.out, **found)


if __name__ == "__main__":
    main()
