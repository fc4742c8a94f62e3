"""The cost model: energy of an inference = operations times energy each; of a frame, plus power at rest times time.

One page of arithmetic over `constants`. Units: MACs, ms, mW, mJ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinytracker.package.coralmicro.latency import expected_latency
from tinytracker.platforms import constants as c
from tinytracker.platforms.figure import Absent, Cell, Figure, Mark, exactly, product, total
from tinytracker.spiking.document import SpikingCost


@dataclass(frozen=True)
class Cost:
    """What one inference and one frame cost on a platform.

    Attributes:
        inference_ms, inference_mj: of the network alone.
        frame_ms, frame_mj: from the camera to the answer, one frame directly after the other.
        rest_mw: power while nothing is inferred, which counts at a fixed frame rate.
        power_mw: mean over the frame.
        always_mw: power of a device whose mean is all that is known; it then counts instead of rest and inference.
    """

    inference_ms: Cell
    inference_mj: Cell
    frame_ms: Cell
    frame_mj: Cell
    rest_mw: Cell
    power_mw: Cell
    always_mw: Cell | None = None

    def at_rate(self, frames_per_s: float) -> Cell:
        """Return the energy per frame, mJ, of a platform that is always on, at a frame rate."""
        if self.always_mw is not None:
            return product(self.always_mw, 1 / frames_per_s)
        return total(product(self.rest_mw, 1 / frames_per_s), self.inference_mj)


def mean_power(energy_mj: Cell, time_ms: Cell) -> Cell:
    """Return energy over time, mW, whose ranges belong together: the least energy is that of the shortest time."""
    if isinstance(energy_mj, Absent):
        return energy_mj
    if isinstance(time_ms, Absent):
        return time_ms
    if time_ms.low == 0:  # shorter than a tick of the clock that measured it
        return Absent("a time that may be 0 ms gives no power")
    power = energy_mj / time_ms * 1e3
    ends = sorted((energy_mj.low / time_ms.low * 1e3, power.value, energy_mj.high / time_ms.high * 1e3))
    return replace(power, low=ends[0], high=ends[2])


_MS_OF_GMAC = 1e-6  # MACs over GMAC/s
_MJ_OF_PJ = 1e-9
_MJ_OF_MW_MS = 1e-3


def imx500(macs: int) -> Cost:
    """The camera streams all the time; the network is a small addition."""
    inference_ms = exactly(macs * _MS_OF_GMAC, _network(macs), Mark.MODELLED) / c.IMX500_GMAC_PER_S
    inference_mj = _operations(macs, "MACs") * c.IMX500_PJ_PER_MAC * _MJ_OF_PJ
    frame_ms = c.IMX500_AROUND_MS + inference_ms
    frame_mj = c.IMX500_REST_MW * c.IMX500_AROUND_MS * _MJ_OF_MW_MS + inference_mj
    power_mw = mean_power(frame_mj, frame_ms)
    return Cost(inference_ms, inference_mj, frame_ms, frame_mj, c.IMX500_REST_MW, power_mw)


def coralmicro(macs: int, transferred: tuple[int, int]) -> Cost:
    """The board's mean power over its frame; the rest of the frame is what is published beyond our model of an invoke.

    Args:
        macs: of the network.
        transferred: least and most bytes that cross USB with every frame.
    """
    inference_ms = _invoke_ms(macs, transferred, 1.0)
    paper = _invoke_ms(c.PAPER_MACS[0], (sum(c.EDGE_TPU_BYTES) // 2 + 112 * 112 * 5,) * 2, 1.0)
    around = Figure(
        c.CORALMICRO_FRAME_MS.value - paper.value, Mark.MODELLED,
        f"{c.CORALMICRO_FRAME_MS.source}: 34.4 ms less the modelled inference",
        c.CORALMICRO_FRAME_MS.value - paper.high, c.CORALMICRO_FRAME_MS.value - paper.low,
    )  # fmt: skip
    frame_ms = around + inference_ms
    inference_mj = inference_ms * c.CORALMICRO_MW * _MJ_OF_MW_MS
    frame_mj = frame_ms * c.CORALMICRO_MW * _MJ_OF_MW_MS
    power = c.CORALMICRO_MW
    return Cost(inference_ms, inference_mj, frame_ms, frame_mj, power, power, always_mw=power)


def coral_usb(macs: int, transferred: tuple[int, int]) -> tuple[Figure, Figure]:
    """Return time and energy of an inference on the accelerator; the computer that it hangs on is not included."""
    inference_ms = _invoke_ms(macs, transferred, c.CORAL_USB_CLOCK)
    return inference_ms, inference_ms * c.CORAL_USB_MW * _MJ_OF_MW_MS


def microcontroller_ms(
    macs: int, hz: int, relative: tuple[float, float] = (1.0, 1.0), source: str = "", cores: int = 1
) -> Figure:
    """Return the time of generated C.

    Args:
        macs: of the network.
        hz: clock.
        relative: least and most cycles for one of a Cortex-M4.
        source: of that ratio.
        cores: of a Spresense.
    """
    cycles = _operations(macs, "MACs") * c.M4_CYCLES_PER_MAC
    if source:
        low, high = relative
        cycles = cycles * Figure((low + high) / 2, Mark.MODELLED, source, low, high)
    return cycles / hz * 1e3 / c.MULTICORE[cores]


def loihi(cost: SpikingCost) -> Cost:
    """Spikes on Loihi: synaptic operations and neuron updates, and static power while the steps pass."""
    dynamic = (
        _counted(cost, cost.sops_per_frame, c.SOPS_PER_MAC, "synaptic operations") * c.LOIHI_PJ_PER_SOP
        + _operations(cost.updates_per_frame, "neuron updates") * c.LOIHI_PJ_PER_UPDATE
    ) * _MJ_OF_PJ
    inference_ms = c.LOIHI_STEP_MS * cost.steps
    whole = c.LOIHI_REST_MW * inference_ms * _MJ_OF_MW_MS + dynamic
    # The camera is another device: what a frame costs without it is the inference with the static power.
    power_mw = c.LOIHI_REST_MW + dynamic / inference_ms * 1e3
    return Cost(inference_ms, dynamic, inference_ms, whole, c.LOIHI_REST_MW, power_mw)


def speck(macs: int) -> Cost:
    """An asynchronous chip: energy follows the work, and rest is nearly free. From one published network."""
    inference_mj = _operations(macs, "MACs") * c.SPECK_PJ_PER_MAC * _MJ_OF_PJ
    power_mw = mean_power(inference_mj, c.SPECK_MS)
    return Cost(c.SPECK_MS, inference_mj, c.SPECK_MS, inference_mj, c.SPECK_REST_MW, power_mw)


def assumed_spiking(macs: int, neurons: int) -> SpikingCost:
    """Return what a converted network is assumed to do when it has not been simulated."""
    sops = macs * c.SOPS_PER_MAC.value
    return SpikingCost(neurons, macs, sops, neurons * c.STEPS, c.STEPS, is_counted=False)


def break_even() -> Figure:
    """Return the synaptic operations per MAC below which Loihi needs less dynamic energy than the IMX500's MACs.

    The two constants' own ranges, and Loihi's nominal energy: with its factor of 2 the range would be 0.08 to 0.43.
    """
    per_sop = exactly(c.LOIHI_PJ_PER_SOP.value, c.LOIHI_PJ_PER_SOP.source, Mark.MODELLED)
    return c.IMX500_PJ_PER_MAC / per_sop


def _invoke_ms(macs: int, transferred: tuple[int, int], clock: float) -> Figure:
    """An Edge TPU's invoke by docs/coral-latency.md, for the least and the most bytes."""
    low = expected_latency(transferred[0], round(macs / clock)).low_ms
    high = expected_latency(transferred[1], round(macs / clock)).high_ms
    return Figure((low + high) / 2, Mark.MODELLED, "docs/coral-latency.md, from Coral's benchmark", low, high)


def _operations(count: float, what: str) -> Figure:
    return exactly(count, f"{count:,.0f} {what} a frame", Mark.EMULATED)


def _counted(cost: SpikingCost, count: float, ratio: Figure, what: str) -> Figure:
    """The count, with the range of the assumption when it was not counted."""
    if cost.is_counted:
        return _operations(count, what)
    spread = count / ratio.value
    return Figure(count, Mark.MODELLED, ratio.source, spread * ratio.low, spread * ratio.high)


def _network(macs: int) -> str:
    return f"{macs:,} MACs a frame"
