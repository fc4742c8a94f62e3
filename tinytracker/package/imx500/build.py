"""IMX500 package: `network.rpk` for the camera, with its use of the sensor and its accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinytracker.errors import ModelError, UnknownNameError, UsageError
from tinytracker.files import sha256_bytes, write_bytes, write_text
from tinytracker.package import PackageResult
from tinytracker.package.constraints import require_suitable
from tinytracker.package.folder import replaced_folder
from tinytracker.package.imx500.converter import Conversion, convert
from tinytracker.package.imx500.environment import require_converter
from tinytracker.package.imx500.rpk import Rpk, RpkNetwork, Tensor, pack, verify
from tinytracker.package.manifest import (
    MANIFEST_NAME,
    Manifest,
    ModelSection,
    SensorMemory,
    write_manifest,
)
from tinytracker.package.model_card import model_card
from tinytracker.package.parity_table import stored_table
from tinytracker.package.rules import Verdict
from tinytracker.package.source import ModelSource
from tinytracker.progress import say
from tinytracker.quant.contract import TensorContract
from tinytracker.quant.record import IoDescription

if TYPE_CHECKING:
    from tinytracker.evaluate.metrics import Headline
    from tinytracker.model.presets import Preset
    from tinytracker.package.imx500.run_model import RunModel

TARGET = "imx500"
NETWORK_NAME = "network.rpk"
PIXEL_SCALE = 1 / 128

INTRINSICS: dict[str, Any] = {"inference_rate": 30.0, "input_aspect_ratio": {"width": 1, "height": 1}}
"""Values that picamera2 reads from the package: the frame rate, and square pixels. It has no task "gaze"."""


@dataclass(frozen=True)
class SensorNetwork:
    """A network in the sensor's form.

    Attributes:
        data: bytes of network.rpk. rpk: the same, parsed.
        conversion: result of Sony's converter.
    """

    data: bytes
    rpk: Rpk
    conversion: Conversion


class SensorManifest(Manifest):
    """The manifest of a sensor's package, whose table of runtimes comes after the errors."""

    def as_json(self) -> dict[str, Any]:
        """Return what is written, JSON-able."""
        document = super().as_json()
        last = [key for key in ("runtimes", "tools", "files") if key in document]
        return {**{k: v for k, v in document.items() if k not in last}, **{k: document[k] for k in last}}


def build(source: ModelSource, out: Path) -> PackageResult:
    """Write the package; see `tinytracker.package.package`."""
    from tinytracker.package.imx500.quantize import require_mct
    from tinytracker.package.imx500.run_model import NAME, evaluated, quantized_source

    if source.quantized != NAME:
        raise UnknownNameError("quantized model for imx500", source.quantized, [NAME])
    if source.run is None or source.preset is None:
        raise UsageError(
            f"{source.path}: the sensor needs its own quantization, which is made from the float network of a run.",
            "Package a run folder.",
        )
    # Report what is missing before the minutes of work, not after.
    verdicts = require_suitable_preset(source.preset)
    require_converter()
    require_mct()
    model = quantized_source(source)
    metrics = evaluated(model)
    network = sensor_network(model.path, model.path.parent)
    manifest = _manifest(network, verdicts, metrics, model, source)
    with replaced_folder(out) as folder:
        write_bytes(folder / NETWORK_NAME, network.data)
        write_text(folder / "README.md", model_card(manifest, use_section(model.preset)))
        write_manifest(folder, manifest)
    return PackageResult(out, out / MANIFEST_NAME, manifest)


def require_suitable_preset(preset: str) -> tuple[Verdict, ...]:
    """Return the verdicts on a run's preset.

    Raises:
        ModelError: the preset cannot run on the sensor; names those that can.
    """
    from tinytracker.model.presets import find_preset

    return require_suitable(find_preset(preset), TARGET)


