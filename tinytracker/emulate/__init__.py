"""The emulated Cortex-M4 board: build firmware for it, run a network on it, and count the cost.

`emulate` measures a network, `emulate_aim` one that aims in a sequence of frames, `emulate_cascade` one behind a gate,
`emulated_board` gives a serial port, `build_all` links every configuration.
Everything measured here is emulated: instruction counts are exact and repeatable; cycles and milliseconds are
estimates, and are marked as such.
"""

from tinytracker.emulate.aiming import AimedFrame, AimRun, aim_cost, emulate_aim
from tinytracker.emulate.board import EmulatedBoard, emulated_board
from tinytracker.emulate.cascading import CascadeFrame, CascadeRun, emulate_cascade
from tinytracker.emulate.firmware import Firmware, build_all, build_firmware, deploy_dir
from tinytracker.emulate.network import emulate
from tinytracker.emulate.report import EmulationReport, StepCost

__all__ = [
    "AimRun",
    "AimedFrame",
    "CascadeFrame",
    "CascadeRun",
    "EmulatedBoard",
    "EmulationReport",
    "Firmware",
    "StepCost",
    "aim_cost",
    "build_all",
    "build_firmware",
    "deploy_dir",
    "emulate",
    "emulate_aim",
    "emulate_cascade",
    "emulated_board",
]
