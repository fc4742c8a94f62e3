"""A run's spiking network in the comparison of runtimes.

In the table of a quantized model it is one row, since both come from the same float network. In a table of its own its
integer simulator is the oracle; sinabs, where it is set up, must fire the same spikes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinytracker.arrays import Floats
from tinytracker.errors import InputFileError, MissingDependencyError
from tinytracker.files import write_bytes
from tinytracker.package.comparison import Comparison
from tinytracker.package.parity_table import RuntimeRow
from tinytracker.package.spikes import has_spikes, open_spikes
from tinytracker.progress import bar, say
from tinytracker.quant.contract import Codes
from tinytracker.runs import Run
from tinytracker.spiking.encoding import edge_codes
from tinytracker.spiking.foreign.environments import find_simulator
from tinytracker.spiking.network import SpikingNetwork
from tinytracker.spiking.simulator import simulate
from tinytracker.words import counted

SIMULATOR = "spiking simulator"
_BATCH = 64
_FOREIGN_IMAGES = 32
"""Images of the comparison spike by spike, which keeps the spikes of every neuron in every step."""
_PIXEL_ZERO = 128


def spiking_rows(run: Run, codes: Codes, comparison: Comparison) -> Iterator[RuntimeRow]:
    """Yield the row of a run's spiking network beside its quantized model; nothing when it has none."""
    if not has_spikes(run):
        return
    try:
        _, _, network = open_spikes(run)
    except InputFileError as error:
        yield RuntimeRow(SIMULATOR, "spikes", absent=error.message)
        return
    found, _ = simulated(network, seen_by(network, codes))
    yield comparison.row(f"{SIMULATOR}, {counted(network.steps, 'step')}", "spikes", found, None, False)


def seen_by(network: SpikingNetwork, codes: Codes) -> NDArray[np.int8]:
    """Return images, uint8 by input name, as the network's input, (n, h, w, c)."""
    (images,) = codes.values()
    shifted = (images.astype(np.int16) - _PIXEL_ZERO).astype(np.int8)
    return edge_codes(shifted) if network.encode == "edges" else shifted


def simulated(network: SpikingNetwork, frames: NDArray[np.int8]) -> tuple[Floats, NDArray[np.int64]]:
    """Return the network's answers (n, 2), in units of its output, and the sums of its readout (n, 2)."""
    sums = []
    with bar(f"parity: {SIMULATOR}", len(frames), "images") as advance:
        for i in range(0, len(frames), _BATCH):
            batch = frames[i : i + _BATCH]
            sums.append(np.asarray(simulate(network, batch, network.steps).readout[-1], np.int64))
            advance(len(batch))
    readout = np.concatenate(sums)
    return network.gaze(readout, network.steps), readout


def sinabs_row(network: SpikingNetwork, content: bytes, frames: NDArray[np.int8]) -> RuntimeRow:
    """Return the row of sinabs, which runs the file: its differences from the simulator in steps of the readout.

    All readouts and all spikes of up to 32 images are compared, step by step.

    Args:
        network: that the file holds.
        content: of the NIR file.
        frames: (n, h, w, c), as the network sees them.
    """
    simulator = find_simulator("sinabs")
    some = frames[:_FOREIGN_IMAGES]
    if network.rule.reset != "subtract":
        return RuntimeRow("sinabs", "integer", absent="it has no hard reset, which this network needs")
    say(f"parity: sinabs on {counted(len(some), 'image')}")
    try:
        theirs = _in_sinabs(network, content, some)
    except MissingDependencyError as error:
        return RuntimeRow("sinabs", "integer", absent=str(error))
    ours = simulate(network, some, network.steps, record=True)
    readout = theirs["readout"].cumsum(0)
    apart = np.abs(readout - ours.readout)
    differs = apart.any(axis=(0, 2))
    for k, train in enumerate(ours.trains):
        found = theirs[f"spikes_{k}"]
        found = found.transpose(0, 1, 3, 4, 2) if found.ndim == 5 else found
        differs |= (found != train).reshape(*train.shape[:2], -1).any(axis=(0, 2))
    version = simulator.environment.pinned(simulator.distribution)
    label = f"sinabs {version} on {counted(len(some), 'image')}"
    return RuntimeRow(
        label,
        "integer",
        None,
        float(apart.max()),
        float(apart.mean()),
        int(differs.sum()),
        must_be_equal=True,
    )


def _in_sinabs(
    network: SpikingNetwork, content: bytes, frames: NDArray[np.int8]
) -> dict[str, NDArray[np.int64]]:
    """Return what its worker writes: each step's readout, and the spikes of each layer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = write_bytes(folder / "network.nir", content)
        np.save(folder / "frames.npy", frames.transpose(0, 3, 1, 2))
        spikes = "multi" if network.rule.several else "single"
        start = int(network.rule.start == "half")
        find_simulator("sinabs").run(
            path, folder / "frames.npy", network.steps, spikes, start, folder / "out.npz"
        )
        with np.load(folder / "out.npz") as found:
            return dict(found)
