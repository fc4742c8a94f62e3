"""The errors of this package. A message says what happened, the value, the limit and the fix.

Every error that a user can cause is a `TinyTrackerError`. The command line prints `str(error)` and exits with
`error.exit_code`: 2 when the command was used wrongly, 1 when the work failed. Anything else that escapes is a bug.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to a misspelt one, or None when none is close."""
    lowered = {k.lower(): k for k in known}
    match = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
    return lowered[match[0]] if match else None


class TinyTrackerError(Exception):
    """Base class of all errors caused by the input or the environment rather than by a bug.

    Args:
        message: the sentence to show: what is wrong, the value and the limit.
        hint: how to fix it, shown after the message.
    """

    exit_code = 1
    kind = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(f"{message} {hint}".strip())

    def __reduce__(self) -> tuple[object, ...]:
        # The default calls the class with `args`, which fails for classes that build their own message;
        # errors raised in worker processes must reach the parent.
        return _restore, (type(self), str(self)), self.__dict__


def _restore(cls: type[TinyTrackerError], text: str) -> TinyTrackerError:
    """Rebuild a pickled error; pickle restores its attributes."""
    error = cls.__new__(cls)
    error.args = (text,)
    return error


class UsageError(TinyTrackerError):
    """An option or argument is invalid."""

    exit_code = 2
    kind = "usage"


class UnknownNameError(UsageError):
    """A name is not in the set of known names.

    Args:
        what: the kind of thing named, for example "preset".
        name: what the user wrote.
        known: every valid name.
        hint: how to make it known, shown last.
    """

    kind = "unknown-name"

    def __init__(self, what: str, name: str, known: Iterable[str], hint: str = "") -> None:
        known = sorted(known)
        near = closest(name, known)
        guess = f"Did you mean {near!r}? " if near else ""
        super().__init__(f"Unknown {what} {name!r}.", f"{guess}Known: {', '.join(known)}. {hint}".strip())


class ConfigError(UsageError):
    """A configuration file or value is not valid.

    Args:
        source: file or option that holds the value.
        key: the offending key, dotted.
        problem: what is wrong with it.
        hint: how to fix it.
    """

    kind = "config"

    def __init__(self, source: str, key: str, problem: str, hint: str = "") -> None:
        where = f"{source}: {key}" if key else source
        super().__init__(f"{where}: {problem}.", hint)


class InputFileError(TinyTrackerError):
    """A given file or folder cannot be used.

    Args:
        path: the file or folder.
        problem: what is wrong with it.
        hint: how to fix it.
    """

    kind = "input"

    def __init__(self, path: Path | str, problem: str, hint: str = "") -> None:
        self.path = Path(path)
        super().__init__(f"{path}: {problem}.", hint)


class SubjectError(InputFileError):
    """A recorded subject is damaged.

    Args:
        path: the file or folder.
        reason: the kind of damage, from a fixed vocabulary, so that damage can be counted.
        problem: what exactly is wrong.
    """

    kind = "recording"

    def __init__(self, path: Path | str, reason: str, problem: str) -> None:
        self.reason = reason
        self.problem = problem
        super().__init__(path, problem, "The subject cannot be used; download it again or remove it.")


class OutputError(TinyTrackerError):
    """A result cannot be written: a folder is in the way, permission is missing or the disk is full."""

    kind = "output"

    def __init__(self, path: Path | str, problem: str, hint: str = "") -> None:
        self.path = Path(path)
        super().__init__(f"{path}: {problem}.", hint)


class MissingDependencyError(TinyTrackerError):
    """A package or program that an optional part needs is not installed.

    Args:
        name: package or program.
        needed_for: what needs it.
        install: the exact command that installs it.
    """

    kind = "missing-dependency"

    def __init__(self, name: str, needed_for: str, install: str) -> None:
        super().__init__(f"{name} is not installed; {needed_for} needs it.", f"Install it with: {install}")


class ModelError(TinyTrackerError):
    """A model cannot do what was asked: an operator, a dtype, a shape or a scale is not supported."""

    kind = "model"


class ParityError(ModelError):
    """Two runtimes that must agree bit for bit differ."""

    kind = "parity"


class CalibrationError(TinyTrackerError):
    """Points do not yield a calibration, or a calibration does not match the model or device it is used with."""

    kind = "calibration"


class DeviceError(TinyTrackerError):
    """A board cannot be reached, gives an unexpected answer, or was disconnected.

    Args:
        port: how the board was reached.
        problem: what is wrong.
        hint: how to fix it.
    """

    kind = "device"

    def __init__(self, port: str, problem: str, hint: str = "") -> None:
        self.port = port
        super().__init__(f"{port}: {problem}.", hint)


class UnpluggedError(DeviceError):
    """The connection to a board ended while it was in use."""

    kind = "unplugged"


class RefusedError(TinyTrackerError):
    """A measurement does not support the requested answer; any number would be wrong or invented.

    Args:
        reason: a word from a fixed vocabulary, for programs; see `tinytracker.energy.refusals`.
        problem: what exactly is wrong, with value and limit.
        hint: how to fix it.
    """

    kind = "refused"

    def __init__(self, reason: str, problem: str, hint: str = "") -> None:
        self.reason = reason
        self.detail = problem
        super().__init__(f"No answer ({reason}): {problem}.", hint)
