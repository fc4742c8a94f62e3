"""The rows of the table of platforms: what is known of each, and how its figures come about."""

from __future__ import annotations

from collections.abc import Callable

from tinytracker.emulate.cpu import CORTEX_M4, CORTEX_M7
from tinytracker.platforms import constants as c
from tinytracker.platforms import model
from tinytracker.platforms.facts import Fit, NetworkFacts
from tinytracker.platforms.figure import Absent, Mark, exactly
from tinytracker.platforms.row import MS_MW, Given, Made, Platform
from tinytracker.platforms.spiking_rows import loihi, speck

UNPUBLISHED = "not published for this network; give your own figure (--figures FILE.toml)"
MEASURE_HOST = "measure it there: tinytracker measure --target host"


def _imx500(given: Given) -> Made:
    facts = given.facts
    memory = exactly(facts.parameters, "8-bit weights alone, to which the converter adds", Mark.EMULATED)
    fit = given.judge.fit("imx500", memory, 8_388_480)
    return Made(fit, facts.error("mct-int8"), model.imx500(facts.macs))


def _coralmicro(given: Given) -> Made:
    facts = given.facts
    memory = exactly(facts.model_bytes, "the .tflite file", Mark.EMULATED)
    fit = given.judge.fit("coralmicro", memory)
    cost = model.coralmicro(facts.macs, facts.transferred)
    return Made(fit, facts.error("ptq-uint8", "ptq-int8", "BUILTIN_REF"), cost, _compiled(facts))


def _coral_usb(given: Given) -> Made:
    facts = given.facts
    memory = exactly(facts.model_bytes, "the .tflite file", Mark.EMULATED)
    fit = given.judge.fit("coralmicro", memory)
    inference_ms, inference_mj = model.coral_usb(facts.macs, facts.transferred)
    rest = Absent(UNPUBLISHED)
    cost = model.Cost(inference_ms, inference_mj, inference_ms, inference_mj, rest, c.CORAL_USB_MW)
    remark = "The accelerator alone, without the computer that it hangs on and without a camera."
    return Made(fit, facts.error("ptq-uint8", "ptq-int8", "BUILTIN_REF"), cost, (remark, *_compiled(facts)))


def _compiled(facts: NetworkFacts) -> tuple[str, ...]:
    if facts.transferred_is_known:
        return ()
    return (
        "Not compiled for the Edge TPU yet: the bytes per frame are assumed, from a network of this kind.",
    )


def _spresense(cores: int) -> Callable[[Given], Made]:
    def make(given: Given) -> Made:
        facts = given.facts
        fit = given.judge.fit("spresense", facts.generated, 1_572_864)
        inference_ms = model.microcontroller_ms(facts.macs, CORTEX_M4.hz, cores=cores)
        core_mj = inference_ms * c.SPRESENSE_CORE_MW * cores * MS_MW
        absent = Absent(UNPUBLISHED)
        cost = model.Cost(inference_ms, core_mj, Absent(MEASURE_BOARD), absent, absent, absent)
        remark = "Energy of the cores alone; the power of the board with its camera is not published."
        return Made(fit, facts.error("ptq-int8", "generated C"), cost, (remark,))

    return make


MEASURE_BOARD = "measure it there: tinytracker measure --target spresense"


def _cortex_m7(given: Given) -> Made:
    facts, cpu = given.facts, CORTEX_M7
    ratio = (cpu.relative_low, cpu.relative_high)
    inference_ms = model.microcontroller_ms(facts.macs, cpu.hz, ratio, cpu.relative_source)
    absent = Absent(UNPUBLISHED)
    cost = model.Cost(inference_ms, absent, inference_ms, absent, absent, absent)
    fit = Fit(None, "no rules for the processor alone", facts.generated)
    remark = f"The processor of the {cpu.board} at {cpu.hz // 10**6} MHz with generated C, without a camera."
    return Made(fit, facts.error("ptq-int8", "generated C"), cost, (remark,))


def _computer(runtimes: tuple[str, ...], hint: str) -> Callable[[Given], Made]:
    """A computer: nothing is modelled, everything comes from a session or from the user."""

    def make(given: Given) -> Made:
        facts = given.facts
        wanted = tuple(r for r in runtimes if given.measured.runtime.startswith(r.split()[0])) or runtimes
        memory = exactly(facts.model_bytes, "the .tflite file", Mark.EMULATED)
        latency, energy = Absent(hint), Absent(UNPUBLISHED)
        cost = model.Cost(latency, energy, latency, energy, energy, energy)
        fit = Fit(True, "", memory)
        return Made(fit, facts.error(*wanted), cost, ("Without a camera.",))

    return make


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
        Platform("loihi-1", "Loihi 1", "spikes, 8-bit weights", loihi(1), takes_spikes=True),
        Platform("loihi-2", "Loihi 2", "spikes, 8-bit weights", loihi(2), takes_spikes=True),
        Platform("speck", "Speck", "spikes, 8-bit weights", speck, takes_spikes=True),
    )
}  # fmt: skip
"""In the order of the table."""
