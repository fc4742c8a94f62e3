"""Generate docs/cli.md from the click commands: `python -m tinytracker.cli.reference` prints it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import click

from tinytracker.cli.main import CONFIG_FILE, CONFIG_VARIABLE, ENVIRONMENT_PREFIX, VERBS, cli

EVERYWHERE = {"--json", "--quiet", "--help"}
"""Options that every verb has; described once."""

_HEAD = f"""# Commands

Written by `python -m tinytracker.cli.reference`; do not edit.

Every verb has `--help` (`-h`), prints a table on stdout, and shows its progress on stderr (not with `--quiet`, `-q`).
With `--json` it prints one JSON document on stdout instead. An error is a document too: `schema_version` and `error`
with `kind`, `message` and `hint`.

| exit code | meaning |
| --- | --- |
| 0 | success |
| 1 | the work failed, or the answer is no |
| 2 | wrong usage |
| 130 | stopped with Ctrl-C; finished work is kept |

An option can also be set in the environment (`{ENVIRONMENT_PREFIX}_TRAIN_BATCH_SIZE=32`: verb, then option), or in
`{CONFIG_FILE}` (or the file named by `{CONFIG_VARIABLE}`) with one section per verb. A flag overrides the environment,
and the environment overrides the file:

```toml
[train]
model = "tinytracker-s"
batch_size = 32
```
"""


def markdown() -> str:
    """Return the text of docs/cli.md."""
    # Use the settings of a real call: click caches the help option that it makes for a command's first context.
    context = click.Context(cli, info_name="tinytracker", **cli.context_settings)
    summary = ["\n| verb | purpose |\n| --- | --- |\n"]
    summary += [f"| [`{name}`](#{name}) | {_cell(text)} |\n" for name, (_, text) in VERBS.items()]
    parts = [_HEAD, *summary]
    for name in VERBS:
        command = cli.get_command(context, name)
        assert command is not None, f"{name} is in the table of verbs"
        parts.extend(_sections(command, context, name, level=2))
    return "".join(parts)


def _sections(command: click.Command, parent: click.Context, name: str, level: int) -> Iterator[str]:
    """Yield the section of a verb, and those of its sub-verbs."""
    context = click.Context(command, info_name=name, parent=parent)
    path = context.command_path.removeprefix("tinytracker ")
    yield f"\n{'#' * level} {path}\n\n{_prose(command.help or '')}\n"
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            inner = command.get_command(context, sub)
            assert inner is not None, f"{path} lists {sub}"
            yield from _sections(inner, context, sub, level + 1)
        return
    yield f"\n    {context.command_path} {' '.join(command.collect_usage_pieces(context))}\n"
    options = (p for p in command.params if isinstance(p, click.Option))
    rows = [_row(o) for o in options if not EVERYWHERE & set(o.opts)]
    if rows:
        yield "\n| option | meaning | default |\n| --- | --- | --- |\n" + "".join(rows)


def _row(option: click.Option) -> str:
    flags = ", ".join(f"`{flag}`" for flag in sorted(option.opts + option.secondary_opts, key=len))
    if not option.is_flag:
        value = option.metavar or _value_type(option.type)
        flags += f" {value}"
    default = "required" if option.required else _default(option)
    return f"| {flags} | {_cell(option.help or '')} | {default} |\n"


def _value_type(kind: click.ParamType[Any]) -> str:
    """Return the kind of value, with its range if it has one."""
    if isinstance(kind, (click.IntRange, click.FloatRange)):
        name = "integer" if isinstance(kind, click.IntRange) else "number"
        if kind.min is not None and kind.max is not None:
            return f"{name} {kind.min} to {kind.max}"
        above = ">" if kind.min_open else "≥"
        return f"{name} {above} {kind.min}" if kind.min is not None else f"{name} ≤ {kind.max}"
    if isinstance(kind, click.Choice):
        return " or ".join(str(choice) for choice in kind.choices)
    return {"float": "number"}.get(kind.name, kind.name)


def _default(option: click.Option) -> str:
    default = option.default
    if option.is_flag or default is None or callable(default) or repr(default).startswith("Sentinel"):
        return ""
    return f"`{','.join(map(str, default)) if isinstance(default, (tuple, list)) else default}`"


def _prose(text: str) -> str:
    """Return help text with one line per paragraph."""
    paragraphs = [" ".join(p.split()) for p in re.split(r"\n\s*\n", text.replace("\b", "").strip())]
    return "\n\n".join(paragraphs)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(markdown(), end="")
