"""One-layer networks with state, at random: LSTM and SVDF."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from support.random_ops import Rng, _int, _scale, _weights, _zero
from support.tflite_builder import Op, T, build_tflite


def lstm(rng: Rng) -> bytes:
    """Inputs, outputs and cell states from quiet to saturated; the state is carried from run to run."""
    batches, steps, features, cells = _int(rng, 1, 2), _int(rng, 1, 5), _int(rng, 1, 9), _int(rng, 1, 7)
    time_major = bool(rng.integers(2))
    lead = (steps, batches) if time_major else (batches, steps)
    x = T((*lead, features), scales=(_scale(rng, 3e-3, 0.05),), zero_points=(_zero(rng),))
    hidden = {"scales": (_scale(rng, 4e-3, 0.02),), "zero_points": (_zero(rng),)}
    output = T((*lead, cells), **hidden)
    state = T((batches, cells), **hidden, is_variable=True)
    cell = T((batches, cells), "int16", (2.0 ** _int(rng, -15, -9),), is_variable=True)
    tensors, inputs = [x, output, state, cell], [-1] * 24
    inputs[0], inputs[18], inputs[19] = 0, 2, 3
    for first, columns in ((1, features), (5, cells)):
        for position in range(first, first + 4):
            inputs[position] = len(tensors)
            scale = _scale(rng, 1e-3, 0.02)
            tensors.append(T((cells, columns), scales=(scale,), data=_weights(rng, (cells, columns))))
    for gate in range(4):
        inputs[12 + gate] = len(tensors)
        bias_scale = x.scales[0] * tensors[inputs[1 + gate]].scales[0]
        bias = np.round(rng.normal(0, 2, cells) / bias_scale)
        tensors.append(
            T((cells,), "int32", (bias_scale,), data=np.clip(bias, -(2**30), 2**30).astype(np.int32))
        )
    inner = list(range(len(tensors), len(tensors) + 5))
    tensors += [T((0,), "int16", (2.0**-12,)) for _ in range(4)]
    tensors.append(T((0,), "int8", **hidden))
    options = {
        "FusedActivationFunction": "TANH", "CellClip": float(rng.choice([0.0, 10.0, 0.5])), "ProjClip": 0.0,
        "TimeMajor": time_major,
    }  # fmt: skip
    op = Op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [1], options, 1, intermediates=inner)
    return build_tflite(tensors, [op], [0], [1])


def svdf(rng: Rng) -> bytes:
    """Filters with a memory of up to six runs."""
    batches, features, units, rank, memory = (_int(rng, 1, high) for high in (2, 9, 4, 3, 6))
    filters = units * rank
    x = T((batches, features), scales=(_scale(rng, 3e-3, 0.1),), zero_points=(_zero(rng),))
    weights = T(
        (filters, features), scales=(_scale(rng, 1e-3, 0.02),), data=_weights(rng, (filters, features))
    )
    time_scale, state_scale = _scale(rng, 1e-5, 1e-4), _scale(rng, 1e-4, 3e-3)
    times = rng.integers(-32767, 32768, (filters, memory)).astype(np.int16)
    bias = T(
        (units,),
        "int32",
        (state_scale * time_scale,),
        data=rng.integers(-(10**6), 10**6, units).astype(np.int32),
    )
    y = T((batches, units), scales=(_scale(rng, 1e-3, 0.3),), zero_points=(_zero(rng),))
    state = T((batches, filters * memory), "int16", (state_scale,), is_variable=True)
    tensors = [x, weights, T((filters, memory), "int16", (time_scale,), data=times), bias, state, y]
    options = {"Rank": rank, "FusedActivationFunction": "RELU"}
    return build_tflite(tensors, [Op("SVDF", [0, 1, 2, 3, 4], [5], options, 3)], [0], [5])


RANDOM_RECURRENT: dict[str, Callable[[Rng], bytes]] = {"lstm": lstm, "svdf": svdf}
"""By name, the layers with state."""
