import pytest

from tinytracker.errors import ModelError, UnknownNameError
from tinytracker.model.network import Network, output_size
from tinytracker.model.output import last_layers
from tinytracker.model.presets import PRESETS, find_preset

# MACs for one frame, parameters with batch normalisation folded; where published, of the published networks.
GOLDEN = {
    "tinytracker": (11_839_208, 426_694),
    "tinytracker-rgb": (11_651_048, 426_676),  # without the 18 weights that fuse the position
    "tinytracker-s": (5_229_184, 81_946),
    "tinytracker-s-grey": (4_897_408, 81_802),  # two planes fewer into the 8 filters of 3x3: 144 weights
    "tinytracker-v2": (11_296_768, 308_922),
    "tinytracker-s2": (4_732_544, 95_722),
    "tinytracker-v2-aim": (11_333_792, 321_927),
    "tinytracker-s2-aim": (4_760_352, 108_535),
    "finder": (484_704, 3_944),
    "spikes-s": (1_589_408, 73_730),
    "spikes-s-relu": (1_589_408, 73_730),
    "spikes-s-edges": (1_810_592, 74_162),
    "spikes-s2": (4_571_296, 138_786),
    "spikes-s2-relu": (4_571_296, 138_786),
    "itracker": (1_324_455_808, 6_286_274),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_counts_equal_the_published_networks(name):
    network = find_preset(name).network()
    assert (network.macs, network.params) == GOLDEN[name]


@pytest.mark.parametrize(
    ("new", "old"), [("tinytracker-v2", "tinytracker"), ("tinytracker-s2", "tinytracker-s")]
)
def test_the_networks_for_the_eyes_take_no_more_work_than_those_for_the_face(new, old):
    assert PRESETS[new].network().macs <= PRESETS[old].network().macs


def test_every_preset_is_pinned():
    assert set(GOLDEN) == set(PRESETS)


GAZE_PRESETS = [name for name, preset in PRESETS.items() if not preset.finder]


@pytest.mark.parametrize("name", GAZE_PRESETS)
def test_the_output_is_gaze(name):
    preset = find_preset(name)
    network = preset.network()
    assert network.output.shape == (7 if preset.aim else 2,)
    assert network.output.activation == "linear"
    gaze = network.nodes[last_layers(network)[0]]
    assert gaze.name == "gaze"
    assert gaze.shape == (2,)


def test_the_finder_is_a_tenth_of_the_work_of_the_smallest_gaze_network():
    finder = find_preset("finder")
    assert finder.device_network().macs <= 500_000 <= find_preset("tinytracker-s2-aim").network().macs / 9
    assert finder.device_network().output.shape == (9, 12, 4)
    with pytest.raises(ModelError, match=r"finder is a finder: it cannot be trained with rounding"):
        _ = finder.gaze_output


@pytest.mark.parametrize("name", ["tinytracker-v2", "tinytracker-s2"])
def test_the_aim_costs_less_than_one_percent(name):
    plain, aim = find_preset(name).device_network(), find_preset(f"{name}-aim").device_network()
    assert plain.macs < aim.macs <= 1.01 * plain.macs
    shared = [n for n in plain.nodes.values() if n.name != "gaze"]
    assert all(aim.nodes[n.name] == n for n in shared)


def test_the_last_map_of_the_112_pixel_trunk_is_3x3():
    assert find_preset("tinytracker").network().shape("features") == (3, 3, 576)


def test_peak_activations_of_the_small_one_equal_the_published_model():
    # 24x24x96 in and 12x12x96 out of the widest depthwise layer.
    assert find_preset("tinytracker-s").network().peak_activation_bytes() == 24 * 24 * 96 + 12 * 12 * 96


def test_unknown_preset_says_which_was_meant():
    with pytest.raises(UnknownNameError, match=r"'tinytraker'\. Did you mean 'tinytracker'\?"):
        find_preset("tinytraker")


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "expected"),
    [
        (112, 3, 2, "same", 56),
        (7, 3, 2, "valid", 3),
        (7, 3, 2, "same", 4),
        (224, 11, 4, "valid", 54),
        (5, 1, 1, "same", 5),
    ],
)
def test_output_size(size, kernel, stride, padding, expected):
    assert output_size(size, kernel, stride, padding) == expected


def test_a_residual_keeps_its_shortcut_alive():
    net = Network()
    x = net.input("x", (4, 4, 8))
    y = net.conv(x, "wide", 32)
    z = net.conv(y, "narrow", 8)
    net.add(x, z, "sum")
    # While "narrow" runs: x (kept for the sum), wide and narrow.
    assert net.peak_activation_bytes() == 4 * 4 * (8 + 32 + 8)


def test_shared_weights_count_once_but_work_twice():
    net = Network()
    a, b = net.input("a", (4, 4, 3)), net.input("b", (4, 4, 3))
    net.conv(a, "first", 5, kernel=3)
    net.conv(b, "second", 5, kernel=3, weights_of="first")
    assert net.params == 3 * 3 * 3 * 5 + 5
    assert net.macs == 2 * 4 * 4 * 3 * 3 * 3 * 5


def test_mistakes_in_a_graph_are_found_when_it_is_built():
    net = Network()
    x = net.input("x", (4, 4, 3))
    with pytest.raises(ValueError, match="two nodes named x"):
        net.conv(x, "x", 3)
    with pytest.raises(ValueError, match="too small"):
        net.conv(x, "big", 3, kernel=5, padding="valid")
    with pytest.raises(ValueError, match="cannot add"):
        net.add(x, net.conv(x, "c", 4), "sum")
