"""Measure how many records per second the host reads, checks and writes into a session, and the share of a core.

A simulated board in its own process sends records over a pty: 2,000 per second, then as fast as they are read.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from common import SUPPORT, stopwatch, write_csv

from tinytracker.measure.link import open_link
from tinytracker.measure.measurement import measure
from tinytracker.progress import set_quiet

LIMIT_PER_S, LIMIT_SHARE = 2000, 0.25
WARMUP = 10

BOARD = """
import sys, time
from support.fake_line import FakeLine, record
rate = float(sys.argv[1])
began = []
def frame(board, sequence):
    if rate:
        began.append(time.monotonic()) if not began else None
        left = began[0] + sequence / rate - time.monotonic()
        if left > 0:
            time.sleep(left)
    board.say(record(sequence, board.ticks()))
with FakeLine(frame) as board:
    print(board.port, flush=True)
    sys.stdin.read()
"""


def one(rate: float, frames: int) -> dict[str, object]:
    """Measure this many frames; at a rate of 0 they are sent as fast as they are read."""
    command = [sys.executable, "-c", BOARD, str(rate)]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            command,
            env={"PYTHONPATH": str(SUPPORT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as board,
    ):
        assert board.stdout is not None
        port = board.stdout.readline().strip()
        with open_link(port, keep_raw=True) as link, stopwatch() as watch:
            result = measure(link, Path(folder) / "s.jsonl", frames - WARMUP, warmup=WARMUP)
        board.kill()
    per_s, share = frames / watch.wall_s, watch.cpu_s / watch.wall_s
    return {
        "sent_per_s": rate or "as taken", "records": frames, "read_per_s": round(per_s), "lost": result.lost,
        "damaged": result.damaged, "share_of_core": round(share, 3),
        "us_per_record": round(watch.cpu_s / frames * 1e6, 1),
        "within_limits": share < LIMIT_SHARE and per_s > 0.95 * LIMIT_PER_S if rate else per_s > LIMIT_PER_S,
    }  # fmt: skip


def main() -> None:
    """Run both and write the table."""
    set_quiet(True)
    rows = [one(LIMIT_PER_S, 20_000), one(0, 40_000)]
    for row in rows:
        print(row)
    write_csv("link", rows, ["pyserial"])


if __name__ == "__main__":
    main()
