"""The simulator: runs a spiking network step by step on a batch of frames, exactly. No TensorFlow.

It defines what a network of `tinytracker.spiking` computes. With integer weights every number is an integer, and the
tests compare spikes, membranes and readouts bit for bit with sinabs and with Lava.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tinytracker.errors import ModelError, UsageError
from tinytracker.spiking.network import Layer, Numbers, SpikingNetwork
from tinytracker.spiking.neuron import DECAY_ONE, NeuronRule

_EXACT_32, _EXACT_64 = 2**24, 2**53
"""Integers up to here are exact in float32 and float64."""

_INT32 = 2**31


@dataclass(frozen=True, eq=False)
class Activity:
    """What a network did.

    Attributes:
        readout: (steps, n, outputs) membranes of the readout after each step; (steps, n, 0) when the last layer fires.
        spikes: (steps, layers - 1, n) spikes of each spiking layer up to each step.
        sops: (steps, layers, n) synaptic operations in the synapses of each layer up to each step: one for each synapse
            behind each spike. Zero in the first layer unless the input consists of spikes.
        trains: (steps, n, ...) uint8 spikes of each spiking layer, when recorded.
        membranes: (steps, n, ...) of each layer after each step, when recorded.
    """

    readout: Numbers
    spikes: NDArray[np.int64]
    sops: NDArray[np.int64]
    trains: tuple[NDArray[np.uint8], ...] = ()
    membranes: tuple[Numbers, ...] = ()


def apply(
    layer: Layer, x: NDArray[np.generic], largest: float | None = None, dtype: Any = np.int64
) -> Numbers:
    """Return the weighted sums of a layer's inputs, without bias.

    Computed by matrix products in floating point, in a type in which every partial sum of integers is exact.

    Args:
        layer: synapses.
        x: (n, *input_shape) spikes or pixel codes.
        largest: largest absolute value in `x`; None to look.
        dtype: of the result for integer weights.

    Returns:
        (n, *output_shape), `dtype` for integer weights, otherwise float64.

    Raises:
        ModelError: sums of integers could exceed 2^53.
    """
    weights = layer.weights
    is_integer = weights.dtype.kind == "i"
    product: Any = np.float64
    if is_integer:
        top = float(np.abs(x).max(initial=0)) if largest is None else largest
        bound = layer.largest_sum * top
        if bound >= _EXACT_64:
            raise ModelError(f"{layer.name}: sums of up to {bound:.0f} are too large; the limit is 2^53.")
        product = np.float32 if bound < _EXACT_32 else np.float64
    n = len(x)
    sums: Any
    if not layer.is_conv:
        sums = x.reshape(n, -1).astype(product) @ weights.astype(product)
    else:
        k, pad, stride = weights.shape[0], layer.pad, layer.stride
        padded: NDArray[Any] = np.pad(x.astype(product), ((0, 0), (pad, pad), (pad, pad), (0, 0)))
        windows = sliding_window_view(padded, (k, k), (1, 2))  # type: ignore[call-overload]  # numpy allows several axes
        windows = windows[:, ::stride, ::stride]
        # windows: (n, rows, columns, in, k, k); the kernel's axes in the same order.
        matrix = weights.transpose(2, 0, 1, 3).reshape(-1, weights.shape[3]).astype(product)
        flat = windows.reshape(-1, matrix.shape[0])
        sums = (flat @ matrix).reshape(n, *layer.output_shape)
    result: Numbers = sums.astype(dtype) if is_integer else sums
    return result


@dataclass
class _State:
    """Membranes, currents and pending spikes of one layer."""

    layer: Layer
    v: Any
    u: Any
    pending: Any
    bias: Any
    trains: list[NDArray[np.uint8]] = field(default_factory=list)
    membranes: list[Any] = field(default_factory=list)


def simulate(
    network: SpikingNetwork,
    frames: NDArray[np.generic],
    steps: int,
    over_time: bool = False,
    record: bool = False,
) -> Activity:
    """Run a network.

    Args:
        network: with integer or real weights.
        frames: (n, *input_shape of the first layer): constant current in every step, or with `over_time`
            (steps, n, ...): the spikes of each step.
        steps: number of steps.
        over_time: whether the input changes from step to step.
        record: whether to keep all spikes and membranes.

    Raises:
        UsageError: `steps` is below 1, or the frames have another shape.

    Example:
        >>> import numpy as np
        >>> from tinytracker.spiking import CONVERTED, Layer, SpikingNetwork, simulate
        >>> one = np.ones((1, 1), np.int64)
        >>> cell = Layer("cell", one, np.zeros(1, np.int64), (1,), threshold=8)
        >>> readout = Layer("readout", one, np.zeros(1, np.int64), (1,), threshold=None)
        >>> network = SpikingNetwork((cell, readout), CONVERTED)
        >>> simulate(network, np.array([[3]]), steps=8).readout[:, 0, 0].tolist()
        [0, 1, 1, 2, 2, 2, 3, 3]
    """
    require_steps(steps)
    first = network.layers[0]
    wanted = (steps, -1, *first.input_shape) if over_time else (-1, *first.input_shape)
    frames = np.asarray(frames)
    if frames.ndim != len(wanted) or any(a not in (-1, b) for a, b in zip(wanted, frames.shape, strict=True)):
        raise UsageError(
            f"The input has shape {frames.shape}.", f"It must be {wanted}, -1 for any number of frames."
        )
    n = frames.shape[1 if over_time else 0]
    rule = network.rule
    dtype: Any = np.float64
    if network.is_integer:
        dtype = np.int32 if _fits_32_bits(network, frames, steps) else np.int64
    largest = None if rule.several else 1.0
    states = [_initial(layer, rule, n, dtype) for layer in network.layers]
    spikes = np.zeros((steps, len(network.spiking), n), np.int64)
    sops = np.zeros((steps, len(states), n), np.int64)
    readout: list[Any] = []
    constant = None if over_time else _shifted(apply(first, frames, dtype=dtype), rule)
    for t in range(steps):
        arriving: Any = frames[t] if over_time else None
        for k, state in enumerate(states):
            if arriving is None:
                drive = constant
            else:
                sops[t, k] = _operations(state.layer, arriving.reshape(n, -1), largest)
                now = apply(state.layer, arriving, largest if k else None, dtype)
                if rule.delay:
                    now, state.pending = state.pending, now
                drive = _shifted(now, rule)
            fired = _step(state, rule, drive)
            if record:
                state.membranes.append(state.v.copy())
            if fired is None:
                readout.append(state.v.copy())
                break
            if record:
                state.trains.append(fired.astype(np.uint8))
            arriving = fired.reshape(n, *state.layer.output_shape)
            spikes[t, k] = fired.reshape(n, -1).sum(1).astype(np.int64)
    return Activity(
        np.stack(readout) if readout else np.zeros((steps, n, 0), dtype), spikes.cumsum(0), sops.cumsum(0),
        tuple(np.stack(s.trains) for s in states if s.trains) if record else (),
        tuple(np.stack(s.membranes) for s in states) if record else (),
    )  # fmt: skip


def _fits_32_bits(network: SpikingNetwork, frames: NDArray[np.generic], steps: int) -> bool:
    """Return whether no sum and no membrane can leave 32 bits; decays multiply by 4096 and need more."""
    rule = network.rule
    if rule.current_decay != DECAY_ONE or rule.voltage_decay:
        return False
    top = float(np.abs(frames.astype(np.int64)).max(initial=1))
    for layer in network.layers:
        step = layer.largest_sum * top * 2**rule.weight_shift + float(np.abs(layer.bias).max())
        highest = (layer.threshold or 0) + steps * step
        if highest >= _INT32:
            return False
        top = highest // layer.threshold if rule.several and layer.threshold else 1.0
    return True


def _operations(layer: Layer, spikes: Any, largest: float | None) -> Any:
    """Return the number of synapses behind the spikes (n, inputs) of each frame."""
    top = float(np.abs(spikes).max(initial=0)) if largest is None else largest
    product: Any = np.float32 if layer.synapses * top < _EXACT_32 else np.float64
    return np.rint(spikes.astype(product) @ layer.fan_out.ravel().astype(product)).astype(np.int64)


def require_steps(steps: int) -> None:
    """Check a number of time steps.

    Raises:
        UsageError: it is below 1.
    """
    if steps < 1:
        raise UsageError(
            f"{steps} time steps are too few: no neuron could fire.", "Use 1 or more, such as --steps 8."
        )


def _initial(layer: Layer, rule: NeuronRule, n: int, dtype: Any) -> _State:
    zeros = np.zeros((n, *layer.output_shape), dtype)
    v = zeros.copy()
    if rule.start == "half" and layer.threshold is not None:
        v += layer.threshold / 2 if dtype is np.float64 else layer.threshold // 2
    return _State(layer, v, zeros.copy(), zeros.copy(), layer.bias.astype(dtype))


def _shifted(sums: Any, rule: NeuronRule) -> Any:
    return sums << rule.weight_shift if rule.weight_shift else sums


def _step(state: _State, rule: NeuronRule, drive: Any) -> Any:
    """Update the membranes of a layer; returns its spikes, or None for the readout."""
    threshold = state.layer.threshold
    if rule.current_decay == DECAY_ONE:
        state.u = drive
    else:
        state.u = _decayed(state.u, rule.current_decay) + drive
    # The readout integrates without a leak.
    leak = rule.voltage_decay if threshold is not None else 0
    v = (_decayed(state.v, leak) if leak else state.v) + state.u + state.bias
    if rule.bits:
        limit = 2 ** (rule.bits - 1) - 1
        v = np.clip(v, -limit, limit)
    state.v = v
    if threshold is None:
        return None
    fires = v >= threshold if rule.compare == ">=" else v > threshold
    fired = np.where(fires, v // threshold, 0) if rule.several else fires.astype(v.dtype)
    v = v - fired * threshold if rule.reset == "subtract" else np.where(fires, 0, v)
    state.v = np.maximum(v, -threshold) if rule.floor == "threshold" else v
    return fired


def _decayed(x: Any, decay: int) -> Any:
    return np.sign(x) * ((np.abs(x) * (DECAY_ONE - decay)) >> 12)
