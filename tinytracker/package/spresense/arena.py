"""TFLM's arena for a model that anybody made, measured in a child process.

The search for the smallest arena loads the model with too little memory. TFLM then says so, but with some networks,
small ones above all, it crashes instead; only the child is lost then.
"""

from __future__ import annotations

import subprocess
import sys

from tinytracker.errors import ModelError
from tinytracker.requirements import require

_PROGRAM = """
import sys
from tinytracker.errors import ModelError
from tinytracker.quant.runtimes import measure_arena
try:
    print(measure_arena(sys.stdin.buffer.read()).total_bytes)
except ModelError as error:
    sys.exit(error.message)
"""


def arena_bytes(content: bytes) -> int:
    """Smallest arena that TFLM works with; see `tinytracker.quant.runtimes.measure_arena`.

    Raises:
        ModelError: TFLM cannot load the model, or crashes.
        MissingDependencyError: tflite-micro is not installed.
    """
    require("tflite_micro", "tflite-micro", "measuring TFLM's arena", "train")
    child = subprocess.run([sys.executable, "-c", _PROGRAM], input=content, capture_output=True, check=False)
    if child.returncode < 0:
        raise ModelError("TFLM crashes when the arena is too small, so that the smallest cannot be found.")
    if child.returncode:
        lines = child.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise ModelError(lines[-1])
    return int(child.stdout)
