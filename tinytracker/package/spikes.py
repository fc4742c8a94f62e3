"""A run's spiking network, opened: its description, the content of its file, and the network."""

from __future__ import annotations

from tinytracker.errors import InputFileError
from tinytracker.files import read_bytes, sha256_bytes
from tinytracker.runs import Run
from tinytracker.spiking.document import (
    DOCUMENT_NAME,
    SpikingDocument,
    folder_of,
    read_document,
    require_current,
)
from tinytracker.spiking.network import SpikingNetwork
from tinytracker.spiking.nir_file import parse_nir


def has_spikes(run: Run) -> bool:
    """Return whether a run has a spiking network."""
    return (folder_of(run) / DOCUMENT_NAME).is_file()


def open_spikes(run: Run) -> tuple[SpikingDocument, bytes, SpikingNetwork]:
    """Return a run's spiking network, which must be the one that its description describes.

    Raises:
        InputFileError: the run has none, it was made from another float network, or its file is damaged or another one.
    """
    about = read_document(run)
    require_current(run, about)
    path = folder_of(run) / about.network
    content = read_bytes(path)
    network = parse_nir(content, path)
    if sha256_bytes(content) != about.sha256:
        raise InputFileError(
            path,
            "not the network that spiking.json beside it describes",
            f"Run: tinytracker spike {run.path}",
        )
    return about, content, network
