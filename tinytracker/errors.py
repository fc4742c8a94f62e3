"""What can go wrong, said in one sentence: what happened, the value, the limit, the way out.

Every error that a user can cause is a `TinyTrackerError`. The command line prints `str(error)` and exits with
`error.exit_code`: 2 when the command was used wrongly, 1 when the work failed. Anything else that escapes is a bug.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one most likely meant, or None when nothing is near."""
    lowered = {k.lower(): k for k in known}
    match = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
    return lowered[match[0]] if match else None


class TinyTrackerError(Exception):
    """Base of all errors that are the input's or the environment's fault, not a bug.

    Args:
        message: the sentence to show; says what, value and limit.
        hint: the way out, shown after the message.
    """

    exit_code = 1
    kind = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(f"{message} {hint}".strip())

    def __reduce__(self) -> tuple[object, ...]:
        # The default calls the class with `args`, which fails for classes that build their own sentence;
        # errors of worker processes must reach the parent.
        return _restore, (type(self), str(self)), self.__dict__


def _restore(cls: type[TinyTrackerError], text: str) -> TinyTrackerError:
    """An unpickled error; pickle fills in the attributes."""
    error = cls.__new__(cls)
    error.args = (text,)
    return error


class UsageError(TinyTrackerError):
    """An option or argument cannot mean what was asked."""

    exit_code = 2
    kind = "usage"


class UnknownNameError(UsageError):
    """A name that must be one of a known set is not.

    Args:
        what: the thing that is named, for example "preset".
        name: what the user wrote.
        known: every name that would have been right.
    """

    kind = "unknown-name"

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = closest(name, known)
        guess = f"Did you mean {near!r}? " if near else ""
        super().__init__(f"Unknown {what} {name!r}.", f"{guess}Known: {', '.join(known)}.")


class ConfigError(UsageError):
    """A configuration file or value is not valid.

    Args:
        source: file or flag that holds the value.
        key: the offending key, dotted.
        problem: what is wrong with it.
        hint: the way out.
    """

    kind = "config"

    def __init__(self, source: str, key: str, problem: str, hint: str = "") -> None:
        where = f"{source}: {key}" if key else source
        super().__init__(f"{where}: {problem}.", hint)


class InputFileError(TinyTrackerError):
    """A file or folder that was given cannot be used.

    Args:
        path: the file or folder.
        problem: what is wrong with it.
        hint: the way out.
    """

    kind = "input"

    def __init__(self, path: Path | str, problem: str, hint: str = "") -> None:
        self.path = Path(path)
        super().__init__(f"{path}: {problem}.", hint)


class SubjectError(InputFileError):
    """A recorded subject is damaged.

    Args:
        path: the file or folder.
        reason: the kind of damage, one of a small vocabulary, so that damage can be counted.
        problem: what exactly is wrong.
    """

    kind = "recording"

    def __init__(self, path: Path | str, reason: str, problem: str) -> None:
        self.reason = reason
        self.problem = problem
        super().__init__(path, problem, "The subject cannot be used; fetch it again or leave it out.")


class OutputError(TinyTrackerError):
    """A result cannot be written: folder in the way, no permission, disk full."""

    kind = "output"

    def __init__(self, path: Path | str, problem: str, hint: str = "") -> None:
        self.path = Path(path)
        super().__init__(f"{path}: {problem}.", hint)


class MissingDependencyError(TinyTrackerError):
    """A package or tool of an optional part is not installed.

    Args:
        name: package or program.
        needed_for: what was asked that needs it.
        install: the exact command that brings it.
    """

    kind = "missing-dependency"

    def __init__(self, name: str, needed_for: str, install: str) -> None:
        super().__init__(f"{name} is not installed; {needed_for} needs it.", f"Install it with: {install}")


class ModelError(TinyTrackerError):
    """A model cannot do what was asked: an operator, a dtype, a shape or a scale is not supported."""

    kind = "model"


class ParityError(ModelError):
    """Two runtimes that must agree bit for bit do not."""

    kind = "parity"


class CalibrationError(TinyTrackerError):
    """Points do not make a calibration, or a calibration does not fit where it is used."""

    kind = "calibration"


class DeviceError(TinyTrackerError):
    """A board cannot be reached, does not answer as it must, or has gone.

    Args:
        port: how the board was reached.
        problem: what is wrong.
        hint: the way out.
    """

    kind = "device"

    def __init__(self, port: str, problem: str, hint: str = "") -> None:
        self.port = port
        super().__init__(f"{port}: {problem}.", hint)


class UnpluggedError(DeviceError):
    """The connection to a board ended while it was in use."""

    kind = "unplugged"


class RefusedError(TinyTrackerError):
    """A measurement does not allow the answer that was asked for; a number would be wrong or made up.

    Args:
        reason: one of a small vocabulary, for programs; see `tinytracker.energy.refusals`.
        problem: what exactly is wrong, with value and limit.
        hint: the way out.
    """

    kind = "refused"

    def __init__(self, reason: str, problem: str, hint: str = "") -> None:
        self.reason = reason
        self.detail = problem
        super().__init__(f"No answer ({reason}): {problem}.", hint)
