"""The rows of the table of platforms: what is known of each, and how its figures come about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tinytracker.emulate.cpu import CORTEX_M4, CORTEX_M7
from tinytracker.platforms import constants as c
from tinytracker.platforms import model
from tinytracker.platforms.facts import Fit, Judge, NetworkFacts
from tinytracker.platforms.figure import Absent, Cell, Figure, Mark, exactly, product
from tinytracker.platforms.own import OwnFigures
from tinytracker.platforms.sessions import MeasuredFigures
from tinytracker.spiking.document import FOLDER, SpikingCost
from tinytracker.words import counted

_MS_MW = 1e-3
"""mJ of a ms at a mW."""

UNPUBLISHED = "not published for this network; give your own figure (--figures FILE.toml)"
MEASURE_HOST = "measure it there: tinytracker measure --target host"


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
    make: Callable[[Given], _Made]
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
class _Made:
    fit: Fit
    error: Cell
    cost: model.Cost
    remarks: tuple[str, ...] = ()


def _without_network(why: str) -> _Made:
    """A platform whose network does not exist yet: only what was measured or given is shown."""
    absent = Absent(why)
    return _Made(Fit(None, why, absent), absent, model.Cost(absent, absent, absent, absent, absent, absent))


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
    return otherwise if own.power_mw is None else product(product(time_ms, own.power_mw), _MS_MW)


def _imx500(given: Given) -> _Made:
    facts = given.facts
    memory = exactly(facts.parameters, "8-bit weights alone, to which the converter adds", Mark.EMULATED)
    fit = given.judge.fit("imx500", memory, 8_388_480)
    return _Made(fit, facts.error("mct-int8"), model.imx500(facts.macs))


def _coralmicro(given: Given) -> _Made:
    facts = given.facts
    memory = exactly(facts.model_bytes, "the .tflite file", Mark.EMULATED)
    fit = given.judge.fit("coralmicro", memory)
    cost = model.coralmicro(facts.macs, facts.transferred)
    return _Made(fit, facts.error("ptq-uint8", "ptq-int8", "BUILTIN_REF"), cost, _compiled(facts))


def _coral_usb(given: Given) -> _Made:
    facts = given.facts
    memory = exactly(facts.model_bytes, "the .tflite file", Mark.EMULATED)
    fit = given.judge.fit("coralmicro", memory)
    inference_ms, inference_mj = model.coral_usb(facts.macs, facts.transferred)
    rest = Absent(UNPUBLISHED)
    cost = model.Cost(inference_ms, inference_mj, inference_ms, inference_mj, rest, c.CORAL_USB_MW)
    remark = "The accelerator alone, without the computer that it hangs on and without a camera."
    return _Made(fit, facts.error("ptq-uint8", "ptq-int8", "BUILTIN_REF"), cost, (remark, *_compiled(facts)))


def _compiled(facts: NetworkFacts) -> tuple[str, ...]:
    if facts.transferred_is_known:
        return ()
    return (
        "Not compiled for the Edge TPU yet: the bytes per frame are assumed, from a network of this kind.",
    )


def _spresense(cores: int) -> Callable[[Given], _Made]:
    def make(given: Given) -> _Made:
        facts = given.facts
        fit = given.judge.fit("spresense", facts.generated, 1_572_864)
        inference_ms = model.microcontroller_ms(facts.macs, CORTEX_M4.hz, cores=cores)
        core_mj = inference_ms * c.SPRESENSE_CORE_MW * cores * _MS_MW
        absent = Absent(UNPUBLISHED)
        cost = model.Cost(inference_ms, core_mj, Absent(MEASURE_BOARD), absent, absent, absent)
        remark = "Energy of the cores alone; the power of the board with its camera is not published."
        return _Made(fit, facts.error("ptq-int8", "generated C"), cost, (remark,))

    return make


MEASURE_BOARD = "measure it there: tinytracker measure --target spresense"


def _cortex_m7(given: Given) -> _Made:
    facts, cpu = given.facts, CORTEX_M7
    ratio = (cpu.relative_low, cpu.relative_high)
    inference_ms = model.microcontroller_ms(facts.macs, cpu.hz, ratio, cpu.relative_source)
    absent = Absent(UNPUBLISHED)
    cost = model.Cost(inference_ms, absent, inference_ms, absent, absent, absent)
    fit = Fit(None, "no rules for the processor alone", facts.generated)
    remark = f"The processor of the {cpu.board} at {cpu.hz // 10**6} MHz with generated C, without a camera."
    return _Made(fit, facts.error("ptq-int8", "generated C"), cost, (remark,))


def _computer(runtimes: tuple[str, ...], hint: str) -> Callable[[Given], _Made]:
    """A computer: nothing is modelled, everything comes from a session or from the user."""

    def make(given: Given) -> _Made:
        facts = given.facts
        wanted = tuple(r for r in runtimes if given.measured.runtime.startswith(r.split()[0])) or runtimes
        memory = exactly(facts.model_bytes, "the .tflite file", Mark.EMULATED)
        latency, energy = Absent(hint), Absent(UNPUBLISHED)
        cost = model.Cost(latency, energy, latency, energy, energy, energy)
        fit = Fit(True, "", memory)
        return _Made(fit, facts.error(*wanted), cost, ("Without a camera.",))

    return make


def _loihi(generation: int) -> Callable[[Given], _Made]:
    def make(given: Given) -> _Made:
        facts = given.facts
        cost, remark = _spiking(facts)
        limit = c.LOIHI_NEURONS[generation]
        large = "" if cost.neurons <= limit else f"{cost.neurons:,} neurons; one chip has {limit:,}"
        cores = f"{-(-cost.neurons // (limit // 128))} or more of 128 cores"
        need = facts.chips.get(f"loihi{generation}")
        if need is not None:
            large, cores = "; ".join(need.problems), f"{need.cores} of {need.available} cores ({need.how})"
        why = _without_spiking_form(given) or large
        count = exactly(cost.synapses, "8-bit weights at every position, without sharing", Mark.MODELLED)
        fit = Fit(not why, why, count)
        remarks = (
            remark, f"{cost.neurons:,} neurons, {cores}.",
            "Without a camera. Time of a step and static power are those of Loihi 2 with PilotNet.",
        )  # fmt: skip
        return _Made(fit, _spiking_error(given, cost), model.loihi(cost), remarks)

    return make


def _speck(given: Given) -> _Made:
    facts = given.facts
    cost, remark = _spiking(facts)
    why = _without_spiking_form(given)
    need = facts.chips.get("speck")
    if need is not None:
        why = "; ".join(need.problems)
    elif not why and cost.neurons > c.SPECK_NEURONS:
        why = f"{cost.neurons:,} neurons; the chip has {c.SPECK_NEURONS:,}"
    fit = Fit(not why, why, exactly(facts.parameters, "8-bit weights", Mark.EMULATED))
    remarks = (
        remark,
        "Power and time are those of another network (Retina), whose events come from its own camera.",
    )
    return _Made(fit, _spiking_error(given, cost), model.speck(facts.macs), remarks)


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


_TFLITE = ("TFLite", "ptq-int8")

PLATFORMS: dict[str, Platform] = {
    platform.name: platform
    for platform in (
        Platform("imx500", "Raspberry Pi AI Camera (IMX500)", "Sony's converter, INT8", _imx500, "imx500"),
        Platform("coralmicro", "Coral Dev Board Micro", "Edge TPU, INT8", _coralmicro, "coralmicro"),
        Platform("coral-usb", "Coral USB Accelerator", "Edge TPU, INT8", _coral_usb),
        Platform("spresense", "Spresense, 1 core", "generated C, INT8", _spresense(1), "spresense"),
        Platform("spresense-5", "Spresense, 5 cores", "generated C, INT8", _spresense(5)),
        Platform("cortex-m7", "Cortex-M7, 800 MHz", "generated C, INT8", _cortex_m7),
        Platform(
            "raspberry-pi", "Raspberry Pi 4 or 5", "TFLite with XNNPACK, INT8",
            _computer(("TFLite", "ONNX Runtime", "OpenVINO", "ptq-int8"), MEASURE_HOST),
        ),
        Platform(
            "jetson-nano", "Jetson Nano", "ONNX Runtime",
            _computer(("ONNX Runtime", "TFLite", "ptq-int8"), f"{MEASURE_HOST} --runtime onnx --device TENSORRT"),
        ),
        Platform(
            "ncs2", "Neural Compute Stick 2", "OpenVINO 2022.3 (MYRIAD)",
            _computer(("OpenVINO", "ptq-int8"), f"{MEASURE_HOST} --runtime openvino --device MYRIAD"),
        ),
        Platform(
            "pc", "PC", "TFLite with XNNPACK, INT8",
            _computer(("TFLite", "ONNX Runtime", "OpenVINO", "ptq-int8"), MEASURE_HOST),
        ),
        Platform("loihi-1", "Loihi 1", "spikes, 8-bit weights", _loihi(1), takes_spikes=True),
        Platform("loihi-2", "Loihi 2", "spikes, 8-bit weights", _loihi(2), takes_spikes=True),
        Platform("speck", "Speck", "spikes, 8-bit weights", _speck, takes_spikes=True),
    )
}  # fmt: skip
"""In the order of the table."""
