"""Which network answers a webcam: that of a run, of a file, or the one in this package."""

from __future__ import annotations

from pathlib import Path

from tinytracker.errors import UsageError
from tinytracker.files import read_bytes
from tinytracker.live.webcam_finder import Finder
from tinytracker.live.webcam_network import AimedNetwork
from tinytracker.model.network_file import packaged_network, packaged_networks
from tinytracker.model.tflite_file import read_tflite
from tinytracker.package.source import load_source
from tinytracker.quant.contract import IoContract
from tinytracker.quant.finder import require_finder

DEFAULT_PRESETS = ("tinytracker-v2-aim", "tinytracker-s2-aim")
"""The first that is in this package answers when none is named."""
FINDER_PRESET = "finder"


def open_network(
    run: Path | None = None, model: Path | None = None, quantized: str = "ptq-int8"
) -> AimedNetwork:
    """Open the network of a run or of a .tflite file, or the one in this package.

    Args:
        run: run folder.
        model: .tflite file.
        quantized: quantized model of the run.

    Raises:
        UsageError: both are given.
        ModelError: the network has no aim.
        TinyTrackerError: it cannot be read or run.
    """
    if run is not None and model is not None:
        raise UsageError("Both --run and --model were given.", "Give one of them.")
    named = run or model
    if named is None:
        known = packaged_networks()
        preset = next((name for name in DEFAULT_PRESETS if name in known), DEFAULT_PRESETS[0])
        return AimedNetwork(read_bytes(packaged_network(preset)), preset)
    return AimedNetwork(load_source(named, quantized).content, str(named))


def open_finder(path: Path | None = None) -> Finder | None:
    """Open a finder's .tflite file, or the one in this package; None when there is none.

    Raises:
        ModelError: the file is not a finder.
        InputFileError: the file cannot be read.
    """
    if path is not None:
        content = read_bytes(path)
        require_finder(IoContract.of(read_tflite(content, str(path))))
        return Finder(content, path.stem)
    if FINDER_PRESET not in packaged_networks():
        return None
    return Finder(read_bytes(packaged_network(FINDER_PRESET)), FINDER_PRESET)
