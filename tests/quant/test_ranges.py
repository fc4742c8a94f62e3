import pytest

from tinytracker.model.network import Network
from tinytracker.model.presets import PRESETS, find_preset
from tinytracker.quant.ranges import PIXELS, group_ranges, scale_groups


def test_what_only_moves_codes_shares_a_scale():
    groups = scale_groups(find_preset("itracker").device_network())
    # Both eyes are one layer, flattened and joined: one scale from the last convolution to the dense layer's input.
    assert len({groups[n] for n in ("eye_conv4", "right_eye_tower_conv4", "eye_flatten", "eyes")}) == 1
    assert groups["eye_conv1"] == groups["eye_pool1"] == groups["right_eye_tower_conv1"]
    assert groups["eyes_fc1"] == groups["face_fc2"] == groups["grid_fc2"] == groups["join"]
    assert groups["grid"] == groups["grid_flatten"]
    assert groups["eye_conv1"] != groups["eye_conv2"]


@pytest.mark.parametrize("preset", [p for p in PRESETS.values() if not p.finder], ids=lambda p: p.name)
def test_inputs_are_pixels_and_the_output_segments_whatever_was_seen(preset):
    network = preset.device_network()
    ranges = group_ranges(network, dict.fromkeys(network.nodes, (-3.0, 9.0)))
    assert all(ranges[name] == PIXELS for name in network.inputs)
    assert ranges["gaze"] == (0.0, 6.0)
    assert ranges["hidden"] == (-3.0, 9.0)


def test_a_group_has_the_widest_range_with_zero_in_it():
    net = Network()
    x = net.input("image", (4, 4, 3))
    a, b = net.conv(x, "a", 2), net.conv(x, "b", 2)
    net.dense(net.flatten(net.concat((a, b), "both"), "flat"), "gaze", 2)
    seen = {"image": (0.0, 1.0), "a": (2.0, 5.0), "b": (1.0, 7.0), "both": (1.0, 7.0), "flat": (1.0, 7.0)}
    ranges = group_ranges(net, {**seen, "gaze": (0.0, 0.0)})
    assert ranges["a"] == ranges["b"] == ranges["flat"] == (0.0, 7.0)
    low, high = ranges["gaze"]
    assert low < high  # nothing was seen; a scale of zero cannot be
