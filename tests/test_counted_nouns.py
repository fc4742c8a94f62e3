"""Nothing says "1 people" or "1 frames": a number and its noun come from `tinytracker.words`."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "tinytracker"
NOUNS = "people|subjects|frames|dots|clips|sessions|windows|images|patterns|records|shards|epochs|sittings"
BEHIND = re.compile(rf"^ (?:[a-z]+ )?(?:{NOUNS})\b(?!/| per )")
TOTAL = re.compile(r" of(?: its| the)? $")
EXEMPT = {
    ("measure/baselines.py", "name"): "a verb",
    ("platforms/cascade_rows.py", "_frames(flow)"): "a mean",
    ("cli/adapt.py", "frames"): "numbers by split, joined to a text",
    ("interpreters/base.py", "' and '.join(map(str, sorted(counts))) or 'no'"): "several numbers",
    ("evaluate/calibration_table.py", "max(dots) + _LEAST_TEST_DOTS"): "never 1",
    ("hybrid/streams.py", "at_most"): "refused below 1",
    ("spiking/lowering.py", "len(codes)"): "all of them",
    ("hybrid/following.py", "self.at_most"): "refused below 1",
    ("spiking/__init__.py", "frames"): "refused below 1",
    ("measure/link.py", "count"): "out of range: not 1",
}


def is_number(value: ast.FormattedValue) -> bool:
    """Whether this may be any count: not a constant of the code, a mean, a difference or a number with its noun."""
    spec = "" if value.format_spec is None else ast.unparse(value.format_spec)
    inner = value.value
    name = inner.id if isinstance(inner, ast.Name) else inner.attr if isinstance(inner, ast.Attribute) else ""
    return not (name.isupper() or re.search("[.+%]", spec) or ast.unparse(inner).startswith("counted("))


def careless(source: str) -> list[str]:
    """Placeholders of f-strings that stand before a plural; the total in "3 of 1 frames" may."""
    found = []
    for text in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.JoinedStr)):
        before = ""
        for part, behind in zip(text.values, [*text.values[1:], None], strict=True):
            is_last = not isinstance(behind, ast.Constant)
            is_placed = isinstance(part, ast.FormattedValue) and not is_last and BEHIND.match(behind.value)
            if is_placed and is_number(part) and not TOTAL.search(before):
                found.append(ast.unparse(part.value))
            before = part.value if isinstance(part, ast.Constant) else ""
    return found


FILES = {str(path.relative_to(ROOT)): path for path in sorted(ROOT.rglob("*.py"))}


def test_every_number_of_something_has_its_noun_from_one_place():
    wrong = [(name, value) for name, path in FILES.items() for value in careless(path.read_text())]
    assert [pair for pair in wrong if pair not in EXEMPT] == []
    assert {*wrong} == {*EXEMPT}, "an exemption that is not needed any more"


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('f"{n} frames"', 1),
        ('f"{n:,} recorded frames of {len(people)} people"', 1),
        ('f"{len(people)} people, {m} clips"', 2),
        ("f\"{counted(n, 'frame')} of {m} frames\"", 0),
        ('f"{LEAST} dots, {rate} frames/s, {mean:.1f} frames"', 0),
    ],
)
def test_the_scan_finds_what_it_should(source, count):
    assert len(careless(source)) == count
