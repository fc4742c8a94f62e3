"""Every preset, quantized as the project does it, in C equal to TFLite's reference kernels."""

import numpy as np
import pytest
from support.host_c import Case, compile_and_run, random_inputs
from support.oracle import builtin_ref

from tinytracker.codegen import generate
from tinytracker.model.presets import PRESETS
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_stats import model_stats

IMAGES = {
    "itracker": 4
}  # 6.3 M parameters at 224x224: an image takes seconds under the reference interpreter


class Noise:
    """Calibration images without a data set."""

    def __init__(self, model) -> None:
        self.shapes = {tensor.name: tuple(tensor.shape[1:]) for tensor in model.inputs}

    def samples(self):
        rng = np.random.default_rng(0)
        for _ in range(6):
            yield {
                name: np.clip(rng.normal(rng.uniform(-1, 1), 0.5, (1, *shape)), -1, 1).astype(np.float32)
                for name, shape in self.shapes.items()
            }


# tinytracker-s and tinytracker without the planes, and forms of spikes-s-relu: no operator that those do not have, or
# no INT8 form at all.
TWINS = ("tinytracker-s-grey", "tinytracker-rgb", "spikes-s", "spikes-s-edges", "spikes-s2", "spikes-s2-relu")
LARGEST = "itracker"


@pytest.mark.slow
@pytest.mark.train
@pytest.mark.parametrize(
    ("name", "io"),
    [
        *((name, "int8") for name in sorted(PRESETS) if name not in (*TWINS, LARGEST)),
        ("tinytracker-s", "uint8"),
        *(pytest.param(name, "int8", marks=pytest.mark.exhaustive) for name in (TWINS[1], LARGEST)),
    ],
)
def test_preset(name, io, tmp_path):
    import keras

    from tinytracker.model.keras_builder import build_keras
    from tinytracker.quant.ptq import convert

    keras.utils.set_random_seed(5)  # some draws of weights answer nearly the same for every image
    keras_model = build_keras(PRESETS[name].network())
    model = convert(keras_model, Noise(keras_model), io)
    library = generate(model, tmp_path / "library")
    peak = model_stats(read_tflite(model)).peak_activation_bytes
    assert library.arena_bytes == library.arena_lower_bound <= peak + 8 * len(library.steps)

    count = IMAGES.get(name, 100)
    inputs = random_inputs(model, np.random.default_rng(3), count)
    ours = compile_and_run([Case(model, inputs)], tmp_path, ["-O2"])[0]
    for mine, reference in zip(ours, builtin_ref(model, inputs), strict=True):
        np.testing.assert_array_equal(mine[0], reference[0])
    assert len({row[0].tobytes() for row in ours}) >= min(count, 8)  # untrained, yet images differ
