"""Which parts of a run were made from another network than the run has now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tinytracker.cascade.results import DOCUMENT_NAME as CASCADE_NAME
from tinytracker.cascade.results import FOLDER as CASCADE
from tinytracker.cascade.results import CascadeResults
from tinytracker.files import sha256_file
from tinytracker.hybrid.document import DOCUMENT_NAME as HYBRID_NAME
from tinytracker.hybrid.document import FOLDER as HYBRID
from tinytracker.hybrid.document import HybridDocument
from tinytracker.hybrid.evaluation_document import HybridEvaluation
from tinytracker.package.parity_table import ParityDocument, spiking_parity_path
from tinytracker.quant.record import RECORD_NAME, QuantizationRecord
from tinytracker.report.spiking_part import has_spikes
from tinytracker.runs import Run
from tinytracker.spiking.document import FOLDER as SPIKING
from tinytracker.spiking.document import folder_of, read_document

PARITY, SPIKING_PARITY = "parity", "spiking parity"


def outdated_parts(run: Run) -> dict[str, str]:
    """Return a sentence for each part of a run that was made from another network than the run has now.

    The parts are "spiking", "parity", "spiking parity", "cascade", "hybrid", "hybrid evaluation", and the names of
    quantized models. A part without a hash, or whose network is gone, is not judged.

    Raises:
        InputFileError: a document of the run is damaged.
    """
    return dict([*_of_the_float_network(run), *_of_the_integer_networks(run), *_of_the_hybrid(run)])


def _differs(sha256: str, *files: Path) -> bool:
    """Return whether this is the hash of none of the files; False without a hash, or when there are no files."""
    there = [path for path in files if path.is_file()]
    return bool(sha256 and there) and sha256 not in {sha256_file(path) for path in there}


def _of_the_float_network(run: Run) -> Iterator[tuple[str, str]]:
    if has_spikes(run) and _differs(read_document(run).model_sha256, run.model_path):
        yield SPIKING, f"The spiking network is of an earlier training; run: tinytracker spike {run.path}"
    for name in run.quantized_names():
        path = run.quantized(name) / RECORD_NAME
        if path.is_file() and _differs((made := QuantizationRecord.read(path)).float_sha256, run.model_path):
            again = f"tinytracker quantize {run.path} --method {made.method} --io {made.io}"
            yield name, f"{name} is of an earlier training; run: {again}"


def _of_the_integer_networks(run: Run) -> Iterator[tuple[str, str]]:
    networks = [run.quantized(name) / "model.tflite" for name in run.quantized_names()]
    for part, path in ((PARITY, run.parity_path), (SPIKING_PARITY, spiking_parity_path(run))):
        if not path.is_file():
            continue
        table = ParityDocument.read(path)
        network = run.quantized(table.model) / "model.tflite"
        if table.model == SPIKING:
            network = folder_of(run) / read_document(run).network if has_spikes(run) else folder_of(run)
        if _differs(table.model_sha256, network):
            said = f"The comparison of runtimes is about an earlier {table.model}"
            yield part, f"{said}; run: tinytracker parity {run.path} --model {table.model}"
    path = run.path / CASCADE / CASCADE_NAME
    if path.is_file():
        found = CascadeResults.read(path)
        if all(_differs(network.sha256, *networks) for network in (found.big, found.little)):
            yield CASCADE, f"{path} is about networks that the run no longer has; evaluate the cascade again"


def _of_the_hybrid(run: Run) -> Iterator[tuple[str, str]]:
    path = run.path / HYBRID / HYBRID_NAME
    if path.is_file() and _differs(HybridDocument.read(path).weights_sha256, run.hybrid_path):
        yield (
            HYBRID,
            f"The hybrid in integers is of an earlier training; run: tinytracker hybrid quantize {run.path}",
        )
    for path in sorted(run.path.glob(f"evaluation/{HYBRID}-*.json")):
        if _differs(HybridEvaluation.read(path).model_sha256, run.hybrid_path):
            yield (
                f"{HYBRID} evaluation",
                f"{path.name} is of an earlier training; run: tinytracker hybrid evaluate {run.path}",
            )
