"""Runs a network in Lava's fixed-point models of Loihi 2. A program for Lava's own environment, without tinytracker.

    python lava_worker.py IN.npz OUT.npz

IN: `events` (steps, h, w, c) spikes of the input, and for each layer K `weights_K` ((k, k, in, out) or (in, out),
even), `bias_K` (out,), `threshold_K` (-1 for a readout that never fires), `stride_K`, `pad_K`; for all layers `du`,
`dv` and `bias_exp`. OUT: `spikes_K` and `v_K`, both (steps, *neurons), after each step; no spikes of the readout.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.conv.process import Conv
from lava.proc.dense.process import Dense
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from lava.proc.lif.process import LIF

NEVER = (1 << 17) - 1
"""The largest threshold, for a readout."""


def main(path: str, out: str) -> None:
    """Run and write what came out."""
    given = np.load(path)
    events = given["events"]
    steps = len(events)
    source = Source(data=np.moveaxis(events, 0, -1).astype(np.int32))
    previous, shape = source.s_out, events.shape[1:]
    cells, sinks, keep = [], [], [source]
    count = sum(name.startswith("weights_") for name in given.files)
    for k in range(count):
        weights, threshold = given[f"weights_{k}"], int(given[f"threshold_{k}"])
        if weights.ndim == 4:
            # Lava convolves in the mathematical sense: the kernel is turned by 180 degrees.
            kernel = weights.transpose(3, 0, 1, 2)[:, ::-1, ::-1].astype(np.int32)
            stride, pad = int(given[f"stride_{k}"]), int(given[f"pad_{k}"])
            synapses = Conv(weight=kernel, input_shape=shape, padding=pad, stride=stride)
            shape = tuple(synapses.output_shape)
        else:
            synapses = Dense(weights=weights.T.astype(np.int32))
            if len(shape) > 1:
                previous = previous.reshape((weights.shape[0],))
            shape = (weights.shape[1],)
        cell = LIF(
            shape=shape, vth=NEVER if threshold < 0 else threshold, du=int(given["du"]),
            dv=0 if threshold < 0 else int(given["dv"]),
            bias_mant=np.broadcast_to(given[f"bias_{k}"], shape).astype(np.int32), bias_exp=int(given["bias_exp"]),
        )  # fmt: skip
        previous.connect(synapses.s_in)
        synapses.a_out.connect(cell.a_in)
        previous = cell.s_out
        cells.append(cell)
        keep.append(synapses)
        if threshold >= 0:
            sink = Sink(shape=shape, buffer=steps)
            cell.s_out.connect(sink.a_in)
            sinks.append(sink)
    membranes: list[list[Any]] = [[] for _ in cells]
    for _ in range(steps):
        cells[-1].run(condition=RunSteps(num_steps=1), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
        for kept, cell in zip(membranes, cells, strict=True):
            kept.append(np.array(cell.v.get()))
    spikes = [np.moveaxis(np.array(sink.data.get()), -1, 0).astype(np.int64) for sink in sinks]
    cells[-1].stop()
    named = {f"spikes_{k}": train for k, train in enumerate(spikes)}
    named |= {f"v_{k}": np.stack(kept).astype(np.int64) for k, kept in enumerate(membranes)}
    np.savez(out, **named)


if __name__ == "__main__":
    main(*sys.argv[1:])
