"""Converts a trained run into a spiking network. Importing this module imports TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.data.index import PreparedIndex, read_index
from tinytracker.errors import ModelError
from tinytracker.files import make_folder, sha256_bytes, sha256_file, write_arrays, writing
from tinytracker.model.keras_builder import load_trained
from tinytracker.model.presets import Preset, find_preset
from tinytracker.model.qcfs import Qcfs, qcfs_name
from tinytracker.progress import say
from tinytracker.quant.folding import fold
from tinytracker.runs import Run, provenance
from tinytracker.spiking.choosing import choose_steps
from tinytracker.spiking.document import (
    DOCUMENT_NAME,
    FOLDER,
    NETWORK_NAME,
    PARITY_NAME,
    RASTER_NAME,
    Judgement,
    LayerDescription,
    SpikingDocument,
    StepRow,
    folder_of,
)
from tinytracker.spiking.frames import CodedFrames, coded_frames, run_frames
from tinytracker.spiking.lowering import (
    Folded,
    activations,
    balanced_thresholds,
    plain_layers,
    refuse_unsupported,
    sees_edges,
    spiking_network,
)
from tinytracker.spiking.network import Layer, SpikingNetwork
from tinytracker.spiking.neuron import NeuronRule
from tinytracker.spiking.nir_file import nir_bytes, write_nir
from tinytracker.spiking.rounding import rounded
from tinytracker.spiking.simulator import simulate
from tinytracker.words import counted

CALIBRATION_FRAMES = 512
RASTER_FRAMES = 4


_Counted = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]
"""Answers, spikes and synaptic operations, see `run_frames`."""


@dataclass(frozen=True)
class Settings:
    """How to convert; see `tinytracker.spiking.spike`. Without `steps`, their number is chosen."""

    steps: int | None
    method: str
    encode: str
    percentile: float
    rule: NeuronRule


def convert_run(run: Run, settings: Settings, data: Path | None, frames: int | None) -> SpikingDocument:
    """Convert a run; see `tinytracker.spiking.spike` for the contract."""
    description = run.describe()
    preset = find_preset(description.preset)
    refuse_unsupported(preset.network(), preset.name)
    if description.config.get("head", "linear") != "linear":
        raise ModelError(
            f"{run.path}: the network ends in tanh, and a readout that only integrates cannot bend its sum.",
            'Train with head = "linear".',
        )
    index = read_index(data or Path(description.data.path))
    model = load_trained(run.trained_model())
    layers, learned = trained_layers(model, preset)
    if settings.method == "qcfs":
        thresholds, calibration = learned, None
    else:
        calibration = _coded(index, "train", preset, CALIBRATION_FRAMES)
        thresholds = balanced_thresholds(layers, calibration.codes, settings.percentile)
    real = spiking_network(layers, thresholds, settings.encode, settings.rule, preset.name)
    network = rounded(real)
    seen = _coded(index, "val", preset, frames)
    ordinary = _ordinary_answers(layers, learned, preset.levels, seen)

    def simulated(steps: int) -> tuple[list[float], _Counted]:
        say(f"{run.path}: {counted(steps, 'step')} on {counted(len(seen), 'frame')} of the validation split")
        found = run_frames(network, seen, steps)
        return [seen.error_cm(answers) for answers in found[0]], found

    known: dict[str, Any] = {}
    if settings.steps is None:
        steps, known["chosen"], found = choose_steps(seen.error_cm(ordinary), simulated)
    else:
        steps, found = settings.steps, simulated(settings.steps)[1]
    answers, spikes, sops = found[0][:steps], found[1][:steps], found[2][:steps]
    real, network = replace(real, steps=steps), replace(network, steps=steps)
    real_answers, _, _ = run_frames(real, seen, steps, "before rounding")
    judgement = _judge(seen, ordinary, answers, real_answers, spikes, sops)
    folder = folder_of(run)
    make_folder(folder)
    _forget_another(run, nir_bytes(network))
    write_nir(folder / NETWORK_NAME, network)
    _write_raster(folder / RASTER_NAME, network, seen, steps)
    mean_spikes, mean_sops = spikes[-1].mean(1), sops[-1].mean(1)
    if calibration is not None:
        known |= {"percentile": settings.percentile, "calibration_frames": len(calibration)}
    document = SpikingDocument(
        preset=preset.name, method=settings.method, **known,
        encode=settings.encode, steps=steps, rule=settings.rule.as_json(), network=NETWORK_NAME,
        sha256=sha256_bytes(nir_bytes(network)), model_sha256=sha256_file(run.model_path), unit_cm=network.unit_cm,
        **totals(network, steps), spikes=float(mean_spikes.sum()), sops=float(mean_sops.sum()),
        sops_per_mac=float(mean_sops.sum()) / network.macs,
        layers=tuple(
            describe_layer(layer, i, network, float([*mean_spikes, 0.0][i]), float(mean_sops[i]))
            for i, layer in enumerate(network.layers)
        ),
        validation=judgement, **provenance(),
    )  # fmt: skip
    document.write(folder / DOCUMENT_NAME)
    return document


def _forget_another(run: Run, content: bytes) -> None:
    """Remove what was measured with the network that this one replaces; tables would show it as this one's."""
    path = folder_of(run) / NETWORK_NAME
    if not path.is_file() or path.read_bytes() == content:
        return
    measured = [*run.path.glob(f"evaluation/{FOLDER}-*"), folder_of(run) / PARITY_NAME]
    with writing(path):
        for stale in measured:
            stale.unlink(missing_ok=True)


