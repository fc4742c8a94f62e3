"""recipes/paper.toml: the schedule, the loss and the head of the authors' released code."""

import math
from pathlib import Path

import numpy as np
import pytest

from tinytracker.errors import ModelError
from tinytracker.train import load_config

RECIPE = Path(__file__).parents[2] / "recipes" / "paper.toml"


@pytest.mark.train
def test_the_learning_rate_falls_by_a_tenth_per_ten_thousand_steps():
    import tensorflow as tf

    from tinytracker.train.objective import Exponential, compile_model

    model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,))])
    config = load_config(RECIPE)
    compile_model(model, config, steps=9781)
    assert type(model.optimizer) is tf.keras.optimizers.Adam
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
    rate = Exponential(config.learning_rate, config.decay_rate, config.decay_steps, warmup=0)
    assert float(rate(10_000)) == pytest.approx(9e-4)
    assert float(rate(5_000)) == pytest.approx(1e-3 * math.sqrt(0.9))
    assert float(Exponential(1e-3, 0.9, 10_000, warmup=4)(1)) == pytest.approx(5e-4, rel=1e-3)


@pytest.mark.train
def test_the_head_is_tanh_times_thirty_and_starts_from_the_mean_gaze():
    import tensorflow as tf

    from tinytracker.model.keras_builder import build_keras, with_output
    from tinytracker.model.output import GazeOutput
    from tinytracker.model.presets import find_preset

    tf.keras.utils.set_random_seed(1)
    network = find_preset("tinytracker-s").network()
    model = build_keras(network, output_bias=(1.5, -9.0), head="tanh")
    image = np.zeros((1, *network.inputs["image"]), np.float32)
    linear = tf.keras.Model(model.inputs, model.get_layer("tanh").input)
    np.testing.assert_allclose(model(image), 30 * np.tanh(linear(image)), rtol=1e-5)
    last = model.get_layer(network.output.name)
    np.testing.assert_allclose(30 * np.tanh(last.get_weights()[1]), (1.5, -9.0), rtol=1e-5)
    assert with_output(model, GazeOutput(8)) is model


@pytest.mark.train
@pytest.mark.exhaustive
def test_a_run_of_the_recipe_is_trained_evaluated_and_quantized(tmp_path):
    from support.gazecapture_folder import make_folder

    from tinytracker.data import prepare
    from tinytracker.evaluate import evaluate
    from tinytracker.quant import quantize
    from tinytracker.train import train

    make_folder(tmp_path / "src", subjects=8, frames=8)
    prepare(tmp_path / "src", tmp_path / "prepared", jobs=1)
    config = load_config(RECIPE, {"epochs": 1, "batch_size": 8})
    train(tmp_path / "prepared", "tinytracker-s", tmp_path / "run", config)
    quantize(tmp_path / "run", calibration_frames=16)
    exact = evaluate(tmp_path / "run", split="val").errors.overall
    rounded = evaluate(tmp_path / "run", split="val", model="ptq-int8").errors.overall
    assert rounded.error_cm == pytest.approx(exact.error_cm, abs=0.3)  # steps of 0.23 cm
    with pytest.raises(ModelError, match="ends in tanh"):
        quantize(tmp_path / "run", method="qat", calibration_frames=16)


def test_the_published_counts_are_compared(tmp_path):
    from tinytracker.data.index import Gaze, PreparedIndex, Split
    from tinytracker.data.published_counts import FRAMES, PEOPLE, compared_with_published

    assert sum(FRAMES.values()) == 1_490_959

    def index(frames, origin="recorded"):
        splits = {
            name: Split(frames[name], tuple(map(str, range(PEOPLE[name]))), {}, {}, {}, ()) for name in FRAMES
        }
        return PreparedIndex(tmp_path, "", {}, splits, Gaze(), origin=origin)

    assert compared_with_published(index(FRAMES)).startswith("These are exactly")
    lacking = compared_with_published(index(FRAMES | {"val": 59_470}))
    assert lacking == "Compared with GazeCapture as published: val: -10 frames, +0 people."
    assert compared_with_published(index(FRAMES, "synthetic")) == ""
