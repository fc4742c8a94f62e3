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


def names_of(model):
    return [layer.name for layer in model.layers]


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
    quick = folded(model, names_of(model))
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
    quick = folded(model, names_of(model))
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


def after_a_step(preset, columns, loaded):
    """Return the names of a network's variables, and whether a step of training left each one as it was."""
    import tensorflow as tf

    from tinytracker.model.keras_builder import build_keras
    from tinytracker.train.config import TrainConfig
    from tinytracker.train.objective import compile_model

    found = find_preset(preset)
    model = build_keras(found.network())
    compile_model(model, TrainConfig(epochs=1, warmup_epochs=0), 10, loaded(names_of(model)))
    before = model.get_weights()
    rng = np.random.default_rng(1)
    inputs = {
        name: rng.uniform(-1, 1, (3, *shape)).astype(np.float32) for name, shape in found.input.shapes.items()
    }
    target = np.ones((3, columns), np.float32)
    model.fit(tf.data.Dataset.from_tensors((inputs, target)), verbose=0)
    after = model.get_weights()
    same = [np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    return {variable.name: kept for variable, kept in zip(model.variables, same, strict=True)}


@pytest.mark.parametrize(
    ("preset", "columns"), [("tinytracker-s2-aim", 11), ("tinytracker-s2", 3), ("tinytracker", 3)]
)
def test_a_step_changes_all_variables_but_the_statistics(preset, columns):
    for name, kept in after_a_step(preset, columns, lambda names: names).items():
        assert kept == ("moving_" in name), name


def test_without_loaded_layers_the_statistics_are_learned():
    assert not any(after_a_step("tinytracker-s2", 3, lambda names: ()).values())


def test_layers_that_were_not_loaded_learn_their_statistics():
    def but_the_stem(names):  # its normalization has the same shape as before, and was loaded
        return [name for name in names if name != "stem"]

    kept = after_a_step("tinytracker-s2", 3, but_the_stem)
    statistics = {name: same for name, same in kept.items() if "moving_" in name}
    assert len(statistics) > 4
    for name, same in statistics.items():
        assert same == (not name.startswith("stem_bn/")), name


@pytest.mark.parametrize("preset", ["tinytracker-v2", "tinytracker-s2"])
def test_training_begins_where_the_bundled_weights_are(preset):
    """The statistics that they carry need not be those of any batch: with a batch's own, the answers are far away."""
    import tensorflow as tf

    from tinytracker.model.keras_builder import build_keras
    from tinytracker.model.weight_file import packaged_weights
    from tinytracker.train.config import TrainConfig
    from tinytracker.train.initial import load_initial
    from tinytracker.train.objective import compile_model

    found = find_preset(preset)
    model = build_keras(found.network())
    initial = load_initial(model, packaged_weights(preset))
    compile_model(model, TrainConfig(learning_rate=1e-9, warmup_epochs=0), 10, initial.loaded)
    rng = np.random.default_rng(2)
    image = rng.uniform(-1, 1, (4, *found.input.shapes["image"])).astype(np.float32)
    answers = model.predict({"image": image}, verbose=0)
    target = np.concatenate([answers, np.ones((4, 1), np.float32)], 1)
    fitted = model.fit(tf.data.Dataset.from_tensors(({"image": image}, target)), verbose=0)
    assert fitted.history["loss"][0] < 0.1  # cm
