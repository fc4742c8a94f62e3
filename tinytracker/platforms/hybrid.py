"""Hybrids on two chips: spiking layers on a Loihi 2, the accumulator and the ordinary layers beside it, and the link.

Every figure has a mark, as in the table of platforms. Counts are those of the integers (`tinytracker hybrid evaluate`),
energies are dynamic and modelled; what the chips draw at rest is not in them, and the legend says so. A preset without
spiking layers has its link between the event camera and its processor; one of spikes only sends its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytracker.errors import InputFileError
from tinytracker.files import StrPath, sha256_file
from tinytracker.hybrid.evaluation_document import HybridEvaluation
from tinytracker.hybrid.presets import STEPS, find_hybrid
from tinytracker.platforms import constants as c
from tinytracker.platforms.figure import LETTERS, Figure, Mark, exactly
from tinytracker.platforms.model import microcontroller_ms
from tinytracker.runs import Run, provenance
from tinytracker.words import counted

COLUMNS = {
    "error_cm": "error cm", "direction_deg": "direction °", "sops": "SOPs", "macs": "MACs", "link_bytes": "link bytes",
    "spiking_uj": "spiking µJ", "link_uj": "link µJ", "ordinary_uj": "ordinary µJ", "total_uj": "total µJ",
    "fast_ordinary_uj": "ordinary µJ, accelerator", "fast_total_uj": "total µJ, accelerator",
    "latency_ms": "latency ms",
}  # fmt: skip
"""Keys of a row, and how they are called on the command line."""

CHIPS = "a Loihi 2 and a Cortex-M4 at 156 MHz, or an accelerator with the IMX500's energy per MAC"
_UJ_OF_PJ = 1e-6


@dataclass(frozen=True)
class HybridRow:
    """One run.

    Attributes:
        run: folder. preset, interval: of it. label: for people.
        cells: figures by the keys of `COLUMNS`.
    """

    run: str
    preset: str
    interval: int
    label: str
    cells: dict[str, Figure]

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "run": self.run, "preset": self.preset, "interval": self.interval, "label": self.label,
            **{name: figure.as_json() for name, figure in self.cells.items()},
        }  # fmt: skip


@dataclass(frozen=True)
class HybridTable:
    """Runs side by side."""

    rows: tuple[HybridRow, ...]
    chips: str = CHIPS

    @property
    def legend(self) -> str:
        """What the letters mean, and what the energies leave out."""
        step = c.LOIHI_STEP_MS.value * STEPS
        rest = c.LOIHI_REST_MW.value * step
        letters = ", ".join(f"{letter} {name}" for name, letter in LETTERS.items())
        return (
            f"{letters}; energies are dynamic. A Loihi 2 at rest draws {c.LOIHI_REST_MW.value:g} mW: {rest:,.0f} µJ in "
            f"the {step:.1f} ms of {STEPS} steps, and all the time when it is always on."
        )

    def as_json(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "chips": self.chips, "rows": [row.as_json() for row in self.rows], "legend": self.legend,
            **provenance(),
        }  # fmt: skip


def letter(figure: Figure) -> str:
    """Return the letter of a figure's mark."""
    return LETTERS[figure.mark.value]


def compare_hybrids(runs: Sequence[StrPath], split: str = "test") -> HybridTable:
    """Compare evaluated hybrids: error, counts, energy with the link, and latency.

    Args:
        runs: of `tinytracker hybrid train`, each evaluated on the split.
        split: of the evaluations.

    Raises:
        InputFileError: a folder is not a run, or has no evaluation of its present weights on this split.
    """
    rows = []
    for folder in runs:
        run = Run.open(Path(folder), hybrid=True)
        path = run.evaluation("hybrid", split)
        if not path.is_file():
            raise InputFileError(
                run.path, f"this hybrid has not been evaluated on the split {split}",
                f"Run: tinytracker hybrid evaluate {run.path} --split {split}",
            )  # fmt: skip
        found = HybridEvaluation.read(path)
        if run.hybrid_path.is_file() and found.model_sha256 != sha256_file(run.hybrid_path):
            raise InputFileError(
                path, "of other weights than the run has now",
                f"Run: tinytracker hybrid evaluate {run.path} --split {split}",
            )  # fmt: skip
        rows.append(_row(run, found))
    return HybridTable(tuple(rows))


def _row(run: Run, found: HybridEvaluation) -> HybridRow:
    cost, preset = found.cost, find_hybrid(found.preset)
    errors = found.integers
    low, high = errors.ci95_cm
    people = counted(found.people, "synthetic person", "synthetic people")
    source = f"integers, {counted(found.windows, 'window')} of {people}"
    spiking = _count(cost.sops, "synaptic operations") * c.LOIHI_PJ_PER_SOP + (
        _count(cost.updates, "updates of neurons") * c.LOIHI_PJ_PER_UPDATE
    )
    link = _count(8 * cost.link_bytes, "bits on the link") * c.LINK_PJ_PER_BIT
    added = _count(cost.accumulations, "spikes to add up") * c.ACCUMULATE_CYCLES * c.CORTEX_M_PJ_PER_CYCLE
    macs = _count(cost.host_macs, "MACs")
    slow = macs * c.M4_CYCLES_PER_MAC * c.CORTEX_M_PJ_PER_CYCLE + added
    fast = macs * c.IMX500_PJ_PER_MAC + added
    cells = {
        "error_cm": Figure(
            errors.error_cm, Mark.SYNTHETIC, source, min(low, errors.error_cm), max(high, errors.error_cm)
        ),
        "direction_deg": exactly(errors.direction_deg, source, Mark.SYNTHETIC),
        "sops": _count(cost.sops, "synaptic operations"), "macs": _count(cost.host_macs, "MACs"),
        "link_bytes": _count(cost.link_bytes, f"bytes on the link, as {cost.link_form.replace('_', ' ')}"),
        "spiking_uj": spiking * _UJ_OF_PJ, "link_uj": link * _UJ_OF_PJ, "ordinary_uj": slow * _UJ_OF_PJ,
        "total_uj": (spiking + link + slow) * _UJ_OF_PJ, "fast_ordinary_uj": fast * _UJ_OF_PJ,
        "fast_total_uj": (spiking + link + fast) * _UJ_OF_PJ, "latency_ms": _latency_ms(found, preset.spiking),
    }  # fmt: skip
    return HybridRow(
        run.path.name, found.preset, found.interval, f"{found.preset}, I = {found.interval}", cells
    )


def _latency_ms(found: HybridEvaluation, spiking: int) -> Figure:
    """Return the time from the end of the last bin to the answer.

    A step for each spiking layer, the last slot's share of the link, and the ordinary layers.
    """
    cost = found.cost
    share = found.interval / STEPS if found.cost.host_macs else 1.0
    bits = exactly(8 * cost.link_bytes * share, "bits of the last slot on the link", Mark.EMULATED)
    sent = bits / c.LINK_MBIT_PER_S * 1e-3
    steps = c.LOIHI_STEP_MS * spiking
    return steps + sent + microcontroller_ms(cost.host_macs, c.CORTEX_M_HZ)


def _count(value: float, what: str) -> Figure:
    return exactly(value, f"{what}, counted by the integer reference", Mark.EMULATED)
