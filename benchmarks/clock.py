"""How often the bound of the device clock holds when the host's rate changes during the session, as NTP makes it.

Simulated exchanges, no hardware. Writes benchmarks/results/clock.csv; some two minutes.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from common import SUPPORT, write_csv

sys.path.insert(0, str(SUPPORT))

from support.clock_sessions import HZ, Conditions, simulate

from tinytracker.errors import RefusedError
from tinytracker.measure.clock import estimate_clock

KINDS = {
    "steady, 60 s": Conditions(steps=0),
    "steady, 600 s": Conditions(600, steps=0),
    "one step of up to 50 ppm, 60 s": Conditions(),
    "one step of up to 50 ppm, 600 s": Conditions(600),
    "one step, 600 s, 2 ms more each way": Conditions(600, least_s=2e-3),
    "one step, 600 s, 16 ms one way": Conditions(600, mean_s=(1e-3, 16e-3), shape=4),
    "one step, 600 s, bursts": Conditions(600, burst=0.3),
    "six steps, 600 s": Conditions(600, steps=6),
    "six steps, 600 s, 2 ms more each way": Conditions(600, steps=6, least_s=2e-3),
    "one step of up to 20 ppm, 600 s": Conditions(600, step_ppm=20),
    "one step of up to 5 ppm, 600 s": Conditions(600, step_ppm=5),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=1000)
    sessions = parser.parse_args().sessions
    rows = []
    for kind, conditions in KINDS.items():
        rng = np.random.default_rng(0)
        bounds, errors, refused = [], [], 0
        for _ in range(sessions):
            exchanges, ticks, host_ns = simulate(rng, conditions)
            try:
                clock = estimate_clock(exchanges, HZ)
            except RefusedError:
                refused += 1
                continue
            errors.append(np.abs(clock.host_ns(ticks) + clock.origin_ns - host_ns).max())
            bounds.append(clock.bound_ns)
        held = np.array(errors) <= np.array(bounds)
        rows.append(
            {
                "kind": kind, "sessions": sessions, "refused": refused, "bound_held": int(held.sum()),
                "median_bound_us": round(float(np.median(bounds)) / 1e3, 1),
                "median_worst_error_us": round(float(np.median(errors)) / 1e3, 1),
            }
        )  # fmt: skip
        print(rows[-1], flush=True)
    write_csv("clock", rows, ["numpy"])


if __name__ == "__main__":
    main()
