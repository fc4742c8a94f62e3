"""Measure how long the small demo of docs/getting-started.md takes, from an empty folder to its table."""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import write_csv

RUN = "import sys; from tinytracker.cli.main import main; main(sys.argv[1:])"
COMMAND = "demo --subjects 24 --frames 16 --epochs 6 --out"


def main() -> None:
    """Measure and write results/getting_started.csv."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        words = [*COMMAND.split(), str(Path(folder) / "first-demo")]
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", RUN, *words], check=True)
        wall = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    row = {
        "what": f"tinytracker {COMMAND} first-demo",
        "wall_s": f"{wall:.0f}",
        "cpu_s": f"{used.ru_utime + used.ru_stime:.0f}",
        "peak_mb": f"{used.ru_maxrss / 1024:.0f}",
    }
    write_csv("getting_started", [row], ("tensorflow", "numpy", "numba"))


if __name__ == "__main__":
    main()
