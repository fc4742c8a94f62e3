"""Measure the time and memory to analyse a power trace of one minute, at the rates of the supported meters.

The trace is synthetic: three phases per frame, noise, phase lines. It is written as the meter would write it, and read
back.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from common import SUPPORT, stopwatch, write_csv

sys.path.insert(0, str(SUPPORT))

from tinytracker.energy.analysis import analyse
from tinytracker.energy.segments import gray, segments_from_lines
from tinytracker.energy.trace import Trace

PHASES = ("capture", "preprocess", "inference")
FRAME_S, LENGTHS = 0.05, (0.018, 0.002, 0.010)
CURRENTS = np.array([0.010, 0.05, 0.08, 0.2], np.float32)
LIMIT_S, LIMIT_MB = 10.0, 2048


def make(rate: float, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (current float32, levels uint8) of frames between five seconds of idle on each side."""
    count = int(rate * seconds)
    current, digital = np.empty(count, np.float32), np.empty(count, np.uint8)
    borders = np.cumsum(LENGTHS)
    codes = np.array([gray(k) for k in range(4)], np.uint8)
    rng = np.random.default_rng(0)
    for at in range(0, count, 1 << 20):
        stop = min(at + (1 << 20), count)
        time = np.arange(at, stop) / rate
        phase = (np.searchsorted(borders, time % FRAME_S, "right") + 1) % 4
        phase[(time < 5) | (time >= np.floor((seconds - 5) / FRAME_S) * FRAME_S)] = 0
        current[at:stop] = CURRENTS[phase] + 0.002 * rng.standard_normal(stop - at, np.float32)
        digital[at:stop] = codes[phase]
    return current, digital


def write(kind: str, path: Path, rate: float, seconds: float) -> None:
    """Write the trace in a meter's format."""
    current, digital = make(rate, seconds)
    if kind == "jls":
        import pyjls

        with pyjls.Writer(str(path)) as writer:
            writer.source_def(1, name="meter", vendor="-", model="synthetic", version="1", serial_number="0")
            for signal, name, unit in ((1, "current", "A"), (2, "voltage", "V")):
                writer.signal_def(
                    signal, 1, sample_rate=int(rate), name=name, units=unit, data_type=pyjls.DataType.F32
                )
            for line in range(2):
                writer.signal_def(
                    5 + line, 1, sample_rate=int(rate), name=f"gpi[{line}]", data_type=pyjls.DataType.U1
                )
            for at in range(0, len(current), 1 << 20):
                part = current[at : at + (1 << 20)]
                writer.fsr_f32(1, at, part)
                writer.fsr_f32(2, at, np.full(len(part), 3.3, np.float32))
                for line in range(2):
                    bits = digital[at : at + (1 << 20)] >> line & 1
                    writer.fsr(5 + line, at, np.packbits(bits, bitorder="little"))
    elif kind == "ppk2":
        from support.ppk2 import ppk2_frames

        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr("session.raw", ppk2_frames(current * 1e6, digital))
            metadata = {"metadata": {"samplesPerSecond": int(rate)}, "formatVersion": 2}
            archive.writestr("metadata.json", json.dumps(metadata))
    else:
        with path.open("w") as file:
            file.write("Timestamp(ms),Current(uA),D0-D7\n")
            for at, (amps, level) in enumerate(zip(current, digital, strict=True)):
                file.write(f"{at * 1e3 / rate:.2f},{amps * 1e6:.3f},{level & 1}{level >> 1 & 1}000000\n")


def measure(kind: str, path: Path, rate: float, seconds: float) -> dict[str, str]:
    """Read and analyse once in this process; "memory" makes the trace here and measures only the analysis."""
    with stopwatch() as reading:
        if kind == "memory":
            current, digital = make(rate, seconds)
            trace = Trace(current, np.full(len(current), 3.3, np.float32), rate, digital=digital, lines=3)
        else:
            from tinytracker.energy.formats import read_trace

            trace = read_trace(path, voltage_v=None if kind == "jls" else 3.3)
    with stopwatch() as analysing:
        report = analyse(trace, segments_from_lines(trace, PHASES))
    return {
        "format": kind,
        "rate_hz": f"{rate:.0f}",
        "seconds": f"{seconds:g}",
        "frames": str(report.phases[-1].frames),
        "read_s": "" if kind == "memory" else f"{reading.wall_s:.2f}",
        "analyse_s": f"{analysing.wall_s:.2f}",
        "analyse_cpu_s": f"{analysing.cpu_s:.2f}",
        "peak_mb": f"{_peak_mb():.0f}",
        "limit_s": f"{LIMIT_S:g}",
        "limit_mb": str(LIMIT_MB),
    }


def _peak_mb() -> float:
    """Return the peak resident memory of this process; unlike getrusage's, it restarts with the program."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    """Measure each format in its own process and write results/energy.csv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", nargs=3, metavar=("KIND", "PATH", "RATE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        kind, path, rate = options.only
        print("RESULT", json.dumps(measure(kind, Path(path), float(rate), options.seconds)))
        return
    rows = []
    for kind, rate in (("memory", 2e6), ("jls", 2e6), ("ppk2", 1e5), ("ppk2-csv", 1e5)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"trace.{kind.replace('ppk2-', '')}"
            if kind != "memory":
                write(kind, path, rate, options.seconds)
            command = [
                sys.executable,
                __file__,
                "--seconds",
                str(options.seconds),
                "--only",
                kind,
                path,
                str(rate),
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        line = next(text for text in done.stdout.splitlines() if text.startswith("RESULT"))
        rows.append(json.loads(line.removeprefix("RESULT")))
        print(rows[-1])
    write_csv("energy", rows, ("numpy", "pyjls"))


if __name__ == "__main__":
    main()
