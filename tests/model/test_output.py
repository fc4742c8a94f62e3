import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytracker.aim.layout import AIM, FINDER, decode, encode
from tinytracker.data.devices import DEVICES, Orientation
from tinytracker.errors import ModelError
from tinytracker.model.finder_output import FinderOutput
from tinytracker.model.output import (
    AIM_CODES,
    FULL_SCALE,
    LIMIT_CM,
    OUTPUT_SCALE,
    GazeOutput,
    last_layers,
)
from tinytracker.model.presets import PRESETS, find_preset
from tinytracker.quant.contract import AimDecoding, FinderDecoding, GazeDecoding, TensorContract

MAX_RMS_CM = 0.02

GAZE_PRESETS = [preset for preset in PRESETS.values() if not preset.finder]


def contract(shape, dtype="int8", scale=OUTPUT_SCALE, zero_point=-128):
    return TensorContract("gaze", "t", shape, dtype, scale, zero_point)


def codes(gaze, output):
    """What an ideal INT8 network answers: each unit rounded to its code."""
    eye = np.eye(2, dtype=np.float32)
    kernel, bias = output.expand(eye, np.zeros(2, np.float32))
    units = np.clip(gaze @ kernel + bias, 0, FULL_SCALE)
    return np.rint(units / OUTPUT_SCALE).astype(np.int64) - 128


@given(
    st.integers(2, 12),
    st.lists(st.tuples(st.floats(-28, 28), st.floats(-28, 28)), min_size=1, max_size=20),
)
def test_decoding_undoes_the_segments_to_half_a_step(segments, points):
    output, gaze = GazeOutput(segments), np.array(points)
    decoding = GazeDecoding.of(contract((1, 2 * segments)))
    found = decoding.decode(codes(gaze, output))
    np.testing.assert_allclose(found, gaze, atol=decoding.cm_per_code / 2 + 1e-4)


def test_the_range_holds_every_screen():
    corners = [d.screen_rectangle_cm(o) for d in DEVICES.values() for o in Orientation]
    assert np.abs(corners).max() < LIMIT_CM


@pytest.mark.parametrize("preset", GAZE_PRESETS, ids=lambda p: p.name)
def test_rounding_costs_no_preset_two_hundredths_of_a_centimetre(preset):
    rng = np.random.default_rng(0)
    gaze = rng.uniform(-27.3, 27.3, (20_000, 2))
    decoding = GazeDecoding.of(contract((1, preset.output.units)))
    error = np.linalg.norm(decoding.decode(codes(gaze, preset.output)) - gaze, axis=1)
    assert np.sqrt((error**2).mean()) <= MAX_RMS_CM


def test_gaze_outside_of_the_range_is_its_end():
    output = GazeOutput(8)
    found = GazeDecoding.of(contract((1, 16))).decode(codes(np.array([[-40.0, 99.0]]), output))
    np.testing.assert_allclose(found, [[-LIMIT_CM, LIMIT_CM]], atol=1e-6)


def test_a_pair_is_decoded_by_scale_and_zero_point():
    decoding = GazeDecoding.of(contract((1, 2), scale=0.25, zero_point=-3))
    np.testing.assert_allclose(decoding.decode(np.array([[-3, 5]])), [[0, 2]])


@pytest.mark.parametrize(
    "output", [contract((1, 10), scale=0.1), contract((1, 3)), contract((1, 1)), contract((1, 16), "float32")]
)
def test_what_is_no_gaze_is_refused(output):
    with pytest.raises(ModelError, match="is not a gaze"):
        GazeDecoding.of(output)


