"""The finder as a device runs it: whether a .tflite file is one, and what it answers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tinytracker.aim.cutting import view
from tinytracker.aim.finding import view_box
from tinytracker.aim.layout import FINDER, FINDER_CELL_PX, FINDER_HEIGHT, FINDER_WIDTH, code_count
from tinytracker.errors import ModelError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.contract import IoContract
from tinytracker.quant.oracle import available_oracle

VIEW = (1, FINDER_HEIGHT, FINDER_WIDTH, 1)
"""Shape of the input: the whole frame in grey."""

CELLS = (1, FINDER_HEIGHT // FINDER_CELL_PX, FINDER_WIDTH // FINDER_CELL_PX, code_count(FINDER))
"""Shape of the output: the codes of `aim.layout.FINDER` for each cell."""


def require_finder(contract: IoContract) -> None:
    """Refuse a network that is not a finder.

    Raises:
        ModelError: an input or output has another shape or type.
    """
    for tensors, role, shape in ((contract.inputs, "input", VIEW), (contract.outputs, "output", CELLS)):
        found = [f"{t.dtype} {list(t.shape)}" for t in tensors]
        if found not in ([f"int8 {list(shape)}"], [f"uint8 {list(shape)}"]):
            raise ModelError(
                f"This network is not a finder: its {role} is {' and '.join(found)}, not int8 {list(shape)}.",
                "Use the preset `finder`.",
            )


def reference_finder(content: bytes) -> Callable[[NDArray[np.uint8]], NDArray[np.int64]]:
    """Return a function from a whole frame to the codes of a finder's cells, computed by the reference kernels.

    Args:
        content: of the finder's .tflite file.

    Raises:
        ModelError: it is not a finder, or no reference kernels are installed.
    """
    contract = IoContract.of(read_tflite(content))
    require_finder(contract)
    oracle = available_oracle(content)
    if oracle is None:
        raise ModelError("No reference kernels are installed that run the finder.")

    def look(frame: NDArray[np.uint8]) -> NDArray[np.int64]:
        height, width = frame.shape[:2]
        codes = {"view": view(frame, view_box(width, height))[None]}
        cells = oracle.run(contract.encode_all(codes))[0].reshape(CELLS[1:]).astype(np.int64)
        found: NDArray[np.int64] = cells - contract.outputs[0].zero_point
        return found

    return look
