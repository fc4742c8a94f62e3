"""The optimizer of matrices: momentum made orthogonal. Importing this module imports TensorFlow.

A gradient of a layer's kernel has few large directions, and Adam follows them alone for hundreds of steps. Muon gives
all directions of the momentum the same length, so that rare features are learned as fast as common ones (Keller Jordan
et al., "Muon: An optimizer for hidden layers in neural networks", 2024, kellerjordan.github.io/posts/muon). Keras 2.15
comes without it, and Keras 3's leaves convolutions to Adam.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

MATRIX_RATE = 10.0
"""The rate of a matrix is this times the learning rate: an orthogonal step is small in each element."""

MOMENTUM = 0.95
_SMALLEST = 4
"""Kernels with fewer rows or columns have too few directions to share among: AdamW, as for biases and depthwise."""

_ITERATIONS = 5
_A, _B, _C = 3.4445, -4.7750, 2.0315
"""Of the quintic whose iteration brings singular values from 0..1 to about 1 (ibid., "Newton-Schulz")."""


class Muon(tf.keras.optimizers.AdamW):  # type: ignore[misc]
    """AdamW for vectors; for matrices, momentum made orthogonal.

    A convolution's kernel (h, w, in, out) is the matrix (h · w · in, out).
    """

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable) -> None:
        """Change one variable; Keras has applied the weight decay before."""
        if not is_matrix(variable.shape):
            super().update_step(gradient, variable)
            return
        momentum = self._momentums[self._index_dict[self._var_key(variable)]]
        momentum.assign(MOMENTUM * momentum + (1 - MOMENTUM) * gradient)
        ahead = MOMENTUM * momentum + (1 - MOMENTUM) * gradient  # Nesterov's
        rows, columns = _rows_and_columns(variable.shape)
        step = _traced(tf.reshape(ahead, [rows, columns])) * math.sqrt(max(1.0, columns / rows))
        rate = MATRIX_RATE * tf.cast(self.learning_rate, variable.dtype)
        variable.assign_sub(rate * tf.reshape(step, variable.shape))


def is_matrix(shape: Any) -> bool:
    """True for the shapes of kernels that are updated as matrices."""
    return len(shape) >= 2 and min(_rows_and_columns(shape)) >= _SMALLEST


def _rows_and_columns(shape: Any) -> tuple[int, int]:
    return math.prod(shape[:-1]), int(shape[-1])


def orthogonal(matrix: tf.Tensor) -> tf.Tensor:
    """The nearest matrix with singular values of about 1 (0.7 to 1.2), (rows, columns); zero stays zero.

    Five matrix polynomials instead of a singular value decomposition; the same product for wide and tall matrices,
    which are turned so that the square in between is the small one.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = tf.transpose(matrix) if tall else matrix
    x = x / (tf.norm(x) + 1e-12)
    for _ in range(_ITERATIONS):
        square = tf.matmul(x, x, transpose_b=True)
        x = _A * x + tf.matmul(_B * square + _C * tf.matmul(square, square), x)
    return tf.transpose(x) if tall else x


_traced: Any = tf.function(orthogonal, autograph=False)
"""`orthogonal`, traced once per shape instead of once per kernel and training: 2 s less until the first step."""
