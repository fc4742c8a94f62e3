"""parity.json of a run or of its spiking network, and its place in a manifest: one model on all runtimes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from tinytracker.documents import Document, Part
from tinytracker.runs import Run
from tinytracker.spiking.document import PARITY_NAME, folder_of


@dataclass(frozen=True)
class RuntimeRow:
    """Result of one runtime.

    Attributes:
        runtime: name.
        computes: "float", "rounded float" (floats that are rounded as on a device), "integer", or "spikes" (of the
            spiking network beside a quantized model).
        error_cm: mean distance from the ground truth over the frames; None without frames.
        max_lsb: largest difference of x or y from the oracle, in steps of the output. mean_lsb: mean difference.
        differing: images on which any output value differs from the oracle's; None for float outputs.
        must_be_equal: whether a difference is a defect.
        absent: why the row has no numbers; "" when it has.
    """

    runtime: str
    computes: str
    error_cm: float | None = None
    max_lsb: float | None = None
    mean_lsb: float | None = None
    differing: int | None = None
    must_be_equal: bool = False
    absent: str = ""


class ParityTable(Part):
    """The fields of `tinytracker.package.parity.RuntimeTable`, and whether all runtimes that must be equal are."""

    model: str
    model_sha256: str = ""
    oracle: str
    frames: int
    patterns: int
    data_hash: str = ""
    step_cm: float
    distinct_outputs: int = 0
    rows: tuple[RuntimeRow, ...]
    exact: bool = True


class ParityDocument(ParityTable, Document):
    """One quantized model of a run on all runtimes, with the command that compared them and the libraries' versions."""

    title: ClassVar[str] = "a comparison of runtimes"
    way_out: ClassVar[str] = "Run `tinytracker parity` again."

    command: str = ""
    versions: dict[str, str] = Field(default_factory=dict)

    @property
    def table(self) -> ParityTable:
        """Return the part that a package shows."""
        known = ParityTable.model_fields.keys() & self.model_fields_set
        return ParityTable(**{name: getattr(self, name) for name in known})


def spiking_parity_path(run: Run) -> Path:
    """Return where the table of the run's spiking network is."""
    return folder_of(run) / PARITY_NAME


def stored_table(run: Run, model_sha256: str | None = None, path: Path | None = None) -> ParityTable | None:
    """Return the table that `runtime_table` kept in the run; None without one, or when it is about another model.

    Args:
        run: that has it.
        model_sha256: of the model; None for any.
        path: of the table; None for that of a quantized model.

    Raises:
        InputFileError: parity.json is not such a table.
    """
    path = path or run.parity_path
    if not path.is_file():
        return None
    document = ParityDocument.read(path)
    return document.table if model_sha256 in (None, document.model_sha256) else None
