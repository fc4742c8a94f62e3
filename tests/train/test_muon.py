"""The optimizer of matrices, against a singular value decomposition and AdamW."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytracker.train.muon import MATRIX_RATE, Muon, is_matrix, orthogonal

LEAST, MOST = 0.6, 1.3
"""Where the iteration leaves singular values that are not tiny at the start."""


@settings(max_examples=30, deadline=None)
@given(
    rows=st.integers(4, 40),
    columns=st.integers(4, 40),
    seed=st.integers(0, 2**31),
    scale=st.sampled_from([1e-6, 1.0, 1e4]),
)
def test_all_directions_get_one_length(rows, columns, seed, scale):
    """Singular values within a factor of 50 of each other end near 1, whatever the shape and the scale."""
    rng = np.random.default_rng(seed)
    n = min(rows, columns)
    left = np.linalg.qr(rng.normal(size=(rows, n)))[0]
    right = np.linalg.qr(rng.normal(size=(columns, n)))[0]
    values = np.geomspace(1, 50, n) * scale
    result = orthogonal(tf.constant(left * values @ right.T, tf.float32)).numpy()
    between = left.T @ result @ right  # the pairs of singular vectors stay pairs: a diagonal matrix
    lengths = np.diag(between)
    assert lengths.min() > LEAST
    assert lengths.max() < MOST
    assert np.abs(between - np.diag(lengths)).max() < 0.01


def test_nothing_stays_nothing():
    assert not orthogonal(tf.zeros((5, 7))).numpy().any()


@pytest.mark.parametrize(
    ("shape", "matrix"),
    [
        ((3, 3, 16, 24), True),
        ((1, 1, 48, 240), True),
        ((1536, 128), True),
        ((3, 3, 128, 1), False),  # depthwise: one column per channel would be all there is
        ((128, 2), False),  # x and y
        ((240,), False),
    ],
)
def test_which_weights_are_matrices(shape, matrix):
    assert is_matrix(shape) == matrix


def stepped(optimizer, start, gradients):
    """The variables after a step for each list of gradients."""
    variables = [tf.Variable(value) for value in start]
    optimizer.build(variables)
    for step in gradients:
        optimizer.apply_gradients(zip(map(tf.constant, step), variables, strict=True))
    return [v.numpy() for v in variables]


def test_vectors_move_as_with_adamw():
    rng = np.random.default_rng(0)
    start = [rng.normal(size=shape).astype(np.float32) for shape in ((12,), (3, 3, 8, 1), (20, 2))]
    gradients = [[rng.normal(size=v.shape).astype(np.float32) for v in start] for _ in range(5)]
    ours = stepped(Muon(0.01, weight_decay=0.1), start, gradients)
    theirs = stepped(tf.keras.optimizers.AdamW(0.01, weight_decay=0.1), start, gradients)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_rare_direction_is_learned_as_fast_as_a_common_one():
    """The first step moves along both directions of the gradient by the same length, one 30 times as strong."""
    a, b = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 2)))[0].T
    gradient = (30 * np.outer(a, a) + np.outer(b, b)).astype(np.float32)
    (after,) = stepped(Muon(0.001, weight_decay=0.0), [np.zeros((8, 8), np.float32)], [[gradient]])
    along = [float(-v @ after @ v) / (0.001 * MATRIX_RATE) for v in (a, b)]
    assert all(LEAST < length < MOST for length in along)


def test_a_wide_kernel_steps_further():
    """Output channels beyond the inputs get steps of their own length: the square root of the ratio."""
    eye = np.eye(4, 16, dtype=np.float32)
    (wide,) = stepped(Muon(0.001, weight_decay=0.0), [np.zeros((4, 16), np.float32)], [[eye]])
    (tall,) = stepped(Muon(0.001, weight_decay=0.0), [np.zeros((16, 4), np.float32)], [[eye.T.copy()]])
    np.testing.assert_allclose(wide, 2 * tall.T, rtol=1e-4, atol=1e-7)
