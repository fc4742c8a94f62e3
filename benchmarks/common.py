"""Code shared by all benchmarks: a CSV whose every line states the machine and the versions of its measurement."""

from __future__ import annotations

import csv
import importlib.metadata
import os
import platform
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
SUPPORT = Path(__file__).resolve().parent.parent / "tests"
"""The folder that benchmarks put on `sys.path` to make their input with the tests' helpers."""


@dataclass
class Stopwatch:
    """Seconds that a block took: wall time, and processor time of all threads of this process."""

    wall_s: float = 0.0
    cpu_s: float = 0.0


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Measure the block; the numbers are available when it ends."""
    result = Stopwatch()
    wall, cpu = time.perf_counter(), time.process_time()
    yield result
    result.wall_s, result.cpu_s = time.perf_counter() - wall, time.process_time() - cpu


def machine(packages: Sequence[str] = ()) -> dict[str, str]:
    """Return processor, cores, system, Python, and the versions of `packages` ("absent" when not installed)."""
    described = {
        "cpu": _cpu_model(),
        "cores": str(len(os.sched_getaffinity(0))),
        "load": f"{os.getloadavg()[0]:.1f}",  # other programs on the machine make wall times longer
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
    for package in packages:
        try:
            described[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            described[package] = "absent"
    return described


def write_csv(name: str, rows: Sequence[dict[str, Any]], packages: Sequence[str] = ()) -> Path:
    """Write `results/NAME.csv`: the columns of the rows, then the command and the machine.

    Args:
        name: name of the benchmark, without suffix.
        rows: rows with equal keys.
        packages: packages whose versions matter.
    """
    common = _command_and_machine(packages)
    path = RESULTS / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], *common], lineterminator="\n")
        writer.writeheader()
        writer.writerows(row | common for row in rows)
    print(path)
    return path


def append_csv(name: str, row: dict[str, Any], packages: Sequence[str] = ()) -> Path:
    """Add one line to `results/NAME.csv`, for long runs that are made one at a time.

    Raises:
        ValueError: the file has other columns than this line.
    """
    line = row | _command_and_machine(packages)
    path = RESULTS / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    if not new:
        with path.open(newline="") as file:
            columns = next(csv.reader(file))
        if columns != list(line):
            raise ValueError(f"{path} has the columns {columns}, but this line has {list(line)}")
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(line), lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(line)
    return path


def replace_in_csv(
    name: str, rows: Sequence[dict[str, Any]], column: str, packages: Sequence[str] = ()
) -> Path:
    """Write lines into `results/NAME.csv` in place of those with the same value of `column`; others stay.

    Raises:
        ValueError: the file has other columns than these lines.
    """
    common = _command_and_machine(packages)
    lines = [row | common for row in rows]
    path = RESULTS / f"{name}.csv"
    kept: list[dict[str, Any]] = []
    if path.exists():
        with path.open(newline="") as file:
            reader = csv.DictReader(file)
            kept = [row for row in reader if row[column] not in {str(line[column]) for line in lines}]
            if reader.fieldnames != list(lines[0]):
                raise ValueError(
                    f"{path} has the columns {reader.fieldnames}, but these lines have {list(lines[0])}"
                )
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows([*kept, *lines])
    return path


def _command_and_machine(packages: Sequence[str]) -> dict[str, str]:
    # The command as given at the top of the repository, wherever that is.
    command = shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    return {"command": command, **machine(packages)}


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model")):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"