def sensor_network(model: Path, work: Path) -> SensorNetwork:
    """Convert a quantized `.keras` model and pack it.

    Args:
        model: model made by `tinytracker.package.imx500.quantize`.
        work: folder for the converter's files and its log.

    Raises:
        ConverterError: the conversion failed.
        ModelError: the network does not fit, or its input does not match the sensor's pixels.
        RpkError: the sensor's driver would refuse the result.
    """
    conversion = convert(model, work)
    if conversion.packer_output is None or not conversion.memory.fits:
        used, available = conversion.memory.used, conversion.memory.available
        raise ModelError(
            f"The network needs {used:,} bytes; the sensor has {available:,}, which is {used - available:,} too few.",
            "Train a smaller preset.",
        )
    data = pack(conversion.packer_output, "RGB", INTRINSICS)
    rpk = verify(data)
    _require_pixels(rpk.network)
    say(f"{model}: {conversion.memory.used:,} bytes on the sensor, {conversion.memory.used_percent:.1f} %")
    return SensorNetwork(data, rpk, conversion)


def _require_pixels(network: RpkNetwork) -> None:
    """Refuse an input whose integer is not the pixel value minus 128."""
    image = network.inputs[0]
    if (image.bits, image.unsigned, image.shift, image.scale) != (8, False, 0, PIXEL_SCALE):
        kind = "unsigned" if image.unsigned else "signed"
        raise ModelError(
            f"The network's input has {image.bits} {kind} bits with scale {image.scale:g} and zero point "
            f"{image.shift}; the sensor's pixels have 8 signed bits with scale 1/128 and zero point 0.",
            "Calibrate with images that contain black pixels.",
        )


def _manifest(
    network: SensorNetwork,
    verdicts: tuple[Verdict, ...],
    metrics: dict[str, Headline],
    model: RunModel,
    source: ModelSource,
) -> SensorManifest:
    rpk = network.rpk
    graph = model.preset.network()
    return SensorManifest(
        target=TARGET,
        model=ModelSection(
            name=NETWORK_NAME, **source.origin.as_json(), sha256=sha256_bytes(network.data), bytes=len(network.data),
            macs=graph.macs, parameters=graph.params, operators=tuple(sorted({n.op for n in graph.nodes.values()})),
        ),
        io=IoDescription(
            inputs=tuple(map(_tensor, rpk.network.inputs)), outputs=tuple(map(_tensor, rpk.network.outputs))
        ),
        **source.words,
        quantization=model.quantization,
        memory=SensorMemory(**network.conversion.memory.as_json()),
        constraints=tuple(verdict.as_json() for verdict in verdicts),
        intrinsics=rpk.intrinsics,
        converter={"imx500-converter": _version(rpk.converter_version)},
        metrics=metrics,
        runtimes=stored_table(model.run),
    )  # fmt: skip


def _tensor(tensor: Tensor) -> TensorContract:
    kind = f"{'uint' if tensor.unsigned else 'int'}{tensor.bits}"
    # The sensor's order is channels first; manifests use NHWC throughout.
    image = len(tensor.shape) == 3
    shape = (1, *tensor.shape[1:], tensor.shape[0]) if image else (1, *tensor.shape)
    name = "image" if image else "gaze"
    return TensorContract(name, tensor.name, shape, kind, tensor.scale, tensor.shift)


def _version(digits: str) -> str:
    return ".".join(str(int(digits[i : i + 2])) for i in (0, 2, 4))


def use_section(preset: Preset) -> str:
    """Return the part of the README that says how to run the package, and what the sensor then answers."""
    return _USE + (_OF_AIMED_FRAME if preset.aim else _OF_FRAME)


_USE = f"""\
## Use

Copy `{NETWORK_NAME}` to a Raspberry Pi with an AI Camera and run `deploy/imx500/gaze_imx500.py` there:

```sh
sudo apt install imx500-all python3-picamera2 python3-opencv
python3 gaze_imx500.py --model {NETWORK_NAME}
```
"""

_OF_FRAME = """
Each frame's metadata then contains two floats, the gaze in cm: `IMX500.get_outputs(metadata)[0]`. The input is the
part of the image set by `set_inference_roi_abs`: a square around the face, or a strip around both eyes for a network
that sees them. From its size the program derives the unit of the output.
"""

_OF_AIMED_FRAME = """
Each frame's metadata then contains seven floats, `IMX500.get_outputs(metadata)[0]`: the gaze in cm, and where the eyes
are in the part of the image that the network saw (dx, dy, ln scale, roll, presence). The program sets that part by
`set_inference_roi_abs` and moves it with the eyes, for which the Pi needs the package `tinytracker`. From its size the
program derives the unit of the gaze.
"""
