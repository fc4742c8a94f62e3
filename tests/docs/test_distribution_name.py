"""The distribution is tinytracker-gaze, no package index has it, and nothing says otherwise."""

import re
from importlib import metadata

import pytest
import yaml
from support.tree import ROOT, text_files

from tinytracker import __version__, requirements
from tinytracker.requirements import DISTRIBUTION, install_hint

FROM_AN_INDEX = re.compile(
    r"\b(?:pipx?3?|uv|uv pip)\s+(?:install|add)\b"  # the command,
    r"(?:\s+-[\w-]+)*\s+['\"]?"  # its options,
    r"tinytracker\b(?!(?:-gaze)?(?:\[[\w,]+\])? @ |/)",  # a name that pip would look up: neither path nor reference
    re.IGNORECASE,
)


def test_no_text_installs_the_package_from_an_index():
    for path in text_files():
        found = FROM_AN_INDEX.search(path.read_text(encoding="utf-8"))
        assert not found, f"{path.relative_to(ROOT)}: {found[0]}"


@pytest.mark.parametrize("options", ["", "--force-reinstall ", "-U --quiet "])
@pytest.mark.parametrize(
    "name", ["tinytracker", "'tinytracker[train]'", "tinytracker-gaze", "'tinytracker-gaze[train]'"]
)
def test_such_a_text_would_be_found(options, name):
    assert FROM_AN_INDEX.search(f"pip install {options}{name} and so on")


def test_folders_and_references_are_no_names():
    for argument in (
        ".",
        "./tinytracker",
        "~/tinytracker",
        "'/home/a/tinytracker[train]'",
        "'tinytracker-gaze[train] @ git+x'",
    ):
        assert not FROM_AN_INDEX.search(f"pip install {argument}")


def test_one_distribution_brings_the_package():
    assert set(metadata.packages_distributions()["tinytracker"]) == {DISTRIBUTION}, "run `make venv`"
    assert metadata.version(DISTRIBUTION) == __version__


def test_a_clone_is_installed_again_from_its_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert install_hint("train") == f"pip install --editable '{ROOT}[train]'"
    monkeypatch.chdir(ROOT)
    assert install_hint("train") == "pip install --editable '.[train]'"
    assert install_hint() == "pip install --editable ."


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An installation of which pip noted some origin."""

    def note(origin: str | None) -> None:
        information = tmp_path / "site" / f"{DISTRIBUTION.replace('-', '_')}-9.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: 9\n")
        if origin is not None:
            (information / "direct_url.json").write_text(origin)
        monkeypatch.syspath_prepend(information.parent)
        monkeypatch.setattr(requirements, "_CHECKOUT", tmp_path)

    return note


@pytest.mark.parametrize(
    ("origin", "argument"),
    [
        ('{"url": "file://FOLDER/a%20clone", "dir_info": {}}', "'FOLDER/a clone[train]'"),
        ('{"url": "file://FOLDER/x.whl", "archive_info": {}}', "'FOLDER/x.whl[train]'"),
        (
            '{"url": "https://host/x.whl", "archive_info": {}}',
            "'tinytracker-gaze[train] @ https://host/x.whl'",
        ),
        (
            '{"url": "https://host/r.git", "vcs_info": {"vcs": "git", "commit_id": "a1b2"}}',
            "'tinytracker-gaze[train] @ git+https://host/r.git@a1b2'",
        ),
        ('{"url": "file:///gone", "dir_info": {}}', "'.[train]' in a clone of the repository"),
        (None, "'.[train]' in a clone of the repository"),
    ],
)
def test_an_installation_is_completed_from_where_it_came_from(installed, tmp_path, origin, argument):
    (tmp_path / "a clone").mkdir()
    (tmp_path / "x.whl").touch()
    installed(origin and origin.replace("FOLDER", str(tmp_path)))
    hint = install_hint("train")
    assert hint == f"pip install {argument}".replace("FOLDER", str(tmp_path))
    assert not FROM_AN_INDEX.search(hint)


def test_the_citation_names_this_version_and_the_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == __version__
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "license"} <= citation.keys()
    paper = citation["preferred-citation"]
    assert paper["url"].rsplit("/", 1)[1] in (ROOT / "README.md").read_text()
    assert all({"family-names", "given-names"} <= author.keys() for author in paper["authors"])


def test_changes_are_in_the_order_that_is_promised():
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (\S+)", text, re.MULTILINE)
    assert versions[0] == "Unreleased"
    numbers = [tuple(map(int, v.split("."))) for v in versions[1:]]
    assert numbers == sorted(numbers, reverse=True)
    assert f"{__version__}" in versions
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (.+)", section, re.MULTILINE)
        assert kinds == [k for k in ("Added", "Changed", "Fixed") if k in kinds], section.splitlines()[0]
