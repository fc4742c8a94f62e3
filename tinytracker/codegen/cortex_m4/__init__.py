"""Kernels for Cortex-M4 and M7 (ARMv7E-M with the DSP extension), bit-exact with the portable ones.

`CortexM4` selects them; the C is in codegen/c/tt_m4*.
"""

from tinytracker.codegen.cortex_m4.kernel_set import DEFAULT_WEIGHTS_BUDGET, CortexM4

__all__ = ["DEFAULT_WEIGHTS_BUDGET", "CortexM4"]
