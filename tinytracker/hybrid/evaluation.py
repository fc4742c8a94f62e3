"""Errors and costs of a hybrid on a split, before and after rounding. Importing this module imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import InputFileError, TinyTrackerError, UnknownNameError, UsageError
from tinytracker.evaluate.metrics import subject_bootstrap
from tinytracker.files import StrPath, sha256_file, write_arrays
from tinytracker.hybrid.document import FOLDER
from tinytracker.hybrid.evaluation_document import ChangeErrors, HybridCost, HybridEvaluation
from tinytracker.hybrid.following import Frames, follow
from tinytracker.hybrid.link import link_bytes, readout_bytes
from tinytracker.hybrid.presets import STEPS
from tinytracker.hybrid.quantizing import integer_cm
from tinytracker.hybrid.reference import BATCH, IntegerHybrid, read_hybrid
from tinytracker.hybrid.streams import (
    DIRECTION_CM,
    MOVED_CM,
    SPLITS,
    Windows,
    all_windows,
    moved,
    read_streams,
    spread,
)
from tinytracker.hybrid.training import predicted_cm, trained_net
from tinytracker.progress import bar
from tinytracker.runs import Run, provenance

Predict = Callable[[Windows], NDArray[np.float64]]

EVERY = 4
"""Bins between two windows of a clip that are judged."""


def evaluated(
    run: Run, data: StrPath | None, split: str, windows: int, following: Frames | None
) -> HybridEvaluation:
    """Evaluate a run; see `tinytracker.hybrid.evaluate_hybrid` for the contract."""
    if split not in SPLITS:
        raise UnknownNameError("split", split, SPLITS)
    net = trained_net(run)
    hybrid, about = read_hybrid(run.path)
    weights_sha256 = sha256_file(run.hybrid_path)
    if about.weights_sha256 != weights_sha256:
        raise InputFileError(
            run.path / FOLDER, "made from other weights than the run has now",
            f"Make it again with: tinytracker hybrid quantize {run.path}",
        )  # fmt: skip
    folder = Path(data if data is not None else run.describe().data.path)
    streams, data_hash = read_streams(folder, split)
    everything = all_windows(streams, EVERY)
    moving = everything.part(moved(everything))
    if not len(moving):
        raise TinyTrackerError(
            f"The gaze moves in none of the windows of the split {split!r}.",
            "Draw more clips, or longer ones.",
        )
    moving, everything = spread(moving, windows), spread(everything, windows)
    true, change = moving.change_cm(), np.linalg.norm(everything.change_cm(), axis=1)
    still = change < MOVED_CM
    found = {
        "floating": _judged(lambda w: predicted_cm(net, w), moving, everything),
        "integers": _judged(lambda w: integer_cm(hybrid, w), moving, everything),
    }
    floating, integers = found["floating"][0], found["integers"][0]
    followed: dict[str, Any] = {}
    if following is not None:
        followed["following"] = follow(hybrid, streams, following)
    document = HybridEvaluation(
        preset=about.preset, interval=about.interval, parameters=about.parameters, split=split,
        people=len({s.subject for s in streams}), clips=len(streams), windows=len(moving),
        all_windows=len(everything), still_windows=int(still.sum()),
        direction_windows=int(moved(moving, DIRECTION_CM).sum()), moved_cm=MOVED_CM,
        direction_cm=DIRECTION_CM, no_answer_cm=_mean(np.linalg.norm(true, axis=1)),
        no_answer_all_cm=_mean(change), no_answer_still_cm=_mean(change[still]), floating=floating, integers=integers,
        integer_loss=integers.error_cm / floating.error_cm - 1,
        **followed,
        cost=hybrid_cost(hybrid, moving), model_sha256=weights_sha256, data_hash=data_hash, **provenance(),
    )  # fmt: skip
    path = run.evaluation("hybrid", split)
    document.write(path)
    arrays = {f"{name}_cm": predicted for name, (_, predicted) in found.items()}
    write_arrays(
        path.with_suffix(".npz"), {**arrays, "true_cm": true, "subject": np.array(moving.subjects())}
    )
    return document


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else 0.0


def _judged(
    predict: Predict, moving: Windows, everything: Windows
) -> tuple[ChangeErrors, NDArray[np.float64]]:
    """Return errors, and the predictions for the windows that move."""
    predicted, true = predict(moving), moving.change_cm()
    errors = np.linalg.norm(predicted - true, axis=1)
    far = moved(moving, DIRECTION_CM)
    angle = direction_error_deg(predicted[far], true[far])
    missed = np.linalg.norm(predict(everything) - everything.change_cm(), axis=1)
    still = ~moved(everything)
    return ChangeErrors(
        error_cm=_mean(errors), ci95_cm=subject_bootstrap(errors, np.array(moving.subjects())),
        direction_deg=float(np.median(angle)) if len(angle) else 0.0, all_cm=_mean(missed),
        still_cm=_mean(missed[still]),
    ), predicted  # fmt: skip


def direction_error_deg(predicted: NDArray[np.float64], true: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the angles, 0 to 180 degrees, between changes (n, 2).

    An answer of zero has no direction: it counts as 90°, the mean angle of random directions, instead of as a hit.
    """
    a, b = (v[:, 0] + 1j * v[:, 1] for v in (predicted, true))
    found: NDArray[np.float64] = np.degrees(np.abs(np.angle(a * np.conj(b))))
    found[a == 0] = 90
    return found


def hybrid_cost(hybrid: IntegerHybrid, windows: Windows) -> HybridCost:
    """Return what a window takes, mean over windows.

    Raises:
        UsageError: there are none.
    """
    if not len(windows):
        raise UsageError("There are no windows whose cost could be counted.", "Use 1 or more.")
    sums = dict.fromkeys(("input", "spikes", "sops", "accumulations"), 0.0)
    link: dict[str, float] = {}
    with bar("count", len(windows), "windows") as advance:
        for i in range(0, len(windows), BATCH):
            part = windows.part(slice(i, i + BATCH))
            events = part.events()
            fired = hybrid.fired(events)
            sums["input"] += float(events.sum())
            if fired.activity is not None:
                sums["spikes"] += float(fired.activity.spikes[-1].sum())
                sums["sops"] += float(fired.activity.sops[-1].sum())
            if hybrid.head is not None:
                sums["accumulations"] += float(fired.spikes.sum())
                for name, value in asdict(link_bytes(fired.spikes, hybrid.interval)).items():
                    link[name] = link.get(name, 0.0) + value * len(part)
            advance(len(part))
    n = len(windows)
    per_form = {name: value / n for name, value in link.items()} or {"answer": readout_bytes()}
    form, least = min(per_form.items(), key=lambda item: item[1])
    spiking = hybrid.spiking
    return HybridCost(
        input_spikes=sums["input"] / n, spikes=sums["spikes"] / n, sops=sums["sops"] / n,
        updates=0 if spiking is None else spiking.neurons * STEPS,
        host_macs=hybrid.preset.head_macs(hybrid.interval), link=per_form, link_form=form, link_bytes=least,
        accumulations=sums["accumulations"] / n,
    )  # fmt: skip
