"""A row of the table of platforms: what it holds, and which figures come first: measured, the user's, the model's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tinytracker.platforms import model
from tinytracker.platforms.facts import Fit, Judge, NetworkFacts
from tinytracker.platforms.figure import Absent, Cell, product
from tinytracker.platforms.own import OwnFigures
from tinytracker.platforms.sessions import MeasuredFigures

MS_MW = 1e-3
"""mJ of a ms at a mW."""


@dataclass(frozen=True)
class PlatformRow:
    """One platform with the network on it.

    Attributes:
        platform: name, as in the user's file of figures. label: for people.
        arithmetic: how the network computes there.
        fit: whether it fits, and the memory that it needs.
        error_cm: with this arithmetic.
        inference_ms, inference_mj: of the network alone.
        frame_ms, frame_mj: from the camera to the answer, or of the inference where no camera belongs to the platform.
        power_mw: mean over that frame.
        rate_mj: per frame at a fixed rate, always on.
        remarks: what a reader should know.
    """

    platform: str
    label: str
    arithmetic: str
    fit: Fit
    error_cm: Cell
    inference_ms: Cell
    inference_mj: Cell
    frame_ms: Cell
    frame_mj: Cell
    power_mw: Cell
    rate_mj: Cell
    remarks: tuple[str, ...] = ()

    @property
    def cells(self) -> dict[str, Cell]:
        """Return the figures by the name of their column."""
        names = (
            "error_cm", "inference_ms", "inference_mj", "frame_ms", "frame_mj", "power_mw", "rate_mj",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "platform": self.platform, "label": self.label, "arithmetic": self.arithmetic, "fit": self.fit.as_json(),
            **{name: cell.as_json() for name, cell in self.cells.items()}, "remarks": list(self.remarks),
        }  # fmt: skip


@dataclass(frozen=True)
class Given:
    """What every row is made from.

    Attributes:
        facts: of the network. judge: of whether it fits.
        rate: frames per second of the last column.
        measured: of this platform; empty without a session.
        own: the user's figures.
    """

    facts: NetworkFacts
    judge: Judge
    rate: float
    measured: MeasuredFigures
    own: OwnFigures


@dataclass(frozen=True)
class Platform:
    """A row of the table before it has a network.

    Attributes:
        name: on the command line. label: for people. arithmetic: how networks compute there.
        make: makes fit, error, cost and remarks.
        board: name of the board in sessions; "" for computers.
        takes_spikes: whether it runs the spiking network instead of the INT8 one.
    """

    name: str
    label: str
    arithmetic: str
    make: Callable[[Given], Made]
    board: str = ""
    takes_spikes: bool = False

    def row(self, given: Given) -> PlatformRow:
        """Return the row of a network: measured figures first, then the user's, then the model's."""
        why = "" if self.takes_spikes else given.facts.without_int8
        made = _without_network(why) if why else self.make(given)
        cost = _overridden(made.cost, given)
        own, measured = given.own, given.measured
        return PlatformRow(
            self.name, self.label, measured.runtime or self.arithmetic, made.fit, own.error_cm or made.error,
            cost.inference_ms, cost.inference_mj, cost.frame_ms, cost.frame_mj, cost.power_mw,
            cost.at_rate(given.rate), made.remarks,
        )  # fmt: skip


@dataclass(frozen=True)
class Made:
    """What a platform makes of a network: see `PlatformRow`."""

    fit: Fit
    error: Cell
    cost: model.Cost
    remarks: tuple[str, ...] = ()


def _without_network(why: str) -> Made:
    """A platform whose network does not exist yet: only what was measured or given is shown."""
    absent = Absent(why)
    return Made(Fit(None, why, absent), absent, model.Cost(absent, absent, absent, absent, absent, absent))


def _overridden(cost: model.Cost, given: Given) -> model.Cost:
    """The model's cost with what was measured or given in its place; energy follows from a power that was given."""
    measured, own = given.measured, given.own
    without_camera = cost.frame_ms is cost.inference_ms
    inference_ms: Cell = measured.latency_ms or own.latency_ms or cost.inference_ms
    frame_ms: Cell = measured.frame_ms or (inference_ms if without_camera else cost.frame_ms)
    inference_mj: Cell = measured.energy_mj or own.energy_mj or _energy(inference_ms, own, cost.inference_mj)
    whole = inference_mj if without_camera and cost.frame_mj is cost.inference_mj else cost.frame_mj
    frame_mj: Cell = measured.frame_mj or _energy(frame_ms, own, whole)
    is_changed = frame_ms is not cost.frame_ms or frame_mj is not cost.frame_mj
    power: Cell = own.power_mw or (model.mean_power(frame_mj, frame_ms) if is_changed else cost.power_mw)
    rest: Cell = measured.rest_mw or own.rest_mw or cost.rest_mw
    always = None if measured.rest_mw or own.rest_mw else own.power_mw or cost.always_mw
    return model.Cost(inference_ms, inference_mj, frame_ms, frame_mj, rest, power, always)


def _energy(time_ms: Cell, own: OwnFigures, otherwise: Cell) -> Cell:
    """Energy from the user's power, mJ, or what the model says."""
    return otherwise if own.power_mw is None else product(product(time_ms, own.power_mw), MS_MW)
