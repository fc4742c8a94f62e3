"""Packages for neuromorphic chips: what a network needs on a Loihi 2 and on a Speck, and the rules over presets."""

import pytest
from support.spiking_nets import random_converted

from tinytracker.errors import ModelError, UnknownNameError
from tinytracker.model.presets import PRESETS, find_preset
from tinytracker.package.constraints import require_suitable, suitable_presets
from tinytracker.package.neuromorphic.chips import Size, loihi2, sizes_of, speck, speck_words
from tinytracker.package.neuromorphic.options import Options
from tinytracker.package.neuromorphic.rules import facts, sizes

TARGET = "neuromorphic"


def test_cores_of_a_loihi_2_are_counted_layer_by_layer():
    network = random_converted()
    need = loihi2(sizes_of(network))
    # By neurons 1 each; by synapses of one byte in 192 KB: 0, 553,472, 518,144, 225,280, 40,960 and 160.
    assert (need.cores, need.available, need.problems) == (1 + 3 + 3 + 2 + 1 + 1, 128, ())
    assert need.as_json()["fits"]


def test_words_of_a_speck_are_rounded_to_powers_of_two():
    assert speck_words(Size("conv", (3, 3, 16, 32), 8, 16, 0)) == (16 * 16 * 32, 32 * 8 * 16)
    assert speck_words(Size("odd", (3, 3, 5, 33), 9, 17, 0)) == (5 * 16 * 64, 33 * 16 * 32)
    assert speck_words(Size("dense", (4, 8, 16, 80), 1, 1, 0)) == (16 * 32 * 128, 80)


def test_a_speck_takes_the_small_network_when_its_input_consists_of_spikes():
    by_rate = sizes_of(random_converted(encode="rate"))
    need = speck(by_rate)
    assert (need.cores, need.available, need.problems) == (6, 9, ())
    assert speck(by_rate, spikes_in=False).problems == (
        "its first layer gets a current, and a Speck takes only spikes (--encode rate)",
    )


def test_a_layer_that_is_too_large_is_named_with_the_limit():
    (problem,) = speck(sizes_of(random_converted("spikes-s2", encode="rate"))).problems
    assert problem == (
        "hidden needs 262,144 words for weights and 80 for membranes in one core, and no core has both "
        "(at most 65,536 and 65,536)"
    )


def test_more_layers_than_cores():
    size = Size("conv", (3, 3, 4, 4), 4, 4, 100)
    assert speck([size] * 10).problems == ()
    (problem,) = speck([size] * 11).problems
    assert problem == "no core is left for conv, and a Speck has 9"


def test_a_network_that_is_too_large_for_a_loihi_2():
    need = loihi2([Size("wide", (3, 3, 64, 512), 100, 100, 200_000_000)])
    assert need.problems == (
        "it needs 1018 cores, and a Loihi 2 has 128", "it has 200,000,000 synapses, and a Loihi 2 has 120,000,000"
    )  # fmt: skip
    assert not need.fits


def test_presets_that_can_fire():
    assert suitable_presets(TARGET) == [
        "spikes-s",
        "spikes-s-relu",
        "spikes-s-edges",
        "spikes-s2",
        "spikes-s2-relu",
    ]
    for name in ("tinytracker", "itracker"):
        with pytest.raises(ModelError, match=f"The preset {name} cannot run on {TARGET}"):
            require_suitable(PRESETS[name], TARGET)


@pytest.mark.parametrize("name", ["spikes-s", "spikes-s2"])
def test_a_preset_is_estimated_as_its_network_is_counted(name):
    """The estimate counts products with the padding as synapses."""
    network = find_preset(name).network()
    exact = sizes_of(random_converted(name))
    for guess, counted in zip(sizes(network), exact, strict=True):
        assert (guess.name, guess.kernel, guess.neurons) == (counted.name, counted.kernel, counted.neurons)
        assert counted.synapses <= guess.synapses <= 1.35 * counted.synapses
    assert facts(network)["neurons"] == random_converted(name).neurons


def test_other_chips_are_unknown():
    with pytest.raises(UnknownNameError, match="Unknown chip 'loihi3'"):
        Options(chip="loihi3")
