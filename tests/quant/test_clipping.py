"""The weights of an INT8 twin: ReLU6 on scaled weights compute what clipped ReLUs compute."""

import numpy as np
import pytest

from tinytracker.model.network import Network
from tinytracker.quant.clipping import clipped_weights
from tinytracker.quant.folding import Weights


def chain():
    net = Network()
    x = net.flatten(net.input("image", (2, 3, 1)), "flatten")
    x = net.dense(x, "first", 5, "relu")
    x = net.dense(x, "second", 4, "relu")
    net.dense(x, "gaze", 2)
    return net


def test_relu6_on_scaled_weights_is_the_clipped_network():
    rng = np.random.default_rng(3)
    net, thresholds = chain(), {"first": 0.7, "second": 11.0}
    weights = {
        name: Weights(
            rng.normal(0, 2, shape).astype(np.float32), rng.normal(0, 1, shape[1]).astype(np.float32)
        )
        for name, shape in {"first": (6, 5), "second": (5, 4), "gaze": (4, 2)}.items()
    }
    scaled = clipped_weights(net, weights, thresholds)
    x = y = rng.normal(0, 3, (50, 6))
    clipped = 0
    for name, top in (*thresholds.items(), ("gaze", None)):
        x = x @ weights[name].kernel + weights[name].bias
        y = y @ scaled[name].kernel + scaled[name].bias
        if top is not None:
            clipped += int((x > top).sum())
            x, y = np.clip(x, 0, top), np.clip(y, 0, 6)
    assert clipped > 20
    np.testing.assert_allclose(y, x, rtol=1e-4, atol=1e-4)


def test_only_a_chain_can_be_scaled():
    net = Network()
    x = net.input("image", (4, 4, 2))
    net.add(net.conv(x, "a", 2), x, "sum")
    with pytest.raises(ValueError, match="only a chain"):
        clipped_weights(net, {}, {})
