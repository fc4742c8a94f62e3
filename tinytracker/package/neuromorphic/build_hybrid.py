"""Packages of hybrids: spiking layers as a NIR file, the head as a .tflite file, and the accumulator between them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.emulate import deploy_dir
from tinytracker.errors import ModelError, ParityError
from tinytracker.evaluate.metrics import Headline
from tinytracker.files import read_bytes, write_bytes, write_json, write_text
from tinytracker.hybrid.document import (
    ACCUMULATOR_NAME,
    FOLDER,
    HEAD_NAME,
    NETWORK_NAME,
    HybridDocument,
)
from tinytracker.hybrid.presets import BIN_US, POLARITIES, STEPS, STRIP, find_hybrid
from tinytracker.hybrid.reference import IntegerHybrid, read_hybrid
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.package import PackageResult
from tinytracker.package.folder import replaced_folder
from tinytracker.package.manifest import (
    MANIFEST_NAME,
    HybridSection,
    Manifest,
    ModelSection,
    Origin,
    ParitySection,
    write_manifest,
)
from tinytracker.package.model_card import model_card
from tinytracker.package.neuromorphic import TARGET
from tinytracker.package.neuromorphic.chips import Need, loihi2, sizes_of, speck
from tinytracker.package.neuromorphic.options import Options
from tinytracker.package.neuromorphic.readme_hybrid import use_section
from tinytracker.quant.contract import TensorContract
from tinytracker.quant.record import IoDescription
from tinytracker.runs import Run
from tinytracker.spiking.network import SpikingNetwork
from tinytracker.words import counted

EXAMPLE_NAME = "example.npz"
EXAMPLE_WINDOWS = 32
SOURCES = ("tt_accumulate.c", "tt_accumulate.h")

SEES = "the events of a strip with both eyes, one spike for each cell and polarity in each step of 5 ms"
GAZE = (
    "the change since the window began, x to the right and y up, in units that are centimetres when the strip is half "
    "as wide as the sensor"
)


def build_hybrid(run: Run, out: Path, options: Options) -> PackageResult:
    """Write the package of a hybrid; see `tinytracker.package.package`.

    Raises:
        ModelError: the preset has no spiking layers, or they do not fit the chip.
        ParityError: TensorFlow Lite Micro computes another head.
        InputFileError: a file of the run is damaged.
    """
    hybrid, about = read_hybrid(run.path)
    if hybrid.spiking is None or about.spiking is None:
        raise ModelError(
            f"{about.preset} has no spiking layers, so nothing of it runs on a neuromorphic chip.",
            "Train a preset that has some, such as hybrid-s2a3.",
        )
    needs = {need.chip: need for need in _needs(hybrid.spiking)}
    need = needs[options.chip]
    if not need.fits:
        raise ModelError(
            f"The spiking layers of {about.preset} do not fit {need.chip}: {'; '.join(need.problems)}.",
            "Choose another --chip, or a preset with fewer spiking layers.",
        )
    example, parity = _example(hybrid)
    compared: dict[str, Any] = {} if parity is None else {"parity": parity}
    content = read_bytes(run.path / FOLDER / NETWORK_NAME)
    manifest = Manifest(
        target=TARGET, runtime="nir", model=_model(run, about, hybrid, content), io=_io(hybrid), sees=SEES, gaze=GAZE,
        hybrid=_section(about, needs), **compared, metrics=_NO_METRICS,
    )  # fmt: skip
    with replaced_folder(out) as folder:
        write_bytes(folder / NETWORK_NAME, content)
        if hybrid.head is not None and about.accumulator is not None:
            write_bytes(folder / HEAD_NAME, hybrid.head)
            write_json(folder / ACCUMULATOR_NAME, about.accumulator.as_json())
            for name in SOURCES:
                write_bytes(folder / name, read_bytes(deploy_dir() / "common" / name))
        write_bytes(folder / EXAMPLE_NAME, example)
        write_text(folder / "README.md", model_card(manifest, use_section(about, needs)))
        write_manifest(folder, manifest)
    return PackageResult(out, out / MANIFEST_NAME, manifest)


_NO_METRICS: dict[str, Headline] = {}
"""Errors of a hybrid are those of a change, not of the gaze: they are in its own section."""


def _needs(network: SpikingNetwork) -> tuple[Need, Need]:
    layers = sizes_of(network)
    has_readout = network.layers[-1].threshold is None
    return loihi2(layers), speck(layers, has_readout=has_readout, leaks=network.rule.voltage_decay > 0)


def _example(hybrid: IntegerHybrid) -> tuple[bytes, ParitySection | None]:
    """Return random windows with what every part makes of them, and the comparison of the head on another runtime."""
    rng = np.random.default_rng(0)
    events = (rng.random((EXAMPLE_WINDOWS, STEPS, *STRIP, POLARITIES)) < 0.01).astype(np.uint8)
    fired = hybrid.fired(events)
    arrays: dict[str, Any] = {
        "events": np.packbits(events.reshape(EXAMPLE_WINDOWS, STEPS, -1), axis=2),
        "spikes": np.packbits(fired.spikes.swapaxes(0, 1).reshape(EXAMPLE_WINDOWS, STEPS, -1), axis=2),
        "answer": hybrid.answer(fired),
    }
    parity = None
    if hybrid.head is not None:
        codes = hybrid.codes(fired)
        arrays["codes"] = codes
        parity = _parity(hybrid, codes)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue(), parity


def _parity(hybrid: IntegerHybrid, codes: Any) -> ParitySection:
    assert hybrid.head is not None
    micro = MicroInterpreter(hybrid.head)
    (theirs,), ours = micro.run([codes[:, None]]), hybrid.head_codes(codes)
    theirs = theirs.reshape(ours.shape)
    difference = np.abs(theirs.astype(int) - ours.astype(int))
    differing = int(difference.any(1).sum())
    if differing:
        raise ParityError(
            f"{micro.name} differs from {hybrid.oracle_name} on {differing} of {counted(len(codes), 'window')}, "
            f"by up to {difference.max()} codes."
        )
    return ParitySection(
        runtime=micro.name, oracle=hybrid.oracle_name, images=len(codes), images_from="random events",
        max_difference=0.0, differing=0, distinct_outputs=len(np.unique(ours, axis=0)),
    )  # fmt: skip


def _model(run: Run, about: HybridDocument, hybrid: IntegerHybrid, content: bytes) -> ModelSection:
    described = run.describe()
    origin = Origin(
        preset=about.preset, config=described.config, git=described.git, data_hash=described.data.data_hash,
        data_origin=described.data.origin,
    )  # fmt: skip
    assert about.spiking is not None
    assert hybrid.spiking is not None
    kinds = {"Conv2d" if layer.is_conv else "Affine" for layer in hybrid.spiking.layers}
    return ModelSection(
        name=NETWORK_NAME, **origin.as_json(), sha256=about.spiking.sha256, bytes=len(content),
        macs=find_hybrid(about.preset).head_macs(about.interval), parameters=about.parameters,
        operators=tuple(sorted(kinds | {"LIF"})),
    )  # fmt: skip


def _io(hybrid: IntegerHybrid) -> IoDescription:
    events = TensorContract("events", "input", (STEPS, *STRIP, POLARITIES), "uint8", 1.0, 0)
    if hybrid.head is None:
        gaze = TensorContract("gaze", "output", (1, 2), "int32", 1.0, 0)
    else:
        scale, zero_point = hybrid.output
        gaze = TensorContract("gaze", HEAD_NAME, (1, 2), "int8", scale, zero_point)
    return IoDescription(inputs=(events,), outputs=(gaze,))


def _section(about: HybridDocument, needs: dict[str, Need]) -> HybridSection:
    assert about.spiking is not None
    judged = about.validation
    known: dict[str, Any] = {}
    if about.accumulator is not None:
        known["accumulator"] = about.accumulator.as_json()
    if about.head is not None:
        head = about.head
        known |= {"head_bytes": head.bytes, "head_macs": head.macs, "head_sha256": head.sha256}
    if about.unit_of_readout is not None:
        known["unit_of_readout"] = about.unit_of_readout
    return HybridSection(
        interval=about.interval, steps=STEPS, bin_us=BIN_US, unit_strip=about.unit_strip, rule=about.spiking.rule,
        neurons=about.spiking.neurons, synapses=about.spiking.synapses,
        **known,
        validation_windows=judged.windows, no_answer_cm=judged.no_answer_cm, float_cm=judged.float_cm,
        integer_cm=judged.integer_cm, chips={name: need.as_json() for name, need in needs.items()},
    )  # fmt: skip
