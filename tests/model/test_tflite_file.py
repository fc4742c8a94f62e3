"""Reading .tflite files: the contents of good ones, a sentence for bad ones."""

import random
import re
import struct
import subprocess
import sys

import numpy as np
import pytest
from support.random_recurrent import lstm, svdf
from support.tflite_builder import Op, T, build_tflite, conv_options
from support.tflite_nets import NetBuilder, tinytracker_s

from tinytracker.errors import InputFileError, ModelError, TinyTrackerError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_stats import lifetimes, model_stats, non_int8_tensors


def small_net() -> bytes:
    net = NetBuilder((1, 8, 8, 3))
    net.conv(4, 3, 2)
    net.depthwise()
    net.mean()
    net.dense(2)
    return net.build()


def test_contents_are_what_was_written():
    model = read_tflite(small_net())
    assert [o.name for o in model.operators] == ["CONV_2D", "DEPTHWISE_CONV_2D", "MEAN", "FULLY_CONNECTED"]
    conv = model.operators[0]
    assert (conv.str_option("padding"), conv.int_option("stride_h")) == ("SAME", 2)
    assert conv.str_option("fused_activation_function") == "RELU6"
    weights = model.tensors[conv.inputs[1]]
    assert (weights.shape, weights.dtype, len(weights.scales), weights.quantized_dimension) == (
        (4, 3, 3, 3),
        "int8",
        4,
        0,
    )
    assert weights.data is not None
    assert weights.data.dtype == np.int8
    assert not weights.data.flags.writeable
    image = model.input_tensors()[0]
    assert (image.name, image.scale, image.zero_point, image.data) == ("image", 1 / 128, 0, None)
    assert len(model.sha256) == 64


def test_missing_option_and_ambiguous_scale_are_sentences():
    model = read_tflite(small_net())
    with pytest.raises(ModelError, match="operator 0 CONV_2D has no option 'axis'"):
        model.operators[0].option("axis")
    with pytest.raises(ModelError, match="has 4 scales, but must have exactly one"):
        _ = model.tensors[model.operators[0].inputs[1]].scale


def test_unknown_batch_is_one_but_other_unknown_dimensions_are_refused():
    def graph(shape, signature=()):
        tensors = [T(shape, scales=(1.0,), signature=signature), T((1, 4), scales=(1.0,))]
        return build_tflite(tensors, [Op("RESHAPE", [0], [1], {"NewShape": [1, 4]})], [0], [1])

    assert read_tflite(graph((-1, 4))).tensors[0].shape == (1, 4)
    assert not read_tflite(graph((1, 4), (-1, 4))).tensors[0].is_dynamic
    assert read_tflite(graph((1, 4), (-1, -1))).tensors[0].is_dynamic
    with pytest.raises(ModelError, match="only the batch dimension"):
        read_tflite(graph((1, -1)))


@pytest.mark.parametrize(
    ("tensors", "operators", "inputs", "sentence"),
    [
        ([T((1, 4)), T((1, 4))], [Op("RELU", [5], [1])], [0], "reads tensor 5; the file has 2"),
        ([T((1, 4)), T((1, 4)), T((1, 4))], [Op("RELU", [2], [1])], [0], "before it is computed"),
        ([T((1, 4)), T((1, 4))], [Op("RELU", [0], [0])], [0], "already has contents"),
        ([T((1, 4)), T((1, 4))], [], [0], "is never computed"),
        ([T((1, 4)), T((1, 4), data=np.zeros((1, 3), np.int8))], [], [0], "its buffer holds 3"),
        ([T((1, 4)), T((1, 4), scales=(1.0, 2.0), axis=1)], [], [0], "2 scales along axis 1"),
        ([T((1, 4)), T((1, 4), scales=(float("nan"),))], [], [0], "negative or not finite"),
        ([T((1, 4)), T((1, 4), data=np.zeros((1, 4), np.int8))], [], [1], "is a constant"),
    ],
)
def test_graphs_that_contradict_themselves(tensors, operators, inputs, sentence):
    with pytest.raises(ModelError, match=sentence):
        read_tflite(build_tflite(tensors, operators, inputs, [1]))


def test_options_of_another_operator_are_refused():
    tensors = [T((1, 4, 4, 1)), T((1, 4, 4, 1))]
    wrong = Op("MAX_POOL_2D", [0], [1], conv_options(), options_class="Conv2DOptions")
    with pytest.raises(ModelError, match="has Conv2DOptions in place of Pool2DOptions"):
        read_tflite(build_tflite(tensors, [wrong], [0], [1]))


