"""How far measured boards are from the model of cycles: published measurements, and the interval that they give.

OctoML's closed submissions to MLPerf Tiny v1.0 (mlcommons/tiny_results_v1.0) hold both the program that ran on a
NUCLEO-L4R5ZI (Cortex-M4 at 120 MHz, code and weights in flash behind a cache) and its published latency. Each program
was built once and its instructions run through the same model; the ratio says by how much the board was slower. They
are other programs than ours on another board: the interval is what to expect, not a guarantee.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """One program that was measured on a board and modelled.

    Attributes:
        benchmark: of MLPerf Tiny. build: "cmsis-nn" or "native", the compiler's own code.
        measured_to_model: published cycles divided by modelled ones.
    """

    benchmark: str
    build: str
    measured_to_model: float


POINTS = (
    Point("ic", "cmsis-nn", 1.19),
    Point("kws", "cmsis-nn", 1.18),
    Point("vww", "cmsis-nn", 1.19),
    Point("ad", "cmsis-nn", 1.35),
    Point("ic", "native", 1.04),
    Point("kws", "native", 0.96),
    Point("vww", "native", 1.20),
    Point("ad", "native", 1.17),
)

LOW = min(point.measured_to_model for point in POINTS)
HIGH = max(point.measured_to_model for point in POINTS)
MEDIAN = 1.18
"""Median of the ratios before rounding."""

BOARD = "NUCLEO-L4R5ZI"
ASSUMPTION = (
    f"modelled, not measured: Cortex-M4 timing without wait states, times {LOW} to {HIGH} (median {MEDIAN}), which is "
    f"what published MLPerf Tiny programs took on a {BOARD}; the memory of your board may be slower"
)
"""What a modelled number rests on."""
