"""TFLM's resolver method for each operator that a model can have."""

from __future__ import annotations

import difflib

from tinytracker.errors import ModelError
from tinytracker.model.tflite_model import TfliteModel

# Operators that MicroMutableOpResolver can register (micro_mutable_op_resolver.h of tflite-micro, August 2026).
# A test compares the list with the installed tflite-micro.
_BUILTIN = """
    ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL BATCH_TO_SPACE_ND
    BROADCAST_ARGS BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION CONV_2D COS CUMSUM DEPTHWISE_CONV_2D
    DEPTH_TO_SPACE DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL FLOOR
    FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF
    L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC
    LOG_SOFTMAX MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE
    READ_VARIABLE REDUCE_ALL REDUCE_MAX REDUCE_MIN RELU RELU6 RESHAPE RESIZE_BILINEAR
    RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT_V2 SHAPE SIN SLICE SOFTMAX SPACE_TO_BATCH_ND
    SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH
    TRANSPOSE TRANSPOSE_CONV UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE
""".split()  # noqa: SIM905 (a table of names)

_CUSTOM = {
    "CIRCULAR_BUFFER": "CircularBuffer", "TFLM_DECODE": "Decode",
    "TFLite_Detection_PostProcess": "DetectionPostprocess",
    **{
        f"Signal{name}": name
        for name in (
            "Delay", "Energy", "FftAutoScale", "FilterBank", "FilterBankLog", "FilterBankSpectralSubtraction",
            "FilterBankSquareRoot", "Framer", "Irfft", "OverlapAdd", "PCAN", "Rfft", "Stacker", "Window",
        )
    },
}  # fmt: skip

# Methods whose name is not the operator's name in camel case.
_IRREGULAR = {
    "BATCH_MATMUL": "BatchMatMul", "CUMSUM": "CumSum", "PADV2": "PadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
}  # fmt: skip

_COMPILED_FOR = {"CUSTOM:edgetpu-custom-op": "the Edge TPU", "CUSTOM:ethos-u": "Arm's Ethos-U (by Vela)"}


def _camel_case(name: str) -> str:
    """Return the method of most operators: AveragePool2D for AVERAGE_POOL_2D."""
    return "".join(part if part[0].isdigit() else part.capitalize() for part in name.split("_"))


METHODS = {
    **{name: _IRREGULAR.get(name, _camel_case(name)) for name in _BUILTIN},
    **{f"CUSTOM:{code}": method for code, method in _CUSTOM.items()},
}
"""X of `AddX()` for every operator that the resolver knows."""


def has_resolver_method(operator: str) -> bool:
    """Return whether TFLM's resolver knows an operator, given its builtin name."""
    return operator in METHODS


def _near(operator: str) -> str:
    """Return the names closest to an operator that TFLM does not have."""
    near = difflib.get_close_matches(operator, METHODS, n=3, cutoff=0.4)
    return f"{', '.join(near)} come closest by name" if near else "none has a similar name"


def resolver_methods(model: TfliteModel) -> dict[str, str]:
    """Return each operator of the model, sorted, with the X of its `AddX()`: `{"CONV_2D": "Conv2D", ...}`.

    Raises:
        ModelError: TFLM does not have an operator of the model.
    """
    names = sorted({o.name for o in model.operators})
    unknown = [n for n in names if n not in METHODS]
    if unknown:
        compiled = next((device for name, device in _COMPILED_FOR.items() if name in unknown), None)
        if compiled:
            raise ModelError(
                f"{model.source} was compiled for {compiled}; package the file from which it was compiled."
            )
        raise ModelError(
            f"{model.source}: operator {unknown[0]} cannot be registered with TFLM's resolver.",
            f"Replace it by one of the {len(METHODS)} operators that TFLM has: {_near(unknown[0])} "
            "(micro_mutable_op_resolver.h lists all).",
        )
    return {n: METHODS[n] for n in names}
