"""Turns failures of Sony's converter into sentences with the cause and the fix.

The converter marks its messages with a code in brackets. The texts and exit codes were collected by provoking each
failure (docs/imx500.md).
"""

from __future__ import annotations

import re
from pathlib import Path

from tinytracker.errors import TinyTrackerError

_CHECK = "`tinytracker check RUN --target imx500` lists what the sensor takes."


class ConverterError(TinyTrackerError):
    """Sony's converter failed.

    Args:
        code: the converter's own code ("USOP", "ISM", ...), or "TIMEOUT", "KILLED", "JAVA", "UNKNOWN".
        message: what happened.
        hint: the fix.
        log: file with everything that the converter printed.
    """

    kind = "converter"

    def __init__(self, code: str, message: str, hint: str, log: Path) -> None:
        self.code, self.log = code, log
        super().__init__(message, f"{hint} The converter's full log is {log}.".strip())


def timed_out(seconds: float, log: Path) -> ConverterError:
    """Return the error for a converter that was stopped after its time limit."""
    message = f"Sony's converter did not finish within {seconds:.0f} s and was stopped."
    return ConverterError("TIMEOUT", message, "Close other programs and try again.", log)


def explain(exit_code: int, text: str, log: Path) -> ConverterError:
    """Turn the converter's exit code and output into one error.

    Args:
        exit_code: exit code, negative for a signal.
        text: everything that it printed.
        log: where that text is kept.
    """
    text = _SOURCE_PLACE.sub("", text)
    for code, pattern, message, hint in _KNOWN:
        match = re.search(pattern, text)
        if match:
            found = (group.strip().rstrip(".") for group in match.groups())
            return ConverterError(code, message.format(*found), hint, log)
    if exit_code < 0 or exit_code in (137, 143):
        signal = -exit_code if exit_code < 0 else exit_code - 128
        hint = "Signal 9 usually means that memory ran out: the converter takes 1 GB, and 6 GB for a large network."
        return ConverterError("KILLED", f"Sony's converter was killed by signal {signal}.", hint, log)
    last = _last_error(text)
    return ConverterError("UNKNOWN", f"Sony's converter failed with exit code {exit_code}: {last}.", "", log)


_SOURCE_PLACE = re.compile(r"[ \t]*\[[^\[\]\n]*\.py:\d+\]$", re.MULTILINE)
"""The converter's Python half ends each line with the file and line of its own logger."""

# Code, pattern in the output, message with the pattern's groups, fix. The first match wins: after a missing Java or an
# unsupported operator, later stages fail as well, with other codes.
_KNOWN: tuple[tuple[str, str, str, str], ...] = (
    (
        "USOP",
        r"\[USOP\].*?unsupported ops:\s*([^\n\[]+)",
        "The sensor does not support these operators: {0}.",
        f"Train a preset without them. {_CHECK}",
    ),
    (
        "ISM",
        r"\[ISM\][^\n]*available:\s*([^,\n]+),\s*required:\s*([^\s\n]+)",
        "The network needs {1} of the sensor's memory; {0} is available.",
        f"Train a smaller preset. {_CHECK}",
    ),
    (
        "GE",
        r"\[GE\][^\n]*List is empty",
        "The network is not quantized: the converter found no quantizer in it.",
        "Package a run folder; packaging quantizes its network for the sensor.",
    ),
    (
        "JAVA",
        r"(?i)(?:java: (?:command )?not found|No such file or directory: '?java|JAVA_HOME is not set)",
        "Sony's converter cannot start Java 17.",
        "Install it with: sudo apt install openjdk-17-jre-headless",
    ),
    (
        "MEMORY",
        r"java\.lang\.OutOfMemoryError",
        "Java ran out of memory while converting the network.",
        "Free some memory, or train a smaller preset.",
    ),
    (
        "ODE",
        r"\[ODE\]\s*([^\n]+)",
        "The converter's output folder already exists: {0}.",
        "Remove that folder or choose another --out.",
    ),
    (
        "EXEC",
        r"\[EXEC\]\s*([^\n]+)",
        "Sony's converter cannot use its input: {0}.",
        "Package a finished run folder.",
    ),
    (
        "TILING",
        r"\[(?:TANSF|IMCF)\]\s*([^\n]+)",
        "The network cannot be divided to fit the sensor's memory: {0}.",
        f"Train a preset with a smaller input or fewer channels. {_CHECK}",
    ),
    (
        "DISK",
        r"No space left on device",
        "The disk is full; the network could not be converted.",
        "Free some space and run the same command again.",
    ),
    (
        "GE",
        r"\[GE\]\s*([^\n]+)",
        "Sony's converter failed with an internal error: {0}.",
        "",
    ),
)


def _last_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line] or lines
    return errors[-1][-300:].rstrip(".") if errors else "it printed nothing"
