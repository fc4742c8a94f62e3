"""Finds the part of a graph that the Edge TPU compiler maps."""

from __future__ import annotations

from collections.abc import Sequence

from tinytracker.model.tflite_model import Operator, TfliteModel


def cut_by(model: TfliteModel, supported: Sequence[bool]) -> list[Operator | None]:
    """Return, for each operator, the one on the CPU that cuts it off from the part on the chip.

    The compiler makes one program of the graph. Its operators may not need a result that the CPU computes from the
    program's own results: such an operator is cut off. The order in the file does not matter, and a branch that does
    not pass through the CPU stays complete. Operators on the CPU that need nothing from the chip, such as a CAST and a
    QUANTIZE of the model's input, do not cut anything off.

    Args:
        model: uncompiled model.
        supported: for each operator, whether the chip could run it by itself.

    Returns:
        None for operators that are not cut off. Unsupported operators are not judged.
    """
    on_chip: set[int] = set()  # tensors that need the chip
    cutter: dict[int, Operator] = {}  # tensors that the CPU computes from results of the chip
    cuts: list[Operator | None] = []
    for operator, can_map in zip(model.operators, supported, strict=True):
        cut = next((cutter[i] for i in operator.inputs if i in cutter), None)
        if can_map and cut is None:
            on_chip.update(operator.outputs)
        elif cut is not None or any(i in on_chip for i in operator.inputs):
            cutter.update(dict.fromkeys(operator.outputs, cut or operator))
        cuts.append(cut if can_map else None)
    return cuts
