"""Training with fixed statistics: the folded network computes what the layers do, and leads to the same gradients."""

from __future__ import annotations

import numpy as np
import pytest

from tinytracker.model.presets import find_preset

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def built():
    """A network with an aim whose normalizations differ from layer to layer, and inputs for it."""
    import tensorflow as tf

    from tinytracker.model.keras_builder import build_keras

    tf.keras.utils.set_random_seed(5)
    preset = find_preset("tinytracker-s2-aim")
    model = build_keras(preset.network())
    rng = np.random.default_rng(0)
    norms = [layer for layer in model.layers if isinstance(layer, tf.keras.layers.BatchNormalization)]
    for layer in norms:
        n = layer.get_weights()[0].shape
        values = [
            rng.uniform(0.5, 2, n),
            rng.normal(0, 0.3, n),
            rng.normal(0, 0.5, n),
            rng.uniform(0.5, 2, n),
        ]
        layer.set_weights(values)
    return model, rng.uniform(-1, 1, (3, *preset.input.shapes["image"])).astype(np.float32)


def gradients(forward, model, image):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        output = forward({"image": image}, training=False)
        loss = tf.reduce_sum(output * np.linspace(-1, 1, output.shape[-1]))
    return output.numpy(), tape.gradient(loss, model.trainable_variables)


def test_every_normalization_is_folded_and_nothing_else_changes(built):
    import tensorflow as tf

    from tinytracker.train.fixed_statistics import folded

    model, image = built
    quick = folded(model)
    assert not any(isinstance(layer, tf.keras.layers.BatchNormalization) for layer in quick.layers)
    (expected, slow), (output, fast) = gradients(model, model, image), gradients(quick, model, image)
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-4)
    assert all(g is not None for g in fast)
    for variable, a, b in zip(model.trainable_variables, slow, fast, strict=True):
        largest = np.abs(a).max()
        assert largest > 0, variable.name
        # A ReLU6 at one of its corners may fall on the other side.
        assert np.abs(a - b).max() < 0.02 * largest, variable.name


def test_the_folded_network_follows_the_variables(built):
    from tinytracker.train.fixed_statistics import folded

    model, image = built
    quick = folded(model)
    before = quick.predict({"image": image}, verbose=0)
    layer = model.get_layer("stem_bn")
    weights = layer.get_weights()
    layer.set_weights([2 * weights[0], *weights[1:]])
    try:
        after, expected = (m.predict({"image": image}, verbose=0) for m in (quick, model))
    finally:
        layer.set_weights(weights)
    assert not np.allclose(before, after)
    np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-4)


def test_a_step_changes_all_variables_but_the_statistics(built):
    import tensorflow as tf

    from tinytracker.model.keras_builder import build_keras
    from tinytracker.train.config import TrainConfig
    from tinytracker.train.objective import compile_model

    image = built[1]
    model = build_keras(find_preset("tinytracker-s2-aim").network())
    compile_model(model, TrainConfig(init="synthetic", epochs=1, warmup_epochs=0), 10)
    names = [v.name for v in model.variables]
    before = model.get_weights()
    target = np.ones((3, 11), np.float32)
    model.fit(tf.data.Dataset.from_tensors(({"image": image}, target)), verbose=0)
    for name, a, b in zip(names, before, model.get_weights(), strict=True):
        assert np.array_equal(a, b) == ("moving_" in name), name
