"""The emulated Cortex-M4 board: build firmware for it, run a network on it, count what it costs.

`emulate` is the way in for networks, `build_firmware` for programs. Everything measured here is emulated:
counts of instructions are exact and repeatable, cycles and milliseconds are estimates and say so.
"""

from tinytracker.emulate.firmware import Firmware, build_firmware, deploy_dir
from tinytracker.emulate.network import emulate
from tinytracker.emulate.report import EmulationReport, StepCost

__all__ = ["EmulationReport", "Firmware", "StepCost", "build_firmware", "deploy_dir", "emulate"]
