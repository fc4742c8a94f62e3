"""The model as a C array, with what TensorFlow Lite for Microcontrollers (TFLM) needs beside it."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from tinytracker import __version__
from tinytracker.codegen.cwriter import c_array
from tinytracker.codegen.generate import kernel_source, write_texts
from tinytracker.codegen.library import AUTOGEN, tensor_table
from tinytracker.errors import InputFileError, MissingDependencyError, ModelError
from tinytracker.model.tflite_file import TfliteModel, read_tflite

_RESOLVER = {
    "ADD": "AddAdd", "AVERAGE_POOL_2D": "AddAveragePool2D", "CONCATENATION": "AddConcatenation",
    "CONV_2D": "AddConv2D", "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D", "DEQUANTIZE": "AddDequantize",
    "EXPAND_DIMS": "AddExpandDims", "FULLY_CONNECTED": "AddFullyConnected", "HARD_SWISH": "AddHardSwish",
    "LEAKY_RELU": "AddLeakyRelu", "LOGISTIC": "AddLogistic", "MAX_POOL_2D": "AddMaxPool2D", "MEAN": "AddMean",
    "MUL": "AddMul", "PAD": "AddPad", "PADV2": "AddPadV2", "QUANTIZE": "AddQuantize", "RELU": "AddRelu",
    "RELU6": "AddRelu6", "RESHAPE": "AddReshape", "SOFTMAX": "AddSoftmax", "SQUEEZE": "AddSqueeze",
    "SUB": "AddSub", "TANH": "AddTanh",
}  # fmt: skip
"""Operator -> method of the runtime's operator resolver."""

_ARENA_MARGIN = 1024
_PROBE = """
import sys
from tflite_micro import runtime
runtime.Interpreter.from_file(sys.argv[1]).print_allocations()
"""


def write_tflm(
    model: Path | str | bytes, out_dir: Path | str, *, arena_bytes: int | None = None
) -> tuple[str, ...]:
    """Write `model.h`, `model_tflite.h` and `model_tflite.c` for TensorFlow Lite for Microcontrollers.

    They declare the same names as the generated C (`model_inputs`, `MODEL_ARENA_BYTES`, ...), so that an
    application takes either.

    Args:
        model: INT8 .tflite file or its bytes.
        out_dir: folder to write into; made when missing.
        arena_bytes: size of the arena. Without it the host's build of the runtime is asked
            (`measured_arena_bytes`).

    Returns:
        Names of the files, sorted.

    Raises:
        InputFileError: the file is damaged.
        ModelError: an operator is unknown to the runtime.
        MissingDependencyError: the arena has to be measured and tflite_micro is not installed.
        OutputError: the folder cannot be written.
    """
    content = model if isinstance(model, bytes) else _read(Path(model))
    parsed = read_tflite(content, "" if isinstance(model, bytes) else str(model))
    arena = arena_bytes if arena_bytes is not None else measured_arena_bytes(content)
    texts = {
        "model.h": _header(parsed, arena),
        "model_tflite.h": _array_header(parsed, len(content)),
        "model_tflite.c": _source(parsed, content),
        "tt_tensor.h": kernel_source("tt_tensor.h"),
    }
    write_texts(Path(out_dir), texts)
    return tuple(sorted(texts))


def measured_arena_bytes(content: bytes) -> int:
    """Arena that the runtime's host build allocates for the model, plus a margin of 1 KB.

    The host has 64-bit pointers, so a Cortex-M4 needs somewhat less; it never needs more.

    Raises:
        MissingDependencyError: tflite_micro is not installed.
        ModelError: the runtime refuses the model.
    """
    if find_spec("tflite_micro") is None:
        raise MissingDependencyError("tflite_micro", "measuring the arena", "pip install tflite-micro")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(content)
        # The runtime prints from C++, so it gets a process of its own.
        done = subprocess.run([sys.executable, "-c", _PROBE, str(path)], capture_output=True, text=True)
    found = re.search(r"Arena allocation total (\d+)", done.stdout + done.stderr)
    if found is None:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelError(f"TensorFlow Lite for Microcontrollers cannot allocate the model: {reason}.")
    return -(-(int(found[1]) + _ARENA_MARGIN) // 16) * 16


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputFileError(path, f"cannot be read ({error.strerror or error})") from error


def _resolver_calls(model: TfliteModel) -> list[str]:
    names = sorted({operator.name for operator in model.operators})
    for name in names:
        if name not in _RESOLVER:
            known = ", ".join(_RESOLVER)
            raise ModelError(
                f"{model.source} uses {name}, which is not known here for TFLM.", f"Known: {known}."
            )
    return [_RESOLVER[name] for name in names]


def _header(model: TfliteModel, arena_bytes: int) -> str:
    inputs, outputs = model.input_tensors(), model.output_tensors()
    calls = _resolver_calls(model)
    adds = ", ".join(f"(void)(resolver).{call}()" for call in calls)
    return f"""{AUTOGEN.format(version=__version__, sha256=model.sha256)}#ifndef MODEL_H
#define MODEL_H

#include <stdint.h>

#include "tt_tensor.h"

#define MODEL_INPUTS {len(inputs)}
#define MODEL_OUTPUTS {len(outputs)}
#define MODEL_INPUT_BYTES {sum(t.nbytes for t in inputs)}
#define MODEL_OUTPUT_BYTES {sum(t.nbytes for t in outputs)}
#define MODEL_ARENA_BYTES {arena_bytes}

/* For a MicroMutableOpResolver<MODEL_TFLM_OPERATORS>. */
#define MODEL_TFLM_OPERATORS {len(calls)}
#define MODEL_TFLM_ADD_OPERATORS(resolver) ({adds})

extern const char model_sha256[65];
extern const tt_tensor_t model_inputs[MODEL_INPUTS];
extern const tt_tensor_t model_outputs[MODEL_OUTPUTS];

/* All inputs, and all outputs, one after the other as bytes. Returns TT_OK or TT_ERROR_ARGUMENT. */
int model_run_packed(const uint8_t *inputs, uint8_t *outputs);

#endif
"""


def _array_header(model: TfliteModel, length: int) -> str:
    return f"""{AUTOGEN.format(version=__version__, sha256=model.sha256)}#ifndef MODEL_TFLITE_H
#define MODEL_TFLITE_H

#include <stdint.h>

#define MODEL_TFLITE_BYTES {length}

#ifdef __cplusplus
extern "C" {{
#endif

extern const uint8_t model_tflite[MODEL_TFLITE_BYTES];

#ifdef __cplusplus
}}
#endif

#endif
"""


def _source(model: TfliteModel, content: bytes) -> str:
    array = c_array("model_tflite", np.frombuffer(content, np.uint8)).removeprefix("static ")
    array = array.replace("] = {", "] __attribute__((aligned(16))) = {", 1)
    return f"""{AUTOGEN.format(version=__version__, sha256=model.sha256)}#include "model_tflite.h"

#include "model.h"

const char model_sha256[65] = "{model.sha256}";

{tensor_table("model_inputs", "MODEL_INPUTS", model.input_tensors())}

{tensor_table("model_outputs", "MODEL_OUTPUTS", model.output_tensors())}

{array}
"""
