"""What texts point to is there: links with their anchors, file names, modules, numbers of decisions."""

import pytest
from support.pointers import broken_links, stale_names
from support.tree import ROOT, text_files

NAMING = {".md", ".py", ".c", ".cc", ".cxx", ".h", ".inc", ".toml", ".yml"}
FILES = [p for p in text_files() if p.suffix in NAMING or p.name in ("Makefile", "run")]
PAGES = [p for p in FILES if p.suffix == ".md"]
HERE = "tests/docs/test_pointers.py"


def test_links_lead_to_files_and_headings():
    broken = [f"{page.relative_to(ROOT)}: {link}" for page in PAGES for link in broken_links(page)]
    assert not broken


def test_files_modules_and_decisions_that_are_named_exist():
    texts = [path for path in FILES if str(path.relative_to(ROOT)) != HERE]
    stale = [f"{path.relative_to(ROOT)}: {name}" for path in texts for name in stale_names(path)]
    assert not stale


@pytest.mark.parametrize(
    ("text", "stale"),
    [
        ("See `codegen/no_such_file.py`.", "codegen/no_such_file.py"),
        ("See docs/no-such-page.md for it.", "docs/no-such-page.md"),
        ("See docs/no-such-folder.", "docs/no-such-folder"),
        ("`tinytracker.codegen.no_such_function` writes it.", "tinytracker.codegen.no_such_function"),
        ("Why: decision 999.", "decision 999"),
        (
            "See `tinytracker/files.py`, `files.py`, docs/gaze.md, decision 010, `tinytracker.data.prepare`.",
            None,
        ),
        ("See https://example.org/docs/x.md and `NAME.c`.", None),
    ],
)
def test_a_stale_name_would_be_found(tmp_path, text, stale):
    page = tmp_path / "page.md"
    page.write_text(text)
    assert list(stale_names(page)) == ([stale] if stale else [])
    module = tmp_path / "module.py"
    module.write_text(f'"""{text}"""\nname = "docs/in-a-string.md"  # {text}\n')
    assert list(stale_names(module)) == ([stale] if stale else [])


def test_a_broken_link_would_be_found(tmp_path):
    (tmp_path / "other.md").write_text("# Title\n\n## A `b` [c](d): e\n\n## Twice\n\n## Twice\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md#a-b-c-e) [b](other.md#twice_1) [c](other.md#gone) [d](gone.md) [e](#here) `[f](x)`"
    )
    assert list(broken_links(page)) == ["other.md#gone", "gone.md", "#here"]
