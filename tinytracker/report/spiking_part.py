"""The part of a report about a run's spiking network, as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tinytracker.archives import DAMAGED
from tinytracker.errors import InputFileError
from tinytracker.report.sources import expecting
from tinytracker.runs import Run
from tinytracker.spiking.document import DOCUMENT_NAME, FOLDER, RASTER_NAME, folder_of, read_document

SHOWN_NEURONS = 56
"""Neurons of a layer in a raster."""

_AGAIN = "Make it again with `tinytracker spike`."


def has_spikes(run: Run) -> bool:
    """Return whether the run has a spiking network."""
    return (folder_of(run) / DOCUMENT_NAME).is_file()


def spiking_part(run: Run) -> dict[str, Any] | None:
    """Return errors by steps, costs and the spikes of one frame; None without a spiking network.

    Raises:
        InputFileError: a file of it is damaged.
    """
    if not has_spikes(run):
        return None
    about = read_document(run)
    kept = (
        "method",
        "encode",
        "steps",
        "neurons",
        "synapses",
        "fan_in",
        "macs",
        "spikes",
        "sops",
        "sops_per_mac",
    )
    return {
        **{key: getattr(about, key) for key in (*kept, "updates")},
        "layers": [layer.as_json() for layer in about.layers],
        "validation": about.validation.as_json(),
        "raster": _raster(run.path / FOLDER / RASTER_NAME, [layer.name for layer in about.layers[:-1]]),
    }


def _raster(path: Path, names: list[str]) -> dict[str, Any] | None:
    """Return for each layer which of its shown neurons fire in which step of the first frame kept.

    Shown are neurons spread evenly from the most to the least active one, silent ones aside.
    """
    if not path.is_file():
        return None
    try:
        with np.load(path) as stored:
            found = {name: stored[name] for name in stored.files}
    except DAMAGED as error:
        raise InputFileError(path, f"cannot be read as spikes ({error})", _AGAIN) from None
    layers = []
    with expecting(path, "the spikes of a run's network", _AGAIN):
        for name in names:
            train = found[name][:, 0]
            counts = train.sum(0)
            active = np.flatnonzero(counts)
            order = active[np.argsort(-counts[active].astype(int), kind="stable")]
            shown = (
                order[np.unique(np.linspace(0, len(order) - 1, SHOWN_NEURONS).astype(int))]
                if len(order)
                else order
            )
            steps, neurons = np.nonzero(train[:, shown])
            layers.append(
                {
                    "name": name, "neurons": int(train.shape[1]), "silent": int(train.shape[1] - len(active)),
                    "shown": len(shown), "by_step": train.sum(1, dtype=int).tolist(),
                    "spikes": np.stack([steps, neurons], 1).tolist(),
                }
            )  # fmt: skip
        return {"steps": int(found[names[0]].shape[0]), "layers": layers}
