"""The shirt per pixel: the position of its edge and the colour of the cloth."""

from __future__ import annotations

import math

from tinytracker.arrays import Floats32
from tinytracker.synth.jit import F, compiled, floor
from tinytracker.synth.noise import lattice_noise

COLLAR_DIP_CM = 2.6
COLLAR_HALF_CM = 6.0


@compiled
def collar(cloth: Floats32, table: Floats32, angle: float, x: float, y: float, z: float) -> float:
    """Return the height (cm, base mesh) of the shirt's edge at this angle around the neck."""
    dip = math.exp(-(angle * angle) * F(2.2))
    # Towards the shoulders the edge rises above them, so that they are covered.
    shoulder = F(2) * max(abs(x) - F(COLLAR_HALF_CM), F(0))
    height: float = cloth[8] - F(COLLAR_DIP_CM) * dip + shoulder + F(0.05) * lattice_noise(table, x, y, z)
    return height


@compiled
def cloth_colour(
    cloth: Floats32, table: Floats32, x: float, y: float, z: float
) -> tuple[float, float, float]:
    """Return the reflectance of the shirt at a base mesh position: plain, striped or checked, with a weave."""
    which = 0
    if cloth[6] == F(1):
        which = floor(y / cloth[7]) & 1
    elif cloth[6] == F(2):
        which = (floor(y / cloth[7]) + floor(x / cloth[7])) & 1
    weave = F(1) + F(0.06) * lattice_noise(table, x * F(6), y * F(6), z * F(6))
    return cloth[3 * which] * weave, cloth[3 * which + 1] * weave, cloth[3 * which + 2] * weave
