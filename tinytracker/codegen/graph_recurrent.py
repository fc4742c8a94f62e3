"""Nodes with state that lives from run to run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinytracker.codegen.graph import Int8s, Int32s, Node

Int16s = NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Product:
    """What one matrix adds to a gate: scale_by(bias + Σ weight·value, multiplier, shift).

    Attributes:
        weights: (cells, values). bias: (cells), including the zero point of the values.
    """

    weights: Int8s
    bias: Int32s
    multiplier: int
    shift: int


@dataclass(frozen=True, eq=False)
class Gate:
    """A gate of an LSTM: the contribution of the input and that of the last output."""

    from_input: Product
    from_output: Product


@dataclass(frozen=True, eq=False)
class Lstm(Node):
    """UNIDIRECTIONAL_SEQUENCE_LSTM on int8 with a 16-bit cell state.

    Attributes:
        batches, steps: sequences and their length. time_major: whether steps come before sequences in memory.
        features, cells: values of an input step and of an output step.
        input_gate, forget_gate, cell_gate, output_gate: the four sums.
        cell_shift: the cell state has scale 2^cell_shift. cell_clip: its limit, 0 for none.
        hidden_multiplier, hidden_shift, hidden_zero_point: from gate times tanh to the output.
        output_zero_point: value that the output state is reset to.
    """

    batches: int
    steps: int
    time_major: bool
    features: int
    cells: int
    input_gate: Gate
    forget_gate: Gate
    cell_gate: Gate
    output_gate: Gate
    cell_shift: int
    cell_clip: int
    hidden_multiplier: int
    hidden_shift: int
    hidden_zero_point: int
    output_zero_point: int


@dataclass(frozen=True, eq=False)
class Svdf(Node):
    """SVDF on int8 with 16-bit state: `rank` filters per unit, each with a memory of its last outputs.

    Attributes:
        batches, features, units, rank, memory: sizes.
        feature_weights: (units·rank, features). time_weights: (units·rank, memory). bias: (units).
        feature_multiplier, feature_shift: from feature sums to the state.
        input_zero_point, multiplier, shift, output_zero_point: from time sums to the output.
    """

    batches: int
    features: int
    units: int
    rank: int
    memory: int
    feature_weights: Int8s
    time_weights: Int16s
    bias: Int32s
    input_zero_point: int
    feature_multiplier: int
    feature_shift: int
    multiplier: int
    shift: int
    output_zero_point: int
