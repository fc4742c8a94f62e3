"""Results of `tinytracker cascade evaluate` that somebody might have got: the real document, made-up numbers."""

from __future__ import annotations

import numpy as np

from tinytracker.cascade import CascadeResults
from tinytracker.cascade.results import (
    CascadeNetwork,
    Curve,
    CurvePoint,
    LatencyFrames,
    PersonRow,
    StrategyRow,
    Timeline,
)

PEOPLE = ("seq/00000", "seq/00001", "seq/00002")
SHARES = {"always": 1.0, "every k-th frame": 0.35, "still": 0.3, "summed flow": 0.36, "flow": 0.31}
BIG_SHARES = {"always": 1.0, "flow": 0.43, "little": 1.0, "flow, little": 0.5}


def make_results(big: str = "b" * 64, little: str = "c" * 64, latency=(6, 3)) -> CascadeResults:
    """Three people, both networks, all strategies, one timeline each."""
    rng = np.random.default_rng(0)
    rows = [_row(rng, name, "little", busy, latency[1]) for name, busy in SHARES.items()]
    rows += [_row(rng, name, "big", busy, latency[0]) for name, busy in BIG_SHARES.items()]
    return CascadeResults(
        kind="cascade-evaluation",
        latency_frames=LatencyFrames(big=latency[0], little=latency[1]),
        rate=30,
        big=CascadeNetwork(name="v2-aim", sha256=big, macs=11_333_792),
        little=CascadeNetwork(name="s2-aim", sha256=little, macs=4_760_352),
        people=PEOPLE,
        evidence="synthetic people, latency simulated, work emulated, energy modelled",
        rows=tuple(rows),
        curves=tuple(_curve(row) for row in rows if row.strategy != "always"),
        timelines=(_timeline(rng, "little", "flow"), _timeline(rng, "big", "flow, little")),
        command="tinytracker cascade evaluate v2-aim.tflite s2-aim.tflite --sequences seq",
        versions={"numpy": "1.26.4"},
    )


def _row(rng: np.random.Generator, strategy: str, network: str, busy: float, latency: int) -> StrategyRow:
    errors = (2.9 if network == "little" else 3.2) * (1 + 0.1 * (1 - busy)) + rng.normal(0, 0.2, len(PEOPLE))
    looks = strategy in ("little", "flow, little")
    runs = round(busy / max(latency, 1), 4)
    people = tuple(
        PersonRow(
            person=name, frames=480, error_cm=round(float(error), 3), calibrated_cm=2.1,
            busy=busy, big_rate=runs, little_rate=0.1 * looks, saccades=8, delay_median=4.0, delay_p95=13.0,
        )
        for name, error in zip(PEOPLE, errors, strict=True)
    )  # fmt: skip
    return StrategyRow(
        strategy=strategy, label=strategy.replace("k-th", "9th"), network=network,
        thresholds="fixed" if strategy in ("always", "every k-th frame") else "cross-validated", people=len(PEOPLE),
        frames=1440, error_cm=round(float(errors.mean()), 3), against_always=round(1 + 0.1 * (1 - busy), 4),
        calibrated_cm=2.1, error_cm_p10=2.5, error_cm_p90=3.4, busy=busy, big_rate=runs, little_rate=0.1 * looks,
        macs_per_frame=int(5e6 * runs), instructions_per_frame=int(8e6 * runs), core_load=busy,
        microjoules_per_frame=round(650 * busy, 1), saccades=24, delay_mean=4.6, delay_median=4.0, delay_p95=13.0,
        by_person=people,
    )  # fmt: skip


def _curve(row: StrategyRow) -> Curve:
    points = [
        CurvePoint(
            microjoules=round(row.microjoules_per_frame * share, 1), busy=round(row.busy * share, 4),
            error_cm=round(row.error_cm * (1.3 - 0.3 * share), 4),
        )
        for share in (0.5, 0.7, 1.0)
    ]  # fmt: skip
    return Curve(strategy=row.strategy, network=row.network, points=tuple(points))


def _timeline(rng: np.random.Generator, network: str, strategy: str) -> Timeline:
    count = 120
    dot = np.repeat(rng.uniform(-5, 5, (count // 20, 2)), 20, axis=0).round(2)
    path = "".join(
        "2" if k % 20 == 2 else "1" if strategy == "flow, little" and k % 20 == 10 else "0"
        for k in range(count)
    )
    return Timeline(
        person=PEOPLE[0], strategy=strategy, network=network, rate=30,
        dot=tuple(map(tuple, dot.tolist())), shown=(None,) * 3 + tuple(map(tuple, (dot[3:] + 0.5).tolist())),
        flow=tuple(rng.uniform(0, 0.2, count).round(3).tolist()), path=path,
        busy="".join("1" if k % 20 in (2, 3, 4) else "0" for k in range(count)), shut="0" * (count - 6) + "1" * 6,
    )  # fmt: skip
