"""Networks on ordinary computers: TFLite, ONNX Runtime, OpenVINO and the Edge TPU behind one interface.

`open_runtime` gives an interpreter (arrays in, all outputs out) whose three phases can be timed one by one; `export`
writes the network in the other runtimes' formats. Everything begins with the INT8 .tflite file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinytracker.lazy import exports

if TYPE_CHECKING:
    from tinytracker.hosts.exports import Export, export
    from tinytracker.hosts.onnx_writer import to_onnx
    from tinytracker.hosts.runtimes import RUNTIMES, HostOptions, HostRuntime, open_runtime
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "exports": ("Export", "export"),
            "onnx_writer": ("to_onnx",),
            "runtimes": ("RUNTIMES", "HostOptions", "HostRuntime", "open_runtime"),
        },
    )

__all__ = ["RUNTIMES", "Export", "HostOptions", "HostRuntime", "export", "open_runtime", "to_onnx"]
