"""Options that take a number refuse "nan" and "inf", in every verb."""

import click
import pytest

from tinytracker.cli.main import VERBS, cli


def _commands(command, context, path):
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = click.Context(command, info_name=name, parent=context)
            yield from _commands(command.get_command(inner, name), inner, f"{path} {name}")


def _numbers():
    context = click.Context(cli)
    for verb in VERBS:
        for path, command in _commands(cli.get_command(context, verb), context, verb):
            for option in command.params:
                if isinstance(option.type, click.types.FloatParamType):
                    yield pytest.param(option, id=f"{path} {option.opts[0]}")


NUMBERS = list(_numbers())


def test_there_are_such_options():
    assert len(NUMBERS) > 15


@pytest.mark.parametrize("option", NUMBERS)
@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400"])
def test_a_number_is_finite(option, text):
    with pytest.raises(click.BadParameter, match=r"not a finite number|is not in the range"):
        option.type.convert(text, option, None)
