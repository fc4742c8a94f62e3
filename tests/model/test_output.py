import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytracker.data.devices import DEVICES, Orientation
from tinytracker.errors import ModelError
from tinytracker.model.output import FULL_SCALE, LIMIT_CM, OUTPUT_SCALE, GazeOutput
from tinytracker.model.presets import PRESETS, find_preset
from tinytracker.quant.contract import GazeDecoding, TensorContract

MAX_RMS_CM = 0.02


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


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda p: p.name)
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


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda p: p.name)
def test_the_device_s_network_differs_in_the_last_layer_only(preset):
    trained, device = preset.network(), preset.device_network()
    assert list(trained.nodes) == list(device.nodes)
    assert device.output.shape == (preset.output.units,)
    hidden = trained.shape(trained.output.inputs[0])[0]
    assert device.macs - trained.macs == (preset.output.units - 2) * hidden
    assert device.params - trained.params == (preset.output.units - 2) * (hidden + 1)
