"""The files of the kernel library, as one core or several need them."""

from __future__ import annotations

import re
from importlib.resources import files

_CONDITION = re.compile(
    r"^#if TT_PARTS\n(?P<parts>.*?)(?:^#else\n(?P<whole>.*?))?^#endif\n", re.MULTILINE | re.DOTALL
)


def kernel_source(name: str, parts: bool = False) -> str:
    """Return the text of a file of the kernel library, without the lines of `TT_PARTS` that do not apply.

    Args:
        name: name of the file.
        parts: whether layers are computed in parts.
    """
    text = (files("tinytracker.codegen") / "c" / name).read_text(encoding="utf-8")
    return _CONDITION.sub(lambda found: found["parts"] if parts else found["whole"] or "", text)
