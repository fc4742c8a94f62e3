"""Whole networks in C equal TFLite's reference kernels bit for bit on 100 images each."""

import numpy as np
import pytest
from support.host_c import Case, compile_and_run, random_inputs
from support.keras_models import KERAS_NETS, converted
from support.oracle import builtin_ref
from support.tflite_nets import tinytracker_s

from tinytracker.codegen import generate
from tinytracker.interpreters.arena import measure_arena
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_stats import model_stats

IMAGES = 100


def assert_equal_to_oracle(model: bytes, folder, flags=None) -> None:
    inputs = random_inputs(model, np.random.default_rng(11), IMAGES)
    ours = compile_and_run([Case(model, inputs)], folder, flags)[0]
    for mine, reference in zip(ours, builtin_ref(model, inputs), strict=True):
        for a, b in zip(mine, reference, strict=True):
            np.testing.assert_array_equal(a, b)
    assert len({row[0].tobytes() for row in ours}) > IMAGES // 4  # the network does tell images apart


@pytest.mark.train
@pytest.mark.parametrize("name", sorted(KERAS_NETS))
def test_converted_networks(name, tmp_path):
    assert_equal_to_oracle(converted(name), tmp_path)


@pytest.mark.train
def test_published_layer_table(tmp_path):
    assert_equal_to_oracle(
        tinytracker_s(), tmp_path, ["-O2"]
    )  # 100 images under the sanitizers take a minute


@pytest.mark.train
@pytest.mark.parametrize("name", sorted(KERAS_NETS))
def test_arena_is_never_above_the_activations_that_the_file_keeps_alive(name, tmp_path):
    library = generate(converted(name), tmp_path)
    peak = model_stats(read_tflite(converted(name))).peak_activation_bytes
    assert library.arena_lower_bound <= library.arena_bytes <= peak + 8 * len(library.steps)


@pytest.mark.train
def test_arena_is_no_larger_than_the_microcontroller_runtime_needs(tmp_path):
    for name in sorted(KERAS_NETS):
        head = measure_arena(converted(name)).head_bytes
        assert generate(converted(name), tmp_path).arena_bytes <= head
