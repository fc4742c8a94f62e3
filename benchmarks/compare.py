"""Measure how often `tinytracker compare` calls equal groups of sessions different, and finds a real difference.

Uses simulated series, no hardware, with five sessions on each side. Also measures how often one session's median gets
an interval, how often that covers the truth, how wide it is for white noise, and the same for the interval of the mean,
which energies have. Writes benchmarks/results/compare_simulated.csv; takes about four minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from common import write_csv

from tinytracker.measure.comparison import ALPHA, RECOMMENDED_SESSIONS, welch
from tinytracker.series import interval_of, mean_draws, median_draws

Draw = Callable[[np.random.Generator, int], np.ndarray]
WHITE_SD, MEDIAN = 10.0, 1000.0


def slow(rng: np.random.Generator, n: int, correlation: float, sd: float) -> np.ndarray:
    """Return a first-order process that starts in its stationary state."""
    values = np.empty(n)
    values[0] = rng.normal(0, sd)
    for k, step in enumerate(rng.normal(0, sd * (1 - correlation**2) ** 0.5, n - 1), 1):
        values[k] = correlation * values[k - 1] + step
    return values


# name, timer tick, whether the median of the process is MEDIAN, draw
KINDS: tuple[tuple[str, float, bool, Draw], ...] = (
    ("white, sd 1 %", 0, True, lambda rng, n: MEDIAN + rng.normal(0, WHITE_SD, n)),
    ("log-normal", 0, False, lambda rng, n: MEDIAN + rng.lognormal(1, 1, n)),
    ("two modes 80/20", 0, False, lambda rng, n: MEDIAN + 50 * (rng.random(n) < 0.2) + rng.normal(0, 3, n)),
    ("two modes 50/50", 0, False, lambda rng, n: MEDIAN + 50 * rng.choice([-1, 1], n) + rng.normal(0, 3, n)),
    ("tick 1, sd 0.4", 1, False, lambda rng, n: np.floor(MEDIAN + 0.5 + rng.normal(0, 0.4, n))),
    ("AR(1) 0.5, sd 1 %", 0, True, lambda rng, n: MEDIAN + slow(rng, n, 0.5, 10)),
    ("AR(1) 0.9, sd 1 %", 0, True, lambda rng, n: MEDIAN + slow(rng, n, 0.9, 10)),
    (
        "AR(1) 0.98, sd 0.5 %, and white", 0, True,
        lambda rng, n: MEDIAN + slow(rng, n, 0.98, 5) + rng.normal(0, WHITE_SD, n),
    ),
    ("AR(1) 0.98, sd 1 %", 0, True, lambda rng, n: MEDIAN + slow(rng, n, 0.98, 10)),
    (
        "random walk and white", 0, False,
        lambda rng, n: MEDIAN + np.cumsum(rng.normal(0, 0.3, n)) + rng.normal(0, WHITE_SD, n),
    ),
    (
        "sessions differ by 0.3 %, white 1 %", 0, False,
        lambda rng, n: MEDIAN + rng.normal(0, 3) + rng.normal(0, WHITE_SD, n),
    ),
    (
        "sessions differ by 0.1 %, white 0.02 %", 0, False,
        lambda rng, n: MEDIAN + rng.normal(0, 1) + rng.normal(0, 0.2, n),
    ),
    (
        "sine of 10 frames", 0, True,
        lambda rng, n: MEDIAN + 20 * np.sin(2 * np.pi * (np.arange(n) / 10 + rng.random())) + rng.normal(0, 3, n),
    ),
)  # fmt: skip


def found(draw: Draw, rng: np.random.Generator, n: int, tick: float, change: float, pairs: int) -> float:
    """Return the share of pairs of groups found to differ; b is drawn like a and moved by a share of the median."""
    differing = 0
    for _ in range(pairs):
        medians = np.array([np.median(draw(rng, n)) for _ in range(2 * RECOMMENDED_SESSIONS)])
        a, b = medians[:RECOMMENDED_SESSIONS], medians[RECOMMENDED_SESSIONS:] + change * MEDIAN
        differing += welch(a, b, tick)[1] < ALPHA and abs(b.mean() - a.mean()) > tick
    return differing / pairs


def covered(draw: Draw, rng: np.random.Generator, n: int, sessions: int) -> dict[str, float | str]:
    """Return how often sessions get an interval, and how often it contains the median (and mean) of the process."""
    given, median_hits, mean_hits, wrong = 0, 0, 0, 0
    for _ in range(sessions):
        values = draw(rng, n)
        interval = interval_of(median_draws(values, 1000, rng))
        if interval is not None:
            given += 1
            covers = interval[0] <= MEDIAN <= interval[1]
            median_hits, wrong = median_hits + covers, wrong + (not covers)
        mean_interval = interval_of(mean_draws(values, 1000, rng))
        mean_hits += mean_interval is not None and mean_interval[0] <= MEDIAN <= mean_interval[1]
    return {
        "interval_given": given / sessions, "interval_covers": round(median_hits / given, 4) if given else "",
        "wrong_intervals": wrong / sessions, "interval_of_mean_covers": mean_hits / sessions,
    }  # fmt: skip


NOT_KNOWN = dict.fromkeys(
    ("interval_given", "interval_covers", "wrong_intervals", "interval_of_mean_covers"), ""
)


def main() -> None:
    """Simulate, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=2000)
    options = parser.parse_args()
    rows = []
    for n in (100, 200, 1000):
        for name, tick, known, draw in KINDS:
            rng = np.random.default_rng(1)
            row = {
                "kind": "simulated", "noise": name, "frames": n, "sessions_a_side": RECOMMENDED_SESSIONS,
                "pairs": options.pairs, "false_alarms": found(draw, rng, n, tick, 0.0, options.pairs),
            }  # fmt: skip
            white = name.startswith("white")
            for change in (0.0025, 0.005):
                row[f"found_{change:g}"] = found(draw, rng, n, tick, change, options.pairs) if white else ""
            row |= covered(draw, rng, n, options.pairs) if known else NOT_KNOWN
            rows.append(row)
            print(", ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    write_csv("compare_simulated", rows, ["numpy", "scipy"])


if __name__ == "__main__":
    main()
