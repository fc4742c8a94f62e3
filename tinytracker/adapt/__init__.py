"""Adapts a network to one's own camera and screen with what `tinytracker collect` recorded, never for the worse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.adapt.adapting import AdaptResult, adapt
    from tinytracker.adapt.document import AdaptDocument
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "adapting": ("AdaptResult", "adapt"),
            "document": ("AdaptDocument",),
        },
    )

__all__ = ["AdaptDocument", "AdaptResult", "adapt"]
