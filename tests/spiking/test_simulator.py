"""The simulator against one that goes from synapse to synapse, and what it refuses."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from support.spiking_nets import plain_simulation, random_codes, random_converted, small_network, synapses

from tinytracker.errors import ModelError, UsageError
from tinytracker.spiking import CONVERTED, Layer, NeuronRule, SpikingNetwork, simulate

RULES = [
    NeuronRule(reset=reset, compare=compare, floor=floor, several=several, start=start, delay=delay)
    for reset, compare, floor, several, start, delay in product(
        ("subtract", "zero"), (">=", ">"), ("none", "threshold"), (False, True), ("half", "zero"), (0, 1)
    )
]


@pytest.mark.parametrize("rule", RULES[::5], ids=repr)
def test_it_equals_the_plain_one(rule):
    compare_with_plain(rule)


@pytest.mark.exhaustive
@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_it_equals_the_plain_one_with_every_rule(rule):
    compare_with_plain(rule)


def compare_with_plain(rule):
    network = small_network(rule)
    frames = np.random.default_rng(5).integers(-4, 5, (2, 5, 7, 2))
    activity = simulate(network, frames, 6, record=True)
    assert activity.spikes[-1].min() > 0, "a silent layer would be equal for any reason"
    for i, frame in enumerate(frames):
        readouts, trains, operations = plain_simulation(network, frame, 6)
        np.testing.assert_array_equal(activity.readout[:, i], readouts)
        for k in range(3):
            mine = activity.trains[k][:, i].reshape(6, -1)
            np.testing.assert_array_equal(mine, [step[k] for step in trains])
            np.testing.assert_array_equal(activity.spikes[:, k, i], mine.sum(1).cumsum())
        assert activity.sops[-1, :, i].sum() == operations


def test_synapses_are_counted_one_by_one():
    for layer in small_network(CONVERTED).layers:
        listed = list(synapses(layer))
        assert layer.synapses == len(listed)
        per_input = np.zeros(layer.input_shape, int)
        for source, _, _ in listed:
            per_input[source] += 1
        np.testing.assert_array_equal(layer.fan_out, per_input)
        per_neuron = Counter(neuron for _, neuron, _ in listed)
        assert max(per_neuron.values()) == layer.fan_in


def test_numbers_of_the_small_preset():
    network = random_converted()
    assert [layer.neurons for layer in network.layers] == [8192, 4096, 2048, 512, 80, 2]
    assert (network.neurons, network.synapses, network.host_macs) == (14_930, 1_338_016, 71_440)
    # 1,589,408 MACs of the preset, without the products with the zeros of the padding.
    assert network.macs == 1_409_456


def test_fewer_steps_are_the_beginning_of_more():
    network, codes = random_converted(), random_codes(3)
    long, short = simulate(network, codes, 8), simulate(network, codes, 3)
    np.testing.assert_array_equal(long.readout[:3], short.readout)
    np.testing.assert_array_equal(long.sops[:3], short.sops)


def test_a_frame_does_not_depend_on_its_batch():
    network, codes = random_converted(), random_codes(5)
    together = simulate(network, codes, 4)
    for i in range(5):
        alone = simulate(network, codes[i : i + 1], 4)
        np.testing.assert_array_equal(together.readout[:, i], alone.readout[:, 0])
        np.testing.assert_array_equal(together.spikes[:, :, i], alone.spikes[:, :, 0])


@pytest.mark.parametrize("value", [2**23 - 1, -(2**23)])
def test_large_sums_stay_exact(value):
    weights = np.full((7, 1), 9, np.int64)
    layer = Layer("sum", weights, np.zeros(1, np.int64), (7,), None)
    network = SpikingNetwork((layer,), CONVERTED)
    assert simulate(network, np.full((1, 7), value), 1).readout[0, 0, 0] == 63 * value
    with pytest.raises(
        ModelError, match=r"sum: sums of up to 70931694131085312 are too large; the limit is 2\^53"
    ):
        simulate(network, np.full((1, 7), 2**50), 1)


def test_a_membrane_of_24_bits_saturates():
    cell = Layer("cell", np.array([[127]]), np.zeros(1, np.int64), (1,), 2**22)
    readout = Layer("readout", np.array([[1]]), np.zeros(1, np.int64), (1,), None)
    network = SpikingNetwork((cell, readout), NeuronRule(bits=24, start="zero"))
    down = simulate(network, np.array([[-(2**20)]]), 3, record=True)
    assert down.membranes[0][-1].item() == -(2**22)  # the floor
    unlimited = simulate(
        network.with_rule(NeuronRule(bits=24, floor="none")), np.array([[-(2**20)]]), 3, record=True
    )
    assert unlimited.membranes[0][-1].item() == -(2**23 - 1)


def test_what_it_refuses():
    network = small_network(CONVERTED)
    frames = np.zeros((1, 5, 7, 2), int)
    for steps in (0, -3):
        with pytest.raises(
            UsageError, match=rf"{steps} time steps are too few: no neuron could fire. Use 1 or more"
        ):
            simulate(network, frames, steps)
    with pytest.raises(UsageError, match=r"The input has shape \(1, 7, 5, 2\). It must be \(-1, 5, 7, 2\)"):
        simulate(network, frames.transpose(0, 2, 1, 3), 4)
    with pytest.raises(UsageError, match=r"It must be \(4, -1, 5, 7, 2\)"):
        simulate(network, frames, 4, over_time=True)
    with pytest.raises(UsageError, match=r"A neuron's reset is 'never'. Known: 'subtract', 'zero'"):
        NeuronRule(reset="never")
    with pytest.raises(UsageError, match=r"A neuron's voltage_decay is 4097. It must be 0 to 4096"):
        NeuronRule(voltage_decay=4097)
