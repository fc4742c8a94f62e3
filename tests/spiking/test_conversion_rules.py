"""Conversion: what a neuron computes, integers in Loihi's ranges, and networks without a spiking form."""

import numpy as np
import pytest
from support.spiking_nets import random_codes, random_converted, random_weights

from tinytracker.errors import ModelError
from tinytracker.model.network import Network
from tinytracker.model.presets import PRESETS, find_preset
from tinytracker.spiking import CONVERTED, Layer, SpikingNetwork, simulate
from tinytracker.spiking.lowering import (
    Folded,
    activations,
    balanced_thresholds,
    plain_layers,
    refuse_unsupported,
    spiking_network,
)
from tinytracker.spiking.rounding import MAX_BIAS, MAX_THRESHOLD, MAX_WEIGHT, rounded


@pytest.mark.parametrize("levels", [1, 4, 8, 13])
def test_a_neuron_fires_as_often_as_qcfs_says(levels):
    """Exactly, as long as the floor of the membrane does not come into play: for every current."""
    currents = np.arange(-100, 300)[:, None]
    one = np.ones((1, 1))
    cell = Layer("cell", one, np.zeros(1), (1,), 100.0)
    readout = Layer("readout", one, np.zeros(1), (1,), None)
    network = SpikingNetwork((cell, readout), CONVERTED)
    fired = simulate(network, currents, levels).spikes[-1, 0]
    expected = np.clip(np.floor(currents[:, 0] / 100 * levels + 0.5), 0, levels)
    np.testing.assert_array_equal(fired, expected)


def test_activations_are_those_of_keras():
    tf = pytest.importorskip("tensorflow")
    from tinytracker.model.keras_builder import build_keras
    from tinytracker.spiking.conversion import trained_layers

    codes = random_codes(4)
    for name in ("spikes-s", "spikes-s-relu"):
        preset = find_preset(name)
        tf.keras.utils.set_random_seed(4)
        model = build_keras(preset.network(), levels=preset.levels)
        for layer in model.layers:
            if isinstance(layer, tf.keras.layers.BatchNormalization):
                gamma, beta, mean, variance = layer.get_weights()
                layer.set_weights([gamma * 1.1, beta + 0.05, mean - 0.02, variance * 0.4])
        layers, thresholds = trained_layers(model, preset)
        known = (thresholds, preset.levels) if preset.levels else None
        ours = activations(layers, codes, known)[-1]
        theirs = model(codes.astype(np.float32) / 128).numpy()
        # Float32 there, float64 here: rounding to levels can turn a difference of 1e-7 into a whole level.
        assert np.median(np.abs(ours - theirs)) < 1e-4
        if preset.levels is None:
            np.testing.assert_allclose(ours, theirs, atol=1e-4)
        assert len(thresholds) == (5 if preset.levels else 0)


def test_many_steps_approach_the_relu_network():
    network = find_preset("spikes-s-relu").network()
    layers = plain_layers(network, random_weights(network), "spikes-s-relu")
    codes = random_codes(6)
    exact = activations(layers, codes)[-1]
    made = spiking_network(layers, balanced_thresholds(layers, codes, 100.0))
    errors = [np.abs(made.gaze(simulate(made, codes, t).readout[-1], t) - exact).mean() for t in (4, 32, 256)]
    assert errors[0] > 3 * errors[1] > 6 * errors[2]
    whole = rounded(made)
    assert (
        np.abs(whole.gaze(simulate(whole, codes, 256).readout[-1], 256) - exact).mean()
        < 0.1 * np.abs(exact).mean()
    )


@pytest.mark.parametrize("encode", ["current", "rate"])
def test_integers_are_in_loihis_ranges(encode):
    network = random_converted(encode=encode)
    assert network.is_integer
    for i, layer in enumerate(network.layers):
        assert np.abs(layer.weights).max() <= MAX_WEIGHT
        assert layer.threshold is None or 1 <= layer.threshold <= MAX_THRESHOLD
        if i or encode == "rate":
            assert np.abs(layer.bias).max() <= MAX_BIAS
    # A scale of its own in each layer: the largest weight uses all bits, unless threshold or bias set the unit.
    assert sum(np.abs(layer.weights).max() == MAX_WEIGHT for layer in network.layers) >= 4


