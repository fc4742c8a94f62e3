"""IMX500 package: `network.rpk` for the camera, with what it needs of the sensor and how exact it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytracker.errors import ModelError, UnknownNameError, UsageError
from tinytracker.files import sha256_bytes, write_bytes, write_text
from tinytracker.package import PackageResult
from tinytracker.package.constraints import Verdict, require_suitable
from tinytracker.package.folder import replaced_folder
from tinytracker.package.imx500.converter import Conversion, convert
from tinytracker.package.imx500.environment import require_converter
from tinytracker.package.imx500.rpk import Network, Rpk, Tensor, pack, verify
from tinytracker.package.manifest import MANIFEST_NAME, meaning, write_manifest
from tinytracker.package.model_card import model_card
from tinytracker.package.source import weights_origin
from tinytracker.package.stored_parity import stored_table
from tinytracker.progress import say
from tinytracker.runs import Run

TARGET = "imx500"
NETWORK_NAME = "network.rpk"
PIXEL_SCALE = 1 / 128

INTRINSICS: dict[str, Any] = {"inference_rate": 30.0, "input_aspect_ratio": {"width": 1, "height": 1}}
"""What picamera2 reads from the package: frames to ask for, and that pixels are square. It knows no task "gaze"."""


@dataclass(frozen=True)
class SensorNetwork:
    """A network in the sensor's form.

    Attributes:
        data: bytes of network.rpk. rpk: the same, parsed.
        conversion: what Sony's converter made.
    """

    data: bytes
    rpk: Rpk
    conversion: Conversion


def build(source: Path, out: Path, quantized: str) -> PackageResult:
    """Make the package; see `tinytracker.package.package`."""
    from tinytracker.package.imx500.quantize import require_mct
    from tinytracker.package.imx500.run_model import NAME, evaluated, quantized_run

    if quantized != NAME:
        raise UnknownNameError("quantized model for imx500", quantized, [NAME])
    if source.is_file():
        raise UsageError(
            f"{source}: the sensor takes a network of its own quantization, made from the float network.",
            "Package a run folder.",
        )
    # What is missing is said before the minutes of work, not after.
    verdicts = require_suitable_run(source)
    require_converter()
    require_mct()
    model = quantized_run(source)
    metrics = evaluated(model)
    network = sensor_network(model.path, model.path.parent)
    content = _content(network, verdicts, metrics, model.quantization, model.description)
    content["runtimes"] = stored_table(model.run)
    with replaced_folder(out) as folder:
        write_bytes(folder / NETWORK_NAME, network.data)
        write_text(folder / "README.md", model_card(TARGET, content, _USE))
        write_manifest(folder, TARGET, content)
    return PackageResult(out, out / MANIFEST_NAME, content)


def require_suitable_run(source: Path) -> tuple[Verdict, ...]:
    """The verdicts on a run's preset.

    Raises:
        ModelError: it cannot run in the sensor; names the presets that can.
    """
    from tinytracker.model.presets import find_preset

    return require_suitable(find_preset(Run.open(source).preset_name), TARGET)


def sensor_network(model: Path, work: Path) -> SensorNetwork:
    """Convert a quantized `.keras` model and pack it.

    Args:
        model: made by `tinytracker.package.imx500.quantize`.
        work: folder for the converter's files and its log.

    Raises:
        ConverterError: the conversion failed.
        ModelError: the network does not fit, or its input is not the sensor's pixels.
        RpkError: the result would be refused by the sensor's driver.
    """
    conversion = convert(model, work)
    if conversion.packer_output is None or not conversion.memory.fits:
        used, available = conversion.memory.used, conversion.memory.available
        raise ModelError(
            f"The network needs {used:,} bytes of the sensor's {available:,}.", "Train a smaller preset."
        )
    data = pack(conversion.packer_output, "RGB", INTRINSICS)
    rpk = verify(data)
    _require_pixels(rpk.network)
    say(f"{model}: {conversion.memory.used:,} bytes on the sensor, {conversion.memory.used_percent:.1f} %")
    return SensorNetwork(data, rpk, conversion)


def _require_pixels(network: Network) -> None:
    """Refuse an input whose integer is not the pixel minus 128."""
    image = network.inputs[0]
    if (image.bits, image.unsigned, image.shift, image.scale) != (8, False, 0, PIXEL_SCALE):
        kind = "unsigned" if image.unsigned else "signed"
        raise ModelError(
            f"The network's input has {image.bits} {kind} bits with scale {image.scale:g} and zero point "
            f"{image.shift}; the sensor's pixels are 8 signed bits with scale 1/128 and zero point 0.",
            "Calibrate with images that contain black pixels.",
        )


def _content(
    network: SensorNetwork,
    verdicts: tuple[Verdict, ...],
    metrics: dict[str, Any],
    quantization: dict[str, Any],
    description: dict[str, Any],
) -> dict[str, Any]:
    from tinytracker.model.presets import find_preset

    rpk = network.rpk
    graph = find_preset(description["preset"]).network()
    return {
        "model": {
            "name": NETWORK_NAME,
            **{key: description[key] for key in ("preset", "config", "git")},
            "data_hash": description["data"]["data_hash"], "data_origin": weights_origin(description),
            "sha256": sha256_bytes(network.data), "bytes": len(network.data),
            "macs": graph.macs, "parameters": graph.params, "operators": sorted({n.op for n in graph.nodes.values()}),
        },
        "io": {
            "inputs": [_tensor(t) for t in rpk.network.inputs],
            "outputs": [_tensor(t) for t in rpk.network.outputs],
        },
        **meaning(description["preset"]),
        "quantization": quantization,
        "memory": network.conversion.memory.as_json(),
        "constraints": [verdict.as_json() for verdict in verdicts],
        "intrinsics": rpk.intrinsics,
        "converter": {"imx500-converter": _version(rpk.converter_version)},
        "metrics": metrics,
    }  # fmt: skip


def _tensor(tensor: Tensor) -> dict[str, Any]:
    kind = f"{'uint' if tensor.unsigned else 'int'}{tensor.bits}"
    # The sensor's order is channels first; ours, as everywhere in manifests, is NHWC.
    shape = [1, *tensor.shape[1:], tensor.shape[0]] if len(tensor.shape) == 3 else [1, *tensor.shape]
    name = "image" if len(tensor.shape) == 3 else "gaze"
    return {
        "name": name, "tensor": tensor.name, "shape": shape, "dtype": kind,
        "scale": tensor.scale, "zero_point": tensor.shift,
    }  # fmt: skip


def _version(digits: str) -> str:
    return ".".join(str(int(digits[i : i + 2])) for i in (0, 2, 4))


_USE = f"""\
## Use

Copy `{NETWORK_NAME}` to a Raspberry Pi with an AI Camera and run `deploy/imx500/gaze_imx500.py` there:

```sh
sudo apt install imx500-all python3-picamera2 python3-opencv
python3 gaze_imx500.py --model {NETWORK_NAME}
```

Each frame's metadata then carries two floats, the gaze in cm: `IMX500.get_outputs(metadata)[0]`. The input is the
part of the image named by `set_inference_roi_abs`, which should be a square around the face, or for a network for the
eyes a strip around both; the program then knows what a unit of the answer means.
"""
