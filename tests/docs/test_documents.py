"""What README and docs say can be followed: links lead somewhere, commands exist with the options that are named."""

import importlib.util
import re
import shlex
import sys
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

from tinytracker.cli.main import VERBS, cli

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/README.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"(?:^\s*(?:\$ )?|`)(tinytracker [a-z][^`\n]*)", re.MULTILINE)


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
            if word.startswith("--"):
                assert word.split("=")[0].rstrip(".,;:)") in known, f"{page.name}: {line}"


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
