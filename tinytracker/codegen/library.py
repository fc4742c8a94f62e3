"""The two files of a generated network: `NAME.c` (constants, arena, run function) and `NAME.h`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tinytracker.codegen.cwriter import CONSTANTS_MACRO, c_comment, c_float, c_ints, c_string, c_type
from tinytracker.codegen.graph import Graph
from tinytracker.codegen.kernel import LayerCode
from tinytracker.codegen.multicore.write import Team, main_declarations, main_steps
from tinytracker.codegen.planner import MemoryPlan
from tinytracker.errors import ModelError
from tinytracker.model.tflite_model import Tensor, TfliteModel
from tinytracker.quant.contract import GazeDecoding, IoContract

AUTOGEN = (
    "/* AUTOGEN by tinytracker {version}. Do not edit; generate it again from the model.\n"
    " * Source model sha256 {sha256}\n */\n"
)
"""The comment at the top of every file that depends on the model."""


def banner(graph: Graph, version: str) -> str:
    """Return the comment at the top of both files."""
    return AUTOGEN.format(version=version, sha256=graph.model.sha256)


def numbered(stem: str, tensors: Sequence[Tensor]) -> list[str]:
    """Return the C names of a group of tensors: just the stem for a single one."""
    return [stem if len(tensors) == 1 else f"{stem}_{i}" for i in range(len(tensors))]


def gaze_decoding(graph: Graph) -> GazeDecoding | None:
    """Return how the only output becomes a point in cm; None when it does not."""
    if len(graph.outputs) != 1:
        return None
    try:
        return IoContract.of(graph.model).gaze
    except ModelError:
        return None


def aim_codes(model: TfliteModel) -> int:
    """Return how many codes at the end of the only output say where the eyes are; 0 without an aim."""
    try:
        contract = IoContract.of(model)
        aim = contract.aim if len(contract.outputs) == 1 else None
        return 0 if aim is None else aim.codes
    except ModelError:
        return 0


def run_arguments(graph: Graph) -> str:
    """Return the parameters of the run function: inputs, then outputs."""
    inputs = zip(graph.inputs, numbered("input", graph.inputs), strict=True)
    outputs = zip(graph.outputs, numbered("output", graph.outputs), strict=True)
    parts = [f"const {c_type(t.dtype)} *{name}" for t, name in inputs]
    return ", ".join(parts + [f"{c_type(t.dtype)} *{name}" for t, name in outputs])


def tensor_header(tensors: Iterable[Tensor]) -> str:
    """Return the header that describes inputs and outputs; integers wider than 8 bits need additional types."""
    wide = {"int32", "int64"} & {tensor.dtype for tensor in tensors}
    return "tt_tensor_wide.h" if wide else "tt_tensor.h"


def header_text(
    graph: Graph, name: str, plan: MemoryPlan, version: str, layers: Sequence[LayerCode] = (), cores: int = 1
) -> str:
    """`NAME.h`; the hook numbers the steps of each of the cores."""
    macro = name.upper()
    names = numbered("input", graph.inputs)
    accessors = "".join(
        f"{c_type(t.dtype)} *{name}_{stem}(void);\n" for t, stem in zip(graph.inputs, names, strict=True)
    )
    sizes = "".join(
        f"#define {macro}_{stem.upper()}_ELEMENTS {t.elements}\n"
        for group, stem_of in ((graph.inputs, "input"), (graph.outputs, "output"))
        for t, stem in zip(group, numbered(stem_of, group), strict=True)
    )
    gaze = (
        f"\n/* Converts the output of a run to a point in cm: x to the right of the camera, y above it. */\n"
        f"void {name}_gaze(const {c_type(graph.outputs[0].dtype)} *output, float gaze_cm[2]);\n"
        if gaze_decoding(graph)
        else ""
    )
    return f"""{banner(graph, version)}#ifndef {macro}_H
#define {macro}_H

#include <stdint.h>

#include "{tensor_header((*graph.inputs, *graph.outputs))}"

#define {macro}_INPUTS {len(graph.inputs)}
#define {macro}_OUTPUTS {len(graph.outputs)}
#define {macro}_STEPS {len(graph.nodes) * cores}
#define {macro}_ARENA_BYTES {max(plan.arena_bytes, 1)}
#define {macro}_INPUT_BYTES {sum(t.nbytes for t in graph.inputs)}
#define {macro}_OUTPUT_BYTES {sum(t.nbytes for t in graph.outputs)}
#define {macro}_AIM_CODES {aim_codes(graph.model)}
{sizes}
extern const char {name}_sha256[65];
extern const tt_tensor_t {name}_inputs[{macro}_INPUTS];
extern const tt_tensor_t {name}_outputs[{macro}_OUTPUTS];

