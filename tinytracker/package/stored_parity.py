"""What `tinytracker parity` has found about a run, for its packages and their model cards."""

from __future__ import annotations

from typing import Any

from tinytracker.files import read_json
from tinytracker.runs import Run


def stored_table(run: Run, model_sha256: str | None = None) -> dict[str, Any] | None:
    """The table that `parity.runtime_table` left in the run; None when there is none, or it is about another model."""
    if not run.parity_path.is_file():
        return None
    document = read_json(run.parity_path)
    if not isinstance(document, dict) or model_sha256 not in (None, document.get("model_sha256")):
        return None
    return {k: v for k, v in document.items() if k not in ("schema_version", "command", "versions")}
