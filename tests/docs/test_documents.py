"""What README and docs say can be followed: links lead somewhere, commands exist with the options that are named."""

import importlib.util
import re
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

from tinytracker.cli.main import VERBS, cli

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/README.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"(?:^\s*(?:\$ )?|`)(tinytracker [a-z][^`\n]*)", re.MULTILINE)
WHOLE = re.compile(r"^(?: {4,}|(?:\$ )?)(tinytracker [a-z][^`\n]*)$", re.MULTILINE)
"""A command in a block of its own, which can be typed as it stands."""
PROGRAM = re.compile(r"(?:^\s*|[`(])((?:python3?|make|bash) [^`\n]+)", re.MULTILINE)
FROM_ELSEWHERE = ("coralmicro/", "gaze_imx500.py")
"""Programs of a vendor's SDK, and ours where it was copied to."""
GENERATED = {"cli.md"}
"""What click writes about itself."""


def names(pages):
    return [str(page.relative_to(ROOT)) for page in pages]


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text()):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def options_of(verb: str, words: list[str]) -> set[str]:
    """Long and short options of a verb, or of the sub-verb that is named first."""
    command = cli.get_command(click.Context(cli), verb)
    if isinstance(command, click.Group):
        assert words, f"{verb} needs a sub-verb"
        assert words[0] in command.commands, f"{verb} has no {words[0]}"
        command = command.commands[words[0]]
    return {name for p in command.params for name in p.opts} | {"-h", "--help"}


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_commands_exist_with_the_options_that_are_named(page):
    for line in COMMAND.findall(page.read_text()):
        plain = re.sub(r"\s#.*|[\[\]…|]|\.\.\.", " ", line)
        _, verb, *words = shlex.split(plain)
        assert verb in VERBS, f"{page.name}: {line}"
        known = options_of(verb, words)
        for word in words:
            if re.match(r"--?[a-z]", word):
                assert word.split("=")[0].rstrip(".,;:)") in known, f"{page.name}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_commands_in_blocks_can_be_typed_as_they_stand(page):
    if page.name in GENERATED:
        return
    for line in WHOLE.findall(page.read_text()):
        if "..." in line or "…" in line:
            continue
        # Behind two spaces, a block may say what the command does.
        verb, *words = shlex.split(re.split(r"\s{2,}|\s#", line)[0])[1:]
        command = cli.get_command(click.Context(cli), verb)
        if isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        try:
            command.make_context(verb, words, parent=click.Context(cli, **cli.context_settings))
        except click.UsageError as error:
            pytest.fail(f"{page.name}: {line}: {error.format_message()}")


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_other_programs_that_are_named_exist(page):
    makefile = (ROOT / "Makefile").read_text()
    for line in PROGRAM.findall(page.read_text()):
        program, *words = re.split(r"\s+", re.sub(r"\s#.*", "", line).strip())
        where = f"{page.name}: {line}"
        if program == "make" and "-C" not in words:
            goals = [w for w in words if re.fullmatch(r"[a-z]+", w)]
            if line.startswith("make ") and goals:
                assert re.search(rf"^{goals[0]}:", makefile, re.MULTILINE), where
        elif words[0] == "-m":
            assert find_spec(words[1]) is not None, where
        elif words[0].endswith(".py") and not words[0].startswith(FROM_ELSEWHERE):
            assert (ROOT / words[0]).is_file(), where


def test_a_wrong_option_would_be_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("    tinytracker train DATA --out run --epoks 3\n\nand `tinytracker info X -z`\n")
    with pytest.raises(AssertionError, match="epoks"):
        test_commands_exist_with_the_options_that_are_named(page)
    with pytest.raises(pytest.fail.Exception, match="epoks"):
        test_commands_in_blocks_can_be_typed_as_they_stand(page)
    page.write_text("    tinytracker train DATA\n")
    with pytest.raises(pytest.fail.Exception, match="--out"):
        test_commands_in_blocks_can_be_typed_as_they_stand(page)


def test_the_wiring_is_what_its_script_draws():
    folder = ROOT / "docs" / "images"
    spec = importlib.util.spec_from_file_location("wiring", folder / "wiring.py")
    wiring = importlib.util.module_from_spec(spec)
    sys.modules["wiring"] = wiring  # where dataclasses look their module up
    spec.loader.exec_module(wiring)
    for picture in wiring.WIRINGS:
        text = (folder / f"{picture.file}.svg").read_text()
        assert text == wiring.draw(picture)
        assert ElementTree.fromstring(text).tag.endswith("svg")


def test_the_readme_names_the_two_commands_that_do_everything():
    text = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in ("demo", "test"):
        assert f"make {target}" in text
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_extras_that_are_named_exist(page):
    project = (ROOT / "pyproject.toml").read_text()
    for extra in re.findall(r"pip install [^\n`]*\[(\w+)\]", page.read_text()):
        assert re.search(rf"^{extra} = \[", project, re.MULTILINE), f"{page.name}: [{extra}]"
