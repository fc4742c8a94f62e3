"""The cost model beside what is published: how far off it is, and where it cannot be wrong because it was fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinytracker.platforms import constants as c
from tinytracker.platforms import model
from tinytracker.platforms.figure import Cell, Figure, Mark
from tinytracker.spiking.document import SpikingCost

_COMPILED = (sum(c.EDGE_TPU_BYTES) // 2 + 112 * 112 * 5,) * 2
_CLOSE = 0.05
FITTED = "a constant of the model comes from this figure"
INDEPENDENT = "not used for the model"


@dataclass(frozen=True)
class Check:
    """One published figure and the model's.

    Attributes:
        what: the figure, with its unit.
        published, modelled: both.
        kind: `FITTED` or `INDEPENDENT`.
        remark: what to conclude; "" when the numbers say it.
    """

    what: str
    published: Figure
    modelled: Figure
    kind: str
    remark: str = ""

    @property
    def error(self) -> float:
        """Return the model's relative error: 0.1 is 10 % too much."""
        return self.modelled.value / self.published.value - 1

    @property
    def holds(self) -> bool:
        """Return whether the published figure lies in the model's range, or within 5 % of its number."""
        inside = self.modelled.low <= self.published.value <= self.modelled.high
        return inside or abs(self.error) <= _CLOSE

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "what": self.what, "published": self.published.as_json(), "modelled": self.modelled.as_json(),
            "error": self.error, "holds": self.holds, "kind": self.kind, "remark": self.remark,
        }  # fmt: skip


def checks() -> list[Check]:
    """Return every published figure that the model has an answer to."""
    macs = c.PAPER_MACS[0]
    camera, micro = model.imx500(macs), model.coralmicro(macs, _COMPILED)
    found = [
        Check("IMX500, inference, ms", c.IMX500_INFERENCE_MS, _figure(camera.inference_ms), FITTED),
        Check("IMX500, inference, mJ", c.IMX500_INFERENCE_MJ, _figure(camera.inference_mj), FITTED),
        Check("IMX500, whole frame, ms", c.IMX500_FRAME_MS, _figure(camera.frame_ms), FITTED),
        Check("IMX500, whole frame, mJ", c.IMX500_FRAME_MJ, _figure(camera.frame_mj), FITTED),
        Check(
            "IMX500 with another network, power of the inference, mW", c.Q_SEGMENT_INFERENCE_MW,
            c.IMX500_INFERENCE_MJ / c.IMX500_INFERENCE_MS * 1e3, INDEPENDENT,
        ),
        Check(
            "IMX500 with another network, mean power of a frame, mW", c.Q_SEGMENT_FRAME_MW,
            c.IMX500_FRAME_MJ / c.IMX500_FRAME_MS * 1e3, INDEPENDENT,
        ),
        Check("Coral Dev Board Micro, whole frame, ms", c.CORALMICRO_FRAME_MS, _figure(micro.frame_ms), FITTED),
        Check("Coral Dev Board Micro, whole frame, mJ", c.CORALMICRO_FRAME_MJ, _figure(micro.frame_mj), FITTED),
        Check(
            "Spresense, TinyTrackerS, whole frame, ms", c.SPRESENSE_FRAME_MS,
            model.microcontroller_ms(c.TINYTRACKER_S_MACS, 156_000_000), INDEPENDENT,
            "The model is of the network in generated C; the published frame has the camera and another runtime in it.",
        ),
    ]  # fmt: skip
    for steps, sops in c.PILOTNET_SOPS.items():
        cost = SpikingCost(c.PILOTNET_NEURONS, 0, sops, c.PILOTNET_NEURONS, 1)
        found.append(
            Check(
                f"Loihi 2, PilotNet, dynamic energy a step, µJ (if its plot covers {steps:,} steps)",
                c.PILOTNET_STEP_UJ,
                _figure(model.loihi(cost).inference_mj) * 1e3,
                INDEPENDENT,
            )
        )
    return [*found, *_loihi_and_coral()]


def _loihi_and_coral() -> list[Check]:
    """The papers' comparison, for TinyTrackerS: its authors' network is not at hand."""
    spiking = model.loihi(model.assumed_spiking(c.TINYTRACKER_S_MACS, 200_000))
    _, usb_mj = model.coral_usb(c.TINYTRACKER_S_MACS, _COMPILED)
    energy, time = _figure(spiking.frame_mj), _figure(spiking.inference_ms)
    busy = energy / time * 1e3
    dynamic = _figure(spiking.inference_mj) * 30.0
    return [
        Check("Coral USB over Loihi, energy of an inference", c.LOIHI_LESS_ENERGY, usb_mj / energy, INDEPENDENT),
        Check(
            "Coral USB over Loihi, power while inferring", c.LOIHI_LESS_POWER, c.CORAL_USB_MW / busy, INDEPENDENT,
            "Two orders appear only when the chip's static power is left out.",
        ),
        Check(
            "Coral USB over Loihi, Loihi's dynamic power alone at 30 frames/s", c.LOIHI_LESS_POWER,
            c.CORAL_USB_MW / dynamic, INDEPENDENT,
        ),
    ]  # fmt: skip


def _figure(cell: Cell) -> Figure:
    """The figure of a cell that this model always has."""
    assert isinstance(cell, Figure)
    assert cell.mark in (Mark.MODELLED, Mark.PUBLISHED)
    return cell
