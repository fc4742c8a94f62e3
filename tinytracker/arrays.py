"""Names of the array types that many modules share; one meaning each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
"""Geometry, statistics, energies: whatever is computed once and must be right."""

Floats32 = NDArray[np.float32]
"""What is computed per pixel or per sample: pictures being drawn, samples of a meter."""

Pixels = NDArray[np.uint8]
"""Bytes as a camera gives them."""