/* Address of an input in the arena. Write it there and pass NULL to the run function to avoid a copy. */
{accessors}
/* Runs one inference. A NULL input is read from the arena in place; other inputs are copied there first.
 * Inputs in the arena are overwritten during the run. Not reentrant.
 * Returns TT_OK, or TT_ERROR_ARGUMENT when an output is NULL. */
int {name}_run({run_arguments(graph)});

/* The same with all inputs, and all outputs, one after the other as bytes, for any types. */
int {name}_run_packed(const uint8_t *inputs, uint8_t *outputs);
{_reset_declaration(name, layers)}{gaze}
#endif
"""


def _reset_declaration(name: str, layers: Sequence[LayerCode]) -> str:
    if not any(layer.resets for layer in layers):
        return ""
    return (
        f"\n/* The network keeps {sum(layer.state_bytes for layer in layers)} bytes of state from run to run. Call this"
        f" where a new sequence begins. */\nvoid {name}_reset(void);\n"
    )


def _reset_function(name: str, layers: Sequence[LayerCode]) -> str:
    resets = [reset for layer in layers for reset in layer.resets]
    if not resets:
        return ""
    body = "".join(f"    {reset}\n" for reset in resets)
    return f"\nvoid {name}_reset(void)\n{{\n{body}}}\n"


def source_text(
    graph: Graph, name: str, plan: MemoryPlan, layers: Sequence[LayerCode], version: str, cm_per_unit: float,
    team: Team | None = None,
) -> str:  # fmt: skip
    """`NAME.c`; with a team, the parts of the steps are in another file."""
    macro = name.upper()
    headers = sorted(
        {s for layer in layers for s in layer.sources if s.endswith(".h") and s != "tt_requantize.h"}
    )
    if team is not None:
        headers = sorted({f"{name}_team.h", *headers})
    includes = "".join(f'#include "{header}"\n' for header in headers)
    declarations = "\n\n".join(
        f"/* {c_comment(node.operator.label)} -> {c_comment(node.output.label)} */\n"
        + "\n\n".join(layer.declarations)
        for node, layer in zip(graph.nodes, layers, strict=True)
        if layer.declarations
    )
    shared = {name: text for layer in layers if not layer.own_code for name, text in layer.shared.items()}
    shared_text = "".join(f"{text}\n\n" for text in shared.values())
    steps = (
        main_steps(graph, name, layers, team) if team is not None else _steps_function(graph, name, layers)
    )
    team_text = main_declarations(name, team) if team is not None else ""
    return f"""{banner(graph, version)}#include <stddef.h>
#include <string.h>

#include "{name}.h"
{includes}
{CONSTANTS_MACRO}
/* A measuring build defines TT_STEP_HOOK and provides this function. It is called with -1 when the inputs are in place,
 * and after each step. */
#ifdef TT_STEP_HOOK
extern void tt_step_done(int32_t step);
uint8_t *{name}_arena_bytes(void);
#define TT_STEP_DONE(step) tt_step_done(step)
#else
#define TT_STEP_DONE(step) ((void)0)
#endif

/* All run-time tensors; the first member only sets the alignment. Networks that run one after the other may share one
 * arena: such a build defines TT_SHARED_ARENA, the largest of their {macro}_ARENA_BYTES, and tt_shared_arena. */
#ifdef TT_SHARED_ARENA
#if {macro}_ARENA_BYTES > TT_SHARED_ARENA
#error "TT_SHARED_ARENA is smaller than {macro}_ARENA_BYTES"
#endif
extern union tt_arena {{
    int64_t alignment;
    int8_t bytes[TT_SHARED_ARENA];
}} tt_shared_arena;
#define {name}_arena tt_shared_arena
#else
static union {{
    int64_t alignment;
    int8_t bytes[{macro}_ARENA_BYTES];
}} {name}_arena;
#endif

const char {name}_sha256[65] = "{graph.model.sha256}";

{tensor_table(f"{name}_inputs", f"{macro}_INPUTS", graph.inputs)}

{tensor_table(f"{name}_outputs", f"{macro}_OUTPUTS", graph.outputs)}

{shared_text}{declarations}
{team_text}
#ifdef TT_STEP_HOOK
uint8_t *{name}_arena_bytes(void)
{{
    return (uint8_t *){name}_arena.bytes;
}}
#endif

{_accessors(graph, name, plan)}
{steps}
int {name}_run({run_arguments(graph)})
{{
{_copies_in(graph, name, plan)}    {name}_steps();
{_copies_out(graph, name, plan)}    return TT_OK;
}}

