"""Rows of the table of platforms for neuromorphic chips, which run the spiking network."""

from __future__ import annotations

from collections.abc import Callable

from tinytracker.package.neuromorphic.chips import Need, needs_of
from tinytracker.platforms import constants as c
from tinytracker.platforms import model
from tinytracker.platforms.facts import Fit, NetworkFacts
from tinytracker.platforms.figure import Absent, Cell, Figure, Mark, exactly
from tinytracker.platforms.row import Given, Made
from tinytracker.spiking.document import FOLDER, SpikingCost
from tinytracker.words import counted


def loihi(generation: int) -> Callable[[Given], Made]:
    """Return what makes the row of a Loihi 1 or 2."""

    def make(given: Given) -> Made:
        facts = given.facts
        cost, remark = _spiking(facts)
        limit = c.LOIHI_NEURONS[generation]
        large = "" if cost.neurons <= limit else f"{cost.neurons:,} neurons; one chip has {limit:,}"
        cores = f"{-(-cost.neurons // (limit // 128))} or more of 128 cores"
        need = _need(facts, f"loihi{generation}")
        if need is not None:
            large, cores = "; ".join(need.problems), f"{need.cores} of {need.available} cores ({need.how})"
        why = _without_spiking_form(given) or large
        count = exactly(cost.synapses, "8-bit weights at every position, without sharing", Mark.MODELLED)
        fit = Fit(not why, why, count)
        remarks = (
            remark, f"{cost.neurons:,} neurons, {cores}.",
            "Without a camera. Time of a step and static power are those of Loihi 2 with PilotNet.",
        )  # fmt: skip
        return Made(fit, _spiking_error(given, cost), model.loihi(cost), remarks)

    return make


def speck(given: Given) -> Made:
    """Make the row of a Speck."""
    facts = given.facts
    cost, remark = _spiking(facts)
    why = _without_spiking_form(given)
    need = _need(facts, "speck")
    if need is not None:
        why = "; ".join(need.problems)
    elif not why and cost.neurons > c.SPECK_NEURONS:
        why = f"{cost.neurons:,} neurons; the chip has {c.SPECK_NEURONS:,}"
    fit = Fit(not why, why, exactly(facts.parameters, "8-bit weights", Mark.EMULATED))
    remarks = (
        remark,
        "Power and time are those of another network (Retina), whose events come from its own camera.",
    )
    return Made(fit, _spiking_error(given, cost), model.speck(facts.macs), remarks)


def _need(facts: NetworkFacts, chip: str) -> Need | None:
    """Return what the spiking network needs on a chip; None when only its cost, or nothing of the chip is known."""
    needs = () if facts.network is None else needs_of(facts.network)
    return next((need for need in needs if need.chip == chip), None)


def _without_spiking_form(given: Given) -> str:
    """Return why the network cannot become a spiking one; "" when it can, has become one, or cannot be judged."""
    if given.facts.spiking is not None:
        return ""
    fit = given.judge.fit("neuromorphic", Absent("not needed"))
    if fit.ok is not False:
        return ""
    first = fit.why.removeprefix("the network: ").split("; ")[0].split(". Required")[0]
    return f"no spiking form: {first}; `tinytracker check` has the rest"


def _spiking(facts: NetworkFacts) -> tuple[SpikingCost, str]:
    if facts.spiking is not None:
        cost = facts.spiking
        ratio = cost.sops_per_frame / max(facts.macs, 1)
        return (
            cost,
            f"Spikes counted by the simulator: {ratio:.2f} synaptic operations per MAC, {counted(cost.steps, 'step')}.",
        )
    remark = (
        f"No spiking network in the run: assumed {c.SOPS_PER_MAC.low:g} to {c.SOPS_PER_MAC.high:g} synaptic operations "
        f"per MAC and {c.STEPS} steps, as conversions of small gaze networks need. `tinytracker spike` counts them."
    )
    return model.assumed_spiking(facts.macs, facts.neurons), remark


def _spiking_error(given: Given, cost: SpikingCost) -> Cell:
    facts = given.facts
    if FOLDER in facts.errors:
        return facts.errors[FOLDER]
    if cost.error_cm is None:
        return Absent("no spiking network was evaluated")
    source = f"spiking network, {counted(cost.steps, 'step')}, validation split"
    return Figure(cost.error_cm, facts.people, source)
