"""The finder as a device runs it: whether a .tflite file is one."""

from __future__ import annotations

from tinytracker.aim.layout import FINDER, FINDER_CELL_PX, FINDER_HEIGHT, FINDER_WIDTH, code_count
from tinytracker.errors import ModelError
from tinytracker.quant.contract import IoContract

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
