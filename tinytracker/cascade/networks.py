"""Which networks can run behind a gate."""

from __future__ import annotations

from tinytracker.errors import ModelError
from tinytracker.model.tflite_model import TfliteModel
from tinytracker.quant.contract import IoContract

NO_AIM = "This network has no aim: its output does not say where the eyes are."


def require_aim(model: TfliteModel) -> None:
    """Refuse a network that cannot run behind a gate, or look first (`Little`).

    Raises:
        ModelError: it has no aim, or it takes something else than one image.
    """
    contract = IoContract.of(model)
    if contract.aim is None:
        raise ModelError(NO_AIM)
    shapes = [tensor.shape for tensor in contract.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][3] not in (1, 3):
        raise ModelError(
            f"The inputs of this network are {' and '.join(str(list(s)) for s in shapes)}; behind a gate it takes one "
            "image, grey or RGB."
        )
