"""What MLPerf Tiny's meters leave: EnergyRunner's binary energy trace, and the text of ST's LPM01A."""

import json
import struct

import numpy as np


def write_energyrunner(folder, energies_uj, stamps_s=None, rate=1000.0, name="trace1"):
    """`NAME-energy.bin`, with `NAME-timestamps.json` beside it; returns the path of the former."""
    path = folder / f"{name}-energy.bin"
    path.write_bytes(energyrunner_bytes(energies_uj, rate))
    if stamps_s is not None:
        (folder / f"{name}-timestamps.json").write_text(json.dumps(stamps_s))
    return path


def energyrunner_bytes(energies_uj, rate=1000.0):
    return struct.pack("<Bf", 0xF1, rate) + np.asarray(energies_uj, "<f4").tobytes()


def lpm01a_number(value):
    """As the meter writes it: 0.0006409 is "6409-07"."""
    if value == 0:
        return "0000+00"
    exponent = int(np.floor(np.log10(value))) - 3
    digits = round(value / 10.0**exponent)
    if digits == 10_000:
        digits, exponent = 1000, exponent + 1
    return f"{digits:04d}{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def lpm01a_log(values, rate=1000, settings=("freq 1k", "volt 1800m", "output energy"), events=(), per_line=1):
    """A whole log: answers to commands, samples, a time stamp every second, events before the samples they name."""
    lines = [
        "PowerShield > ack htc",
        *(f"PowerShield > ack {said}" for said in settings),
        "PowerShield > ack start",
    ]
    pending = []
    for k, value in enumerate(values):
        if k % rate == 0 or k in events:
            lines += ["".join(pending)] if pending else []
            pending = []
        if k % rate == 0:
            lines.append(f"\0TimeStamp: {k // rate:03d}s 000ms, buff 00%")
        if k in events:
            lines.append(f"event {events.index(k)} ris")
        pending.append(lpm01a_number(value))
        if len(pending) == per_line:
            lines.append("".join(pending))
            pending = []
    lines += ["".join(pending)] if pending else []
    end = len(values)
    lines.append(f"TimeStamp: {end // rate:03d}s {round(end % rate / rate * 1000):03d}ms, buff 00%")
    return "\r\n".join([*lines, "PowerShield > Acquisition completed", ""])
