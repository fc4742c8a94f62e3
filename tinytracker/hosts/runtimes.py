"""The runtimes of a computer, as data: what opens each, on which devices, and what it needs."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tinytracker.errors import UnknownNameError, UsageError
from tinytracker.interpreters.phased import PhasedInterpreter


@dataclass(frozen=True)
class HostRuntime:
    """A runtime that a computer can run a network with.

    Attributes:
        name: on the command line. label: in tables.
        home: module and class, imported when it is used.
        devices: that it can be asked for; the first is the default. Empty when there is nothing to choose.
        takes: keyword arguments beside the model that it has: "threads", "device", "xnnpack", "edge_tpu".
        needs: distribution that has it; "" for TensorFlow Lite, which several have.
    """

    name: str
    label: str
    home: tuple[str, str]
    devices: tuple[str, ...] = ()
    takes: tuple[str, ...] = ("threads",)
    needs: str = ""


RUNTIMES: dict[str, HostRuntime] = {
    runtime.name: runtime
    for runtime in (
        HostRuntime(
            "tflite", "TFLite", ("tinytracker.interpreters.host_tflite", "HostTflite"),
            takes=("threads", "xnnpack"),
        ),
        HostRuntime(
            "onnx", "ONNX Runtime", ("tinytracker.hosts.onnx_runtime", "OnnxRuntime"),
            devices=("CPU", "CUDA", "TENSORRT"), takes=("threads", "device"), needs="onnxruntime",
        ),
        HostRuntime(
            "openvino", "OpenVINO", ("tinytracker.hosts.open_vino", "OpenVino"),
            devices=("CPU", "GPU", "NPU", "MYRIAD"), takes=("threads", "device"), needs="openvino",
        ),
        HostRuntime(
            "edgetpu", "TFLite on an Edge TPU", ("tinytracker.interpreters.host_tflite", "HostTflite"),
            takes=("threads", "edge_tpu"),
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class HostOptions:
    """How to run a network on a computer.

    Attributes:
        runtime: a key of `RUNTIMES`.
        threads: of one inference, 1 or more.
        device: of a runtime that has several; "" for its first.
        xnnpack: TFLite only: whether XNNPACK may take operators.
    """

    runtime: str = "tflite"
    threads: int = 1
    device: str = ""
    xnnpack: bool = True


def open_runtime(model: bytes, options: HostOptions | None = None) -> PhasedInterpreter:
    """Load a network into a runtime of this computer.

    Args:
        model: content of the .tflite file; for the runtime "edgetpu" of one that edgetpu_compiler made.
        options: runtime, threads and device; None for TFLite with one thread.

    Raises:
        UnknownNameError: no such runtime, or it has no such device.
        UsageError: an option that the runtime does not have, or fewer than one thread.
        MissingDependencyError: the runtime is not installed; says what installs it.
        ModelError: the runtime cannot run the network.

    Example:
        >>> from pathlib import Path
        >>> from tinytracker.hosts import HostOptions, open_runtime
        >>> model = Path("run/quantized/ptq-int8/model.tflite").read_bytes()
        >>> open_runtime(model, HostOptions("onnx")).name
        'ONNX Runtime 1.23.2 (CPU, 1 thread)'
    """
    chosen = options or HostOptions()
    if chosen.runtime not in RUNTIMES:
        raise UnknownNameError("runtime", chosen.runtime, RUNTIMES)
    runtime = RUNTIMES[chosen.runtime]
    if chosen.threads < 1:
        raise UsageError(f"{chosen.threads} threads are too few.", "Give 1 or more.")
    if chosen.device and not runtime.devices:
        raise UsageError(f"{runtime.label} has no device to choose.", "Omit --device for this runtime.")
    if chosen.device and chosen.device not in runtime.devices:
        raise UnknownNameError(f"device of {runtime.label}", chosen.device, runtime.devices)
    if not chosen.xnnpack and "xnnpack" not in runtime.takes:
        raise UsageError(f"{runtime.label} does not use XNNPACK.", "Omit --no-xnnpack for this runtime.")
    values: dict[str, Any] = {
        "threads": chosen.threads,
        "device": chosen.device or (runtime.devices or ("",))[0],
        "xnnpack": chosen.xnnpack,
        "edge_tpu": True,
    }
    module, name = runtime.home
    opened: PhasedInterpreter = getattr(import_module(module), name)(
        model, **{key: values[key] for key in runtime.takes}
    )
    return opened
