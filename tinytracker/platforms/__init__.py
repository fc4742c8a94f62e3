"""One network on all platforms: a cost model whose constants have sources, and a table whose figures have marks.

`constants` and `model` are the arithmetic, `validation` its error on published figures, `rows` the platforms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.platforms.figure import Absent, Figure, Mark
    from tinytracker.platforms.row import PlatformRow
    from tinytracker.platforms.table import PlatformTable, compare_platforms
    from tinytracker.platforms.writing import write_platforms
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "figure": ("Absent", "Figure", "Mark"),
            "row": ("PlatformRow",),
            "table": ("PlatformTable", "compare_platforms"),
            "writing": ("write_platforms",),
        },
    )

__all__ = [
    "Absent",
    "Figure",
    "Mark",
    "PlatformRow",
    "PlatformTable",
    "compare_platforms",
    "write_platforms",
]
