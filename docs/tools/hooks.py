"""What MkDocs does not do by itself: links from the pages to files of the repository outside `docs/` keep working.

On disk, and wherever a repository is shown as files, `../benchmarks/results/synth.csv` leads somewhere; in the built
pages it would not. Every file that a page links to is copied to `repository/` in the site, and the link follows it.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
DOCS = "docs"
ELSEWHERE = "repository"
LINK = re.compile(r"(\]\()(?![a-z]+:|#|/)([^)#\s]+)((?:#[^)\s]*)?\))")


def place_in_repository(src_uri: str) -> str:
    """The file behind a page of the site, relative to the repository."""
    inside = f"{ELSEWHERE}/"
    return src_uri[len(inside) :] if src_uri.startswith(inside) else f"{DOCS}/{src_uri}"


def place_in_site(path: str) -> str:
    """The reverse of `place_in_repository`."""
    return path[len(DOCS) + 1 :] if path.startswith(f"{DOCS}/") else f"{ELSEWHERE}/{path}"


def linked_files(path: str) -> list[str]:
    """Existing files that a Markdown file of the repository links to, relative to the repository."""
    folder = posixpath.dirname(path)
    text = (ROOT / path).read_text(encoding="utf-8")
    targets = [posixpath.normpath(posixpath.join(folder, m[2])) for m in LINK.finditer(text)]
    return [t for t in targets if (ROOT / t).is_file()]


def on_files(files: Files, *, config: MkDocsConfig, **_: Any) -> Files:
    """Add the files outside of docs/ that pages link to, and those that these link to."""
    waiting = [place_in_repository(f.src_uri) for f in files.documentation_pages()]
    while waiting:
        for target in linked_files(waiting.pop()):
            uri = place_in_site(target)
            if files.get_file_from_path(uri) is None and not target.startswith(f"{DOCS}/"):
                added = File.generated(config, uri, abs_src_path=str(ROOT / target))
                added.inclusion = InclusionLevel.NOT_IN_NAV
                files.append(added)
                if target.endswith(".md"):
                    waiting.append(target)
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Turn links between repository and docs into links inside the site."""
    here = place_in_repository(page.file.src_uri)

    def moved(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(here), match[2]))
        if not (ROOT / target).is_file():
            return match[0]  # MkDocs says what is wrong with it
        relative = posixpath.relpath(place_in_site(target), posixpath.dirname(page.file.src_uri) or ".")
        return f"{match[1]}{relative}{match[3]}"

    return LINK.sub(moved, markdown)
