"""Writes the model as a C array for TensorFlow Lite for Microcontrollers, with the interface of the generated C."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinytracker import __version__
from tinytracker.codegen.cwriter import CONSTANTS_MACRO, c_array
from tinytracker.codegen.generation import write_texts
from tinytracker.codegen.kernel_text import kernel_source
from tinytracker.codegen.library import AUTOGEN, aim_codes, tensor_header, tensor_table
from tinytracker.files import read_bytes
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import TfliteModel
from tinytracker.package.tflm_operators import resolver_methods


def write_tflm(
    model: Path | str | bytes, out_dir: Path | str, *, arena_bytes: int | None = None
) -> tuple[str, ...]:
    """Write `model.h`, `model_tflite.h` and `model_tflite.c` for TensorFlow Lite for Microcontrollers.

    They declare the same names as the generated C (`model_inputs`, `MODEL_ARENA_BYTES`, ...), so an application can
    use either.

    Args:
        model: INT8 .tflite file or its bytes.
        out_dir: folder to write into; created when missing.
        arena_bytes: size of the arena; when omitted, `measure_arena` measures it with the host's build of the runtime.

    Returns:
        Names of the files, sorted.

    Raises:
        InputFileError: the file is damaged.
        ModelError: the runtime does not know an operator.
        MissingDependencyError: the arena has to be measured and tflite_micro is not installed.
        OutputError: the folder cannot be written.
    """
    content = model if isinstance(model, bytes) else read_bytes(Path(model))
    parsed = read_tflite(content, "" if isinstance(model, bytes) else str(model))
    if arena_bytes is None:
        from tinytracker.interpreters.arena import measure_arena

        arena_bytes = measure_arena(content).total_bytes
    described = tensor_header((*parsed.input_tensors(), *parsed.output_tensors()))
    texts = {
        "model.h": _header(parsed, arena_bytes),
        "model_tflite.h": _array_header(parsed, len(content)),
        "model_tflite.c": _source(parsed, content),
        **{header: kernel_source(header) for header in {"tt_tensor.h", described}},
    }
    write_texts(Path(out_dir), texts)
    return tuple(sorted(texts))


def _header(model: TfliteModel, arena_bytes: int) -> str:
    inputs, outputs = model.input_tensors(), model.output_tensors()
    methods = list(resolver_methods(model).values())
    adds = ", ".join(f"(void)(resolver).Add{method}()" for method in methods)
    return f"""{AUTOGEN.format(version=__version__, sha256=model.sha256)}#ifndef MODEL_H
#define MODEL_H

#include <stdint.h>

#include "{tensor_header((*inputs, *outputs))}"

#ifdef __cplusplus
extern "C" {{
#endif

#define MODEL_INPUTS {len(inputs)}
#define MODEL_OUTPUTS {len(outputs)}
#define MODEL_INPUT_BYTES {sum(t.nbytes for t in inputs)}
#define MODEL_OUTPUT_BYTES {sum(t.nbytes for t in outputs)}
#define MODEL_AIM_CODES {aim_codes(model)}
#define MODEL_ARENA_BYTES {arena_bytes}

/* For a MicroMutableOpResolver<MODEL_TFLM_OPERATORS>. */
#define MODEL_TFLM_OPERATORS {len(methods)}
#define MODEL_TFLM_ADD_OPERATORS(resolver) ({adds})

extern const char model_sha256[65];
extern const tt_tensor_t model_inputs[MODEL_INPUTS];
extern const tt_tensor_t model_outputs[MODEL_OUTPUTS];

/* All inputs, and all outputs, one after the other as bytes. Returns TT_OK or TT_ERROR_ARGUMENT. */
int model_run_packed(const uint8_t *inputs, uint8_t *outputs);

#ifdef __cplusplus
}}
#endif

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
    array = array.replace("] TT_CONSTANTS = {", "] __attribute__((aligned(16))) TT_CONSTANTS = {", 1)
    return f"""{AUTOGEN.format(version=__version__, sha256=model.sha256)}#include "model_tflite.h"

#include "model.h"

{CONSTANTS_MACRO}
const char model_sha256[65] = "{model.sha256}";

{tensor_table("model_inputs", "MODEL_INPUTS", model.input_tensors())}

{tensor_table("model_outputs", "MODEL_OUTPUTS", model.output_tensors())}

{array}
"""
