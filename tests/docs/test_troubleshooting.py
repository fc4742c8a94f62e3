"""The headings of docs/troubleshooting.md are messages that somebody really sees."""

import ast
import re
from pathlib import Path

import pytest

from tinytracker.package.coralmicro import failures as edgetpu
from tinytracker.package.imx500 import failures as imx500

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/troubleshooting.md").read_text()
HEADING = re.compile(r"^### `(.+)`$", re.MULTILINE)
OURS = ("tinytracker", "Serial protocol")
THEIRS = {
    "unable to apply register writes from firmware",  # the kernel's driver
    "IMX500: Requested camera dev-node not found",  # picamera2
    "Unable to find device in SDP mode",  # the Coral SDK's flash tool
}


def section(title: str) -> str:
    parts = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    return parts[parts.index(title) + 1]


def headings(title: str) -> list[str]:
    return HEADING.findall(section(title))


def strings_of(path: Path) -> list[str]:
    """String literals of a Python file, with `…` for what an f-string fills in."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            found.append("".join(str(v.value) if isinstance(v, ast.Constant) else "…" for v in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return found


@pytest.fixture(scope="module")
def sources():
    """All that the project's programs can say, one text."""
    python = [*ROOT.glob("tinytracker/**/*.py"), *ROOT.glob("deploy/**/*.py")]
    texts = [text for path in python for text in strings_of(path)]
    texts += [p.read_text() for p in [*ROOT.glob("deploy/**/*.c"), *ROOT.glob("deploy/**/*.cc")]]
    texts += [p.read_text() for p in ROOT.glob("tinytracker/live/**/*.html")]
    texts.append((ROOT / "requirements/find-python").read_text())
    return "\n".join(texts)


def pieces(heading: str) -> list[str]:
    """What is constant in a heading; a sentence's last point and the marks around an inserted value may differ."""
    plain = heading.removeprefix("e-[").removesuffix("]")
    return [p for p in (part.strip(" .:;,()") for part in plain.split("…")) if p]


@pytest.mark.parametrize(
    "heading",
    [
        h
        for title in (*OURS, "Raspberry Pi AI Camera", "Coral Dev Board Micro")
        for h in headings(title)
        if h not in THEIRS
    ],
)
def test_our_messages_are_in_our_sources(heading, sources):
    assert pieces(heading), "a heading of nothing but places to fill"
    for piece in pieces(heading):
        assert piece in sources, f"nobody says {piece!r}"


def test_an_invented_message_would_be_found(sources):
    assert "the camera has been stolen" not in sources


@pytest.mark.parametrize("heading", headings("Sony's converter"))
def test_messages_of_sonys_converter_are_recognised(heading):
    error = imx500.explain(1, heading.replace("…", "x"), Path("log"))
    assert error.code != "UNKNOWN"


@pytest.mark.parametrize(
    "heading", [h for h in headings("Edge TPU compiler") if not h.startswith(("More", "Operation", "Tensor"))]
)
def test_messages_of_the_edge_tpu_compiler_are_recognised(heading):
    assert edgetpu.explain(1, heading).code != "unknown"
