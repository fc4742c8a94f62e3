"""A run's spiking network, opened: its description, the content of its file, and the network."""

from __future__ import annotations

from tinytracker.files import read_bytes
from tinytracker.runs import Run
from tinytracker.spiking.document import (
    DOCUMENT_NAME,
    SpikingDocument,
    folder_of,
    read_document,
    require_current,
    require_described,
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
    require_described(run, about, content)
    return about, content, network
