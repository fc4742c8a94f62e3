"""`tinytracker.toml`: option defaults, one section per verb."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from tinytracker.errors import ConfigError, closest
from tinytracker.files import read_bytes

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_defaults(path: Path, group: click.Group) -> dict[str, Any]:
    """Read option defaults in click's form: {"train": {"epochs": 5}, ...}.

    Keys are the long options without dashes, with - or _.

    Raises:
        ConfigError: the file is not TOML, or a section or key matches no verb or option.
        InputFileError: the file cannot be read.
    """
    try:
        document = tomllib.loads(read_bytes(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "", f"not valid TOML ({error})") from None
    context = click.Context(group)
    verbs = group.list_commands(context)
    defaults: dict[str, Any] = {}
    for verb, section in document.items():
        if verb not in verbs or not isinstance(section, dict):
            raise ConfigError(str(path), verb, "unknown verb", _guess(verb, verbs))
        command = group.get_command(context, verb)
        assert command is not None
        options = {
            option.lstrip("-"): p.name for p in command.params for option in p.opts if option.startswith("--")
        }
        values = {}
        for key, value in section.items():
            name = options.get(key.replace("_", "-"))
            if name is None:
                raise ConfigError(str(path), f"{verb}.{key}", "unknown option", _guess(key, list(options)))
            values[name] = value
        defaults[verb] = values
    return defaults


def _guess(name: str, known: list[str]) -> str:
    near = closest(name, known)
    return f"Did you mean {near!r}?" if near else f"Known: {', '.join(known)}."