def _coded(index: PreparedIndex, split: str, preset: Preset, at_most: int | None) -> CodedFrames:
    """Return frames as the network sees them."""
    frames = coded_frames(index, split, preset.input, at_most)
    return frames.edges() if sees_edges(preset.network()) else frames


def trained_layers(model: Any, preset: Preset) -> tuple[tuple[Layer, ...], tuple[float, ...]]:
    """Return the folded layers of a trained network, and the thresholds it has learned.

    Returns:
        Layers as `tinytracker.spiking.lowering.plain_layers` returns them, and one threshold for each layer but the
        last; none for a network with ordinary ReLUs.
    """
    network = preset.network()
    weights = {name: Folded(w.kernel, w.bias) for name, w in fold(model, network).items()}
    layers = plain_layers(network, weights, preset.name)
    if preset.levels is None:
        return layers, ()
    found = [model.get_layer(qcfs_name(layer.name)) for layer in layers[:-1]]
    assert all(isinstance(layer, Qcfs) for layer in found)
    return layers, tuple(float(layer.threshold.numpy()) for layer in found)


def totals(network: SpikingNetwork, steps: int) -> dict[str, Any]:
    """Return the numbers of a network that do not depend on frames."""
    return {
        "neurons": network.neurons, "synapses": network.synapses,
        "fan_in": max(layer.fan_in for layer in network.on_chip), "macs": network.macs,
        "host_macs": network.host_macs, "updates": network.neurons * steps,
    }  # fmt: skip


def describe_layer(
    layer: Layer, position: int, network: SpikingNetwork, spikes: float, sops: float
) -> LayerDescription:
    """Return the description of a layer."""
    known = {} if layer.threshold is None else {"threshold": int(layer.threshold)}
    return LayerDescription(
        name=layer.name, shape=layer.output_shape, neurons=layer.neurons, fan_in=layer.fan_in,
        synapses=layer.synapses if position else 0, **known,
        weights=(int(layer.weights.min()), int(layer.weights.max())),
        bias=(int(layer.bias.min()), int(layer.bias.max())), spikes=spikes, sops=sops,
    )  # fmt: skip


def _ordinary_answers(
    layers: tuple[Layer, ...], thresholds: tuple[float, ...], levels: int | None, frames: CodedFrames
) -> NDArray[np.float64]:
    """Return what the trained network answers, (n, 2)."""
    known = (thresholds, levels) if levels is not None else None
    return np.concatenate([activations(layers, codes, known)[-1] for codes in frames.batches()])


def _judge(
    frames: CodedFrames,
    ordinary: NDArray[np.float64],
    answers: NDArray[np.float64],
    real: NDArray[np.float64],
    spikes: NDArray[np.int64],
    sops: NDArray[np.int64],
) -> Judgement:
    rows = tuple(
        StepRow(
            steps=t + 1, error_cm=frames.error_cm(answers[t]), float_error_cm=frames.error_cm(real[t]),
            spikes=float(spikes[t].sum(0).mean()), sops=float(sops[t].sum(0).mean()),
        )
        for t in range(len(answers))
    )  # fmt: skip
    return Judgement(
        split="val", frames=len(frames), network_cm=frames.error_cm(ordinary),
        float_cm=frames.error_cm(real[-1]), integer_cm=rows[-1].error_cm, steps=rows,
    )  # fmt: skip


def _write_raster(path: Path, network: SpikingNetwork, frames: CodedFrames, steps: int) -> None:
    """Keep the spikes of a few frames for pictures: by layer (steps, n, neurons), and the readout."""
    some = frames.codes[:: max(1, len(frames) // RASTER_FRAMES)][:RASTER_FRAMES]
    activity = simulate(network, some, steps, record=True)
    trains = {
        layer.name: train.reshape(steps, len(some), -1)
        for layer, train in zip(network.layers, activity.trains, strict=False)
    }
    write_arrays(
        path, {"codes": some.astype(np.int8), "readout": activity.readout, **trains}, compressed=True
    )
