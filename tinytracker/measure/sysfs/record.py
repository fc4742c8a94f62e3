"""Records a computer's own power meter into a file until it is interrupted; see `tinytracker.energy.formats.sysfs`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from tinytracker.energy.formats.sysfs import COLUMNS, MAGIC, VERSION
from tinytracker.errors import TinyTrackerError
from tinytracker.measure.host_clock import NAME, now_ns
from tinytracker.measure.sysfs.sources import PowerSource, find_source

INTERVAL_S = 0.01
"""RAPL counts on every millisecond, and an INA3221 averages over some: ten keep the error of an edge below 10 %."""


def record(
    source: PowerSource, file: Path, is_over: Callable[[], bool], interval_s: float = INTERVAL_S
) -> int:
    """Write samples until `is_over` answers True.

    Args:
        source: the meter.
        file: to write; replaced if it exists.
        is_over: asked before each sample.
        interval_s: between two samples.

    Returns:
        the number of samples.

    Raises:
        DeviceError: the meter can no longer be read.
    """
    described = {
        "version": VERSION, "source": source.source, "rails": list(source.rails), "range_uj": source.range_uj,
        "clock": NAME,
    }  # fmt: skip
    count = 0
    with file.open("w") as out:
        out.write(MAGIC + json.dumps(described) + "\n")
        out.write(",".join(COLUMNS[source.source]) + "\n")
        due = time.monotonic()
        while not is_over():
            before = now_ns()
            values = source.sample()
            middle = (before + now_ns()) // 2
            out.write(",".join(map(str, (middle, *values))) + "\n")
            count += 1
            due = max(due + interval_s, time.monotonic())
            time.sleep(max(due - time.monotonic(), 0.0))
    return count


def main() -> int:
    """Record until Ctrl-C; the exit code is 1 when there is no such meter."""
    parser = argparse.ArgumentParser(description="Record this computer's own power meter until Ctrl-C.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--source", required=True)
    parser.add_argument("--rail", default="")
    options = parser.parse_args()
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        record(find_source(options.source, options.rail), options.file, lambda: stopped)
    except TinyTrackerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
