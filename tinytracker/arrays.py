"""Names of the array types that many modules share; one meaning each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
"""Geometry, statistics, energies: values that are computed once and need full precision."""

Floats32 = NDArray[np.float32]
"""Values computed per pixel or per sample: rendered images, samples from a meter."""

Pixels = NDArray[np.uint8]
"""Bytes as a camera delivers them."""
