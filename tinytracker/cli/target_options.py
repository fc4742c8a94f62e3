"""Flags of `tinytracker package`, made from the options of the targets; targets may share a name.

One flag stands for all options of the same name. Its help says what it means for each target. The value is read as
the chosen target's type, and defaults to the chosen target's default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from tinytracker.cli.types import Number
from tinytracker.errors import UsageError
from tinytracker.package.options import option_fields, options_class
from tinytracker.targets import Target

_F = TypeVar("_F", bound=Callable[..., Any])

_TYPES: dict[str, Any] = {
    "Path | None": click.Path(path_type=Path),
    "int": click.IntRange(1),
    "float": Number(0, min_open=True),
    "str": str,
    "bool": bool,
}
"""Maps the type of a field of `Options` to the type of its flag."""


def target_options(targets: Mapping[str, Target]) -> Callable[[_F], _F]:
    """Add a flag for each name among the options of the targets.

    Raises:
        TypeError: the name is a switch for one target and takes a value for another.
    """

    def decorate(function: _F) -> _F:
        for name, owners in reversed(_by_name(targets).items()):
            function = click.option(f"--{_dashed(name)}", name, **_flag(name, owners))(function)
        return function

    return decorate


def chosen_options(target: Target, values: Mapping[str, Any]) -> object | None:
    """Return the target's `Options` from what was typed; None for a target without options.

    Raises:
        UsageError: an option of another target was given, or a value is not valid for this target.
    """
    context = click.get_current_context()
    own = {field.name: field for field in option_fields(target.options)} if target.options else {}
    read = {}
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        if name not in values or source in (None, ParameterSource.DEFAULT):
            continue
        if name in own:
            read[name] = _read(own[name], values[name], parameter, context)
        elif source is ParameterSource.COMMANDLINE:
            raise UsageError(f"--{_dashed(name)} is not an option of target {target.name}.", "Omit it.")
    return options_class(target.options)(**read) if target.options else None


def _by_name(targets: Mapping[str, Target]) -> dict[str, dict[str, Field[Any]]]:
    """Return option name -> target name -> its field, in the order of the targets and their fields."""
    found: dict[str, dict[str, Field[Any]]] = {}
    for target in targets.values():
        for field in option_fields(target.options) if target.options else ():
            found.setdefault(field.name, {})[target.name] = field
    return found


def _flag(name: str, owners: Mapping[str, Field[Any]]) -> dict[str, Any]:
    """Return the arguments of `click.option` for a name: type, default and help."""
    types = {str(field.type) for field in owners.values()}
    if "bool" in types and len(types) > 1:
        raise TypeError(
            f"{name} is a switch for one of the targets {', '.join(owners)} and a value for another"
        )
    defaults = [field.default for field in owners.values()]
    same = len(types) == 1 and all(default == defaults[0] for default in defaults)
    help_text = " ".join(
        f"[{target}] {field.metadata['help']}" + ("" if same else f" Default: {field.default}.")
        for target, field in owners.items()
    )
    flag: dict[str, Any] = {"default": defaults[0] if same else None, "help": help_text}
    # Where the types differ, the flag takes text, which `chosen_options` converts for the chosen target.
    kind = _TYPES[types.pop()] if len(types) == 1 else str
    return flag | ({"is_flag": True} if kind is bool else {"type": kind})


def _read(field: Field[Any], value: Any, parameter: click.Parameter, context: click.Context) -> Any:
    """Convert a value to the chosen target's type; a value that has that type already is returned unchanged."""
    kind = click.types.convert_type(_TYPES[str(field.type)])
    return None if value is None else kind.convert(value, parameter, context)


def _dashed(name: str) -> str:
    return name.replace("_", "-")
