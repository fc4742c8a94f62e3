"""What texts of the repository point to (links with anchors, file names, modules, decisions), and what is not there."""

import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

from pymdownx.slugs import slugify
from support.tree import ROOT, text_files

SUFFIXES = "py|c|cc|cxx|h|inc|md|toml|yml|csv|svg|jinja|ipynb|html|css|cff"
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(#[^)\s]+)?\)")
IN_BACKTICKS = re.compile(rf"`([\w./-]+\.(?:{SUFFIXES}))`")
FOLDERED = re.compile(rf"(?<![\w./~:<-])((?:[\w-]+/)+[\w.-]+\.(?:{SUFFIXES}))\b")
"""A file name with a folder; not the tail of an address or of a path somewhere else."""
IN_DOCS = re.compile(r"(?<![\w./~:-])docs/[\w./-]+")
MODULE = re.compile(r"`(tinytracker(?:\.\w+)+)(?:\(\))?`")
DECISION = re.compile(r"\b[Dd]ecisions? (\d{3})\b|decisions/(\d{3})")

NOT_OURS = {
    # written into packages and data sets, or by the reader
    "model.c", "model.h", "model_parts.c", "model_team.h", "NAME_parts.c", "NAME_team.h",
    "cascade.h", "gaze_model.h", "model_tflite.c", "model_tflite.h", "skipped.csv", "OUT/skipped.csv",
    "corrected.csv", "OUT/corrected.csv", "devices.toml",
    "times.csv", "dots.csv", "results/NAME.csv",
    "tinytracker.toml", "page.html", "report.html", "site/index.html", "notebooks/accuracy.html",
    # of others: GazeCapture, the SDKs of Coral and Spresense, libedgetpu, the IMX500's driver
    "prepareDataset.py", "pytorch/prepareDataset.py",
    "apple_device_data.csv", "coralmicro/scripts/flashtool.py", "libs/tpu/edgetpu_executable.cc",
    "tools/config.py", "tools/mkappsdir.py", "api/runtime_version.h", "tflite/custom_op_data.cc", "imx500.c",
    "tensorflow/lite/kernels/add.cc", "tensorflow/lite/kernels/internal/quantization_util.cc",
    "../benchmarks/results/synth.csv",  # an example in docs/tools/hooks.py, as a page of docs would write it
}  # fmt: skip
PLACEHOLDERS = re.compile(r"[A-Z]{3,}\b.*\.(?:c|h)$|^(?:my|your)|/(?:my|your)[\w]*/")


@cache
def paths() -> frozenset[str]:
    """Every text file, relative to the repository."""
    return frozenset(str(path.relative_to(ROOT)) for path in text_files())


@cache
def anchors(page: Path) -> frozenset[str]:
    """Anchors of a Markdown page: of its headings, and those it sets itself."""
    slug = slugify(case="lower")
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found: list[str] = re.findall(r"(?:id=\"|\{ ?#)([\w-]+)", text)
    for heading in re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", re.sub(r"\{[^}]*\}\s*$", "", heading))
        name, number = slug(plain, "-"), 0
        while (unique := name if not number else f"{name}_{number}") in found:
            number += 1
        found.append(unique)
    return frozenset(found)


def is_there(name: str, page: Path) -> bool:
    """Whether a file is meant that exists: from the page, from the root, or the end of one path."""
    name = name.removeprefix("./")
    if name in NOT_OURS or PLACEHOLDERS.search(name):
        return True
    if (page.parent / name).exists() or (ROOT / name).exists():
        return True
    return any(path.endswith(f"/{name}") for path in paths())


def words_of(path: Path) -> str:
    """What people read in a file: comments and docstrings of Python, all of anything else."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return text
    parts: list[str] = []
    start_of_line = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and start_of_line):
            parts.append(token.string)
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            start_of_line = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    return "\n".join(parts)


def broken_links(page: Path) -> Iterator[str]:
    """Links of a Markdown page to files or headings that do not exist."""
    text = re.sub(
        r"^```.*?^```|`[^`\n]+`", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    for target, anchor in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        goal = page.parent / target if target else page
        if not goal.exists():
            yield target
        elif anchor and goal.suffix == ".md" and anchor[1:] not in anchors(goal.resolve()):
            yield f"{target}{anchor}"


def stale_names(path: Path) -> Iterator[str]:
    """Files, modules and decisions that a text names and that do not exist."""
    text = words_of(path)
    named = set(IN_BACKTICKS.findall(text)) | set(FOLDERED.findall(text))
    yield from (name for name in sorted(named) if not is_there(name, path))
    for name in sorted({name.rstrip(".") for name in IN_DOCS.findall(text)} - named):
        if not any(
            known == name or known.startswith(f"{name.rstrip('/')}/") for known in paths()
        ) and not any(known.startswith(f"{name}-") for known in paths()):
            yield name
    for name in sorted(set(MODULE.findall(text))):
        if name not in NOT_OURS and not resolves(name):
            yield name
    for number in sorted({a or b for a, b in DECISION.findall(text)}):
        if not any(known.startswith(f"docs/decisions/{number}-") for known in paths()):
            yield f"decision {number}"


@cache
def resolves(name: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    found, at = None, ""
    for part in name.split("."):
        at = f"{at}.{part}" if at else part
        if found is not None and hasattr(found, part):
            found = getattr(found, part)
            continue
        try:
            found = import_module(at)
        except ImportError:
            fields = getattr(found, "__dataclass_fields__", None) or getattr(found, "model_fields", {})
            return part in fields
    return True
