"""Command line of the fuzzer; `make fuzz SECONDS=60`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from support.fuzz.compare import Comparison, Failure, Tally

BATCH = 24


def main() -> int:
    """Fuzz for a time or a count; returns 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long; the last batch is finished")
    parser.add_argument("--count", type=int, help="how many networks, instead of a time")
    parser.add_argument("--seed", type=int, help="of the networks; default: one of the clock")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of single networks of the seed")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"), help="folder for what failed")
    chosen = parser.parse_args()
    seed = int(time.time()) if chosen.seed is None else chosen.seed
    print(f"seed {seed}", flush=True)
    comparison = Comparison()
    end = time.monotonic() + chosen.seconds
    done = 0
    try:
        while not chosen.only and (done < chosen.count if chosen.count else time.monotonic() < end):
            size = min(BATCH, chosen.count - done) if chosen.count else BATCH
            known = len(comparison.tally.failures)
            comparison.run(seed, range(done, done + size))
            _report(seed, comparison.tally.failures[known:], chosen.keep)
            done += size
            print(f"{done} networks, {len(comparison.tally.failures)} failures", file=sys.stderr, flush=True)
        if chosen.only:
            comparison.run(seed, chosen.only)
            _report(seed, comparison.tally.failures, chosen.keep)
    finally:
        comparison.close()
    _summary(seed, comparison.tally)
    return 1 if comparison.tally.failures else 0


def _report(seed: int, failures: list[Failure], keep: Path) -> None:
    """Print failures and keep the network and its inputs."""
    for failure in failures:
        folder = keep / f"{seed}-{failure.index}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.tflite").write_bytes(failure.case.model)
        arrays = {
            f"inputs_{row}_{i}": value
            for row, values in enumerate(failure.case.inputs)
            for i, value in enumerate(values)
        }
        np.savez(folder / "inputs.npz", **arrays)
        with (folder / "report.txt").open("a", encoding="utf-8") as report:
            report.write(f"{failure.what}\n")
        print(f"FAILED {folder}: {failure.what.splitlines()[0][:300]}", flush=True)


def _summary(seed: int, tally: Tally) -> None:
    print(f"seed {seed}: {tally.networks} networks, {len(tally.failures)} failures")
    for what, count in tally.counts.most_common():
        print(f"{count:6d}  {what}")


if __name__ == "__main__":
    sys.exit(main())
