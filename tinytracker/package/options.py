"""Options of one target: a frozen dataclass `Options`, from which the command line makes its flags.

Each field has its help text in `metadata["help"]`; its type is `bool`, `int`, `str` or `Path | None`.
"""

from __future__ import annotations

from dataclasses import Field, fields
from importlib import import_module
from typing import Any

from tinytracker.errors import UsageError


def options_class(module: str) -> type[Any]:
    """Return the frozen dataclass `Options` of a target's options module."""
    found: type[Any] = import_module(module).Options
    return found


def option_fields(module: str) -> tuple[Field[Any], ...]:
    """Return the fields of a target's options."""
    return fields(options_class(module))


def require_options(target: str, module: str, options: object | None) -> object | None:
    """Return the options to build with: those given, the target's defaults, or None for a target without options.

    Raises:
        UsageError: the options are those of another target.
    """
    if not module:
        if options is not None:
            raise UsageError(f"Target {target} has no options of its own.")
        return None
    expected = options_class(module)
    if options is not None and not isinstance(options, expected):
        raise UsageError(f"{type(options).__module__}.Options are not options of target {target}.")
    chosen: object = expected() if options is None else options
    return chosen
