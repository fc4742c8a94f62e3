"""The table of targets: one row per device, with everything the program needs to find the target's parts.

A row holds data and module names. A module is imported only when its part is used, so importing the table is cheap.
How to add a target: docs/adding-a-target.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from tinytracker.errors import UnknownNameError


@dataclass(frozen=True)
class Target:
    """A device, or the emulated board.

    A part is a module name, "" when the target does not have that part.

    Attributes:
        name: its name on the command line.
        summary: one line.
        quantized: the quantized model that the target uses from a run by default.
        build: part with `build(source, out) -> PackageResult`, which makes a package from a
            `tinytracker.package.source.ModelSource`.
        options: part with a frozen dataclass `Options`; `build` then takes an instance as its third argument.
        rules: part with `RULES`, rules on a preset's `Network`; `facts(network)`, its numbers; and `REMARK`, how far
            they can be trusted.
        check: part with `check(content, name) -> Report`, which checks a .tflite file.
        section: part with `section() -> str`, Markdown on the rules of `check` for docs/constraints.md.
        no_tflite: why a target without `check` takes no .tflite file; continues "imx500 does not take .tflite files: ".
        memory_report: part with `memory_report(run) -> dict`, which asks the vendor's converter.
        parity: part with `NAME`, `LABEL` and `load(path)`: a quantized form of a network that only this target has,
            as a row of `tinytracker parity`.
        doctor: part with `parts() -> list[Part]`, what has to be installed.
        setup: part with `setup(folder, python)` and `status()`, the environment that `tinytracker setup` makes.
        setup_summary: what `setup` installs.
        board: part with `open_source(target, request)`, a context manager that yields a source of frames; of a board
            that `loads` a network also `streaming(fps)`, in which its camera runs without one.
        live: part with `open_network(run, model, quantized)` and `open_finder()`, for a target whose camera is that
            of a browser and whose network runs on this computer.
        rpc: URL that takes the board's commands when its port does not.
        silence_s: timeout in s when the board sends nothing; None for the default.
        loads: file of a package that is loaded into the board when it is opened, such as "network.rpk"; "" for a board
            whose network is in its firmware.
        gates: whether its firmware can run a network that aims behind a gate (`tinytracker.cascade`).
        hybrids: whether `build` takes the run of a hybrid too.
        camera: whether the board has a camera of its own.
        is_emulated: whether the board is emulated: its times are not real, and it draws no current.
    """

    name: str
    summary: str
    quantized: str = "ptq-int8"
    build: str = ""
    options: str = ""
    rules: str = ""
    check: str = ""
    section: str = ""
    no_tflite: str = ""
    memory_report: str = ""
    parity: str = ""
    doctor: str = ""
    setup: str = ""
    setup_summary: str = ""
    board: str = ""
    live: str = ""
    rpc: str = ""
    silence_s: float | None = None
    loads: str = ""
    gates: bool = False
    hybrids: bool = False
    camera: bool = False
    is_emulated: bool = False

    def part(self, name: str) -> ModuleType:
        """Import the module of a part, such as "build"."""
        return import_module(getattr(self, name))


_SERIAL_BOARD = "tinytracker.measure.serial_board"

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target(
            "emulated", "Emulated Cortex-M4F board, counted instructions",
            doctor="tinytracker.emulate.doctor",
            board="tinytracker.measure.emulated_board",
            silence_s=120.0,  # images of a large network take long at 100 million emulated instructions per second
            gates=True,
            is_emulated=True,
        ),
        Target(
            "imx500", "Raspberry Pi AI Camera: network.rpk",
            quantized="mct-int8",
            build="tinytracker.package.imx500.build",
            rules="tinytracker.package.imx500.rules",
            no_tflite="the sensor takes Keras networks that Sony's Model Compression Toolkit (MCT) quantizes",
            memory_report="tinytracker.package.imx500.memory_report",
            parity="tinytracker.package.imx500.parity",
            doctor="tinytracker.package.imx500.doctor",
            setup="tinytracker.package.imx500.environment",
            setup_summary="Sony's converter (2.3 GB)",
            board="tinytracker.measure.imx500",
            loads="network.rpk",
            camera=True,
        ),
        Target(
            "spresense", "Sony Spresense: application with the network as TFLM array or as plain C",
            quantized="ptq-int8",
            build="tinytracker.package.spresense.build",
            options="tinytracker.package.spresense.options",
            rules="tinytracker.package.spresense.network_rules",
            check="tinytracker.package.spresense.check",
            section="tinytracker.package.spresense.check",
            doctor="tinytracker.package.spresense.doctor",
            board=_SERIAL_BOARD,
            gates=True,
            camera=True,
        ),
        Target(
            "coralmicro", "Coral Dev Board Micro: Edge TPU, or plain C",
            quantized="ptq-uint8",
            build="tinytracker.package.coralmicro.build",
            options="tinytracker.package.coralmicro.options",
            check="tinytracker.package.coralmicro.check_file",
            section="tinytracker.package.coralmicro.rules.docs",
            doctor="tinytracker.package.coralmicro.doctor",
            board=_SERIAL_BOARD,
            gates=True,
            camera=True,
            rpc="http://10.10.10.1/jsonrpc",  # where the board serves over USB Ethernet
        ),
        Target(
            "host", "This computer: TFLite, ONNX Runtime, OpenVINO, or an Edge TPU on USB",
            doctor="tinytracker.hosts.doctor",
            board="tinytracker.measure.host_board",
        ),
        Target(
            "webcam", "Any webcam; the network runs on this computer",
            live="tinytracker.live.webcam_source",
        ),
        Target(
            "neuromorphic", "Intel Loihi 2, SynSense Speck: the network as spikes, in a NIR file",
            quantized="spiking",
            build="tinytracker.package.neuromorphic.build",
            options="tinytracker.package.neuromorphic.options",
            rules="tinytracker.package.neuromorphic.rules",
            no_tflite="a spiking network is made from the float network of a run",
            hybrids=True,
            doctor="tinytracker.package.neuromorphic.doctor",
        ),
        Target(
            "pico2", "Raspberry Pi Pico 2: program with the network as plain C",
            quantized="ptq-int8",
            build="tinytracker.package.pico2.build",
            options="tinytracker.package.pico2.options",
            rules="tinytracker.package.pico2.rules",
            check="tinytracker.package.pico2.check",
            section="tinytracker.package.pico2.check",
            board=_SERIAL_BOARD,
        ),
    )
}  # fmt: skip

PARTS = (
    "build",
    "options",
    "rules",
    "check",
    "section",
    "memory_report",
    "parity",
    "doctor",
    "setup",
    "board",
    "live",
)
"""Fields of a row that name a module."""


def with_part(*parts: str) -> dict[str, Target]:
    """Return the targets that have any of these parts, in the order of the table."""
    return {name: target for name, target in TARGETS.items() if any(getattr(target, p) for p in parts)}


def find_target(name: str, *parts: str) -> Target:
    """Return the row of a target that has any of these parts; of any target when no part is given.

    Raises:
        UnknownNameError: no such target exists, or it has none of these parts.
    """
    known = with_part(*parts) if parts else TARGETS
    if name not in known:
        raise UnknownNameError("target", name, known)
    return known[name]
