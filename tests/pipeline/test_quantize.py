import hashlib
import json
import shutil

import numpy as np
import pytest

from tinytracker.errors import InputFileError, ModelError, UnknownNameError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.quant import quantize, require_full_integer
from tinytracker.quant.contract import IoContract


@pytest.fixture
def copy(run, tmp_path):
    """The run's own copy for one test."""
    shutil.copytree(run.path, tmp_path / "run")
    return tmp_path / "run"


def test_every_tensor_is_integer_and_the_input_scale_exactly_1_128(run):
    model = read_tflite(run.quantized("ptq-int8") / "model.tflite")
    require_full_integer(model)
    (image,) = IoContract.of(model).inputs
    assert (image.dtype, image.scale, image.zero_point) == ("int8", 1 / 128, 0)
    (gaze,) = IoContract.of(model).outputs
    assert (gaze.name, gaze.dtype, gaze.shape) == ("gaze", "int8", (1, 16))
    assert gaze.scale == pytest.approx(6 / 255, rel=1e-6)
    assert gaze.zero_point == -128


def test_segments_say_the_same_as_the_trained_output(run, prepared):
    from tinytracker.model.keras_builder import load_trained, with_output
    from tinytracker.model.output import OUTPUT_SCALE
    from tinytracker.model.presets import find_preset
    from tinytracker.quant.contract import GazeDecoding, TensorContract
    from tinytracker.quant.parity import frames_of

    model = load_trained(run.model_path)
    images = {k: p.astype(np.float32) / 128 - 1 for k, p in frames_of(prepared, "tinytracker-s", 16).items()}
    units = with_output(model, find_preset("tinytracker-s").output).predict(images, verbose=0)
    decoding = GazeDecoding.of(TensorContract("gaze", "t", (1, 16), "int8", OUTPUT_SCALE, 0))
    expected = model.predict(images, verbose=0)
    assert np.ptp(expected) > 1
    np.testing.assert_allclose(decoding.decode(units / OUTPUT_SCALE), expected, atol=1e-4)


def test_coral_takes_the_camera_byte_as_it_is(uint8_run):
    (image,) = IoContract.of(read_tflite(uint8_run.quantized("ptq-uint8") / "model.tflite")).inputs
    assert (image.dtype, image.scale, image.zero_point) == ("uint8", 1 / 128, 128)


def test_int8_and_uint8_io_give_the_same_gaze(run, uint8_run):
    from tinytracker.quant.parity import patterns
    from tinytracker.quant.runtimes import ReferenceRuntime

    uint8 = (uint8_run.quantized("ptq-uint8") / "model.tflite").read_bytes()
    int8 = (run.quantized("ptq-int8") / "model.tflite").read_bytes()
    a, b = ReferenceRuntime(int8), ReferenceRuntime(uint8)
    codes = patterns(a.contract, 12)
    np.testing.assert_allclose(a.contract.decode(a.run(codes)), b.contract.decode(b.run(codes)))


def test_the_same_run_gives_the_same_file(run, copy):
    again = quantize(copy, calibration_frames=32)
    assert again.model.read_bytes() == (run.quantized("ptq-int8") / "model.tflite").read_bytes()


def test_the_record_beside_the_model_is_true(run):
    folder = run.quantized("ptq-int8")
    record = json.loads((folder / "quantization.json").read_text())
    assert record["sha256"] == hashlib.sha256((folder / "model.tflite").read_bytes()).hexdigest()
    assert record["float_sha256"] == hashlib.sha256(run.model_path.read_bytes()).hexdigest()
    assert record["calibration"]["split"] == "train"
    assert record["calibration"]["frames"] == 32
    assert len(record["calibration"]["sha256"]) == 64


def test_another_calibration_set_has_another_hash(run, prepared):
    from tinytracker.data.index import read_index
    from tinytracker.model.presets import find_preset
    from tinytracker.quant.calibration import calibration_set

    before = json.loads((run.quantized("ptq-int8") / "quantization.json").read_text())["calibration"][
        "sha256"
    ]
    index, spec = read_index(prepared), find_preset("tinytracker-s").input
    assert calibration_set(index, spec, 32).sha256 == before
    assert calibration_set(index, spec, 24).sha256 != before


def test_int8_loses_little(run, prepared):
    """The error of the INT8 network is near the float one's: a wrong scale or offset would be centimetres."""
    from tinytracker.evaluate import evaluate

    as_float = evaluate(run.path, split="train").errors.overall.error_cm
    as_int8 = evaluate(run.path, split="train", model="ptq-int8").errors.overall.error_cm
    assert abs(as_int8 - as_float) < 0.3


def test_a_float_model_is_refused_by_name():
    import tensorflow as tf

    net = tf.keras.Sequential([tf.keras.Input((8, 8, 1), 1), tf.keras.layers.Conv2D(2, 3)])
    content = tf.lite.TFLiteConverter.from_keras_model(net).convert()
    with pytest.raises(ModelError, match=r"not fully INT8; these tensors are not: .*\(float32\)"):
        require_full_integer(read_tflite(content, "float.tflite"))


def test_unknown_method_and_io(run):
    with pytest.raises(UnknownNameError, match=r"Unknown quantization method 'ptk'. Did you mean 'ptq'"):
        quantize(run.path, method="ptk")
    with pytest.raises(UnknownNameError, match="Unknown I/O type 'int4'"):
        quantize(run.path, io="int4")


def test_an_unfinished_run_is_refused(copy):
    (copy / "model.keras").unlink()
    with pytest.raises(InputFileError, match="training has not finished here"):
        quantize(copy)


def test_not_a_run(tmp_path):
    with pytest.raises(InputFileError, match="not a run folder"):
        quantize(tmp_path)


@pytest.mark.parametrize("preset", ["tinytracker", pytest.param("itracker", marks=pytest.mark.exhaustive)])
def test_the_other_presets_quantize_too(prepared, tmp_path, preset):
    """Untrained: several inputs, shared towers and grouped convolutions have INT8 kernels as well."""
    import tensorflow as tf

    from tinytracker.data.index import read_index
    from tinytracker.model.keras_builder import build_keras, with_output
    from tinytracker.model.presets import find_preset
    from tinytracker.model.tflite_stats import model_stats
    from tinytracker.quant.calibration import calibration_set
    from tinytracker.quant.ptq import convert

    tf.keras.utils.set_random_seed(0)
    chosen = find_preset(preset)
    network = chosen.device_network()
    calibration = calibration_set(read_index(prepared), chosen.input, 2)
    keras = build_keras(chosen.network())
    rng = np.random.default_rng(0)
    # The converter stores equal constants once: fresh biases, all zero, would be counted once.
    keras.set_weights([w + rng.uniform(0, 0.01, w.shape) for w in keras.get_weights()])
    model = read_tflite(convert(with_output(keras, chosen.output), calibration, "int8"))
    require_full_integer(model)
    contract = IoContract.of(model)
    assert contract.is_pixel_exact
    assert {t.name for t in contract.inputs} == set(network.inputs)
    assert model_stats(model).macs == network.macs
    # Weights are shared where they were; biases are stored per use, since their scale contains the input's.
    biases_again = sum(n.shape[-1] for n in network.nodes.values() if n.weights_of)
    assert model_stats(model).parameters == network.params + biases_again
