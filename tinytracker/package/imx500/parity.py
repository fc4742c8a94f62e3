"""The sensor's own quantization as a row of `tinytracker parity`."""

from __future__ import annotations

from tinytracker.package.imx500.quantize import load_quantized as load
from tinytracker.package.imx500.run_model import NAME

__all__ = ["FILE", "LABEL", "NAME", "load"]

FILE = "gaze.keras"
LABEL = "MCT (IMX500)"
