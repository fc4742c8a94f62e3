"""Rows of the table for a network behind the gate of the eye flow, from the results of `tinytracker cascade evaluate`.

A row adds the gate in every frame to the share of frames in which the network starts, where both are known. Crops count
on neither side, as in the other rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinytracker.cascade.costs import CYCLES_PER_INSTRUCTION, Costs
from tinytracker.cascade.results import CascadeResults, StrategyRow
from tinytracker.cascade.strategies import ALWAYS, FLOW
from tinytracker.emulate.cpu import CORTEX_M4, CORTEX_M7
from tinytracker.errors import InputFileError
from tinytracker.files import StrPath
from tinytracker.platforms import constants as c
from tinytracker.platforms.figure import Absent, Cell, Figure, Mark, exactly, product, total
from tinytracker.platforms.row import PlatformRow
from tinytracker.words import counted

STATE_BYTES = 18_616
"""Size of `tt_cascade`, the same on all processors."""

_M7 = Figure(
    (CORTEX_M7.relative_low + CORTEX_M7.relative_high) / 2, Mark.MODELLED, CORTEX_M7.relative_source,
    CORTEX_M7.relative_low, CORTEX_M7.relative_high,
)  # fmt: skip

IMX500_REMARK = (
    "Gating is pointless: the sensor computes every frame that it captures, and the inference is 0.06 of the 4.9 mJ of "
    "a frame (published). A lower frame rate, or the camera switched off while nobody is there, saves energy."
)
COMPUTER_REMARK = (
    "No row behind a gate: the gate has not been measured on computers, and the network takes less than a millisecond "
    "there (docs/platforms.md)."
)
SPIKING_REMARK = "No row behind a gate: the gate needs a processor that the chip does not have."

_WITHOUT = {
    "imx500": IMX500_REMARK,
    "coral-usb": "No row behind a gate: it would run on the computer that the accelerator hangs on.",
    "raspberry-pi": COMPUTER_REMARK, "jetson-nano": COMPUTER_REMARK, "ncs2": COMPUTER_REMARK, "pc": COMPUTER_REMARK,
    "loihi-1": SPIKING_REMARK, "loihi-2": SPIKING_REMARK, "speck": SPIKING_REMARK,
}  # fmt: skip


@dataclass(frozen=True)
class _Processor:
    """What the gate runs on: clock, cycles for one of a Cortex-M4, and power while it runs, mW."""

    name: str
    hz: int
    relative: Figure | None
    power_mw: Cell

    @property
    def gate_ms(self) -> Figure:
        """Time of the gate in one frame."""
        costs = Costs(0, 0)
        count = costs.strip + costs.flow
        cycles = (
            exactly(
                count,
                f"gate and its strip, {count:,} instructions (benchmarks/results/cascade_device.csv)",
                Mark.EMULATED,
            )
            * _CYCLES
        )
        return (cycles if self.relative is None else cycles * self.relative) / self.hz * 1e3


_CYCLES = Figure(
    CYCLES_PER_INSTRUCTION, Mark.MODELLED, "cycles per instruction of a Cortex-M4, docs/codegen.md",
    CYCLES_PER_INSTRUCTION * 0.96 / 1.18, CYCLES_PER_INSTRUCTION * 1.35 / 1.18,
)  # fmt: skip

_PROCESSORS = {
    "spresense": _Processor("the main core", CORTEX_M4.hz, None, c.SPRESENSE_CORE_MW),
    "spresense-5": _Processor("the main core, the network on five", CORTEX_M4.hz, None, c.SPRESENSE_CORE_MW),
    "cortex-m7": _Processor(
        "the same core", CORTEX_M7.hz, _M7, Absent("not published: power of the processor alone")
    ),
    "coralmicro": _Processor("the Cortex-M7, the network on the TPU", CORTEX_M7.hz, _M7, c.CORALMICRO_MW),
}


def cascade_rows(
    results: Sequence[CascadeResults], sha256: str, rows: Sequence[PlatformRow], rate: float
) -> tuple[list[PlatformRow], dict[str, str]]:
    """Return a row behind the gate for each row that can have one, and what to know about the platforms that cannot.

    Args:
        results: of this network; for each platform those are used whose simulated latency is nearest to its own.
        sha256: of the network's .tflite file.
        rows: of the network run always.
        rate: frames per second of the table.

    Returns:
        rows; and a remark by platform.
    """
    made = []
    for row in rows:
        processor = _PROCESSORS.get(row.platform)
        if processor is None or isinstance(row.inference_ms, Absent):
            continue
        frames = row.inference_ms.value * rate / 1e3
        found = min(results, key=lambda r: abs(_latency(r, sha256) - frames))
        made.append(_gated(row, processor, found, sha256, frames))
    return made, {name: remark for name, remark in _WITHOUT.items() if any(r.platform == name for r in rows)}


def read_results(paths: Sequence[StrPath], sha256: str) -> list[CascadeResults]:
    """Read results of `tinytracker cascade evaluate`.

    Args:
        paths: files.
        sha256: of the .tflite file of the network that the table is about.

    Raises:
        InputFileError: a file is something else, of other networks, or without a row that the table needs.
    """
    found = []
    for path in map(Path, paths):
        results = CascadeResults.read(path)
        if sha256 not in (results.big.sha256, results.little.sha256):
            raise InputFileError(
                path, f"it is about {results.big.name} and {results.little.name}, not about this network",
                "Evaluate with this network as BIG or LITTLE: `tinytracker cascade evaluate`.",
            )  # fmt: skip
        for strategy in (ALWAYS.name, FLOW.name):
            if results.row(strategy, _role(results, sha256)) is None:
                raise InputFileError(path, f"no row of the strategy {strategy!r}", CascadeResults.way_out)
        found.append(results)
    return found


def _role(results: CascadeResults, sha256: str) -> str:
    return "little" if results.little.sha256 == sha256 else "big"


def _latency(results: CascadeResults, sha256: str) -> int:
    return results.latency_frames.little if _role(results, sha256) == "little" else results.latency_frames.big


def _row(results: CascadeResults, strategy: str, sha256: str) -> StrategyRow:
    row = results.row(strategy, _role(results, sha256))
    if row is None:
        raise ValueError(f"no row of {strategy}")  # read_results has looked
    return row


def _gated(
    row: PlatformRow, processor: _Processor, results: CascadeResults, sha256: str, frames: float
) -> PlatformRow:
    flow, always = (_row(results, strategy, sha256) for strategy in (FLOW.name, ALWAYS.name))
    people = f"{counted(flow.people, 'synthetic person', 'synthetic people')} in sequences of {results.rate} frames/s"
    runs = exactly(flow.big_rate, f"runs per frame behind the gate, {people}", Mark.SYNTHETIC)
    gate_ms = processor.gate_ms
    gate_mj = product(product(processor.power_mw, gate_ms), 1e-3)
    inference_ms = total(gate_ms, product(row.inference_ms, runs))
    inference_mj = total(gate_mj, product(row.inference_mj, runs))
    is_alone = row.frame_ms is row.inference_ms
    mixed = Absent("the gate and the network are in one mean: see inference")
    memory = row.fit.memory
    if isinstance(memory, Figure):
        state = exactly(STATE_BYTES, "state of tt_cascade", Mark.EMULATED)
        memory = replace(memory + state, mark=Mark.EMULATED)
    simulated = _latency(results, sha256)
    remark = (
        f"Behind the gate of the eye flow, which runs on {processor.name}: mean of all frames, of which the network "
        f"starts in {flow.big_rate:.1%}. Error on sequences with a latency of {counted(simulated, 'frame')} (at this "
        f"rate the network takes {frames:.1f} here); run always, the same network has {always.error_cm:.2f} cm there. "
        f"Saccades of 2 cm and more are noticed after {_frames(flow)} frames on average, run always after "
        f"{_frames(always)}."
    )
    return replace(
        row,
        platform=f"{row.platform}+gate",
        label=f"{row.label}, behind the gate",
        arithmetic=f"{row.arithmetic}, eye flow",
        fit=replace(row.fit, memory=memory),
        error_cm=exactly(
            flow.error_cm, f"strategy flow, {people}, latency {counted(simulated, 'frame')}", Mark.SYNTHETIC
        ),
        inference_ms=inference_ms,
        inference_mj=inference_mj,
        frame_ms=inference_ms if is_alone else mixed,
        frame_mj=inference_mj if is_alone and row.frame_mj is row.inference_mj else mixed,
        power_mw=Absent("only the mean power of the whole is known, without what a saved inference saves"),
        rate_mj=Absent("power at rest is not known apart from the inference"),
        remarks=(remark,),
    )


def _frames(row: StrategyRow) -> str:
    return "–" if row.delay_mean is None else f"{row.delay_mean:.1f}"
