"""The documentation as pages: it builds without a warning, needs nothing from elsewhere, and is as new as the code."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """`mkdocs build --strict`; the variable silences an announcement of the theme's authors, which is no warning."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", config, "--site-dir", site],
        capture_output=True, text=True, timeout=300, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip


class Loaded(HTMLParser):
    """Everything that a browser fetches by itself for a page."""

    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag in {"script", "img", "iframe", "source"}:
            self.addresses.append(attributes.get("src"))
        if tag == "link" and attributes.get("rel") != "canonical":
            self.addresses.append(attributes.get("href"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    result = build(ROOT / "mkdocs.yml", folder)
    assert result.returncode == 0, result.stderr
    return folder


def test_every_page_needs_nothing_from_elsewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) >= len(list(DOCS.rglob("*.md")))
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text())
        for address in filter(None, loaded.addresses):
            assert not re.match(r"(https?:)?//", address), f"{page.name} loads {address}"
            assert page.name == "404.html" or (page.parent / address.split("?")[0]).exists(), address


def test_style_sheets_load_nothing_from_elsewhere(site):
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import )[\"']?(https?:)?//", sheet.read_text())


def test_links_to_files_outside_of_docs_lead_to_copies(site):
    assert "repository/benchmarks/results/synth.csv" in (site / "synthetic-data.html").read_text()
    assert (site / "repository/benchmarks/results/synth.csv").is_file()
    inner = (site / "repository/deploy/coralmicro/index.html").read_text()
    assert 'href="../../../coralmicro.html"' in inner


def test_a_broken_link_ends_the_build(tmp_path):
    (tmp_path / "docs").symlink_to(DOCS)
    broken = tmp_path / "pages"
    broken.mkdir()
    (broken / "index.md").write_text("# Home\n\n[gone](gone.md), [no such part](#gone)\n")
    (tmp_path / "mkdocs.yml").write_text("site_name: x\ndocs_dir: pages\nINHERIT: validation.yml\n")
    settings = (ROOT / "mkdocs.yml").read_text()
    validation = settings[settings.index("validation:") : settings.index("nav:\n  - Home")]
    (tmp_path / "validation.yml").write_text(validation)
    result = build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert result.returncode != 0
    assert "gone.md" in result.stderr
    assert "'#gone'" in result.stderr


def test_the_command_reference_is_what_click_knows():
    from tinytracker.cli.reference import markdown

    assert (DOCS / "cli.md").read_text() == markdown(), "run `make docs`"


def test_the_index_of_decisions_has_them_all():
    printed = subprocess.run(
        [sys.executable, DOCS / "tools/decisions.py"], capture_output=True, text=True, check=True
    )
    assert (DOCS / "decisions/README.md").read_text() == printed.stdout, "run `make docs`"


def test_the_index_of_decisions_names_each_by_its_title():
    """Read without the generator: a title that it did not understand must not become an empty link."""
    index = (DOCS / "decisions/README.md").read_text()
    files = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    rows = re.findall(r"^\| (\d{3}) \| \[(.+)\]\((.+)\) \|$", index, re.MULTILINE)
    assert [name for _, _, name in rows] == [path.name for path in files]
    assert len({number for number, _, _ in rows}) == len(rows), "a number was given twice"
    for (number, title, name), path in zip(rows, files, strict=True):
        assert name.startswith(f"{number}-")
        assert path.read_text().lower().startswith(f"# {number}: {title}\n".lower())


def test_the_map_of_the_layers_is_as_new_as_the_code(tmp_path):
    subprocess.run([sys.executable, DOCS / "tools/floors.py", tmp_path], check=True)
    assert (DOCS / "images/floors.svg").read_text() == (tmp_path / "floors.svg").read_text(), (
        "run `make docs`"
    )


def test_figures_are_as_new_as_the_device_table(tmp_path):
    subprocess.run(
        [sys.executable, DOCS / "tools/gaze_figures.py", tmp_path],
        check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    drawn = sorted(tmp_path.iterdir())
    assert len(drawn) == 3
    for figure in drawn:
        assert (DOCS / "images" / figure.name).read_text() == figure.read_text(), "run `make docs`"
