"""Record with a PPK2 until interrupted: `python -m tinytracker.measure.ppk2.record FILE`.

A separate program, so that the measurement's other work does not delay samples.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tinytracker.errors import DeviceError, TinyTrackerError
from tinytracker.files import make_folder, writing
from tinytracker.measure.ppk2 import RATE_HZ
from tinytracker.measure.ppk2.calibration import SOURCE_METER, Calibration
from tinytracker.measure.ppk2.device import Ppk2, find_port
from tinytracker.measure.ppk2.recording import Recording, Summary
from tinytracker.words import counted

_POLL_S = 0.1
_SILENCE_S = 2.0
_VOLTAGE_SHARE = 0.02


def record(
    port: str | None, path: Path, stopped: Callable[[], bool], voltage_v: float | None = None
) -> Summary:
    """Record until told to stop; what has arrived is saved however it ends.

    Args:
        port: of the meter; None for the only one.
        path: file to write (.ppk2).
        stopped: called at least ten times a second.
        voltage_v: supply of the board, V.

    Raises:
        DeviceError: no meter answers, it falls silent, or the voltage given is not the one it supplies.
        UnpluggedError: it was disconnected.
        OutputError: the file cannot be written.
    """
    failure: DeviceError | None = None
    with Ppk2(port or find_port()) as meter:
        calibration = _with_voltage(meter, voltage_v)
        make_folder(path.parent)
        with writing(path):
            recording = Recording(calibration, path.parent)
        try:
            _read(meter, recording, stopped)
        except DeviceError as gone:
            failure = gone
    summary = recording.save(path, voltage_v)
    if failure is not None:
        raise failure
    return summary


def _with_voltage(meter: Ppk2, voltage_v: float | None) -> Calibration:
    """Its calibration at the voltage that the board has."""
    told = meter.calibration
    if voltage_v is None:
        return told
    if told.mode == SOURCE_METER and abs(voltage_v - told.supply_v) > _VOLTAGE_SHARE * told.supply_v:
        raise DeviceError(
            meter.name,
            f"the meter supplies {told.supply_v:g} V, but --voltage is {voltage_v:g} V",
            "Omit --voltage.",
        )
    return replace(told, supply_v=voltage_v)


def _read(meter: Ppk2, recording: Recording, stopped: Callable[[], bool]) -> None:
    meter.start()
    heard = time.monotonic()
    while not stopped():
        data = meter.read(_POLL_S)
        now = time.monotonic()
        if data:
            heard = now
            recording.add(data, now, time.time())
        elif now - heard > _SILENCE_S:
            raise DeviceError(
                meter.name,
                f"the meter has sent nothing for {_SILENCE_S:g} s",
                "Unplug it and plug it in again.",
            )


def main(arguments: list[str] | None = None) -> int:
    """The program; returns its exit code."""
    parser = argparse.ArgumentParser(description="Record with Nordic's PPK2 until interrupted.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--port")
    parser.add_argument("--voltage", type=float)
    given = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A flag: an exception in the middle of a reading would leave half of it.
        signal.signal(number, lambda *_: stop.set())
    try:
        summary = record(given.port, given.file, stop.is_set, given.voltage)
    except TinyTrackerError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{given.file}: {summary.samples / RATE_HZ:.1f} s, {counted(summary.lost, 'sample')} lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