int {name}_run_packed(const uint8_t *inputs, uint8_t *outputs)
{{
    if (outputs == NULL) {{
        return TT_ERROR_ARGUMENT;
    }}
    if (inputs != NULL) {{
{_packed(graph.inputs, name, plan, "inputs", inward=True)}    }}
    {name}_steps();
{_packed(graph.outputs, name, plan, "outputs", inward=False)}    return TT_OK;
}}
{_reset_function(name, layers)}{_gaze_function(graph, name, cm_per_unit)}"""


def _steps_function(graph: Graph, name: str, layers: Sequence[LayerCode]) -> str:
    steps = "".join(
        f"    /* step {step}: {c_comment(node.operator.label)} */\n"
        + "".join(f"    {statement}\n" for statement in layer.statements)
        + f"    TT_STEP_DONE({step});\n"
        for step, (node, layer) in enumerate(zip(graph.nodes, layers, strict=True))
    )
    return f"static void {name}_steps(void)\n{{\n    TT_STEP_DONE(-1);\n{steps}}}\n"


def tensor_table(name: str, count: str, tensors: Sequence[Tensor]) -> str:
    """Return the table that describes inputs or outputs, of type `tt_tensor_t` from `tt_tensor.h`."""
    rows = []
    for t in tensors:
        scale, zero_point = (t.scale, t.zero_point) if t.scales else (1.0, 0)
        shape = c_ints(t.shape) if t.shape else "{0}"
        rows.append(
            f"    {{{c_string(t.name)}, TT_{t.dtype.upper()}, {t.nbytes}, {len(t.shape)}, {shape}, "
            f"{c_float(scale)}, {zero_point}}},\n"
        )
    return f"const tt_tensor_t {name}[{count}] = {{\n{''.join(rows)}}};"


def _place(name: str, plan: MemoryPlan, tensor: Tensor) -> str:
    return f"&{name}_arena.bytes[{plan.offsets[tensor.index]}]"


def _accessors(graph: Graph, name: str, plan: MemoryPlan) -> str:
    functions = []
    for tensor, stem in zip(graph.inputs, numbered("input", graph.inputs), strict=True):
        cast = "" if tensor.dtype == "int8" else f"({c_type(tensor.dtype)} *)(void *)"
        head = f"{c_type(tensor.dtype)} *{name}_{stem}(void)"
        functions.append(f"{head}\n{{\n    return {cast}{_place(name, plan, tensor)};\n}}\n")
    return "\n".join(functions)


def _copies_in(graph: Graph, name: str, plan: MemoryPlan) -> str:
    names = numbered("output", graph.outputs)
    checks = " || ".join(f"({stem} == NULL)" if len(names) > 1 else f"{stem} == NULL" for stem in names)
    text = f"    if ({checks}) {{\n        return TT_ERROR_ARGUMENT;\n    }}\n"
    for tensor, stem in zip(graph.inputs, numbered("input", graph.inputs), strict=True):
        text += (
            f"    if ({stem} != NULL) {{\n"
            f"        (void)memmove({_place(name, plan, tensor)}, {stem}, {tensor.nbytes});\n    }}\n"
        )
    return text


def _copies_out(graph: Graph, name: str, plan: MemoryPlan) -> str:
    return "".join(
        f"    (void)memcpy({stem}, {_place(name, plan, tensor)}, {tensor.nbytes});\n"
        for tensor, stem in zip(graph.outputs, numbered("output", graph.outputs), strict=True)
    )


def _packed(tensors: Sequence[Tensor], name: str, plan: MemoryPlan, pointer: str, *, inward: bool) -> str:
    text, start = "", 0
    for tensor in tensors:
        place, packed = _place(name, plan, tensor), f"&{pointer}[{start}]"
        first, second = (place, packed) if inward else (packed, place)
        indent = "        " if inward else "    "
        text += f"{indent}(void)memmove({first}, {second}, {tensor.nbytes});\n"
        start += tensor.nbytes
    return text


def _gaze_function(graph: Graph, name: str, cm_per_unit: float) -> str:
    decoding = gaze_decoding(graph)
    if decoding is None:
        return ""
    output = graph.outputs[0]
    factor = c_float(decoding.cm_per_code * cm_per_unit)
    head = f"\nvoid {name}_gaze(const {c_type(output.dtype)} *output, float gaze_cm[2])\n{{\n"
    if decoding.segments > 1:
        # An axis is the sum of its segments; the offset is the left or lower end of the range.
        return f"""{head}    for (int32_t i = 0; i < 2; i++) {{
        int32_t sum = 0;
        for (int32_t k = 0; k < {decoding.segments}; k++) {{
            sum += (int32_t)output[({decoding.segments} * i) + k] - ({decoding.zero_point});
        }}
        gaze_cm[i] = {c_float(decoding.offset_cm * cm_per_unit)} + ({factor} * (float)sum);
    }}
}}
"""
    code = (
        "output[i]" if output.dtype == "float32" else f"(float)((int32_t)output[i] - ({decoding.zero_point}))"
    )
    return f"""{head}    for (int32_t i = 0; i < 2; i++) {{
        gaze_cm[i] = {factor} * {code};
    }}
}}
"""
