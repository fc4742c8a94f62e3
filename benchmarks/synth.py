"""Measure how fast synthetic frames are drawn, JPEG and files included.

Processor time is that of all processes; on a busy machine it is more meaningful than wall time.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

from common import write_csv

from tinytracker.synth.generation import generate


def processor_seconds() -> float:
    """Return the processor time of this process and its finished children."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def measure(subjects: int, frames: int, jobs: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        cpu, wall = processor_seconds(), time.perf_counter()
        generate(Path(folder) / "set", subjects, frames, seed=11, jobs=jobs)
        cpu, wall = processor_seconds() - cpu, time.perf_counter() - wall
        size = sum(p.stat().st_size for p in Path(folder).rglob("*.jpg"))
    count = subjects * frames
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "frames": count,
        "jobs": jobs,
        "frames_per_s": round(count / wall, 1),
        "cpu_ms_per_frame": round(cpu / count * 1e3, 1),
        "frames_per_cpu_s": round(count / cpu, 1),
        "jpeg_kb": round(size / count / 1e3, 1),
        "peak_mb_per_process": round(peak / 1024),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=8)
    parser.add_argument("--frames", type=int, default=60)
    arguments = parser.parse_args()
    measure(1, 2, 1)  # compiles, or reads the compiled code from its cache
    cores = len(os.sched_getaffinity(0))
    rows = [measure(arguments.subjects, arguments.frames, jobs) for jobs in sorted({1, cores})]
    write_csv("synth", rows, ("numba", "numpy", "pillow"))


if __name__ == "__main__":
    main()
