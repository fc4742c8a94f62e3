"""Operators of the Edge TPU, from Coral's list of supported operations and from compiled files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Support:
    """What is known about one operator.

    Attributes:
        since: Edge TPU runtime that introduced it (10: the first).
        seen: newest operator version found mapped in a compiled file, or the version that INT8 needs.
        rejected: oldest operator version that a compiler was reported to refuse; None when there is no such report.
    """

    since: int = 10
    seen: int = 2
    rejected: int | None = None


OPERATORS: dict[str, Support] = {
    "ADD": Support(),
    "AVERAGE_POOL_2D": Support(),
    "CONCATENATION": Support(),
    "CONV_2D": Support(seen=3, rejected=6),
    "DEPTHWISE_CONV_2D": Support(seen=3),
    "EXPAND_DIMS": Support(since=13),
    "FULLY_CONNECTED": Support(seen=4, rejected=9),
    "L2_NORMALIZATION": Support(),
    "LOGISTIC": Support(),
    "MAXIMUM": Support(),
    "MAX_POOL_2D": Support(),
    "MEAN": Support(),
    "MINIMUM": Support(),
    "MUL": Support(),
    "PACK": Support(since=13),
    "PAD": Support(),
    "PRELU": Support(since=13),
    "QUANTIZE": Support(since=12),
    "REDUCE_MAX": Support(since=14),
    "REDUCE_MIN": Support(since=14),
    "RELU": Support(),
    "RELU6": Support(),
    "RELU_N1_TO_1": Support(),
    "RESHAPE": Support(seen=1),
    "RESIZE_BILINEAR": Support(seen=3, rejected=4),
    "RESIZE_NEAREST_NEIGHBOR": Support(seen=3, rejected=4),
    "RSQRT": Support(since=14),
    "SLICE": Support(),
    "SOFTMAX": Support(),
    "SPACE_TO_DEPTH": Support(),
    "SPLIT": Support(),
    "SQUARED_DIFFERENCE": Support(since=14),
    "SQUEEZE": Support(),
    "STRIDED_SLICE": Support(),
    "SUB": Support(),
    "SUM": Support(since=13),
    "TANH": Support(),
    "TILE": Support(since=12, seen=1),
    "TRANSPOSE": Support(since=14),
    "TRANSPOSE_CONV": Support(since=13),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Support(since=12),
}

REPLACEMENTS: dict[str, str] = {
    "HARD_SWISH": "Use ReLU or ReLU6 (MobileNetV3 has a minimalistic variant without hard-swish).",
    "LEAKY_RELU": "Use ReLU, or PReLU with shared_axes=[1, 2].",
    "ELU": "Use ReLU.",
    "GELU": "Use ReLU.",
    "DEQUANTIZE": "Give the model integer outputs: quantize with `--io uint8` and scale on the host.",
    "CAST": "Give the model integer inputs: quantize with `--io uint8`.",
    "ARG_MAX": "Take the maximum on the host.",
    "DIV": "Multiply by a constant.",
    "MIRROR_PAD": "Pad with zeros.",
    "PADV2": "Pad with zeros (PAD).",
    "SPLIT_V": "Split into equal parts (SPLIT) or slice.",
    "BATCH_MATMUL": "Use a dense layer with constant weights.",
}
"""Fixes for operators that are not in the table."""
