"""Cost of the published networks on TensorFlow Lite for Microcontrollers with CMSIS-NN, for comparison.

Counted once on the same emulator (QEMU 7.2 mps2-an386, instructions per Invoke, mean of three random inputs):
tflite-micro 90b983c (2026-08-20) with CMSIS-NN 4ab83cc, which it pins; gcc 12.2.1, core -Os, kernels -O2, CMSIS-NN
-Ofast, -DARM_MATH_DSP. The networks are TinyTrackerS.tflite and TinyTracker.tflite of pbonazzi/tinytracker 586ba27.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Yardstick:
    """Cost of one network on the microcontroller interpreter.

    Attributes:
        macs: multiply-accumulates per inference.
        instructions: instructions per inference, with CMSIS-NN.
        reference_instructions: instructions per inference, with the interpreter's own portable kernels.
        arena_bytes: arena with CMSIS-NN. image_bytes: linked code and constants, including the model.
    """

    macs: int
    instructions: int
    reference_instructions: int
    arena_bytes: int
    image_bytes: int

    @property
    def instructions_per_mac(self) -> float:
        """Return the instructions per multiply-accumulate with CMSIS-NN."""
        return self.instructions / self.macs


CMSIS_NN = {
    "TinyTrackerS": Yardstick(5_229_184, 21_573_110, 82_066_005, 88_176, 298_240),
    "TinyTracker": Yardstick(16_815_360, 54_951_015, 226_978_112, 238_464, 750_512),
}
"""Costs by the name of the published file."""
