import numpy as np
import pytest

from tinytracker.model.presets import PRESETS, find_preset

pytestmark = pytest.mark.train
tf = pytest.importorskip("tensorflow")


def folded_params(model):
    """Parameters when each batch normalisation is folded into the convolution before it."""
    total = 0
    for layer in model.submodules:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            total += layer.count_params() // 4  # its shift stays, as the convolution's bias
        elif isinstance(
            layer, tf.keras.layers.Conv2D | tf.keras.layers.DepthwiseConv2D | tf.keras.layers.Dense
        ):
            total += layer.count_params()
    return total


@pytest.mark.parametrize("name", PRESETS)
def test_keras_has_the_counted_parameters(name):
    from tinytracker.model.keras_builder import build_keras

    network = find_preset(name).network()
    assert folded_params(build_keras(network)) == network.params


def test_total_parameters_of_the_published_trunk():
    from tinytracker.model.keras_builder import build_keras

    assert build_keras(find_preset("tinytracker").network()).count_params() == 444_862


def test_training_starts_from_the_constant_predictor():
    from tinytracker.model.keras_builder import build_keras

    model = build_keras(find_preset("tinytracker-s").network(), output_bias=(1.5, -4.0))
    layer = model.get_layer("gaze")
    np.testing.assert_allclose(layer.get_weights()[1], [1.5, -4.0])


def test_position_planes_are_constant_and_span_the_int8_range():
    from tinytracker.model.keras_builder import PositionPlanes

    x = tf.random.uniform((3, 5, 7, 2))
    out = PositionPlanes()(x).numpy()
    np.testing.assert_array_equal(out[..., :2], x.numpy())
    np.testing.assert_allclose(out[0, 2, :, 2], np.linspace(-1, 127 / 128, 7), rtol=1e-6)
    np.testing.assert_allclose(out[1, :, 3, 3], np.linspace(-1, 127 / 128, 5), rtol=1e-6)


def test_grouped_convolution_is_two_separate_ones():
    from tinytracker.model.keras_builder import GroupedConv2D

    layer = GroupedConv2D(6, 3, 2)
    x = tf.random.uniform((1, 4, 4, 8))
    out = layer(x).numpy()
    halves = [part(x[..., 4 * i : 4 * i + 4]).numpy() for i, part in enumerate(layer._parts)]
    np.testing.assert_allclose(out, np.concatenate(halves, -1), atol=1e-6)
    assert layer.count_params() == 3 * 3 * 4 * 6


def test_names_do_not_depend_on_what_was_built_before():
    """They end up in converted files, which must be the same for the same weights."""
    from tinytracker.model.keras_builder import build_keras

    network = find_preset("tinytracker-s").network()
    first, second = build_keras(network), build_keras(network)
    assert first.name == second.name
    assert [v.name for v in first.variables] == [v.name for v in second.variables]
