"""Runs Sony's converter as a program, with progress, a time limit and a log, and turns its failures into our errors."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tinytracker.files import make_folder, writing
from tinytracker.package.imx500.environment import converter_command, converter_environment, require_converter
from tinytracker.package.imx500.failures import ConverterError, explain, timed_out
from tinytracker.package.imx500.memory import MemoryReport, read_memory_report
from tinytracker.progress import bar

TIMEOUT_SECONDS = 1800.0
"""Time limit in seconds. Our networks take one to two minutes on two cores; for one that does not fit, the converter
tries tilings for three."""

# Lines of the converter's log that end a stage, in order; the last two appear only in a full conversion.
_STAGES = (
    ("Converting ", "reading the network"),
    ("Converted successfully", "front end"),
    ("Starting SDSPconv", "planning memory"),
    ("ConvFe conversion finished", "back end"),
    ("Converter Backend successfully", "packing"),
    ("packer zip successfully", "done"),
)


@dataclass(frozen=True)
class Conversion:
    """Result of the converter.

    Attributes:
        packer_output: `packerOut.zip`, or None after a memory report.
        memory: use of the sensor's memory.
        log: file with everything that the converter printed.
    """

    packer_output: Path | None
    memory: MemoryReport
    log: Path


def convert(
    model: Path,
    out: Path,
    report_only: bool = False,
    timeout: float = TIMEOUT_SECONDS,
    folder: Path | None = None,
) -> Conversion:
    """Convert a quantized Keras model for the sensor.

    Args:
        model: an MCT-quantized `.keras` file; its name becomes the network's name.
        out: folder for the converter's files; files of an earlier conversion there are replaced.
        report_only: only find out whether the network fits, which takes about half the time.
        timeout: seconds after which the converter is stopped.
        folder: the converter's environment; None for the default.

    Raises:
        MissingDependencyError: the converter or Java is not installed.
        ConverterError: the conversion failed; names the cause. `out/converter.log` has the converter's output.
    """
    environment = require_converter(folder)
    make_folder(out)
    log, results = out / "converter.log", out / "converter"
    with writing(results):
        shutil.rmtree(results, ignore_errors=True)
    command = [
        *converter_command(environment), "-i", str(model), "-o", str(results), "--overwrite-output",
        "--report-size-unit", "B", *(["--memory-report"] if report_only else []),
    ]  # fmt: skip
    exit_code, text = run_logged(command, converter_environment(environment), log, timeout)
    reports = sorted(results.glob("*_MemoryReport.json"))
    if exit_code or not reports:
        raise explain(exit_code, text, log)
    zip_path = results / "packerOut.zip"
    if not report_only and not zip_path.is_file():
        message = "Sony's converter reported success but wrote no packerOut.zip."
        raise ConverterError("UNKNOWN", message, "", log)
    return Conversion(None if report_only else zip_path, read_memory_report(reports[0]), log)


def run_logged(command: list[str], environment: dict[str, str], log: Path, timeout: float) -> tuple[int, str]:
    """Run the converter with a progress display.

    Returns:
        Its exit code (negative for a signal) and everything that it printed, which is also in `log`.

    Raises:
        ConverterError: the time limit was reached.
    """
    expired = threading.Event()
    lines: list[str] = []
    progress = bar("convert for the sensor", len(_STAGES), "stages")
    with writing(log), log.open("w") as sink, progress as advance, _start(command, environment) as process:

        def expire() -> None:
            expired.set()
            _stop(process)

        timer = threading.Timer(timeout, expire)
        timer.daemon = True
        timer.start()
        try:
            assert process.stdout is not None
            stages = list(_STAGES)
            for line in process.stdout:
                lines.append(line)
                sink.write(line)
                sink.flush()
                if stages and stages[0][0] in line:
                    advance(1, stages.pop(0)[1])
            process.wait()
        finally:
            timer.cancel()
            if process.poll() is None:  # after Ctrl-C: its Java process would continue alone
                _stop(process)
    if expired.is_set():
        raise timed_out(timeout, log)
    return process.returncode, "".join(lines)


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start a program in its own process group, with both of its outputs in one pipe."""
    return subprocess.Popen(
        command, env=environment, text=True, errors="replace", stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def _stop(process: subprocess.Popen[str]) -> None:
    """Stop the converter and everything that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
