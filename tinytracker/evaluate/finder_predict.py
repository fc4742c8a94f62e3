"""What a finder's model file finds on a split. Importing this imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.layout import FINDER, encode
from tinytracker.arrays import Floats
from tinytracker.data.examples import parse
from tinytracker.data.index import PreparedIndex
from tinytracker.data.inputs import InputSpec, make_inputs
from tinytracker.data.pipeline import serialized_records
from tinytracker.evaluate.finder import summarize_finder
from tinytracker.evaluate.finder_numbers import FinderNumbers
from tinytracker.evaluate.metrics import Frames
from tinytracker.evaluate.predict import truth
from tinytracker.files import read_bytes
from tinytracker.model.keras_builder import load_trained
from tinytracker.progress import bar
from tinytracker.quant.runtimes import ReferenceRuntime
from tinytracker.train.dataset import decoded
from tinytracker.train.finder_places import in_cm, read_places, strips_of

_CHUNK = 256

Cells = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Views (N, 72, 96, 1) -> codes (N, 9, 12, 4)."""


def find_all(
    path: Path, index: PreparedIndex, split: str, spec: InputSpec
) -> tuple[Floats, Frames, FinderNumbers]:
    """Run a finder over a split.

    Returns:
        Found positions (N, 2) and, as the gaze of the frames, the true ones, in cm at the face; the finder's numbers.

    Raises:
        InputFileError: the records hold no whole frames.
    """
    index.require_surroundings("evaluating a finder")
    cells = _float_cells(path) if path.suffix == ".keras" else _quantized_cells(path)
    strips, sizes = strips_of(index, split)
    codes = []
    with bar(f"evaluate {path.name}", len(strips), "frames") as advance:
        for inputs, target in decoded(index, split, spec).batch(_CHUNK):
            codes.append(cells(inputs["image"].numpy()))
            advance(len(target))
    places, scores = read_places(np.concatenate(codes), sizes)
    numbers = summarize_finder(places, scores, strips, _scores_of_rooms(cells, index, split, spec))
    frames = replace(truth(index, split), gaze=in_cm(strips, strips, sizes))
    return in_cm(places, strips, sizes), frames, numbers


def _scores_of_rooms(cells: Cells, index: PreparedIndex, split: str, spec: InputSpec) -> Floats:
    rooms = list(_rooms(index, split, spec))
    if not rooms:
        return np.zeros(0)
    views = np.stack(rooms)
    size = np.full((len(views), 2), (views.shape[2], views.shape[1]), np.float64)
    return read_places(cells(views), size)[1]


def _rooms(index: PreparedIndex, split: str, spec: InputSpec) -> Iterator[NDArray[np.uint8]]:
    """Yield the views of the pictures without a person."""

    def to_view(record: dict[str, Any]) -> Any:
        return make_inputs(spec, {"whole": record["room"]})["image"]

    import tensorflow as tf

    records = serialized_records(index, split).map(lambda r: parse(r, True))
    records = records.filter(lambda record: tf.strings.length(record["room"]) > 0)
    yield from records.map(to_view).as_numpy_iterator()


def _float_cells(path: Path) -> Cells:
    model = load_trained(path)

    def cells(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        answers = model.predict(codes.astype(np.float32) / 128 - 1, batch_size=_CHUNK, verbose=0)
        return encode(FINDER, answers)

    return cells


def _quantized_cells(path: Path) -> Cells:
    runtime = ReferenceRuntime(read_bytes(path))
    finder = runtime.contract.require_finder()
    name = runtime.contract.inputs[0].name

    def cells(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return finder.of_raw(runtime.run({name: codes}))

    return cells
