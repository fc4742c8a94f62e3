"""Measure how long the command line takes to answer without any work, and whether that imports TensorFlow."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

from common import write_csv

COMMANDS = (["--help"], ["train", "--help"], ["info", "tinytracker"], ["info", "no-such-preset"])
RUN = "import sys; from tinytracker.cli.main import main; main(sys.argv[1:])"


def main() -> None:
    """Measure and write results/startup.csv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=10)
    options = parser.parse_args()
    rows = []
    for command in COMMANDS:
        seconds = []
        for _ in range(options.repeat):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", RUN, *command], capture_output=True, check=False)
            seconds.append(time.perf_counter() - start)
        rows.append(
            {
                "what": "tinytracker " + " ".join(command),
                "median_s": f"{statistics.median(seconds):.3f}",
                "max_s": f"{max(seconds):.3f}",
                "limit_s": "0.3",
            }
        )
    write_csv("startup", rows, ("click", "rich", "pydantic"))


if __name__ == "__main__":
    main()
