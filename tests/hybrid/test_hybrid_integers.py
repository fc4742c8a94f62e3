"""The spiking layers of a hybrid: integers against Lava, against the float network, and through a NIR file."""

from dataclasses import replace

import numpy as np
import pytest
from support.hybrid_nets import event_spikes, random_kernels, random_spiking
from support.lava import FOLDERS, run_lava

from tinytracker.hybrid.integers import ON_CHIP, RULE, rounded_weights, spiking_part
from tinytracker.hybrid.presets import HYBRIDS, LAYERS, STEPS, VOLTAGE_DECAY, find_hybrid
from tinytracker.spiking import read_nir, simulate, write_nir
from tinytracker.spiking.foreign.environments import find_simulator


@pytest.mark.parametrize("name", ["hybrid-s3a2", pytest.param("hybrid-s5a0", marks=pytest.mark.exhaustive)])
def test_lava_fires_the_same_spikes_later_by_the_delay_of_each_connection(tmp_path, name):
    simulator, folder = find_simulator("lava"), FOLDERS["lava"]
    if simulator.status(folder).missing:
        pytest.skip(simulator.status(folder).missing[0])
    network = random_spiking(name)
    assert network.rule.voltage_decay == VOLTAGE_DECAY
    given = event_spikes()
    depth = len(network.layers)
    late = np.concatenate([given, np.zeros((depth, *given.shape[1:]), np.uint8)])
    theirs = run_lava(network, late[:, 0], folder, tmp_path)
    delayed = simulate(network.with_rule(ON_CHIP), late, len(late), over_time=True, record=True)
    ours = simulate(network, given, STEPS, over_time=True, record=True)
    for k, train in enumerate(ours.trains):
        assert 0.001 < train.mean() < 0.9
        np.testing.assert_array_equal(theirs[f"spikes_{k}"], delayed.trains[k][:, 0])
        np.testing.assert_array_equal(theirs[f"v_{k}"], delayed.membranes[k][:, 0])
        np.testing.assert_array_equal(theirs[f"spikes_{k}"][k + 1 : STEPS + k + 1], train[:, 0])
        assert not theirs[f"spikes_{k}"][: k + 1].any()
    if name == "hybrid-s5a0":
        np.testing.assert_array_equal(theirs[f"v_{depth - 1}"][-1], ours.readout[-1, 0])


def test_silence_stays_silent_after_the_last_event():
    given = event_spikes()
    given[5:] = 0
    trains = simulate(random_spiking("hybrid-s3a2"), given, STEPS, over_time=True, record=True).trains
    for train in trains:
        assert train[:5].any()
        assert not train[5:].any()


def test_weights_are_what_loihi_takes():
    whole, threshold = rounded_weights(np.array([[-0.5, 0.249, 0.001]]))
    assert whole.tolist() == [[-254, 126, 0]]
    assert threshold == 508
    assert rounded_weights(np.full((1, 1), 1e-6))[1] == 2**17 - 1
    assert replace(RULE, delay=1) == ON_CHIP


@pytest.mark.parametrize("name", sorted(HYBRIDS))
def test_presets_keep_the_budget_and_name_their_layers(name):
    preset = HYBRIDS[name]
    assert name == f"hybrid-s{preset.spiking}a{LAYERS - preset.spiking}"
    for interval in (2, 4, 8):
        assert 0.9 * 93_658 < preset.parameters(interval) <= 93_658


@pytest.mark.parametrize("name", ["hybrid-s2a3", "hybrid-s5a0"])
def test_a_nir_file_keeps_every_number(tmp_path, name):
    h5py = pytest.importorskip("h5py")
    network = random_spiking(name)
    path = write_nir(tmp_path / "spiking.nir", network)
    again = read_nir(path)
    assert (again.rule, again.encode, again.steps) == (network.rule, "events", STEPS)
    assert again.unit_cm == network.unit_cm
    for mine, theirs in zip(network.layers, again.layers, strict=True):
        assert mine.threshold == theirs.threshold
        np.testing.assert_array_equal(mine.weights, theirs.weights)
    assert write_nir(tmp_path / "again.nir", again).read_bytes() == path.read_bytes()
    with h5py.File(path) as file:
        cells = file["node"]["nodes"]["conv1_if"]
        assert cells["type"][()] == b"LIF"
        # In steps of 1: v += (v_leak - v + r * current) / tau.
        assert np.allclose(1 / cells["tau"][()], VOLTAGE_DECAY / 4096)
        np.testing.assert_array_equal(cells["r"][()], cells["tau"][()])
        assert cells["v_threshold"][()].max() == network.layers[0].threshold


@pytest.mark.train
def test_the_float_network_fires_what_the_integers_fire():
    tf = pytest.importorskip("tensorflow")
    from tinytracker.hybrid.network import HybridNet

    net = HybridNet(find_hybrid("hybrid-s3a2"), 4, seed=1)
    kernels, _ = random_kernels("hybrid-s3a2")
    for variable, kernel in zip(net.kernels, kernels, strict=True):
        variable.assign(kernel.astype(np.float32))
    given = event_spikes(n=4)
    network = spiking_part(net.preset, [v.numpy() for v in net.kernels])
    whole = simulate(network, given, STEPS, over_time=True, record=True)
    real, total = net.front(tf.constant(given.swapaxes(0, 1), tf.float32), tf.ones((4, STEPS)))
    # Loihi rounds what is left of a membrane towards zero; that moves few spikes, more in each layer.
    assert (real.numpy() != whole.trains[-1].swapaxes(0, 1)).mean() < 0.02
    assert float(total) == pytest.approx(whole.spikes[-1].sum(0).mean(), rel=0.02)


@pytest.mark.train
def test_the_written_gradient_of_the_neurons_is_that_of_the_tape():
    """The same neurons with a surrogate for each step alone, differentiated by TensorFlow."""
    tf = pytest.importorskip("tensorflow")
    from tinytracker.hybrid.network import fired

    @tf.custom_gradient
    def step(x):
        return tf.cast(x > 0, tf.float32), lambda g: g / (1 + (2 * x) ** 2)

    def by_the_tape(current, threshold):
        v, spikes = tf.zeros_like(current[:, 0]), []
        for t in range(STEPS):
            v = v * (1 - VOLTAGE_DECAY / 4096) + current[:, t]
            spikes.append(step(v - threshold))
            v = v * (1 - spikes[-1])
        return tf.stack(spikes, 1)

    rng = np.random.default_rng(3)
    current = tf.constant(rng.normal(0.1, 0.6, (2, STEPS, 3, 5)), tf.float32)
    weight = tf.constant(rng.normal(0, 1, (2, STEPS, 3, 5)), tf.float32)
    found = []
    for neurons in (fired, by_the_tape):
        with tf.GradientTape() as tape:
            tape.watch(current)
            spikes = neurons(current, tf.constant(1.0))
            loss = tf.reduce_sum(spikes * weight)
        found.append((spikes.numpy(), tape.gradient(loss, current).numpy()))
    assert 0.1 < found[0][0].mean() < 0.5
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-4, atol=1e-5)
    assert np.abs(found[0][1]).min(axis=(0, 2, 3)).all()
