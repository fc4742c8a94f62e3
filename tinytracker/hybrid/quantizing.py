"""From a trained hybrid to integers on disk. Importing this module imports TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import UsageError
from tinytracker.files import StrPath, sha256_bytes, sha256_file, write_bytes, write_json
from tinytracker.hybrid.accumulator import EMPTY, FULL, code_step
from tinytracker.hybrid.batches import validation_windows
from tinytracker.hybrid.document import (
    ACCUMULATOR_NAME,
    DOCUMENT_NAME,
    FOLDER,
    HEAD_NAME,
    NETWORK_NAME,
    AccumulatorPart,
    HeadPart,
    HybridDocument,
    HybridJudgement,
    HybridLayer,
    SpikingPart,
)
from tinytracker.hybrid.head import quantized_head
from tinytracker.hybrid.integers import UNIT, spiking_part
from tinytracker.hybrid.network import HybridNet
from tinytracker.hybrid.presets import BIN_US, STEPS
from tinytracker.hybrid.reference import BATCH, IntegerHybrid
from tinytracker.hybrid.streams import UNIT_STRIP, Windows, all_windows, joined, moved, read_streams, spread
from tinytracker.hybrid.training import predicted_cm, trained_net
from tinytracker.locks import locked
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_stats import model_stats
from tinytracker.progress import bar, say
from tinytracker.runs import Run, provenance
from tinytracker.spiking.network import SpikingNetwork
from tinytracker.spiking.nir_file import nir_bytes


def round_run(run: Run, calibration_windows: int, data: StrPath | None) -> HybridDocument:
    """Write a run's integers; see `tinytracker.hybrid.quantize_hybrid` for the contract."""
    net = trained_net(run)
    folder = Path(data if data is not None else run.describe().data.path)
    config_windows = int(str(run.describe().config["validation_windows"]))
    judged = validation_windows(read_streams(folder, "val")[0], config_windows)
    with locked(run.path, "hybrid quantize"):
        windows = calibration(folder, calibration_windows) if net.head is not None else None
        hybrid = integers_of(net, windows)
        float_cm = np.linalg.norm(predicted_cm(net, judged) - judged.change_cm(), axis=1).mean()
        error = np.linalg.norm(integer_cm(hybrid, judged) - judged.change_cm(), axis=1).mean()
        judgement = HybridJudgement(
            windows=len(judged), no_answer_cm=float(np.linalg.norm(judged.change_cm(), axis=1).mean()),
            float_cm=float(float_cm), integer_cm=float(error),
        )  # fmt: skip
        return _written(run, hybrid, judgement, len(windows) if windows is not None else 0)


def calibration(folder: Path, count: int) -> Windows:
    """Return windows of the training split, half of which move.

    Raises:
        UsageError: `count` is below 2.
    """
    if count < 2:
        raise UsageError(f"The ranges of a head need 2 windows or more, not {count}.", "Use 2 or more.")
    everything = all_windows(read_streams(folder, "train")[0], STEPS // 2)
    moving = everything.part(moved(everything))
    a, b = spread(moving, count // 2), spread(everything, count - count // 2)
    return joined(a, b)


def integers_of(net: HybridNet, windows: Windows | None) -> IntegerHybrid:
    """Return a float network in integers.

    Args:
        net: trained.
        windows: whose activations set the ranges of the head; None for a network of spikes only.
    """
    spiking: SpikingNetwork | None = None
    if net.kernels:
        readout = None if net.readout is None else net.readout.numpy()
        spiking = spiking_part(net.preset, [kernel.numpy() for kernel in net.kernels], readout)
    front = IntegerHybrid(net.preset, net.interval, spiking, None)
    if net.head is None or windows is None:
        return front
    codes = []
    with bar("calibrate the head", len(windows), "windows") as advance:
        for i in range(0, len(windows), BATCH):
            part = windows.part(slice(i, i + BATCH))
            codes.append(front.codes(front.fired(part.events())))
            advance(len(part))
    head = quantized_head(net.head, np.concatenate(codes))
    return IntegerHybrid(net.preset, net.interval, spiking, head)


def integer_cm(hybrid: IntegerHybrid, windows: Windows) -> NDArray[np.float64]:
    """Return the changes (n, 2) that a hybrid in integers sees, cm."""
    found = []
    with bar("run integers", len(windows), "windows") as advance:
        for i in range(0, len(windows), BATCH):
            part = windows.part(slice(i, i + BATCH))
            found.append(hybrid.answers(part.events()))
            advance(len(part))
    return np.concatenate(found) * windows.unit_cm()[:, None]


def _written(
    run: Run, hybrid: IntegerHybrid, judgement: HybridJudgement, calibration_windows: int
) -> HybridDocument:
    folder = run.path / FOLDER
    parts: dict[str, Any] = {}
    preset, spiking = hybrid.preset, hybrid.spiking
    if spiking is not None:
        content = nir_bytes(spiking)
        write_bytes(folder / NETWORK_NAME, content)
        parts["spiking"] = _spiking(spiking, content)
        if preset.is_snn:
            parts["unit_of_readout"] = spiking.unit_cm
    if hybrid.head is not None:
        write_bytes(folder / HEAD_NAME, hybrid.head)
        parts["head"] = _head(hybrid.head, calibration_windows)
        accumulator = accumulator_part(hybrid)
        write_json(folder / ACCUMULATOR_NAME, accumulator.as_json())
        parts["accumulator"] = accumulator
    about = HybridDocument(
        preset=preset.name, interval=hybrid.interval, bin_us=BIN_US, unit_strip=UNIT_STRIP,
        parameters=preset.parameters(hybrid.interval), **parts,
        weights_sha256=sha256_file(run.hybrid_path), validation=judgement, **provenance(),
    )  # fmt: skip
    about.write(folder / DOCUMENT_NAME)
    say(f"{folder}: {judgement.float_cm:.3f} cm before rounding, {judgement.integer_cm:.3f} cm in integers")
    return about


def accumulator_part(hybrid: IntegerHybrid) -> AccumulatorPart:
    """Return the parameters of a hybrid's accumulator."""
    h, w, c = hybrid.preset.boundary
    slots = hybrid.preset.slots(hybrid.interval)
    return AccumulatorPart(
        steps=STEPS, interval=hybrid.interval, slots=slots, height=h, width=w, channels=c, bytes=h * w * c * slots,
        empty=EMPTY, code_step=code_step(hybrid.interval), full=FULL,
    )  # fmt: skip


def _spiking(network: SpikingNetwork, content: bytes) -> SpikingPart:
    layers = tuple(
        HybridLayer(
            name=layer.name, shape=layer.output_shape, synapses=layer.synapses,
            **({} if layer.threshold is None else {"threshold": int(layer.threshold) // UNIT}),
        )
        for layer in network.layers
    )  # fmt: skip
    return SpikingPart(
        file=NETWORK_NAME, sha256=sha256_bytes(content), rule=network.rule.as_json(), neurons=network.neurons,
        synapses=network.synapses, layers=layers,
    )  # fmt: skip


def _head(content: bytes, windows: int) -> HeadPart:
    model = read_tflite(content, HEAD_NAME)
    stats = model_stats(model)
    (output,) = model.output_tensors()
    return HeadPart(
        file=HEAD_NAME, sha256=sha256_bytes(content), bytes=len(content), macs=stats.macs,
        parameters=stats.parameters, unit_per_code=output.scale, zero_point=output.zero_point,
        calibration_windows=windows,
    )  # fmt: skip
