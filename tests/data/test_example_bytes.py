"""Records are written without TensorFlow's objects, and have the bytes that those give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytracker.data.example_bytes import example_bytes
from tinytracker.varint import varint

NAMES = st.text("abz_", min_size=1, max_size=6)
VALUES = st.one_of(
    st.binary(max_size=300),
    st.integers(-(2**63), 2**63 - 1),
    st.lists(st.floats(width=32), max_size=5).map(tuple),
    st.tuples(st.floats(allow_nan=False)),
)


def of_tensorflow(features):
    import tensorflow as tf

    def feature(value):
        if isinstance(value, bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        if isinstance(value, tuple):
            return tf.train.Feature(float_list=tf.train.FloatList(value=value))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    made = {name: feature(value) for name, value in features.items()}
    example = tf.train.Example(features=tf.train.Features(feature=made))
    return example.SerializeToString(deterministic=True)


@given(st.dictionaries(NAMES, VALUES, max_size=6))
def test_the_bytes_are_those_of_tensorflow(features):
    assert example_bytes(features) == of_tensorflow(features)


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384, 70_000])
def test_lengths_of_any_size_are_written(length):
    features = {"image": b"\xff" * length}
    assert example_bytes(features) == of_tensorflow(features)


def test_numbers_beyond_float32_are_infinite_as_in_tensorflow():
    features = {"far": (1e39, -1e39, float("nan"), -0.0)}
    assert example_bytes(features) == of_tensorflow(features)
    assert np.frombuffer(example_bytes(features)[-16:], "<f4")[0] == np.inf


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "00"), (127, "7f"), (128, "8001"), (2**64 - 1, "ff" * 9 + "01")]
)
def test_a_number_takes_a_byte_for_every_seven_bits(number, expected):
    assert varint(number).hex() == expected
