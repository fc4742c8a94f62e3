"""Puts one network on all platforms: a page and a JSON document with the same figures, each with its mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinytracker.errors import UsageError
from tinytracker.files import StrPath
from tinytracker.platforms.cascade_rows import cascade_rows, read_results
from tinytracker.platforms.constants import SOPS_PER_MAC
from tinytracker.platforms.facts import Judge, NetworkFacts, network_facts
from tinytracker.platforms.figure import Figure, Mark
from tinytracker.platforms.model import break_even
from tinytracker.platforms.own import OwnFigures, read_own
from tinytracker.platforms.row import Given, PlatformRow
from tinytracker.platforms.rows import PLATFORMS
from tinytracker.platforms.sessions import read_measurements
from tinytracker.platforms.validation import Check, checks
from tinytracker.runs import command_line, versions
from tinytracker.spiking.document import FOLDER, SpikingCost

SCHEMA_VERSION = 1
RATE = 30.0
"""Frames per second of the column for devices that are always on."""


@dataclass(frozen=True)
class PlatformTable:
    """One network on all platforms.

    Attributes:
        facts: of the network. rate: frames per second of the last column.
        rows: in the order of the table, further rows last.
        checks: the model beside published figures.
        sops_per_mac: of the spiking network, assumed when there is none. break_even: below which Loihi needs less
            dynamic energy than the IMX500.
        remarks: about the files that were given.
    """

    facts: NetworkFacts
    rate: float
    rows: tuple[PlatformRow, ...]
    checks: tuple[Check, ...]
    sops_per_mac: Figure
    break_even: Figure
    remarks: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Return what comes out for spikes, in a sentence."""
        low, high = self.break_even.low, self.break_even.high
        ours = self.sops_per_mac
        counted = "needs" if ours.mark is Mark.EMULATED else "is assumed to need"
        span = f"{ours.low:.2f} to {ours.high:.2f}" if ours.is_range else f"{ours.value:.2f}"
        answer = "less" if ours.high < low else "more" if ours.low > high else "about as much"
        return (
            f"On Loihi a spiking twin uses less dynamic energy than the IMX500's MACs only below {low:.2f} to "
            f"{high:.2f} synaptic operations per MAC. This network {counted} {span}, so it uses {answer}."
        )

    def as_json(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "schema_version": SCHEMA_VERSION,
            "network": self.facts.as_json(),
            "rate": self.rate,
            "rows": [row.as_json() for row in self.rows],
            "validation": [check.as_json() for check in self.checks],
            "break_even": self.break_even.as_json(),
            "sops_per_mac": self.sops_per_mac.as_json(),
            "verdict": self.verdict,
            "remarks": list(self.remarks),
            "command": command_line(),
            "versions": versions(),
        }


def compare_platforms(
    source: StrPath,
    sessions: Sequence[StrPath] = (),
    *,
    quantized: str = "ptq-int8",
    rate: float = RATE,
    figures: StrPath | None = None,
    spiking: SpikingCost | None = None,
    cascade: Sequence[StrPath] = (),
    more_rows: Sequence[PlatformRow] = (),
) -> PlatformTable:
    """Compare all platforms for one network.

    Args:
        source: run folder with a quantized model, a spiking network or both; or an INT8 .tflite file.
        sessions: measured sessions (.jsonl) and outputs of `tinytracker energy --json` (.json).
        quantized: quantized model of the run.
        rate: frames per second of devices that are always on.
        figures: TOML file of one's own figures, for what is not published.
        spiking: cost of a spiking twin; None for that in the run, or for the assumption.
        cascade: results of `tinytracker cascade evaluate` with this network, with one latency or several: adds a row
            behind the gate for each platform that can have one, and says of the others why they have none.
        more_rows: of other strategies, appended to the table.

    Raises:
        InputFileError, ModelError: a source or session cannot be used.
        UsageError: the rate is not positive.
        ConfigError, UnknownNameError: the file of figures is invalid.

    Example:
        >>> from tinytracker.platforms import compare_platforms
        >>> table = compare_platforms("run")
        >>> [row.platform for row in table.rows][:3], table.rows[0].inference_ms.mark.value
        (['imx500', 'coralmicro', 'coral-usb'], 'modelled')
    """
    if not 0 < rate < 1e6:
        raise UsageError(f"{rate:g} frames per second is not a rate.", "Give a positive number.")
    source = Path(source)
    facts = network_facts(source, quantized, spiking)
    boards = {platform.board: platform.name for platform in PLATFORMS.values() if platform.board}
    measured = read_measurements([Path(path) for path in sessions], facts.sha256, boards)
    own = {} if figures is None else read_own(figures, tuple(PLATFORMS))
    judge = Judge(source, quantized)
    rows = [
        platform.row(Given(facts, judge, rate, figures_of, own.get(name, OwnFigures())))
        for name, platform in PLATFORMS.items()
        for figures_of in measured.of(name)
    ]
    found = read_results(cascade, facts.sha256)
    if found:
        gated, of_platform = cascade_rows(found, facts.sha256, rows, rate)
        rows = [
            replace(r, remarks=(*r.remarks, *filter(None, (of_platform.get(r.platform),)))) for r in rows
        ] + gated
    remarks = (*_forms(facts), *measured.remarks)
    return PlatformTable(
        facts, rate, (*rows, *more_rows), tuple(checks()), _sops_per_mac(facts), break_even(), remarks
    )


def _forms(facts: NetworkFacts) -> tuple[str, ...]:
    """Say which form of the network is missing, or that two forms of it stand in one table."""
    said = []
    if facts.without_int8:
        said.append(f"Rows of INT8 platforms are empty: {facts.without_int8}.")
    elif facts.network is not None:
        said.append("Loihi and Speck run the spiking network, the other platforms its INT8 twin.")
    if facts.network is not None and FOLDER not in facts.errors:
        said.append(
            "The spiking network's error is that on the validation split; `tinytracker evaluate RUN --model spiking` "
            "measures it on the test split, as the others are."
        )
    return tuple(said)


def _sops_per_mac(facts: NetworkFacts) -> Figure:
    if facts.spiking is None or not facts.macs:
        return SOPS_PER_MAC
    ratio = facts.spiking.sops_per_frame / facts.macs
    return Figure(ratio, Mark.EMULATED, "counted by the spiking network's simulator")
