"""Data shared while drawing a frame: the view, the posed scene, and the look of each kind of hair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinytracker.arrays import Floats
from tinytracker.synth.head import Side
from tinytracker.synth.lighting import Rectangle
from tinytracker.synth.scene import EyePose
from tinytracker.synth.sitting import Frame

Singles = NDArray[np.float32]


def single(values: ArrayLike) -> Singles:
    """Convert to the format of the compiled loops: 32-bit, contiguous."""
    return np.ascontiguousarray(values, np.float32)


@dataclass(frozen=True)
class StrandLook:
    """How a kind of hair is drawn; see `strands.draw_strands`."""

    opacity: float
    shine: float
    root_light: float
    bias_cm: float
    taper: float = 0.8


SCALP_LOOK = StrandLook(0.85, 0.7, 0.45, 0.35)
BUZZ_LOOK = StrandLook(0.75, 0.5, 0.6, 0.35)
BEARD_LOOK = StrandLook(0.85, 0.25, 0.6, 0.5)
LASH_LOOK = StrandLook(0.9, 0.2, 1.0, 0.25)
FRAME_LOOK = StrandLook(0.97, 0.8, 1.0, 0.6, taper=0.0)
BRIM_LOOK = StrandLook(0.97, 0.05, 1.0, 0.5, taper=0.0)
LASH_CM = 0.016


@dataclass(frozen=True)
class View:
    """An image, or a magnified part of one: focal length and principal point in its own px, and its size."""

    focal: float
    centre: tuple[float, float]
    width: int
    height: int

    def array(self) -> Singles:
        """Focal length and principal point (3,), as the compiled loops read them."""
        return single([self.focal, *self.centre])


@dataclass(frozen=True)
class Shot:
    """A frame's scene: vertices (n, 3) float64 and float32, normals, hair, light, eyes and the lit screen."""

    frame: Frame
    scene: Floats
    positions: Singles
    normals: Singles
    scalp: Singles | None
    light: Singles
    sources: Singles
    glints: Singles
    eyes: dict[Side, EyePose]
    screen: Rectangle
