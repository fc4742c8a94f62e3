"""Flags of `tinytracker package`: one for each name, whoever has it, read for the target that was chosen."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

from tinytracker.cli.target_options import chosen_options, target_options
from tinytracker.targets import Target, with_part


@dataclass(frozen=True)
class First:
    speed: "int" = field(default=3, metadata={"help": "Of the fan."})
    level: "int" = field(default=1, metadata={"help": "In steps."})
    loud: "bool" = field(default=False, metadata={"help": "A thing."})
    file: "Path | None" = field(default=None, metadata={"help": "A thing."})


@dataclass(frozen=True)
class Second:
    speed: "int" = field(default=5, metadata={"help": "Of the belt."})
    level: "float" = field(default=0.5, metadata={"help": "In volts."})
    loud: "bool" = field(default=False, metadata={"help": "A thing."})


@dataclass(frozen=True)
class Third:
    loud: "str" = field(default="very", metadata={"help": "A thing."})


@pytest.fixture
def targets(monkeypatch):
    rows = {}
    for options in (First, Second, Third):
        name = options.__name__.lower()
        module = ModuleType(f"options_of_{name}")
        module.Options = options
        monkeypatch.setitem(sys.modules, module.__name__, module)
        rows[name] = Target(name, "toy", options=module.__name__)
    rows["plain"] = Target("plain", "toy")
    return rows


def command(targets):
    @click.command(context_settings={"auto_envvar_prefix": "TOY"})
    @click.option("--target")
    @target_options(targets)
    def run(target, **values):
        click.echo(repr(chosen_options(targets[target], values)))

    return run


@pytest.fixture
def answer(targets):
    del targets["third"]

    def run(*arguments, **more):
        result = CliRunner().invoke(command(targets), arguments, **more)
        said = result.output if result.exception is None or result.exit_code == 2 else str(result.exception)
        return said.strip()

    return run


def test_each_target_has_its_default_and_its_type(answer):
    assert answer("--target", "first") == repr(First())
    assert answer("--target", "second") == repr(Second())
    assert answer("--target", "plain") == "None"
    assert answer("--target", "first", "--speed", "9", "--level", "2") == repr(First(speed=9, level=2))
    assert answer("--target", "second", "--speed", "9", "--level", "2.5") == repr(Second(speed=9, level=2.5))
    assert answer("--target", "second", "--loud") == repr(Second(loud=True))
    assert answer("--target", "first", "--file", "a") == repr(First(file=Path("a")))


def test_a_value_of_the_other_targets_type_is_refused(answer):
    assert "'2.5' is not a valid integer" in answer("--target", "first", "--level", "2.5")
    assert "0.0 is not in the range" in answer("--target", "second", "--level", "0")


def test_an_option_of_another_target_is_refused_where_it_is_typed(answer):
    assert answer("--target", "second", "--file", "a") == "--file is not an option of target second. Omit it."
    assert answer("--target", "second", env={"TOY_FILE": "a"}) == repr(Second())


def test_the_environment_and_a_file_count_as_given(answer):
    assert answer("--target", "second", env={"TOY_LEVEL": "4"}) == repr(Second(level=4.0))
    assert answer("--target", "second", default_map={"level": 4, "speed": 7}) == repr(Second(7, 4.0))
    assert answer("--target", "second", default_map={"file": "a"}) == repr(Second())


def test_help_says_what_it_means_for_whom(answer):
    printed = " ".join(answer("--help").split())
    assert printed.count("--speed") == 1
    assert "[first] Of the fan. Default: 3. [second] Of the belt. Default: 5." in printed
    assert "[first] In steps. Default: 1. [second] In volts. Default: 0.5." in printed


def test_a_switch_here_and_a_value_there_is_refused(targets):
    with pytest.raises(TypeError, match="loud is a switch for one of the targets first, second, third"):
        command(targets)


def test_the_options_of_our_targets_go_together():
    command(with_part("build"))