def test_rate_coding_turns_a_pixel_into_spikes_of_its_sign():
    network = random_converted(encode="rate")
    codes = np.zeros((1, 32, 64, 1), np.int8)
    codes[0, 3, 5], codes[0, 4, 6] = 127, -64
    trains = simulate(network, codes, 8, record=True).trains[0][:, 0]
    assert trains[:, 3, 5].sum(0).tolist() == [8, 0]  # ON in every step
    assert trains[:, 4, 6].sum(0).tolist() == [0, 4]  # OFF in every second
    assert trains.sum() == 12


def test_a_mean_becomes_part_of_the_dense_layer():
    net = Network()
    x = net.input("image", (4, 6, 1))
    x = net.conv(x, "conv", 3, kernel=3, activation="relu")
    x = net.dense(net.global_average(x, "mean"), "gaze", 2)
    weights = random_weights(net)
    layers = plain_layers(net, weights, "test")
    codes = np.random.default_rng(2).integers(-128, 128, (2, 4, 6, 1))
    maps, answer = activations(layers, codes)
    kernel, bias = weights["gaze"]
    np.testing.assert_allclose(answer, maps.mean((1, 2)) @ kernel + bias, rtol=1e-6)
    assert layers[0].pad == 1


def test_edges_are_the_same_in_keras_and_in_integers():
    tf = pytest.importorskip("tensorflow")
    from tinytracker.model.edges import EdgePlanes
    from tinytracker.spiking.encoding import edge_codes

    codes = random_codes(3)
    codes[0, :4] = 127
    codes[0, 4:8] = -128
    ours = edge_codes(codes)
    theirs = EdgePlanes()(tf.constant(codes, tf.float32) / 128).numpy() * 128
    np.testing.assert_array_equal(ours, theirs)
    assert ours.shape == (3, 32, 64, 4)
    assert (ours.min(), ours.max()) == (0, 127)
    flat = np.full((1, 4, 4, 1), 9, np.int8)
    flat[0, 2:] = -1  # ten levels darker: noise
    assert not edge_codes(flat).any()
    flat[0, 2:] = -2
    assert edge_codes(flat)[0, 1, :, 3].tolist() == [2] * 4


REFUSED = {
    "tinytracker": "fuse_position|stem",
    "tinytracker-s": "position is position_planes",
    "tinytracker-v2": "stem is conv, and with stride 2",
    "itracker": "4 inputs: face, left_eye, right_eye, grid",
    "finder": "block0_depthwise is depthwise",
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_presets_are_refused_with_the_operator(name):
    with pytest.raises(ModelError, match=REFUSED[name]) as caught:
        refuse_unsupported(PRESETS[name].network(), name)
    assert "spikes-s" in str(caught.value)


@pytest.mark.parametrize(
    ("operator", "words"),
    [
        (
            "max_pool",
            "the largest of several spike trains is not known before the last step. Use a stride of 2",
        ),
        ("add", "a residual needs a second path"),
        ("concat", "it joins maps that a chain of layers does not have"),
        ("groups", "its channels are split into 2 groups"),
    ],
)
def test_operators_without_a_spiking_form(operator, words):
    net = Network()
    x = net.input("image", (8, 8, 2))
    y = net.conv(x, "first", 4, kernel=3)
    if operator == "max_pool":
        y = net.max_pool(y, "pool", 2, 2)
    elif operator == "add":
        y = net.add(y, net.conv(y, "second", 4, kernel=3), "sum")
    elif operator == "concat":
        y = net.concat((y, y), "join")
    else:
        y = net.conv(y, "grouped", 4, kernel=3, groups=2)
    net.dense(net.flatten(y, "flat"), "gaze", 2)
    with pytest.raises(ModelError, match=words):
        refuse_unsupported(net, "test")


def test_a_layer_that_is_always_zero_is_named():
    net = Network()
    x = net.conv(net.input("image", (4, 4, 1)), "dead", 2, activation="relu")
    net.dense(net.flatten(x, "flat"), "gaze", 2)
    weights = random_weights(net)
    weights["dead"] = Folded(np.zeros_like(weights["dead"].kernel), np.full(2, -1, np.float32))
    layers = plain_layers(net, weights, "test")
    with pytest.raises(ModelError, match="dead is zero on all 3 calibration frames"):
        balanced_thresholds(layers, np.zeros((3, 4, 4, 1)), 99.9)
