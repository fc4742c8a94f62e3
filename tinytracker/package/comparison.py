"""Answers of a runtime beside those of the oracle, as a row of `tinytracker parity`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinytracker.arrays import Floats
from tinytracker.evaluate.metrics import frame_errors
from tinytracker.package.parity_table import RuntimeRow
from tinytracker.progress import bar
from tinytracker.quant.contract import Codes

_BATCH = 64


@dataclass(frozen=True)
class Comparison:
    """The oracle's answers and the ground truth, to compare other runtimes with.

    Attributes:
        answers: of the oracle, (N, 2) in the network's unit.
        step: one step of the oracle's answer.
        target: ground truth (frames, 3) of the first images, see `train.dataset.decoded`.
    """

    answers: Floats
    step: float
    target: Floats

    def row(
        self, runtime: str, computes: str, found: Floats, differing: int | None, must: bool
    ) -> RuntimeRow:
        """Return the row of a runtime with these answers, (N, 2); for the other arguments see `RuntimeRow`."""
        steps = np.abs(found - self.answers) / self.step
        frames = len(self.target)
        cm = found[:frames] * self.target[:, 2:]
        error = float(frame_errors(cm, self.target[:, :2]).mean()) if frames else None
        return RuntimeRow(runtime, computes, error, float(steps.max()), float(steps.mean()), differing, must)


def predict(name: str, model: Callable[[dict[str, Any]], Any], codes: Codes) -> Floats:
    """Return (N, 2) in the network's unit from a function that takes float32 p/128 - 1 by input name."""
    count = len(next(iter(codes.values())))
    answers = []
    with bar(f"parity: {name}", count, "images") as advance:
        for i in range(0, count, _BATCH):
            batch = {k: p[i : i + _BATCH].astype(np.float32) / 128 - 1 for k, p in codes.items()}
            answers.append(np.asarray(model(batch), np.float64))
            advance(len(answers[-1]))
    found: Floats = np.concatenate(answers)[:, :2]  # the numbers of an aim are not compared
    return found
