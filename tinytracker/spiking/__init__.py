"""Spiking networks: conversion of a trained network, an exact simulator, and files for neuromorphic hardware."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tinytracker.errors import ModelError, UnknownNameError, UsageError
from tinytracker.files import StrPath
from tinytracker.lazy import exports
from tinytracker.requirements import require_tensorflow
from tinytracker.runs import Run

if TYPE_CHECKING:
    from tinytracker.spiking.document import SpikingCost, SpikingDocument, read_document, spiking_cost
    from tinytracker.spiking.network import ENCODINGS, Layer, SpikingNetwork
    from tinytracker.spiking.neuron import CONVERTED, LAVA_LIF, NeuronRule
    from tinytracker.spiking.nir_file import read_nir, write_nir
    from tinytracker.spiking.rounding import rounded
    from tinytracker.spiking.simulator import Activity, simulate
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "document": ("SpikingCost", "SpikingDocument", "read_document", "spiking_cost"),
            "network": ("ENCODINGS", "Layer", "SpikingNetwork"),
            "neuron": ("CONVERTED", "LAVA_LIF", "NeuronRule"),
            "nir_file": ("read_nir", "write_nir"),
            "rounding": ("rounded",),
            "simulator": ("Activity", "simulate"),
        },
    )

__all__ = [
    "CONVERTED",
    "ENCODINGS",
    "LAVA_LIF",
    "Activity",
    "Layer",
    "NeuronRule",
    "SpikingCost",
    "SpikingDocument",
    "SpikingNetwork",
    "read_document",
    "read_nir",
    "rounded",
    "simulate",
    "spike",
    "spiking_cost",
    "write_nir",
]

METHODS = ("qcfs", "balance")
MAX_STEPS = 1024
"""Of `spike`: many times what any conversion needs, and memory for what is counted after each step."""


def spike(
    run_folder: StrPath,
    steps: int | None = None,
    method: str | None = None,
    encode: str | None = None,
    percentile: float = 99.9,
    several: bool = False,
    data: StrPath | None = None,
    frames: int | None = None,
) -> SpikingDocument:
    """Convert a trained run into a spiking network of integers, in `RUN/spiking/`.

    The folder gets `network.nir`, `spiking.json`, and `raster.npz` with the spikes of a few frames. The error is
    measured on the validation split after each step, so one call also shows what fewer steps would cost.

    Args:
        run_folder: a finished run of a preset that has a spiking form, such as spikes-s.
        steps: time steps per frame; None for the fewest whose error on the validation split exceeds that of the
            ordinary network by 3 % at most, or, if 64 are too few for that, those with the lowest error.
        method: "qcfs" takes the thresholds that the network has learned; "balance" takes a percentile of its
            activations on 512 training frames. None for what suits the preset.
        encode: "current" delivers the first layer's sums as a constant current, and "edges" does so for a network that
            was trained on edges; "rate" turns each pixel into spikes. None for what the network was trained on.
        percentile: of the activations above zero, for "balance".
        several: whether a neuron may fire more than once in a step.
        data: prepared data; None for the data of the run.
        frames: of the validation split at most; None for all.

    Raises:
        InputFileError: not a finished run, or its data no longer exists.
        UnknownNameError: no such method or encoding.
        UsageError: `steps`, `percentile` or `frames` is out of range.
        ModelError: the network has an operator without a spiking form, or the method does not suit its activations.
        MissingDependencyError: TensorFlow is not installed.
        OutputError: the folder cannot be written.
    """
    from tinytracker.files import make_folder, require_writable
    from tinytracker.spiking.document import DOCUMENT_NAME, folder_of
    from tinytracker.spiking.lowering import sees_edges
    from tinytracker.spiking.network import ENCODINGS
    from tinytracker.spiking.neuron import CONVERTED, NeuronRule
    from tinytracker.spiking.simulator import require_steps

    if method is not None and method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    if encode is not None and encode not in ENCODINGS:
        raise UnknownNameError("encoding", encode, ENCODINGS)
    if steps is not None:
        require_steps(steps)
        if steps > MAX_STEPS:
            raise UsageError(
                f"{steps:,} time steps are too many.", f"Use {MAX_STEPS:,} or fewer, such as --steps 64."
            )
    if not 50 <= percentile <= 100:
        raise UsageError(f"A percentile of {percentile:g} is out of range.", "It must be 50 to 100.")
    if frames is not None and frames < 1:
        raise UsageError(f"{frames} frames are too few.", "Use 1 or more.")
    from tinytracker.model.presets import find_preset

    run = Run.open(Path(run_folder))
    run.trained_model()
    preset = find_preset(run.preset_name)
    method = method or ("balance" if preset.levels is None else "qcfs")
    edges = sees_edges(preset.network())
    encode = encode or ("edges" if edges else "current")
    if (encode == "edges") != edges:
        raise ModelError(*_other_input(preset.name, encode))
    if (method == "qcfs") != (preset.levels is not None):
        raise ModelError(*_other_method(preset.name, method))
    require_tensorflow("converting a trained network to spikes")
    require_writable(make_folder(folder_of(run)) / DOCUMENT_NAME)
    from tinytracker.spiking.conversion import Settings, convert_run

    rule = NeuronRule(several=True) if several else CONVERTED
    settings = Settings(steps, method, encode, percentile, rule)
    return convert_run(run, settings, Path(data) if data is not None else None, frames)


def _other_input(preset: str, encode: str) -> tuple[str, str]:
    if encode == "edges":
        return (
            f"{preset} was trained on grey levels, not on edges.",
            "Use --encode current, or train spikes-s-edges.",
        )
    return (
        f"{preset} was trained on edges, which --encode {encode} does not give it.",
        "Omit --encode, or use edges.",
    )


def _other_method(preset: str, method: str) -> tuple[str, str]:
    if method == "qcfs":
        return f"{preset} has ordinary ReLUs, which have learned no thresholds.", "Use --method balance."
    return f"{preset} has learned its thresholds in training.", "Omit --method, or use qcfs."
