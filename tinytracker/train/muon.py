"""Muon, an optimizer for matrices: orthogonalized momentum. Importing this module imports TensorFlow.

The gradient of a layer's kernel has a few dominant directions, and Adam follows only these for hundreds of steps. Muon
gives all directions of the momentum the same length, so that rare features are learned as fast as common ones (Keller
Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024, kellerjordan.github.io/posts/muon).
Keras 2.15 does not include it, and the one in Keras 3 leaves convolutions to Adam.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

MATRIX_RATE = 10.0
"""Factor on the learning rate for matrices: an orthogonal step is small in each element."""

MOMENTUM = 0.95
_SMALLEST = 4
"""Kernels with fewer rows or columns have too few directions; they use AdamW, as biases and depthwise kernels do."""

_ITERATIONS = 5
_A, _B, _C = 3.4445, -4.7750, 2.0315
"""Coefficients of the quintic whose iteration moves singular values from 0..1 to about 1 (ibid., "Newton-Schulz")."""


class Muon(tf.keras.optimizers.AdamW):  # type: ignore[misc]
    """AdamW for vectors; orthogonalized momentum for matrices.

    A convolution's kernel (h, w, in, out) is the matrix (h · w · in, out).
    """

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable) -> None:
        """Update one variable; Keras has already applied the weight decay."""
        if not is_matrix(variable.shape):
            super().update_step(gradient, variable)
            return
        momentum = self._momentums[self._index_dict[self._var_key(variable)]]
        momentum.assign(MOMENTUM * momentum + (1 - MOMENTUM) * gradient)
        ahead = MOMENTUM * momentum + (1 - MOMENTUM) * gradient  # Nesterov momentum
        rows, columns = _rows_and_columns(variable.shape)
        step = _traced(tf.reshape(ahead, [rows, columns])) * math.sqrt(max(1.0, columns / rows))
        rate = MATRIX_RATE * tf.cast(self.learning_rate, variable.dtype)
        variable.assign_sub(rate * tf.reshape(step, variable.shape))


def is_matrix(shape: Any) -> bool:
    """Return True for shapes of kernels that are updated as matrices."""
    return len(shape) >= 2 and min(_rows_and_columns(shape)) >= _SMALLEST


def _rows_and_columns(shape: Any) -> tuple[int, int]:
    return math.prod(shape[:-1]), int(shape[-1])


def orthogonal(matrix: tf.Tensor) -> tf.Tensor:
    """Return the nearest matrix (rows, columns) with singular values of about 1 (0.7 to 1.2); zero stays zero.

    Uses five matrix polynomials instead of a singular value decomposition; tall matrices are transposed so that the
    square intermediate is the smaller one.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = tf.transpose(matrix) if tall else matrix
    x = x / (tf.norm(x) + 1e-12)
    for _ in range(_ITERATIONS):
        square = tf.matmul(x, x, transpose_b=True)
        x = _A * x + tf.matmul(_B * square + _C * tf.matmul(square, square), x)
    return tf.transpose(x) if tall else x


_traced: Any = tf.function(orthogonal, autograph=False)
"""`orthogonal`, traced once per shape instead of once per kernel and run; the first step starts 2 s earlier."""
