"""Documents of spiking networks and hybrids as a run holds them, with made-up numbers."""

from __future__ import annotations

import hashlib

from tinytracker.hybrid.document import HybridDocument, HybridJudgement
from tinytracker.hybrid.evaluation_document import ChangeErrors, HybridCost, HybridEvaluation
from tinytracker.runs import Run
from tinytracker.spiking import SpikingDocument
from tinytracker.spiking.document import Judgement, LayerDescription, StepRow


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_spiking(run: Run, network: bytes) -> None:
    """The description of a spiking network that was made from this float network."""
    steps = tuple(
        StepRow(steps=t, error_cm=4 - t, float_error_cm=3.9 - t, spikes=5.0, sops=7.0) for t in (1, 2)
    )
    judged = Judgement(split="val", frames=9, network_cm=1.8, float_cm=1.9, integer_cm=2.0, steps=steps)
    layer = LayerDescription(
        name="gaze", shape=(2,), neurons=2, fan_in=3, synapses=6, weights=(-2, 3), bias=(0, 1), spikes=0.0, sops=7.0
    )  # fmt: skip
    SpikingDocument(
        preset="spikes-s", method="qcfs", encode="current", steps=2, rule={}, network="network.nir", sha256="",
        unit_cm=1.0, model_sha256=digest(network), neurons=2, synapses=6, fan_in=3, macs=9, host_macs=0, spikes=5.0,
        sops=7.0, sops_per_mac=0.8, updates=4, layers=(layer,), validation=judged,
    ).write(run.path / "spiking" / "spiking.json")  # fmt: skip


def make_hybrid(run: Run, weights: bytes) -> None:
    """The description of a hybrid with these float weights, and its evaluation."""
    errors = ChangeErrors(error_cm=0.9, ci95_cm=(0.8, 1.0), direction_deg=40.0, all_cm=0.3, still_cm=0.1)
    cost = HybridCost(
        input_spikes=90.0, spikes=50.0, sops=700.0, updates=40, host_macs=9, link={"bits": 20.0}, link_form="bits",
        link_bytes=20.0, accumulations=30.0,
    )  # fmt: skip
    HybridDocument(
        preset="hybrid-s0a5", interval=4, bin_us=5000, unit_strip=0.5, parameters=10, weights_sha256=digest(weights),
        validation=HybridJudgement(windows=9, no_answer_cm=1.0, float_cm=0.9, integer_cm=0.9),
    ).write(run.path / "hybrid" / "hybrid.json")  # fmt: skip
    HybridEvaluation(
        preset="hybrid-s0a5", interval=4, parameters=10, split="test", people=2, clips=4, windows=9, all_windows=20,
        still_windows=11, direction_windows=5, moved_cm=0.5, direction_cm=1.0, no_answer_cm=1.0, no_answer_all_cm=0.4,
        no_answer_still_cm=0.1, floating=errors, integers=errors, integer_loss=0.0,
        cost=cost, model_sha256=digest(weights), data_hash="",
    ).write(run.evaluation("hybrid", "test"))  # fmt: skip
