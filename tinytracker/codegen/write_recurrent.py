"""C of the portable kernels with state."""

from __future__ import annotations

from tinytracker.codegen.cwriter import c_int
from tinytracker.codegen.graph_recurrent import Gate, Lstm, Product, Svdf
from tinytracker.codegen.kernel import LayerCode


def write_lstm(node: Lstm, code: LayerCode) -> None:
    """Write `tt_lstm`; the output of the last step and the cells are variables of the step."""
    gates = {
        "input_gate": node.input_gate,
        "forget_gate": node.forget_gate,
        "cell_gate": node.cell_gate,
        "output_gate": node.output_gate,
    }
    fields = {
        "batches": c_int(node.batches),
        "steps": c_int(node.steps),
        "batch_stride": c_int(1 if node.time_major else node.steps),
        "step_stride": c_int(node.batches if node.time_major else 1),
        "features": c_int(node.features),
        "cells": c_int(node.cells),
        **{name: _gate(name, gate, code) for name, gate in gates.items()},
        "cell_shift": c_int(node.cell_shift),
        "cell_clip": c_int(node.cell_clip),
        "hidden_multiplier": c_int(node.hidden_multiplier),
        "hidden_shift": c_int(node.hidden_shift),
        "hidden_zero": c_int(node.hidden_zero_point),
    }
    parameters = code.structure("tt_lstm_t", fields, "tt_recurrent.h")
    count = node.batches * node.cells
    states = (
        code.state("output_state", "int8", count, node.output_zero_point),
        code.state("cells", "int16", count, 0),
    )
    code.sources.update(("tt_recurrent.h", "tt_fixed16.h", "tt_fixed16.c", "tt_lstm.c"))
    code.call("tt_lstm", parameters, *states, code.read(node.inputs[0]), code.write(node.output))


def write_svdf(node: Svdf, code: LayerCode) -> None:
    """Write `tt_svdf`; the memories of all filters are a variable of the step."""
    fields = {
        "batches": c_int(node.batches),
        "features": c_int(node.features),
        "units": c_int(node.units),
        "rank": c_int(node.rank),
        "memory": c_int(node.memory),
        "in_zero": c_int(node.input_zero_point),
        "out_zero": c_int(node.output_zero_point),
        "feature_multiplier": c_int(node.feature_multiplier),
        "feature_shift": c_int(node.feature_shift),
        "multiplier": c_int(node.multiplier),
        "shift": c_int(node.shift),
        "feature_weights": code.array("feature_weights", node.feature_weights),
        "time_weights": code.array("time_weights", node.time_weights),
        "bias": code.array("bias", node.bias),
    }
    parameters = code.structure("tt_svdf_t", fields, "tt_recurrent.h")
    state = code.state("state", "int16", node.batches * node.units * node.rank * node.memory, 0)
    code.sources.update(("tt_recurrent.h", "tt_svdf.c"))
    code.call("tt_svdf", parameters, state, code.read(node.inputs[0]), code.write(node.output))


def _gate(name: str, gate: Gate, code: LayerCode) -> str:
    members = {
        "from_input": _product(f"{name}_input", gate.from_input, code),
        "from_output": _product(f"{name}_output", gate.from_output, code),
    }
    return _members(members)


def _product(name: str, product: Product, code: LayerCode) -> str:
    return _members(
        {
            "weights": code.array(f"{name}_weights", product.weights),
            "bias": code.array(f"{name}_bias", product.bias),
            "multiplier": c_int(product.multiplier),
            "shift": c_int(product.shift),
        }
    )


def _members(fields: dict[str, str]) -> str:
    return "{" + ", ".join(f".{key} = {value}" for key, value in fields.items()) + "}"
