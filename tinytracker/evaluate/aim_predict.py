"""The aim of a model file on a split. Importing this imports TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.layout import AIM
from tinytracker.arrays import Floats
from tinytracker.data.index import PreparedIndex
from tinytracker.data.inputs import InputSpec
from tinytracker.evaluate.aim import Answer, frames_of, summarize_aim, trace_aim
from tinytracker.evaluate.aim_numbers import AimNumbers
from tinytracker.files import read_bytes
from tinytracker.model.keras_builder import load_trained
from tinytracker.progress import bar
from tinytracker.quant.runtimes import ReferenceRuntime

FRAMES = 500
"""About as many frames of a split are used: the reference kernels see each of them a dozen times."""


def aim_numbers(path: Path, index: PreparedIndex, split: str, spec: InputSpec) -> AimNumbers | None:
    """Measure the aim of a .keras or .tflite file; None when it has none, or the data hold no whole frames."""
    if not index.has_surroundings:
        return None
    answer = answer_of(path)
    if answer is None:
        return None
    every = max(1, index.split(split).frames // FRAMES)
    with bar(f"aim of {path.name}", -(-index.split(split).frames // every), "frames") as advance:
        return summarize_aim(trace_aim(frames_of(index, split, every), spec, answer, advance))


def answer_of(path: Path) -> Answer | None:
    """Return a model file as a function from codes to gaze and aim; None when it has no aim."""
    return _float_answer(path) if path.suffix == ".keras" else _quantized_answer(path)


def _float_answer(path: Path) -> Answer | None:
    model = load_trained(path)
    if model.output_shape[-1] != 2 + len(AIM):
        return None

    def answer(codes: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        found = model(codes.astype(np.float32) / 128 - 1, training=False).numpy().astype(np.float64)
        return found[:, :2], found[:, 2:]

    return answer


def _quantized_answer(path: Path) -> Answer | None:
    runtime = ReferenceRuntime(read_bytes(path))
    contract = runtime.contract
    aim = contract.aim
    if aim is None:
        return None

    def answer(codes: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        raw = runtime.run({contract.inputs[0].name: codes})
        return contract.decode(raw), aim.decode(raw)

    return answer
