"""The integer reference of a hybrid: what chip, accumulator and head compute together, bit for bit.

Spiking layers are run by `tinytracker.spiking.simulate` with the neurons of Loihi, the accumulator is
`tinytracker.hybrid.accumulator`, and the head is run by the oracle of its .tflite file (`BUILTIN_REF`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import InputFileError
from tinytracker.files import StrPath, read_bytes, sha256_bytes
from tinytracker.hybrid.accumulator import accumulate
from tinytracker.hybrid.document import DOCUMENT_NAME, FOLDER, HybridDocument
from tinytracker.hybrid.presets import STEPS, HybridPreset, find_hybrid
from tinytracker.interpreters.base import Interpreter
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant.oracle import oracle_of
from tinytracker.runs import Run
from tinytracker.spiking.network import SpikingNetwork
from tinytracker.spiking.nir_file import parse_nir
from tinytracker.spiking.simulator import Activity, simulate

BATCH = 32


@dataclass(frozen=True, eq=False)
class Fired:
    """What the spiking layers of a batch of windows did.

    Attributes:
        spikes: (STEPS, n, h, w, c) that reach the accumulator: those of the last layer, or the events themselves of a
            preset without spiking layers.
        activity: of the simulator; None without spiking layers.
    """

    spikes: NDArray[np.uint8]
    activity: Activity | None


@dataclass(frozen=True, eq=False)
class IntegerHybrid:
    """A hybrid in integers.

    Attributes:
        preset, interval: what it is.
        spiking: its spiking layers; None for a preset without.
        head: content of the .tflite file; None for a network of spikes only.
    """

    preset: HybridPreset
    interval: int
    spiking: SpikingNetwork | None
    head: bytes | None

    def fired(self, events: NDArray[np.uint8]) -> Fired:
        """Run the spiking layers.

        Args:
            events: (n, STEPS, h, w, 2) of 0 and 1; steps that have not come yet are empty.
        """
        over_time = np.ascontiguousarray(events.swapaxes(0, 1))
        if self.spiking is None:
            return Fired(over_time, None)
        activity = simulate(self.spiking, over_time, STEPS, over_time=True, record=True)
        return Fired(activity.trains[-1], activity)

    def codes(self, fired: Fired, steps: int = STEPS) -> NDArray[np.int8]:
        """Return the head's input (n, h, w, slots * c) after a number of steps."""
        spikes = fired.spikes
        if steps < STEPS:
            spikes = np.concatenate([spikes[:steps], np.zeros_like(spikes[steps:])])
        return accumulate(spikes, self.interval)

    def answer(self, fired: Fired, steps: int = STEPS) -> NDArray[np.float64]:
        """Return the answers (n, 2) after a number of steps, in units of the answer."""
        if self.head is None:
            assert self.spiking is not None
            assert fired.activity is not None
            return np.asarray(fired.activity.readout[steps - 1], np.float64) * self.spiking.unit_cm
        return self.head_answer(self.codes(fired, steps))

    def head_answer(self, codes: NDArray[np.int8]) -> NDArray[np.float64]:
        """Return the answers (n, 2) of the head to codes of the accumulator, in units of the answer."""
        scale, zero_point = self.output
        return (self.head_codes(codes).astype(np.float64) - zero_point) * scale

    def head_codes(self, codes: NDArray[np.int8]) -> NDArray[np.int8]:
        """Return the head's output codes (n, 2) for codes of the accumulator."""
        (raw,) = self._oracle.run([codes[:, None]])
        found: NDArray[np.int8] = raw.reshape(len(codes), -1)
        return found

    @property
    def oracle_name(self) -> str:
        """Name of the interpreter that runs the head."""
        return self._oracle.name

    def answers(self, events: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the answers (n, 2) for windows of events (n, STEPS, h, w, 2), in units of the answer."""
        parts = [self.answer(self.fired(part)) for part in _batches(events)]
        return np.concatenate(parts)

    @cached_property
    def _oracle(self) -> Interpreter:
        assert self.head is not None
        return oracle_of(self.head)

    @cached_property
    def output(self) -> tuple[float, int]:
        """Scale and zero point of the head's output."""
        assert self.head is not None
        (tensor,) = read_tflite(self.head, "head").output_tensors()
        return tensor.scale, tensor.zero_point


def _batches(events: NDArray[Any]) -> Iterator[NDArray[Any]]:
    for i in range(0, len(events), BATCH):
        yield events[i : i + BATCH]


def read_hybrid(run_folder: StrPath) -> tuple[IntegerHybrid, HybridDocument]:
    """Read the integer form of a run.

    Args:
        run_folder: a run of `tinytracker hybrid train`, of which `tinytracker hybrid quantize` made integers.

    Raises:
        InputFileError: there are none, or a file is damaged or is not the one that hybrid.json describes.
    """
    run = Run.open(Path(run_folder), hybrid=True)
    folder = run.path / FOLDER
    if not (folder / DOCUMENT_NAME).is_file():
        raise InputFileError(
            run.path,
            "this run has no hybrid in integers",
            f"Make one with: tinytracker hybrid quantize {run.path}",
        )
    about = HybridDocument.read(folder / DOCUMENT_NAME)
    spiking = head = None
    if about.spiking is not None:
        content = _described(folder / about.spiking.file, about.spiking.sha256)
        spiking = parse_nir(content, folder / about.spiking.file)
    if about.head is not None:
        head = _described(folder / about.head.file, about.head.sha256)
    return IntegerHybrid(find_hybrid(about.preset), about.interval, spiking, head), about


def _described(path: Path, sha256: str) -> bytes:
    content = read_bytes(path, "Make it again with `tinytracker hybrid quantize`.")
    if sha256_bytes(content) != sha256:
        raise InputFileError(
            path,
            "not the file that hybrid.json beside it describes",
            "Run `tinytracker hybrid quantize` again.",
        )
    return content