def test_not_a_model(tmp_path):
    with pytest.raises(InputFileError, match="there is no such file"):
        read_tflite(tmp_path / "missing.tflite")
    (tmp_path / "x.tflite").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(InputFileError, match=r"not a \.tflite file"):
        read_tflite(tmp_path / "x.tflite")


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.exhaustive)])
def test_mutations_end_in_a_model_or_a_sentence(count):
    good = small_net()
    rng = random.Random(7)
    refused = 0
    for _ in range(count):
        bad = bytearray(good)
        for _ in range(rng.choice((1, 1, 2, 8))):
            position = rng.randrange(len(bad) - 4)
            kind = rng.randrange(4)
            if kind == 0:
                bad[position] = rng.randrange(256)
            elif kind == 1:
                bad[position : position + 4] = struct.pack(
                    "<I", rng.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF))
                )
            elif kind == 2:
                bad[position] ^= 1 << rng.randrange(8)
            else:
                del bad[rng.randrange(16, len(bad)) :]
                bad += bytes(max(0, 24 - len(bad)))
        try:
            model = read_tflite(bytes(bad))
            model_stats(model)
            non_int8_tensors(model)
        except (InputFileError, ModelError):
            refused += 1
    assert refused > count / 5  # the mutations do reach the structure, not only weights


def test_every_cut_is_refused():
    good = small_net()
    for length in range(0, len(good) - 8, 7):  # the last bytes only pad
        with pytest.raises(TinyTrackerError) as refused:
            model_stats(read_tflite(good[:length]))
        assert not re.search("unpack|buffer|struct", str(refused.value)), (
            "what Python says of itself helps nobody"
        )


def test_published_layer_table_has_the_published_cost():
    model = read_tflite(tinytracker_s())
    stats = model_stats(model)
    assert stats.macs == 5_229_184
    assert stats.parameters == 81_946
    assert (stats.peak_activation_bytes, stats.peak_operator) == (69_120, 6)
    assert [t.dtype for t in non_int8_tensors(model)] == ["float32"]
    assert sum(row.macs for row in stats.operators if row.name == "DEPTHWISE_CONV_2D") == 539_136


def test_recurrent_layers_cost_their_matrices_once_per_step():
    model = read_tflite(lstm(np.random.default_rng(4)))
    batches, steps, features = model.input_tensors()[0].shape  # or steps first: the product is what counts
    cells = model.output_tensors()[0].shape[-1]
    stats = model_stats(model)
    assert stats.macs == batches * steps * 4 * cells * (features + cells) > 0
    assert stats.parameters == 4 * cells * (features + cells + 1)
    model = read_tflite(svdf(np.random.default_rng(4)))
    filters, memory = model.tensors[2].shape
    rows, features = model.input_tensors()[0].shape
    assert model_stats(model).macs == rows * filters * (features + memory) > 0


def test_lifetimes_reach_from_writer_to_last_reader():
    tensors = [T((1, 4), scales=(1.0,)) for _ in range(4)]
    operators = [Op("RELU", [0], [1]), Op("RELU", [1], [2]), Op("ADD", [2, 1], [3])]
    model = read_tflite(build_tflite(tensors, operators, [0], [3]))
    assert lifetimes(model) == {0: (0, 0), 1: (0, 2), 2: (1, 2), 3: (2, 2)}


def test_importing_the_reader_is_light():
    code = "import sys, tinytracker.model.tflite_stats; print('tflite' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_rows_that_follow_from_a_dynamic_batch_count():
    """Dense layers over the 5 steps of a sequence: the file says 1 row where a batch of 1 has 5."""
    q = {"scales": (0.1,), "zero_points": (0,)}
    tensors = [
        T((1, 5, 8), signature=(-1, 5, 8), **q),
        T((2,), "int32", data=np.array([-1, 8], np.int32)),
        T((1, 8), signature=(-1, 8), **q),
        T((4, 8), data=np.ones((4, 8), np.int8), **q),
        T((1, 4), signature=(-1, 4), **q),
        T((1, 4), signature=(-1, 4), **q),
    ]
    operators = [
        Op("RESHAPE", [0, 1], [2]), Op("FULLY_CONNECTED", [2, 3, -1], [4]), Op("LOGISTIC", [4], [5]),
    ]  # fmt: skip
    stats = model_stats(read_tflite(build_tflite(tensors, operators, [0], [5])))
    assert stats.macs == 5 * 8 * 4
    assert [o.output_shape for o in stats.operators] == [(5, 8), (5, 4), (5, 4)]
    assert stats.peak_activation_bytes == 2 * 5 * 8
