"""Neuromorphic package: the network as a NIR file, with what it costs and which chips it fits."""

from __future__ import annotations

from pathlib import Path

from tinytracker.errors import ModelError, UnknownNameError, UsageError
from tinytracker.files import sha256_bytes, write_bytes, write_text
from tinytracker.kinds import is_hybrid
from tinytracker.model.presets import find_preset
from tinytracker.package import PackageResult
from tinytracker.package.constraints import require_suitable
from tinytracker.package.folder import replaced_folder
from tinytracker.package.manifest import MANIFEST_NAME, Manifest, ModelSection, SpikingSection, write_manifest
from tinytracker.package.model_card import model_card
from tinytracker.package.neuromorphic import TARGET
from tinytracker.package.neuromorphic.build_hybrid import build_hybrid
from tinytracker.package.neuromorphic.chips import Need, needs_of
from tinytracker.package.neuromorphic.options import Options
from tinytracker.package.neuromorphic.readme import use_section
from tinytracker.package.parity_table import spiking_parity_path, stored_table
from tinytracker.package.source import ModelSource
from tinytracker.package.spikes import open_spikes
from tinytracker.quant.contract import TensorContract
from tinytracker.quant.record import IoDescription
from tinytracker.spiking.document import FOLDER, NETWORK_NAME, SpikingDocument
from tinytracker.spiking.network import SpikingNetwork


def build(source: ModelSource, out: Path, options: Options) -> PackageResult:
    """Write the package; see `tinytracker.package.package`."""
    if source.run is not None and is_hybrid(source.preset or ""):
        return build_hybrid(source.run, out, options)
    if source.quantized != FOLDER:
        raise UnknownNameError(f"model for {TARGET}", source.quantized, [FOLDER])
    if source.run is None or source.preset is None:
        raise UsageError(
            f"{source.path}: a spiking network is made from the float network of a run.",
            "Package a run folder.",
        )
    verdicts = require_suitable(find_preset(source.preset), TARGET)
    about, content, network = open_spikes(source.run)
    needs = {need.chip: need for need in needs_of(network)}
    _require_fit(source.preset, needs[options.chip])
    model = ModelSection(
        name=NETWORK_NAME, **source.origin.as_json(), sha256=sha256_bytes(content), bytes=len(content),
        macs=about.macs, parameters=sum(layer.weights.size + layer.bias.size for layer in network.layers),
        operators=tuple(sorted({"Conv2d" if layer.is_conv else "Affine" for layer in network.layers} | {"IF"})),
    )  # fmt: skip
    manifest = Manifest(
        target=TARGET, runtime="nir", model=model, io=_io(network), **source.words,
        spiking=_section(about, needs), constraints=tuple(verdict.as_json() for verdict in verdicts),
        runtimes=stored_table(source.run, about.sha256, spiking_parity_path(source.run)), metrics=source.metrics,
    )  # fmt: skip
    with replaced_folder(out) as folder:
        write_bytes(folder / NETWORK_NAME, content)
        write_text(folder / "README.md", model_card(manifest, use_section(about, needs)))
        write_manifest(folder, manifest)
    return PackageResult(out, out / MANIFEST_NAME, manifest)


def _require_fit(preset: str, need: Need) -> None:
    if not need.fits:
        raise ModelError(
            f"The spiking network of {preset} does not fit {need.chip}: {'; '.join(need.problems)}.",
            "Choose another --chip, convert again, or train a smaller preset.",
        )


def _section(about: SpikingDocument, needs: dict[str, Need]) -> SpikingSection:
    judged = about.validation
    known = {} if about.percentile is None else {"percentile": about.percentile}
    return SpikingSection(
        method=about.method, **known, encode=about.encode, steps=about.steps, rule=about.rule, unit_cm=about.unit_cm,
        neurons=about.neurons, synapses=about.synapses, fan_in=about.fan_in, spikes=about.spikes, sops=about.sops,
        sops_per_mac=about.sops_per_mac, updates=about.updates, host_macs=about.host_macs,
        validation_frames=judged.frames, network_cm=judged.network_cm, float_cm=judged.float_cm,
        integer_cm=judged.integer_cm, chips={name: need.as_json() for name, need in needs.items()},
    )  # fmt: skip


def _io(network: SpikingNetwork) -> IoDescription:
    shape = (1, *network.layers[0].input_shape)
    name = "edges" if network.encode == "edges" else "image"
    image = TensorContract(name, "input", shape, "int8", 1 / 128, 0)
    gaze = TensorContract("gaze", "output", (1, 2), "int32", 1, 0)
    return IoDescription(inputs=(image,), outputs=(gaze,))