def test_one_segment_changes_nothing():
    kernel, bias = np.ones((3, 2), np.float32), np.array([1, -5], np.float32)
    for ours, theirs in zip(GazeOutput(1).expand(kernel, bias), (kernel, bias), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    network = find_preset("tinytracker-s").network()
    assert GazeOutput(1).on_device(network) is network


@pytest.mark.parametrize("preset", GAZE_PRESETS, ids=lambda p: p.name)
def test_the_device_s_network_differs_in_the_last_layers_only(preset):
    trained, device = preset.network(), preset.device_network()
    if preset.levels is not None:  # activations with levels have no INT8 kernel
        trained = trained.with_clipped_relus()
    assert set(trained.nodes) == set(device.nodes)
    assert device.output.shape == (preset.output.units,)
    last = last_layers(trained)
    assert last_layers(device) == last
    assert [n for name, n in trained.nodes.items() if name not in (*last, trained.output.name)] == [
        n for name, n in device.nodes.items() if name not in (*last, trained.output.name)
    ]
    more = {"gaze": preset.output.gaze_units - 2, "aim": AIM_CODES - len(AIM)}
    hidden = {name: trained.shape(trained.nodes[name].inputs[0])[0] for name in last}
    assert device.macs - trained.macs == sum(more[name] * hidden[name] for name in last)
    assert device.params - trained.params == sum(more[name] * (hidden[name] + 1) for name in last)


@given(
    st.lists(
        st.tuples(
            *(st.floats(-28, 28),) * 2, st.floats(-0.64, 0.64), st.floats(-0.48, 0.48), st.floats(-1.92, 0.96),
            st.floats(-0.48, 0.48), st.floats(-8, 8),
        ),
        min_size=1, max_size=20,
    )
)  # fmt: skip
def test_gaze_and_aim_share_a_tensor_and_are_told_apart(answers):
    """Through the weights of both last layers, rounded as an ideal INT8 network would, and back."""
    output, numbers = GazeOutput(8, aim=True), np.array(answers)
    layers = output.expand_layers(
        {
            name: (np.eye(n, dtype=np.float32), np.zeros(n, np.float32))
            for name, n in (("gaze", 2), ("aim", 5))
        }
    )
    parts = (("gaze", numbers[:, :2]), ("aim", numbers[:, 2:]))
    units = np.concatenate([np.clip(x @ layers[n][0] + layers[n][1], 0, FULL_SCALE) for n, x in parts], 1)
    raw = np.rint(units / OUTPUT_SCALE).astype(np.int64) - 128
    tensor = contract((1, output.units))
    np.testing.assert_allclose(GazeDecoding.of(tensor).decode(raw), numbers[:, :2], atol=0.0138)
    aim = AimDecoding.of(tensor)
    assert (aim.first, aim.codes) == (16, 24)
    steps = np.array([part.step for part in AIM])
    assert (np.abs(aim.decode(raw) - numbers[:, 2:]) <= steps / 2 + 1e-4).all()
    np.testing.assert_allclose(aim.of_raw(raw).astype(int), encode(AIM, numbers[:, 2:]).astype(int), atol=1)


@pytest.mark.parametrize(
    "tensor", [contract((1, 16)), contract((1, 40), "float32"), contract((1, 40), scale=0.1)]
)
def test_outputs_without_an_aim(tensor):
    assert AimDecoding.of(tensor) is None


def test_a_finder_s_cells_are_no_gaze_and_read_back():
    """Through the weights of the last layer, rounded as an ideal INT8 network would, and back."""
    rng = np.random.default_rng(1)
    low, high = (np.array([getattr(part, end) for part in FINDER]) for end in ("low", "high"))
    numbers = rng.uniform(low, high, (5, 9, 12, 4))
    eye = np.eye(4, dtype=np.float32).reshape(1, 1, 4, 4)
    kernel, bias = FinderOutput().expand_layers({"cells": (eye, np.zeros(4, np.float32))})["cells"]
    units = np.clip(numbers @ kernel[0, 0] + bias, 0, FULL_SCALE)
    raw = np.rint(units / OUTPUT_SCALE).astype(np.int64) - 128
    tensor = contract((1, 9, 12, 4))
    found = FinderDecoding.of(tensor).of_raw(raw.reshape(5, -1))
    steps = np.array([part.step for part in FINDER])
    assert (np.abs(decode(FINDER, found) - numbers) <= steps / 2 + 1e-4).all()
    with pytest.raises(ModelError, match="is not a gaze"):
        GazeDecoding.of(tensor)
    for other in (contract((1, 9, 12, 4), scale=0.1), contract((1, 12, 9, 4)), contract((1, 432))):
        assert FinderDecoding.of(other) is None
